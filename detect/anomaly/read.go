package anomaly

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
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
	err            error
}

// reader reads what hours are judged from.
type reader struct {
	usage  Usage
	events stored.Source
}

// read reads a span.
func (r *reader) read(ctx context.Context, s span) *hours {
	h := &hours{span: s}
	if h.err = r.sums(ctx, h); h.err != nil || !s.events || s.noted {
		return h
	}
	h.err = r.collect(ctx, h)
	return h
}

// sums reads usage.
func (r *reader) sums(ctx context.Context, h *hours) error {
	put := func(to *[24][]usage.Row, row usage.Row) {
		i := row.Hour.Sub(h.sum.day) / time.Hour
		to[i] = append(to[i], row)
		h.rows++
	}
	if r.usage.Where == nil {
		for row, err := range r.usage.Select(ctx, usage.Query{Since: h.since, Until: h.until}) {
			if err != nil {
				return err
			}
			if wanted(&row.Key) {
				put(&h.details, row)
			}
			if row.ResourceUID == "" {
				put(&h.calls, row)
			}
		}
		for i := range h.details {
			slices.SortStableFunc(h.details[i], compareDetails)
		}
		return nil
	}
	for _, q := range []struct {
		where string
		by    []string
		to    *[24][]usage.Row
	}{{detailsWhere, details, &h.details}, {"resource_uid = ''", totals, &h.calls}} {
		for row, err := range r.usage.Where(ctx, Sums{Since: h.since, Until: h.until, Where: q.where, By: q.by}) {
			if err != nil {
				return err
			}
			put(q.to, row)
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

// collect reads events into the summary.
func (r *reader) collect(ctx context.Context, h *hours) error {
	c := newCollector(h.sum, h.since, h.until)
	condition := stored.Condition{Since: h.since.Add(-burstSpan), Until: h.until.Add(burstSpan), Where: eventsWhere, Columns: eventColumns}
	for e, err := range r.stored(ctx, condition, ofInterest) {
		if err != nil {
			return err
		}
		c.add(&e)
	}
	c.finish()
	h.read += c.events
	return r.replicas(ctx, h)
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
