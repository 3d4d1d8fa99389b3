// Package group judges secrets that belong together: what every start of a
// program reads whole, and somebody reads in part.
//
// Sets are learned from bursts, by actor: which different sets of secrets it
// reads at once, and how often. Secrets that are in nearly all of the same
// bursts make a set, each with each (complete link), so that one shared secret
// does not glue two sets together; and nearly every burst that touches the set
// has to hold all of it. Programs that refresh each secret on a clock of its own
// never show such sets.
//
// A burst with a part of a set only is judged by how often the set was read in
// part before: by the mean of the Beta posterior, (a+k)/(a+b+n), under a prior
// from all sets, and a part that was seen on several days is no news. A stranger
// to the set is judged by how often strangers come to sets at all.
package group

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"
	"unsafe"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/table"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

// Options leave parts out, to see what they are worth.
type Options struct {
	NoContext   bool // nothing accounts for anything
	NoPeers     bool // each set by itself, under Beta(1, 20)
	NoShrinkage bool // own figures of a set only
}

// What a set has to show to be one.
const (
	together   = 0.95 // share of the bursts touching it that hold it whole
	leastCount = 20   // such bursts
	leastDays  = 5
	adoptDays  = 3 // days on which a part has to be seen to be known
	matureDays = 7 // days of log before anything is alerted on

	priorA, priorB = 1, 20
	keepDay        = 0.98
	forgetDays     = 90
)

// Bounds.
const (
	maxParts   = 24  // different bursts remembered of an actor
	maxMembers = 32  // secrets of a set; bursts of more are of no single program's start
	maxActors  = 200 // that read one set
)

type sign struct {
	opt    Options
	actors table.Table[int32, actor]
	parts  parts
	sets   []*set
	of     map[int32][]int32 // sets by secret
	gone   map[int32]int32   // secrets deleted: day
	days   int
	day    int32 // number of the last day learned

	whole, part   float64     // bursts of insiders on any set, decayed
	calm, strange float64     // days of sets, and strangers that came to stay, decayed
	once, again   float64     // parts, and those that came more than once in their hour, decayed
	recent        []watch.Act // of the last day learned
	last          []watch.Burst
}

// actor is what an actor reads at once.
type actor struct {
	parts []part
	other float64 // bursts that found no place, decayed
	day   int32
	class uint8 // of caller
}

// part is one set of secrets read at once.
type part struct {
	id          int32   // of the secrets, in parts
	count       float32 // decayed
	first, last uint16  // days
	days        uint16
}

// set is secrets that are read together.
type set struct {
	secrets []int32
	readers []int32 // actors, ascending
	count   float64 // bursts of the readers that touch it, decayed
	whole   float64
	days    int32
	first   int32
}

// New is the sign with nothing learned.
func New(opt Options) watch.Sign {
	return &sign{opt: opt, of: map[int32][]int32{}, gone: map[int32]int32{}}
}

func (s *sign) Name() string { return finding.SignGroup }

// partial is what is known of one actor's partial reading of one set in an hour.
type partial struct {
	set     *set
	actor   int32
	caller  event.Caller
	secrets []int32
	insider bool
	bursts  int
	first   time.Time
	last    time.Time
}

// Judge says which sets were read in part.
func (s *sign) Judge(day *watch.Day, i int) []watch.Alarm {
	h := day.Hours[i]
	if h == nil || len(s.sets) == 0 {
		return nil
	}
	before := s.hourBefore(day, i)
	var out []watch.Alarm
	for _, p := range append(s.heldBack(before), s.partials(h)...) {
		late := p.first.Before(h.Start)
		switch {
		case !late && p.heldBack(h.Start.Add(time.Hour)), s.completed(day, i, p), s.rotates(h, p), late && s.rotates(before, p),
			flood(day, i, p), !p.insider && !s.concerns(day.Names, h, p):
			continue
		}
		score := s.score(p)
		if score < watch.Floor {
			continue
		}
		a := watch.Alarm{
			Sign: finding.SignGroup, Class: "group/part", Secret: -1, Secrets: p.secrets, Actor: p.actor, Caller: p.caller,
			Account: s.account(day.Names, p), Score: score, Trials: s.trials(day.Names), First: p.first, Last: p.last,
			Count: int64(p.bursts), Severity: finding.Low, Days: int(s.day - p.set.first + 1), Calls: int64(p.set.count),
			Mature: s.days >= matureDays, Late: late,
			Where: watch.Where{Actor: day.Names.Actors[p.actor].UID, Caller: p.caller, Secrets: uids(day.Names, p.secrets)},
		}
		if len(p.secrets) == 1 {
			a.Secret, a.Secrets = p.secrets[0], nil
		}
		if !p.insider {
			a.Class, a.Severity = "group/stranger", finding.Medium
			a.Trials = float64(len(s.sets)) / float64(max(1, len(day.Names.Secrets))) // a day of a set is one
		}
		if !s.opt.NoContext {
			a.Context = s.context(day, i, p)
		}
		a.Tell = func() watch.Told { return s.tell(day, i, p, score) }
		out = append(out, a)
	}
	return out
}

// What would complete a part that was read once at the end of an hour comes in the
// next one: it is judged then, as of those unsettled minutes.
const unsettled = 10 * time.Minute

// heldBack tells whether the part is judged with the hour after its own, which ends
// at end.
func (p *partial) heldBack(end time.Time) bool {
	return p.insider && p.bursts == 1 && end.Sub(p.first) <= unsettled
}

// heldBack is what of the hour before is judged now.
func (s *sign) heldBack(before *watch.Hour) []*partial {
	if before == nil {
		return nil
	}
	return slices.DeleteFunc(s.partials(before), func(p *partial) bool { return !p.heldBack(before.Start.Add(time.Hour)) })
}

// hourBefore is the hour before hour i: of the day before, as far as it is known.
func (s *sign) hourBefore(day *watch.Day, i int) *watch.Hour {
	if i > 0 {
		return day.Hours[i-1]
	}
	return &watch.Hour{Start: day.Start.Add(-time.Hour), Bursts: s.last}
}

// partials gathers the hour's partial readings, equal ones of an actor together.
func (s *sign) partials(h *watch.Hour) []*partial {
	var out []*partial
	for i := range h.Bursts {
		b := &h.Bursts[i]
		if b.Caller == event.CallerAWSService {
			continue
		}
		for _, n := range s.touched(b.Secrets) {
			set := s.sets[n]
			members := s.members(set)
			held := intersection(members, b.Secrets)
			if len(held) == 0 || len(held) == len(members) {
				continue
			}
			k := slices.IndexFunc(out, func(p *partial) bool {
				return p.set == set && p.actor == b.Actor && slices.Equal(p.secrets, held)
			})
			if k < 0 && b.Count <= 1 {
				// Several sessions of a program may share what one reads.
				k = slices.IndexFunc(out, func(p *partial) bool {
					return p.set == set && p.actor == b.Actor && p.bursts == 1 && near(p.first, b.First)
				})
				if k >= 0 {
					out[k].secrets = union(out[k].secrets, held)
					continue
				}
			}
			if k < 0 {
				_, insider := slices.BinarySearch(set.readers, b.Actor)
				out = append(out, &partial{set: set, actor: b.Actor, caller: b.Caller, secrets: held, insider: insider, first: b.First, last: b.Last})
				k = len(out) - 1
			}
			p := out[k]
			p.bursts += int(max(1, b.Count))
			if b.Last.After(p.last) {
				p.last = b.Last
			}
		}
	}
	return slices.DeleteFunc(out, func(p *partial) bool { return len(p.secrets) == len(s.members(p.set)) })
}

// near tells whether reads at a and b are of one start.
func near(a, b time.Time) bool { return b.Sub(a).Abs() <= time.Minute }

// touched is the sets that the secrets touch, each once.
func (s *sign) touched(secrets []int32) []int32 {
	var out []int32
	for _, x := range secrets {
		out = append(out, s.of[x]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// members is a set without what was deleted.
func (s *sign) members(x *set) []int32 {
	if !slices.ContainsFunc(x.secrets, func(m int32) bool { _, gone := s.gone[m]; return gone }) {
		return x.secrets
	}
	return slices.DeleteFunc(slices.Clone(x.secrets), func(m int32) bool { _, gone := s.gone[m]; return gone })
}

// completed tells whether the actor read others of the set in other bursts of
// the same hour or the one before: reads that have come apart, not a part.
func (s *sign) completed(day *watch.Day, i int, p *partial) bool {
	if !p.insider {
		return false
	}
	read := slices.Clone(p.secrets)
	apart := 0
	look := func(bursts []watch.Burst, from, to time.Time) {
		for k := range bursts {
			b := &bursts[k]
			if b.Actor != p.actor || b.Last.Before(from) || b.First.After(to) {
				continue
			}
			held := intersection(p.set.secrets, b.Secrets)
			if len(held) == 0 || len(held) == len(p.set.secrets) {
				continue
			}
			if len(minus(held, p.secrets)) == 0 && near(b.First, p.first) {
				continue // of the part itself
			}
			if !slices.Equal(held, p.secrets) {
				apart++
			}
			read = union(read, held)
		}
	}
	from, to := p.first.Add(-time.Hour), p.last.Add(time.Hour)
	look(s.last, from, to)
	for k := max(0, i-1); k <= i; k++ {
		if day.Hours[k] != nil {
			look(day.Hours[k].Bursts, from, to)
		}
	}
	return apart > 0 || len(read) == len(p.set.secrets)
}

// rotates tells whether the actor changed one of the secrets it read: what
// rotates a secret reads that one.
func (s *sign) rotates(h *watch.Hour, p *partial) bool {
	changes := func(acts []watch.Act) bool {
		return slices.ContainsFunc(acts, func(a watch.Act) bool {
			return a.Actor == p.actor && (a.Sort == watch.ActRotate || a.Sort == watch.ActCreate) && slices.Contains(p.secrets, a.Secret)
		})
	}
	return changes(h.Acts)
}

// flood tells whether the part was read over and over, in the hour or the one
// before: what starts reads once, and floods are for the sign of frequency.
func flood(day *watch.Day, i int, p *partial) bool {
	parts := 0
	for k := max(0, i-1); k <= i; k++ {
		h := day.Hours[k]
		if h == nil {
			continue
		}
		whole, part := bursts(h, p)
		parts += part
		reads := map[int32]int64{}
		for n := range h.Uses {
			if u := &h.Uses[n]; u.Actor == p.actor && slices.Contains(p.secrets, u.Secret) {
				reads[u.Secret] += u.Count
			}
		}
		for _, n := range reads {
			if part > 0 && n > int64(floodReads+2*whole+floodEach*part) {
				return true
			}
		}
	}
	return parts > floodBursts
}

// bursts counts the hour's bursts of the actor that hold just this of the set,
// and those that hold more.
func bursts(h *watch.Hour, p *partial) (more, just int) {
	for n := range h.Bursts {
		b := &h.Bursts[n]
		if b.Actor != p.actor {
			continue
		}
		switch held := intersection(p.set.secrets, b.Secrets); {
		case slices.Equal(held, p.secrets):
			just += int(max(1, b.Count))
		case len(held) > len(p.secrets):
			more += int(max(1, b.Count))
		}
	}
	return more, just
}

// A secret read more often than floodReads, and floodEach for each burst, in an
// hour is read over and over: once and again for each of a few processes on a
// machine. So is a part that comes in more bursts than floodBursts in two hours: a
// burst takes five minutes, so they would be half of the time.
const (
	floodReads  = 8
	floodEach   = 2
	floodBursts = 12
)

// concerns tells whether a stranger's reading is for this sign to judge: that of a
// program like those that read the set, in their account. A person is for the sign
// of views, a program of another kind or account for that of callers, and one
// that was denied for that of failures.
func (s *sign) concerns(n *watch.Names, h *watch.Hour, p *partial) bool {
	if !s.akin(n, p) {
		return false
	}
	given := false
	for i := range h.Uses {
		if u := &h.Uses[i]; u.Actor == p.actor && slices.Contains(p.secrets, u.Secret) {
			switch u.Outcome {
			case event.Success:
				given = true
			case event.Denied, event.AuthFailed, event.DeniedByOrgPolicy:
				return false
			}
		}
	}
	return given
}

// akin tells whether a stranger is a program like those that read the set, in
// their account.
func (s *sign) akin(n *watch.Names, p *partial) bool {
	return !watch.Person(p.caller) && n.Actors[p.actor].Account == n.Secrets[p.secrets[0]].Account &&
		slices.ContainsFunc(p.set.readers, func(r int32) bool { a := s.actors.Get(r); return a != nil && a.class == novelty.Class(p.caller) })
}

// score is -log10 of the chance that the next burst on the set is this.
func (s *sign) score(p *partial) float64 {
	if p.insider {
		score := -math.Log10(s.chancePart(p))
		if p.bursts > 1 { // once cut short, often cut short: that is no independent chance
			score += s.againScore()
		}
		return score
	}
	if s.knownPart(p) > 0 {
		return 0
	}
	return -math.Log10(s.chanceStranger())
}

// againScore is what it adds that the same part came more than once in the hour:
// how rarely it does, by all parts seen, and one time in ten before any was, for a
// start that breaks off is mended or tried again whole.
func (s *sign) againScore() float64 {
	return -math.Log10((1 + s.again) / (10 + s.once))
}

// chancePart is the predictive chance of a part by those who read the whole.
func (s *sign) chancePart(p *partial) float64 {
	a, b := s.prior()
	known := s.knownPart(p)
	n := p.set.count
	return (a + known) / (a + b + n)
}

// prior is that of a set being read in part by its readers: as seen of all
// sets, and one burst in 40 before anything was, with the weight of 1,000 bursts:
// parts differ between sets by as much as programs do, so a set has to have been
// read for a month or so before its own share outweighs that of all.
func (s *sign) prior() (a, b float64) {
	switch {
	case s.opt.NoPeers:
		return priorA, priorB
	case s.opt.NoShrinkage:
		return 0.5, 0.5
	}
	share := (0.5 + s.part) / (priorB + s.whole + s.part)
	return priorWeight * share, priorWeight * (1 - share)
}

const (
	priorWeight  = 1000
	strangerDays = 180
)

// knownPart is how often the actor read exactly this of the set on so many days
// that it counts.
func (s *sign) knownPart(p *partial) float64 {
	a := s.actors.Get(p.actor)
	if a == nil {
		return 0
	}
	n := 0.0
	for i := range a.parts {
		x := &a.parts[i]
		if x.days >= adoptDays && slices.Equal(intersection(p.set.secrets, s.parts.secrets(x.id)), p.secrets) {
			n += float64(x.count) * math.Pow(keepDay, float64(s.day-a.day))
		}
	}
	return n
}

// chanceStranger is the chance that a stranger comes to a set on a day. Before
// anything was seen it is that of half a stranger in half a year: a set of secrets
// gets a new reader about once a year, when a program is split or another takes
// over from it.
func (s *sign) chanceStranger() float64 {
	if s.opt.NoPeers {
		return 1.0 / (priorA + priorB + float64(s.days))
	}
	return (0.5 + s.strange) / (strangerDays + s.calm)
}

// trials is how many bursts are judged, a day and secret.
func (s *sign) trials(n *watch.Names) float64 {
	days := (1 - math.Pow(keepDay, float64(s.days))) / (1 - keepDay)
	if days <= 0 {
		return 1
	}
	return (s.whole + s.part) / days / float64(max(1, len(n.Secrets)))
}

func (s *sign) account(n *watch.Names, p *partial) int32 {
	want := n.Secrets[p.secrets[0]].Account
	for i, a := range n.Accounts {
		if a == want {
			return int32(i)
		}
	}
	return -1
}

// context is what accounts for a part.
func (s *sign) context(day *watch.Day, i int, p *partial) []finding.Explanation {
	missing := minus(p.set.secrets, p.secrets)
	explain := func(id string, text say.Text) []finding.Explanation {
		return []finding.Explanation{{Kind: "context", ID: id, Text: text}}
	}
	for _, a := range s.before(day, i, p.first) {
		switch {
		case (a.Sort == watch.ActDelete || a.Sort == watch.ActCreate) && slices.Contains(missing, a.Secret):
			return explain("member", say.T("group.member", say.Values{"operation": a.Operation, "at": a.First.UTC()}))
		case (a.Sort == watch.ActRotate || a.Sort == watch.ActCreate) && len(p.secrets) == 1 && p.secrets[0] == a.Secret && p.first.Sub(a.First) <= rotateBefore:
			return explain("rotation", say.T("group.rotation", say.Values{"operation": a.Operation, "at": a.First.UTC()}))
		case a.Sort == watch.ActDeploy && p.insider && p.first.Sub(a.First) <= deployBefore && s.related(day.Names, &a, p):
			return explain("deploy", say.T("group.deploy", say.Values{"operation": a.Operation, "at": a.First.UTC()}))
		}
	}
	return nil
}

// How long before a deploy and a rotation account for a part.
const (
	deployBefore = time.Hour
	rotateBefore = 2 * time.Hour
)

// related tells whether a deploy is one of the program: its resource bears the
// same name, or the log does not say of what it is.
func (s *sign) related(n *watch.Names, a *watch.Act, p *partial) bool {
	if a.Account != s.account(n, p) {
		return false
	}
	role := n.Actors[p.actor].Name
	return a.Resource == "" || alike(a.Resource, role)
}

// before is the acts of the last 24 hours before t, the latest first.
func (s *sign) before(day *watch.Day, i int, t time.Time) []watch.Act {
	var out []watch.Act
	take := func(acts []watch.Act) {
		for k := range acts {
			if a := &acts[k]; of(a.Sort) && !a.First.After(t) && t.Sub(a.First) <= 24*time.Hour {
				out = append(out, *a)
			}
		}
	}
	take(s.recent)
	for k := 0; k <= i; k++ {
		if h := day.Hours[k]; h != nil {
			take(h.Acts)
		}
	}
	slices.SortStableFunc(out, func(a, b watch.Act) int { return b.First.Compare(a.First) })
	return out
}

func of(sort string) bool {
	switch sort {
	case watch.ActDelete, watch.ActCreate, watch.ActRotate, watch.ActDeploy:
		return true
	}
	return false
}

// Clone is a copy that learns on its own.
func (s *sign) Clone() watch.Sign {
	c := *s
	c.actors, c.parts = s.actors.Clone(), s.parts.clone()
	for _, a := range c.actors.All {
		a.parts = slices.Clone(a.parts)
	}
	c.sets = slices.Clone(s.sets) // made anew by every Learn
	c.of, c.gone = maps.Clone(s.of), maps.Clone(s.gone)
	c.recent, c.last = slices.Clone(s.recent), slices.Clone(s.last)
	return &c
}

// Bytes: of an actor at most 24 parts of 56 bytes and 4 a secret, of a set 96 and
// 4 a member and reader.
func (s *sign) Bytes() int {
	n := 300*len(s.recent) + 112*len(s.last) + 24*len(s.gone) + s.actors.Bytes() + s.parts.bytes()
	for i := range s.last {
		n += 4 * len(s.last[i].Secrets)
	}
	for _, a := range s.actors.All {
		n += int(unsafe.Sizeof(part{})) * cap(a.parts)
	}
	for _, x := range s.sets {
		n += 96 + 4*len(x.secrets) + 4*len(x.readers)
	}
	for _, l := range s.of {
		n += 48 + 4*len(l)
	}
	return n
}

func intersection(a, b []int32) []int32 {
	var out []int32
	for i, k := 0, 0; i < len(a) && k < len(b); {
		switch {
		case a[i] < b[k]:
			i++
		case a[i] > b[k]:
			k++
		default:
			out = append(out, a[i])
			i, k = i+1, k+1
		}
	}
	return out
}

func union(a, b []int32) []int32 {
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return slices.Compact(out)
}

func minus(a, b []int32) []int32 {
	return slices.DeleteFunc(slices.Clone(a), func(x int32) bool { return slices.Contains(b, x) })
}

func uids(n *watch.Names, secrets []int32) []string {
	out := make([]string, 0, len(secrets))
	for _, x := range secrets {
		out = append(out, n.Secrets[x].UID)
	}
	return out
}

func byKey[V any](m map[int32]V) []int32 { return slices.SortedFunc(maps.Keys(m), cmp.Compare[int32]) }
