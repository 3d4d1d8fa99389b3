package api

import (
	"cmp"
	"context"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/event/trail"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
)

// following is a person being followed through the logs.
type following struct {
	PersonTimeline
	rooms  Rooms
	uid    string
	found  *finding.Finding // that was asked for; nil: none
	events []trail.Event
	met    map[event.UID]bool
}

// follow reads what is theirs, each step by what those before it found: by name,
// by the ids and users that go with it, by the devices they were logged on to, by
// the addresses that these had; then what a finding infers.
func (f *following) follow(ctx context.Context) error {
	f.met = map[event.UID]bool{}
	for _, step := range []func(context.Context) error{f.byName, f.byObject, f.byUser, f.byDevice, f.byFinding} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	slices.SortStableFunc(f.events, func(a, b trail.Event) int { return a.Time.Compare(b.Time) })
	lanes, runs := trail.Fold(f.events)
	f.Runs, f.Events = append(f.Runs, runs...), len(f.events)
	if err := f.unheard(ctx, lanes); err != nil {
		return err
	}
	f.end()
	if len(f.events) == 0 {
		return f.before(ctx)
	}
	return nil
}

// take reads the events of [since, until) that whose chooses, as theirs by a rule,
// and tells how many there are that were not met before.
func (f *following) take(ctx context.Context, rule trail.Rule, uid string, whose query.Expr, since, until time.Time) (n int, err error) {
	left := personMost - len(f.events)
	q := query.Query{
		Where: query.And{X: []query.Expr{whose, query.Eq{Field: "twin", Value: false}}},
		Since: later(since, f.Since), Until: earlier(until, f.Until), OldestFirst: true, NoRaw: true, Limit: left + 1,
	}
	if !q.Until.After(q.Since) {
		return 0, nil
	}
	for e, err := range f.rooms.Select(ctx, q) {
		if err != nil {
			return n, err
		}
		if f.met[e.UID] {
			continue
		}
		if len(f.events) >= personMost {
			f.More = true
			break
		}
		f.met[e.UID] = true
		f.events = append(f.events, trail.Event{Event: e, Rule: rule, Whose: whose})
		n++
	}
	f.identify(rule, uid, whose, n)
	return n, nil
}

// identify remembers under what events were found.
func (f *following) identify(rule trail.Rule, uid string, whose query.Expr, n int) {
	if n == 0 {
		return
	}
	at := slices.IndexFunc(f.Identities, func(i PersonIdentity) bool { return i.Rule == rule && i.UID == uid })
	if at < 0 {
		at = len(f.Identities)
		f.Identities = append(f.Identities, PersonIdentity{UID: uid, Rule: rule, Inferred: rule.Inferred(), Text: f.why(rule, uid), Query: query.String(whose)})
	}
	f.Identities[at].Events += n
}

// surest is the greatest probability that is told of what is inferred: nothing of it
// is certain.
const surest = 0.99

func (f *following) why(rule trail.Rule, uid string) say.Text {
	if rule == trail.ByFinding {
		return say.T("trail.inferred", say.Values{"p": min(f.Finding.Probability, surest)})
	}
	return say.T("trail.by."+string(rule), say.Values{"uid": uid})
}

// byName takes the records that name the person, role, machine or address itself,
// and those of sessions that are named so.
func (f *following) byName(ctx context.Context) error {
	any := query.Or{X: []query.Expr{is("actor_uid", f.uid)}}
	if lower := strings.ToLower(f.uid); lower != f.uid {
		any.X = append(any.X, is("actor_uid", lower))
	}
	switch _, err := netip.ParseAddr(f.uid); {
	case err == nil:
		any.X = append(any.X, is("src_ip", f.uid))
	case !strings.ContainsAny(f.uid, `@/\`):
		any.X = append(any.X, is("device_name", f.uid), is("device_uid", f.uid))
	}
	whose := query.Expr(any)
	if len(any.X) == 1 {
		whose = any.X[0]
	}
	if _, err := f.take(ctx, trail.ByName, f.uid, whose, f.Since, f.Until); err != nil {
		return err
	}
	_, err := f.take(ctx, trail.BySession, f.uid, is("actor_session", f.uid), f.Since, f.Until)
	return err
}

func is(field, value string) query.Expr { return query.Eq{Field: field, Value: value} }

var objectID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// byObject takes Microsoft's records that give the person's object id without the
// name: other records have both.
func (f *following) byObject(ctx context.Context) error {
	var ids []string
	for i := range f.events {
		if e := &f.events[i]; e.Rule == trail.ByName && e.CloudProvider == "Azure" && objectID.MatchString(e.ActorSession) && !slices.Contains(ids, e.ActorSession) {
			ids = append(ids, e.ActorSession)
		}
	}
	for _, id := range ids {
		if _, err := f.take(ctx, trail.ByObject, id, is("actor_uid", id), f.Since, f.Until); err != nil {
			return err
		}
	}
	return nil
}

// userOf is what devices and proxies call who has the name: what stands before the
// @, or behind the domain. Empty: it is no person's.
func userOf(uid string) string {
	uid = strings.ToLower(uid)
	if strings.ContainsAny(uid, `/:*?`) || strings.HasSuffix(uid, ".gserviceaccount.com") {
		return ""
	}
	if _, user, ok := strings.Cut(uid, `\`); ok {
		return user
	}
	user, _, _ := strings.Cut(uid, "@")
	return user
}

// mostAlike is how many names that are alike are looked at.
const mostAlike = 20

// byUser takes the records of those who are called as the person is, where only one
// of each form is: an address, a user of a domain, a bare user.
func (f *following) byUser(ctx context.Context) error {
	user := userOf(f.uid)
	if user == "" || f.rooms.Console.Values == nil {
		return nil
	}
	alike := query.Or{X: []query.Expr{
		query.Like{Field: "actor_uid", Pattern: `*\\` + query.Escape(user)}, query.Like{Field: "actor_uid", Pattern: query.Escape(user) + "@*"}, is("actor_uid", user),
	}}
	v, err := f.rooms.Console.Values(ctx, query.Query{Where: alike, Since: f.Since.Add(-beforehand), Until: f.Until}, []string{"actor_uid"}, mostAlike)
	if err != nil || len(v.Fields) == 0 {
		return err
	}
	forms := map[string][]string{}
	for _, x := range v.Fields[0].Values {
		forms[form(x.Value)] = append(forms[form(x.Value)], x.Value)
	}
	for _, names := range forms {
		if len(names) > 1 { // any of them may be the person, or another: none is taken
			slices.Sort(names)
			f.Notes = append(f.Notes, say.T("trail.several", say.Values{"names": say.List(names, 5)}))
			return nil
		}
	}
	for _, form := range []string{`\`, "@", ""} {
		for _, name := range forms[form] {
			if strings.EqualFold(name, f.uid) {
				continue
			}
			if _, err := f.take(ctx, trail.ByUser, name, is("actor_uid", name), f.Since, f.Until); err != nil {
				return err
			}
		}
	}
	return nil
}

// form is what tells an address, a user of a domain and a bare user apart.
func form(name string) string {
	for _, mark := range []string{`\`, "@"} {
		if strings.Contains(name, mark) {
			return mark
		}
	}
	return ""
}

// byFinding takes the records that the finding infers to be theirs.
func (f *following) byFinding(ctx context.Context) error {
	x := f.found
	if x == nil {
		return nil
	}
	f.Finding = &PersonFinding{Key: x.Key, Title: titled(x), First: x.FirstSeen, Last: x.LastSeen}
	if x.Inferred == nil {
		return nil
	}
	at := slices.IndexFunc(x.Inferred.Candidates, func(c finding.Candidate) bool { return slices.Contains(f.names(), strings.ToLower(c.UID)) })
	if at < 0 {
		return nil
	}
	f.Finding.Inferred, f.Finding.Probability = true, x.Inferred.Candidates[at].Probability
	if _, err := f.take(ctx, trail.ByFinding, x.Key, recordsOf(x), x.FirstSeen, x.LastSeen.Add(time.Microsecond)); err != nil {
		return err
	}
	if x.RegisterGap == nil || x.RegisterGap.NeededBy == "" {
		return nil
	}
	// Whoever was refused had asked for what needs the service that was.
	asked := query.And{X: []query.Expr{is("account_uid", x.Account), is("api_service", x.RegisterGap.NeededBy), is("actor_type", string(event.ActorMasked))}}
	_, err := f.take(ctx, trail.ByFinding, x.Key, asked, x.FirstSeen.Add(-askedWithin), x.LastSeen.Add(askedWithin))
	return err
}

// askedWithin is how long before and after a refusal the call is looked for that
// brought it about.
const askedWithin = 5 * time.Minute

// names are all that are theirs and stand in records, in small letters.
func (f *following) names() []string {
	out := []string{strings.ToLower(f.uid)}
	for _, i := range f.Identities {
		if i.Rule == trail.ByUser || i.Rule == trail.ByObject {
			out = append(out, strings.ToLower(i.UID))
		}
	}
	return out
}

// recordsOf chooses the records of a finding about denials by policy; of others
// those that are kept as evidence.
func recordsOf(x *finding.Finding) query.Expr {
	if x.Constraint != "" && x.Rule == "" { // a rule's are of one resource
		whose := is("actor_type", string(event.ActorMasked)) // and no address
		if x.Actor != "" {
			whose = query.Or{X: []query.Expr{is("actor_uid", x.Actor), is("src_ip", x.Actor), is("src_host", x.Actor)}}
		}
		return query.And{X: []query.Expr{is("outcome", string(event.DeniedByOrgPolicy)), is("account_uid", x.Account), is("status_code", x.Constraint), whose}}
	}
	var any query.Or
	for _, s := range sightings(x) {
		any.X = append(any.X, query.Eq{Field: "uid", Value: s.UID})
	}
	return any
}

// before finds the latest event of who did nothing in the time asked for.
func (f *following) before(ctx context.Context) error {
	for e, err := range f.rooms.Select(ctx, query.Query{Where: is("actor_uid", f.uid), Until: f.Since, Limit: 1, NoRaw: true}) {
		if err != nil {
			return err
		}
		f.Latest = e.Time
		break
	}
	return nil
}

// end says after what nothing more is seen, and whether that is known.
func (f *following) end() {
	if len(f.events) == 0 || f.More {
		return
	}
	last := f.events[len(f.events)-1].Time
	if f.Until.Sub(last) < endsAfter {
		return
	}
	known := len(f.Notes) == 0 && !slices.ContainsFunc(f.Lanes, func(l PersonLane) bool {
		return slices.ContainsFunc(l.Gaps, func(g PersonGap) bool { return g.To.After(last) })
	})
	f.End = &PersonEnd{At: last, Known: known, Text: say.T("trail.end.gap", nil)}
	if known {
		f.End.Text = say.T("trail.end", say.Values{"until": f.Until})
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// deviceOf is the name of an event's device, by which logs of sensors and leases
// are joined: its first label in small letters.
func deviceOf(e *event.Event) string {
	name, _, _ := strings.Cut(strings.ToLower(cmp.Or(e.DeviceName, e.SrcHost)), ".")
	return name
}
