package anomaly

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/usage"
)

// details are the columns by which uses and acts are summed. The resource is the
// last, so that what a call names follows on its row without one.
var details = []string{"account_uid", "actor_uid", "caller", "api_service", "api_operation", "region", "outcome", "resource_uid"}

// callsWhere chooses rows of which each call is in exactly one.
const callsWhere = "resource_uid = ''"

// totals are the columns by which calls are summed.
var totals = []string{"account_uid", "actor_uid", "caller", "region", "outcome"}

// detailsWhere is wanted in SQL.
var detailsWhere = "resource_uid <> '' AND (" + callsIn(uses) + ") OR (" + callsIn(sorts) + ") OR outcome IN ('denied', 'auth_failed', 'denied_by_org_policy')"

// wanted tells whether a row of usage is of a use or an act.
func wanted(k *usage.Key) bool {
	c := call{k.APIService, k.APIOperation}
	return k.ResourceUID != "" && uses[c] != 0 || sorts[c] != "" || denied(k.Outcome)
}

// eventColumns are what is read of events.
var eventColumns = []string{
	"outcome", "account_uid", "region", "api_service", "api_operation", "read_only", "category", "actor_uid", "actor_name", "actor_session",
	"caller", "src_ip", "src_host", "src_vpce", "resource_uid", "resource_uids", "status_code", "twin",
}

// span is hours of one day that are to be judged.
type span struct {
	since, until time.Time
	sum          *summary // hours before them; never nil
	events       bool     // held
	noted        bool     // the summary is a note
}

// hours is what was read of a span.
type hours struct {
	span
	details, calls [24][]usage.Row
	read, rows     int64
	err            error // then nothing else is there
}

// reader reads what hours are judged from.
type reader struct {
	usage  Usage
	events stored.Source
	most   int64 // events of days that are read together
}

// fromEvents tells whether the span's events are read.
func (s *span) fromEvents() bool { return s.events && !s.noted }

// read reads spans, which adjoin.
func (r *reader) read(ctx context.Context, spans []span) ([]*hours, error) {
	run := make([]*hours, len(spans))
	for i, s := range spans {
		run[i] = &hours{span: s}
	}
	if err := r.sums(ctx, run); err != nil {
		return nil, err
	}
	for at := 0; at < len(run); at++ {
		end := at
		for end < len(run) && run[end].fromEvents() {
			end++
		}
		if end == at {
			continue
		}
		if err := r.collect(ctx, run[at:end]); err != nil {
			return nil, err
		}
		at = end
	}
	return run, nil
}

// sums reads usage.
func (r *reader) sums(ctx context.Context, run []*hours) error {
	since, until := run[0].since, run[len(run)-1].until
	of := func(t time.Time) (*hours, int) {
		h := run[sort.Search(len(run)-1, func(i int) bool { return t.Before(run[i].until) })]
		h.rows++
		return h, int(t.Sub(h.sum.day) / time.Hour)
	}
	detail := func(row usage.Row) {
		h, i := of(row.Hour)
		h.details[i] = append(h.details[i], row)
	}
	call := func(row usage.Row) {
		h, i := of(row.Hour)
		h.calls[i] = append(h.calls[i], row)
	}
	if r.usage.Where == nil {
		for row, err := range r.usage.Select(ctx, usage.Query{Since: since, Until: until}) {
			if err != nil {
				return err
			}
			if wanted(&row.Key) {
				detail(row)
			}
			if row.ResourceUID == "" {
				call(row)
			}
		}
		for _, h := range run {
			for i := range h.details {
				slices.SortStableFunc(h.details[i], compareDetails)
			}
		}
		return nil
	}
	for _, q := range []struct {
		where string
		by    []string
		put   func(usage.Row)
	}{{detailsWhere, details, detail}, {callsWhere, totals, call}} {
		for row, err := range r.usage.Where(ctx, Sums{Since: since, Until: until, Where: q.where, By: q.by}) {
			if err != nil {
				return err
			}
			q.put(row)
		}
	}
	return nil
}

// compareDetails orders rows as by details.
func compareDetails(a, b usage.Row) int {
	for _, p := range [...][2]string{
		{a.AccountUID, b.AccountUID}, {a.ActorUID, b.ActorUID}, {string(a.Caller), string(b.Caller)}, {a.APIService, b.APIService},
		{a.APIOperation, b.APIOperation}, {a.Region, b.Region}, {string(a.Outcome), string(b.Outcome)}, {a.ResourceUID, b.ResourceUID},
	} {
		if c := strings.Compare(p[0], p[1]); c != 0 {
			return c
		}
	}
	return 0
}

// stored yields the events of [since, until) for which where and f, which are the
// same, hold.
func (r *reader) stored(ctx context.Context, c stored.Condition, f func(*event.Event) bool) iter.Seq2[event.Event, error] {
	if r.events.Where != nil {
		return r.events.Where(ctx, c)
	}
	return func(yield func(event.Event, error) bool) {
		for e, err := range r.events.Select(ctx, query.Query{Since: c.Since, Until: c.Until, OldestFirst: true}) {
			if (err != nil || f(&e)) && !yield(e, err) {
				return
			}
		}
	}
}

// collect reads events into the summaries.
func (r *reader) collect(ctx context.Context, run []*hours) error {
	all := make([]*collector, len(run))
	for i, h := range run {
		all[i] = newCollector(h.sum, h.since, h.until)
	}
	condition := stored.Condition{
		Since: run[0].since.Add(-burstSpan), Until: run[len(run)-1].until.Add(burstSpan), Where: eventsWhere, Columns: eventColumns,
	}
	for e, err := range r.stored(ctx, condition, ofInterest) {
		if err != nil {
			return err
		}
		// Around midnight an event is of interest to two days.
		i := sort.Search(len(all), func(i int) bool { return e.Time.Before(all[i].until.Add(burstSpan)) })
		for ; i < len(all) && !e.Time.Before(all[i].since.Add(-burstSpan)); i++ {
			all[i].add(&e)
		}
	}
	for i, h := range run {
		all[i].finish()
		h.read += all[i].events
		if err := r.replicas(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// replicates are the operations that may say where replicas are made.
var replicates = map[call]bool{
	{"secretsmanager.amazonaws.com", "ReplicateSecretToRegions"}: true,
	{"secretsmanager.amazonaws.com", "CreateSecret"}:             true,
	{"kms.amazonaws.com", "ReplicateKey"}:                        true,
}

// replicas reads which regions secrets were replicated to. Only records say so,
// and there are few.
func (r *reader) replicas(ctx context.Context, h *hours) error {
	from, to := h.since.Sub(h.sum.day)/time.Hour, h.until.Sub(h.sum.day)/time.Hour
	any := false
	for i := from; i < to; i++ {
		h.sum.replicas[i] = nil
		any = any || slices.ContainsFunc(h.details[i], func(row usage.Row) bool { return replicates[call{row.APIService, row.APIOperation}] })
	}
	if !any {
		return nil
	}
	condition := stored.Condition{
		Since: h.since, Until: h.until, Where: "outcome = 'success' AND (" + callsIn(replicates) + ")",
		Columns: []string{"resource_uid", "raw", "outcome", "api_service", "api_operation"}, Ordered: true,
	}
	for e, err := range r.stored(ctx, condition, func(e *event.Event) bool {
		return e.Outcome == event.Success && replicates[call{e.APIService, e.APIOperation}]
	}) {
		if err != nil {
			return err
		}
		if e.ResourceUID == "" {
			continue
		}
		i := e.Time.Sub(h.sum.day) / time.Hour
		for _, region := range replicaRegions(e.Raw) {
			h.sum.replicas[i] = append(h.sum.replicas[i], replica{h.sum.names.secret(e.ResourceUID), region})
		}
	}
	return nil
}

// replicaRegions are those that a record's request names.
func replicaRegions(raw []byte) (out []string) {
	var record struct {
		RequestParameters struct {
			AddReplicaRegions []struct {
				Region string `json:"region"`
			} `json:"addReplicaRegions"`
			ReplicaRegion string `json:"replicaRegion"`
		} `json:"requestParameters"`
	}
	if json.Unmarshal(raw, &record) != nil {
		return nil // a record of another form names none
	}
	for _, r := range record.RequestParameters.AddReplicaRegions {
		out = append(out, r.Region)
	}
	if r := record.RequestParameters.ReplicaRegion; r != "" {
		out = append(out, r)
	}
	return out
}

// first is the day of the earliest usage; zero: there is none.
func (r *reader) first(ctx context.Context) (time.Time, error) {
	rows := r.usage.Select
	if r.usage.Where != nil {
		rows = func(ctx context.Context, _ usage.Query) iter.Seq2[usage.Row, error] {
			return r.usage.Where(ctx, Sums{By: []string{}})
		}
	}
	for row, err := range rows(ctx, usage.Query{}) {
		return row.Hour.UTC().Truncate(24 * time.Hour), err
	}
	return time.Time{}, ctx.Err()
}

// words keeps one copy of texts that occur again and again.
type words map[string]string

func word[T ~string](w words, s T) T {
	if x, ok := w[string(s)]; ok {
		return T(x)
	}
	w[string(s)] = strings.Clone(string(s))
	return s
}

// hour makes an hour of what was read of it. What is named for the first time is
// numbered in the order of the rows, which is that of their names.
func (h *hours) hour(i int, n *names, w words) *watch.Hour {
	out := &watch.Hour{Start: h.sum.day.Add(time.Duration(i) * time.Hour)}
	out.Calls = callsOf(h.calls[i], n, w, out.Start)
	out.Uses = usesOf(h.details[i], n, w, out.Start)
	out.Acts = actsOf(h.details[i], n, w, out.Start)
	h.sum.bind(out, n)
	return out
}
