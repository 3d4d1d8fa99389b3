package anomaly

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/frequency"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/instant"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
)

const (
	// attackVersion is of the techniques that signs name.
	attackVersion = "19"
	// maxResources is how many secrets a finding names.
	maxResources = 50
	// maxAsked is how many alarms the evidence of which is asked for at once.
	maxAsked = 40
	// maxScore is that of what cannot be: a chance of 10^-300 is all that a float holds.
	maxScore = 300
	// leastTrials is one judgement in 1,000 days, or 1,000,000 secrets.
	leastTrials = 1e-6
	// maxUIDs is how many events the first reason names.
	maxUIDs = 5
)

// teller makes occurrences of alarms.
type teller struct {
	h       *Hunter
	r       *reader
	since   time.Time // of what is told
	windows []finding.Window
	budget  float64
	out     []finding.Occurrence
	at      map[string]int // in out, by key and hour
	open    []proof        // whose evidence is not read yet
}

// proof is what evidence an occurrence of out has.
type proof struct {
	occurrence int
	since      time.Time
	until      time.Time
	where      watch.Where
}

// empty tells whether it would choose every event.
func (p *proof) empty() bool {
	w := &p.where
	return w.Actor == "" && w.Person == "" && w.Caller == "" && w.Region == "" && w.SrcIP == "" &&
		len(w.Secrets)+len(w.Operations)+len(w.Outcomes) == 0
}

// alarm takes an alarm of an hour: what it gives is for the tail.
func (t *teller) alarm(m *model, hour *watch.Hour, a *watch.Alarm) []raised {
	if !(a.Score >= watch.Floor) || !a.Mature { // which is so of what is no number, too
		return nil
	}
	a.Score = min(a.Score, maxScore)
	if !(a.Trials >= leastTrials) {
		a.Trials = leastTrials
	}
	key := t.key(m, a)
	rate := m.learned.tails.rate(a.Class, a.Score, a.Trials)
	needs := needed(m.learned.tails, rate)
	if needs <= t.budget {
		i := int(hour.Start.Sub(m.day) / time.Hour)
		switch {
		case rank(a) > 0 && len(a.Context) == 0 && m.within(a, i, needs):
		case !hour.Start.Before(t.since):
			t.add(m, hour, a, key, rate, needs)
		}
		if widens(a) && !t.accounted(m, hour, a, key, rate) {
			w := wide{actor: a.Actor, needs: needs}
			if a.Sign != finding.SignRegion {
				w.secrets = concerned(a)
			}
			m.wider[i] = append(m.wider[i], w)
		}
	}
	if len(a.Context) > 0 {
		return nil
	}
	return []raised{{class: a.Class, sign: a.Sign, key: key, score: a.Score, trials: a.Trials}}
}

// wide is that a principal read secrets that it never read, or from elsewhere (none
// are named then), and what budget that needs.
type wide struct {
	actor   int32
	secrets []int32
	needs   float64
}

// rank is in which order alarms of an hour are taken: those last that are told only
// where no other sign tells of more.
func rank(a *watch.Alarm) int {
	if a.Sign == finding.SignGroup {
		return 1
	}
	return 0
}

// widens tells whether an alarm is of a principal's reading what it never read, or
// reading from elsewhere. That some of a set were read and others not may follow
// from it: who goes through an account or has taken a program's credentials away is
// not looking for a part of a set.
func widens(a *watch.Alarm) bool {
	switch {
	case a.Actor < 0 || len(a.Context) > 0:
		return false
	case a.Sign == finding.SignRegion:
		return true
	}
	return a.Sign == finding.SignCaller || a.Class == frequency.ClassSweep
}

// concerned are the secrets that an alarm names.
func concerned(a *watch.Alarm) []int32 {
	if a.Secret >= 0 {
		return []int32{a.Secret}
	}
	return a.Secrets
}

// within tells whether an alarm is a piece of what the principal is told of for the
// same day, at any budget that has room for the alarm: of more than its secrets.
func (m *model) within(a *watch.Alarm, i int, needs float64) bool {
	for _, list := range m.wider[:i+1] {
		for _, w := range list {
			more := len(w.secrets) == 0 || slices.ContainsFunc(w.secrets, func(s int32) bool { return !slices.Contains(concerned(a), s) })
			if w.actor == a.Actor && w.needs <= needs && more {
				return true
			}
		}
	}
	return false
}

// accounted tells whether the calendar accounts for an alarm.
func (t *teller) accounted(m *model, hour *watch.Hour, a *watch.Alarm, key string, rate float64) bool {
	b := *a
	b.Tell = nil
	o := t.occurrence(m, hour, &b, key, rate)
	o.Explain(t.windows)
	return len(o.Explained) > 0
}

// key is what makes alarms one incident: the sign, the account, the principal (or
// the secret where none stands out) and the day, or since when it goes on.
func (t *teller) key(m *model, a *watch.Alarm) string {
	n := &m.names.Names
	who := a.Person
	switch {
	case who != "":
	case a.Actor >= 0:
		who = n.Actors[a.Actor].UID
	case a.Secret >= 0:
		who = n.Secrets[a.Secret].UID
	case len(a.Secrets) > 0:
		who = n.Secrets[a.Secrets[0]].UID
	default:
		who = a.Region
	}
	when := m.day.Format(time.DateOnly)
	if !a.Began.IsZero() {
		when = "since " + a.Began.Format(time.DateOnly)
	}
	return finding.Key("anomaly", a.Sign, accountOf(n, a), who, when)
}

func accountOf(n *watch.Names, a *watch.Alarm) string {
	if a.Account < 0 || int(a.Account) >= len(n.Accounts) {
		return ""
	}
	return n.Accounts[a.Account]
}

// add makes an occurrence of the alarm, or puts it to that of its trouble in the
// hour. What something accounts for is a trouble of its own, so that it lends
// nothing to what nothing accounts for.
func (t *teller) add(m *model, hour *watch.Hour, a *watch.Alarm, key string, rate, needs float64) {
	o := t.occurrence(m, hour, a, key, rate)
	o.Anomaly.Budget = needs
	if o.Explain(t.windows); len(o.Explained) > 0 {
		o.Key = finding.Key(key, "explained")
	}
	if t.at == nil {
		t.at = map[string]int{}
	}
	id := o.Key + hour.Start.Format(time.RFC3339)
	i, ok := t.at[id]
	switch {
	case !ok:
		i = len(t.out)
		t.at[id] = i
		t.out = append(t.out, o)
	case tier(needs) > tier(t.out[i].Anomaly.Budget):
		return
	case tier(needs) < tier(t.out[i].Anomaly.Budget):
		t.out[i] = o
		t.open = slices.DeleteFunc(t.open, func(p proof) bool { return p.occurrence == i })
	default:
		join(&t.out[i], o)
	}
	p := proof{i, o.Since, o.Until, a.Where}
	if a.Late {
		p.since, p.until = a.First, o.Since
	}
	t.open = append(t.open, p)
}

// tier is which of the usual budgets an alarm needs. What a smaller one has room
// for is not mixed with what it has none for: with a larger budget one is told of
// more, and of the rest the same.
func tier(needs float64) int {
	i, _ := slices.BinarySearch(tiers, needs)
	return i
}

var tiers = []float64{DefaultBudget, 5 * DefaultBudget, 20 * DefaultBudget}

// join adds an alarm of one trouble and hour to another: what is read is the more
// striking one.
func join(o *finding.Occurrence, p finding.Occurrence) {
	if p.Anomaly.Score > o.Anomaly.Score {
		*o, p = p, *o
	}
	o.Anomaly.Rate, o.Anomaly.Budget = min(o.Anomaly.Rate, p.Anomaly.Rate), min(o.Anomaly.Budget, p.Anomaly.Budget)
	o.Confidence = max(o.Confidence, p.Confidence)
	o.FirstSeen, o.LastSeen = instant.Earlier(o.FirstSeen, p.FirstSeen), instant.Later(o.LastSeen, p.LastSeen)
	mine, its := named(o), named(&p)
	for _, r := range its {
		if !slices.Contains(mine, r) && len(mine) < maxResources {
			mine = append(slices.Clip(mine), r)
		}
	}
	if len(mine) > 1 {
		o.Anomaly.Resources = mine
	}
	if p.Resource == o.Resource && len(its) <= 1 {
		o.Count = max(o.Count, p.Count) // the same calls, seen in another way
	} else {
		o.Count += p.Count
	}
	if p.Severity.Rank() > o.Severity.Rank() {
		o.Severity = p.Severity
	}
	for _, x := range p.Explained {
		if !slices.Contains(o.Explained, x) {
			o.Explained = append(o.Explained, x)
		}
	}
}

// named are the secrets that an occurrence names.
func named(o *finding.Occurrence) []string {
	if len(o.Anomaly.Resources) > 0 {
		return o.Anomaly.Resources
	}
	if o.Resource == "" {
		return nil
	}
	return []string{o.Resource}
}

func (t *teller) occurrence(m *model, hour *watch.Hour, a *watch.Alarm, key string, rate float64) finding.Occurrence {
	n := &m.names.Names
	var told watch.Told
	if a.Tell != nil {
		told = a.Tell()
	}
	end := hour.Start.Add(time.Hour)
	o := finding.Occurrence{
		Trouble: finding.Trouble{
			Key: key, Kind: finding.KindAnomaly + "." + finding.Kind(a.Sign), Title: told.Title.String(), Headline: told.Title, Severity: a.Severity,
			Confidence: confidence(rate), Account: accountOf(n, a), Region: a.Region, Reasons: told.Reasons, Next: told.Next,
			Explained: slices.Clone(a.Context),
			Anomaly: &finding.Anomaly{
				Sign: a.Sign, Score: a.Score, Rate: rate, Person: a.Person, Days: a.Days, Calls: a.Calls,
				Series: told.Series, Unseen: told.Unseen,
			},
		},
		Hunter: Name, Since: hour.Start, Until: end, Count: max(a.Count, 1),
		FirstSeen: within(a.First, hour.Start, hour.Start, end), LastSeen: within(a.Last, end.Add(-time.Microsecond), hour.Start, end),
	}
	if a.Late {
		o.LastSeen = o.FirstSeen
	}
	if o.LastSeen.Before(o.FirstSeen) {
		o.LastSeen = o.FirstSeen
	}
	if a.Actor >= 0 {
		o.Actor = n.Actors[a.Actor].UID
	}
	for _, s := range a.Secrets {
		if len(o.Anomaly.Resources) < maxResources {
			o.Anomaly.Resources = append(o.Anomaly.Resources, n.Secrets[s].UID)
		}
	}
	switch {
	case a.Secret >= 0:
		o.Resource = n.Secrets[a.Secret].UID
	case len(a.Secrets) > 0:
		o.Resource = o.Anomaly.Resources[0]
	}
	if len(o.Anomaly.Resources) == 1 {
		o.Anomaly.Resources = nil
	}
	for _, id := range told.Attack {
		o.Attack = append(o.Attack, finding.Attack{ID: id, Version: attackVersion})
	}
	if !hour.Events {
		o.Anomaly.Unseen = append(slices.Clip(o.Anomaly.Unseen),
			say.T("unseen.events", nil))
	}
	if h := m.today.Hours[:hour.Start.Sub(m.day)/time.Hour+1]; slices.ContainsFunc(h, func(h *watch.Hour) bool { return h != nil && h.Cut }) {
		o.Anomaly.Unseen = append(slices.Clip(o.Anomaly.Unseen),
			say.T("unseen.cut", nil))
	}
	return o
}

// within is t if it is in [from, to), else what stands for it: an alarm may rest
// on more than its hour, an occurrence may not.
func within(t, other, from, to time.Time) time.Time {
	if t.Before(from) || !t.Before(to) {
		return other
	}
	return t
}

// tell completes the occurrences of a span with their evidence.
func (t *teller) tell(ctx context.Context) error {
	asked := slices.DeleteFunc(slices.Clone(t.open), func(p proof) bool { return p.empty() })
	for some := range slices.Chunk(asked, maxAsked) {
		if err := t.prove(ctx, some); err != nil {
			return err
		}
	}
	done := map[int]bool{}
	for _, p := range t.open {
		if done[p.occurrence] {
			continue
		}
		done[p.occurrence] = true
		o := &t.out[p.occurrence]
		if len(o.Reasons) > 0 {
			o.Reasons = slices.Clone(o.Reasons)
			for _, s := range o.Evidence.First[:min(maxUIDs, len(o.Evidence.First))] {
				o.Reasons[0].Evidence = append(o.Reasons[0].Evidence, s.UID)
			}
		}
	}
	t.open = t.open[:0]
	return nil
}

// proofColumns are what events are told apart by.
var proofColumns = []string{
	"actor_uid", "actor_session", "actor_name", "resource_uid", "resource_uids", "caller", "region", "api_operation", "outcome", "src_ip", "twin",
}

// prove reads the evidence of some occurrences, all of one day.
func (t *teller) prove(ctx context.Context, some []proof) error {
	if t.r.events.Where == nil && t.r.events.Select == nil {
		return nil
	}
	c := stored.Condition{Since: some[0].since, Until: some[0].until, Columns: proofColumns}
	var parts []string
	for i := range some {
		p := &some[i]
		c.Since, c.Until = instant.Earlier(c.Since, p.since), instant.Later(c.Until, p.until)
		part, args := p.sql()
		parts = append(parts, "("+part+")")
		c.Args = append(c.Args, args...)
	}
	c.Where = "NOT twin AND (" + strings.Join(parts, " OR ") + ")"
	any := func(*event.Event) bool { return true }
	for e, err := range t.r.stored(ctx, c, any) {
		if err != nil {
			return err
		}
		for i := range some {
			if p := &some[i]; p.chooses(&e) {
				t.out[p.occurrence].Evidence.Add(finding.Sighting{Time: e.Time, UID: e.UID})
			}
		}
	}
	return nil
}

// sql is a condition that holds for all that the proof chooses.
func (p *proof) sql() (string, []any) {
	parts := []string{`"time" >= ` + query.Timestamp(p.since) + ` AND "time" < ` + query.Timestamp(p.until)}
	var args []any
	add := func(part string, values ...any) {
		parts = append(parts, part)
		args = append(args, values...)
	}
	in := func(column string, values []string) {
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")
		parts = append(parts, column+" IN ("+marks+")")
		for _, v := range values {
			args = append(args, v)
		}
	}
	w := &p.where
	if w.Actor != "" {
		add("actor_uid = ?", w.Actor)
	}
	if w.Person != "" {
		add("(actor_session = ? OR actor_name = ? OR actor_uid = ?)", w.Person, w.Person, w.Person)
	}
	if w.Caller != "" {
		add("caller = ?", string(w.Caller))
	}
	if w.Region != "" {
		add("region = ?", w.Region)
	}
	if w.SrcIP != "" {
		add("src_ip = ?", w.SrcIP)
	}
	if len(w.Operations) > 0 {
		in("api_operation", w.Operations)
	}
	if len(w.Outcomes) > 0 {
		var list []string
		for _, o := range w.Outcomes {
			list = append(list, string(o))
		}
		in("outcome", list)
	}
	if len(w.Secrets) > 0 && len(w.Secrets) <= maxResources {
		// In a name's other form only its end differs.
		var some []string
		for _, s := range w.Secrets {
			some = append(some, "starts_with(resource_uid, ?) OR list_contains(resource_uids, ?)")
			args = append(args, canonical(s), s)
		}
		parts = append(parts, "("+strings.Join(some, " OR ")+")")
	}
	return strings.Join(parts, " AND "), args
}

// chooses tells whether the event is evidence.
func (p *proof) chooses(e *event.Event) bool {
	w := &p.where
	switch {
	case e.Twin, e.Time.Before(p.since), !e.Time.Before(p.until),
		w.Actor != "" && e.ActorUID != w.Actor,
		w.Person != "" && e.ActorSession != w.Person && e.ActorName != w.Person && e.ActorUID != w.Person,
		w.Caller != "" && e.Caller != w.Caller,
		w.Region != "" && e.Region != w.Region,
		w.SrcIP != "" && e.SrcIP != w.SrcIP,
		len(w.Operations) > 0 && !slices.Contains(w.Operations, e.APIOperation),
		len(w.Outcomes) > 0 && !slices.Contains(w.Outcomes, e.Outcome):
		return false
	case len(w.Secrets) == 0:
		return true
	}
	same := func(uid string) bool {
		return slices.Contains(w.Secrets, uid) || slices.ContainsFunc(w.Secrets, func(s string) bool {
			return canonical(s) == canonical(uid)
		})
	}
	return e.ResourceUID != "" && same(e.ResourceUID) || slices.ContainsFunc(e.ResourceUIDs, same)
}

// inOrder puts occurrences in order of their hours and keys.
func inOrder(all []finding.Occurrence) {
	slices.SortStableFunc(all, func(a, b finding.Occurrence) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Key, b.Key))
	})
}
