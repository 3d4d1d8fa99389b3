package trouble

import (
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
)

// free tells whether nothing else happens around [from, to) to any of the keys.
// What is blind minds secrets only if something changes them for good, and
// principals only if they do something else at the time.
func (p *planner) free(j *job, from, to time.Time, keys ...string) bool {
	gap := j.free
	if p.blind {
		gap = time.Hour
	}
	for _, k := range keys {
		for _, s := range p.claims[k] {
			if p.blind && p.isSecret[k] && s.to.Before(p.w.End) {
				continue
			}
			if from.Before(s.to.Add(gap)) && s.from.Add(-gap).Before(to) {
				return false
			}
		}
	}
	return true
}

func (p *planner) claim(from, to time.Time, keys ...string) {
	for _, k := range keys {
		p.pending = append(p.pending, claim{k, span{from, to}})
	}
}

// firstOf is the first of those that fit, if any does.
func firstOf[T any](fit []*T) (*T, bool) {
	if len(fit) == 0 {
		return nil, false
	}
	return fit[0], true
}

func personKey(x *estate.Person) string { return "person " + x.Email }

// age is how long before something comes to it a thing has to be there.
func (p *planner) age() time.Duration {
	if p.blind {
		return 0
	}
	return YoungestSecret
}

// old tells whether a secret is there and long known at [from, to).
func (p *planner) old(s *estate.Secret, from, to time.Time) bool {
	if !s.Created.IsZero() && from.Before(s.Created.Add(p.age())) {
		return false
	}
	return s.Deleted.IsZero() || to.Before(s.Deleted)
}

// works tells whether a program works all through [from-14 d, to).
func (p *planner) works(w *estate.Workload, from, to time.Time) bool {
	if !w.From.IsZero() && from.Before(w.From.Add(p.age())) {
		return false
	}
	return w.Until.IsZero() || to.Before(w.Until)
}

func (p *planner) employed(x *estate.Person, at time.Time) bool {
	if !x.Joined.IsZero() && at.Before(x.Joined.Add(p.age())) {
		return false
	}
	return x.Left.IsZero() || at.Add(48*time.Hour).Before(x.Left)
}

// rosterKinds are signs that being on call explains.
var rosterKinds = []string{finding.SignTime, finding.SignView, finding.SignCaller}

// rostered tells whether the calendar would explain j by the person's being on
// call.
func rostered(j *job, x *estate.Person, from, to time.Time) bool {
	if j.kind != KindChain && !slices.Contains(rosterKinds, j.kind) {
		return false
	}
	return slices.ContainsFunc(x.Duty, func(s estate.Shift) bool { return from.Before(s.To) && s.From.Before(to) })
}

// steady is how many reads a busy hour of the secret has, at least and at most:
// by what works around the clock or in office hours.
func (p *planner) steady(s *estate.Secret) float64 {
	var sum float64
	for _, r := range p.readers[s] {
		if r.Rhythm == estate.Office || r.Rhythm == estate.Flat {
			sum += r.Rate * max(1, r.Step)
		}
	}
	return sum
}

// main is the reading that most calls come from.
func (p *planner) main(s *estate.Secret) *estate.Reading {
	var best *estate.Reading
	for _, r := range p.readers[s] {
		if best == nil || r.Rate > best.Rate {
			best = r
		}
	}
	return best
}

// secrets that fit, in random order, that nothing else happens to.
func (p *planner) secrets(j *job, from, to time.Time, fits func(*estate.Secret) bool) []*estate.Secret {
	var out []*estate.Secret
	for _, i := range p.rng.Perm(len(p.w.Secrets)) {
		if s := p.w.Secrets[i]; p.old(s, from, to) && fits(s) && !p.taken(j, s) && p.free(j, from, to, s.ARN) {
			out = append(out, s)
		}
	}
	return out
}

// taken tells whether other strangers come to the secret at some time so that j
// would not be the first, or would keep another from being it.
func (p *planner) taken(j *job, s *estate.Secret) bool {
	return !j.lax && !p.blind && (p.virgin[s.ARN] || j.needsFirst() && p.spoilt[s.ARN])
}

// owned tells whether a program is known to read the secret and no person is.
func (p *planner) owned(s *estate.Secret) bool {
	return s.App != nil && s.Sort != estate.SortKey && (p.blind && len(p.readers[s]) > 0 || p.steady(s) >= KnownPerHour)
}

// class is the one class of all callers of the secret, empty if they differ.
func (p *planner) class(s *estate.Secret) estate.Class {
	var c estate.Class
	for _, r := range p.readers[s] {
		if c != "" && c != r.Workload.Class {
			return ""
		}
		c = r.Workload.Class
	}
	return c
}

func (p *planner) reads(w *estate.Workload, s *estate.Secret) bool {
	return slices.ContainsFunc(w.Reads, func(r *estate.Reading) bool { return r.Secret == s })
}

// workloads that fit, in random order, that nothing else happens to.
func (p *planner) workloads(j *job, from, to time.Time, fits func(*estate.Workload) bool) []*estate.Workload {
	var out []*estate.Workload
	for _, i := range p.rng.Perm(len(p.w.Workloads)) {
		if w := p.w.Workloads[i]; p.works(w, from, to) && fits(w) && p.free(j, from, to, w.Role) {
			out = append(out, w)
		}
	}
	return out
}

// apps that fit, in random order, whose secrets and programs nothing else
// happens to.
func (p *planner) apps(j *job, from, to time.Time, fits func(*estate.App) bool) []*estate.App {
	var out []*estate.App
	for _, i := range p.rng.Perm(len(p.w.Apps)) {
		a := p.w.Apps[i]
		if len(a.Secrets) == 0 || len(a.Workloads) == 0 || !fits(a) {
			continue
		}
		ok := true
		for _, s := range a.Secrets {
			ok = ok && p.old(s, from, to)
		}
		for _, w := range a.Workloads {
			ok = ok && p.works(w, from, to)
		}
		if ok && p.free(j, from, to, appKeys(a)...) {
			out = append(out, a)
		}
	}
	return out
}

// appKeys are an application's secrets and programs.
func appKeys(a *estate.App) []string {
	var keys []string
	for _, s := range a.Secrets {
		keys = append(keys, s.ARN)
	}
	for _, w := range a.Workloads {
		keys = append(keys, w.Role)
	}
	return keys
}

// together are applications whose programs read all of three or more secrets
// with every start.
func together(a *estate.App) bool { return a.Together && len(plainSecrets(a)) >= 3 }

// plainSecrets are an application's secrets and parameters, not keys.
func plainSecrets(a *estate.App) []*estate.Secret {
	var out []*estate.Secret
	for _, s := range a.Secrets {
		if s.Sort != estate.SortKey && !s.Person {
			out = append(out, s)
		}
	}
	return out
}

// people who fit, in random order, to whom nothing else happens and of whom no
// roster explains it.
func (p *planner) people(j *job, from, to time.Time, fits func(*estate.Person) bool) []*estate.Person {
	var out []*estate.Person
	for _, i := range p.rng.Perm(len(p.w.People)) {
		x := p.w.People[i]
		if len(x.Sets) > 0 && p.employed(x, from) && !rostered(j, x, from, to) && fits(x) && p.free(j, from, to, personKey(x)) {
			out = append(out, x)
		}
	}
	return out
}

// set is what the person may use in the account.
func set(x *estate.Person, a *estate.Account) (estate.PermissionSet, bool) {
	for _, s := range x.Sets {
		if s.Account == a {
			return s, true
		}
	}
	return estate.PermissionSet{}, false
}

// desk are secrets that the person reads every day.
func (p *planner) desk(x *estate.Person) []*estate.Secret { return p.desks[x] }

// unused is a region that the account has no use of.
func (p *planner) unused(a *estate.Account) string {
	for _, r := range []string{"eu-north-1", "sa-east-1", "ca-central-1", "ap-south-1", "us-west-1"} {
		if !slices.Contains(a.Regions, r) && r != a.DR {
			return r
		}
	}
	return ""
}

// spare is the region that an account keeps for disasters, or else one it does
// not use.
func (p *planner) spare(a *estate.Account) string {
	if a.DR != "" && a.DR != a.Home {
		return a.DR
	}
	return p.unused(a)
}

func zone(name string) *time.Location {
	if l, err := time.LoadLocation(name); err == nil {
		return l
	}
	return time.UTC
}

// clock is the time of a local hour, 26.5 is half past two of the next day, on
// the local day of near.
func clock(near time.Time, in *time.Location, hour float64) time.Time {
	y, m, d := near.In(in).Date()
	return time.Date(y, m, d, 0, int(hour*60), 0, 0, in).UTC()
}

func weekend(at time.Time, in *time.Location) bool {
	d := at.In(in).Weekday()
	return d == time.Saturday || d == time.Sunday
}

// workday is near or the next day that is none of weekend and holiday there.
func (p *planner) workday(near time.Time, in *time.Location, country string) time.Time {
	for !estate.Workday(country, near.In(in)) {
		near = near.AddDate(0, 0, 1)
	}
	return near
}

// within tells whether [from, to) is where trouble may be.
func (p *planner) within(from, to time.Time) bool {
	return !from.Before(p.w.TroubleAt) && to.Before(p.w.End.Add(-time.Hour))
}

func lastPart(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// suffixed tells whether a secret's name has six random characters behind it.
func suffixed(s *estate.Secret) bool { return bareARN(s) != s.ARN }

// bareARN is a secret's name without the six characters that Secrets Manager
// puts behind it.
func bareARN(s *estate.Secret) string {
	const mark = ":secret:"
	if i := strings.Index(s.ARN, mark+s.Name+"-"); i >= 0 {
		return s.ARN[:i+len(mark)+len(s.Name)]
	}
	return s.ARN
}

// NamedIn is how calls to a region name the secret: as its copy there, if there
// is one or callers give only its name, else as at home.
func NamedIn(s *estate.Secret, region string) string {
	if region == s.Region || s.Sort == estate.SortKey || s.Sort == estate.SortSecret && suffixed(s) && !slices.Contains(s.Replicas, region) {
		return s.ARN
	}
	return strings.Replace(s.ARN, ":"+s.Region+":", ":"+region+":", 1)
}
