// Package trouble puts trouble into a simulated organisation, and for each
// trouble something harmless that looks like it; it labels both, and says what
// a calendar would tell. It only plans: package simulate carries the plan out.
package trouble

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
)

// KindChain is the kind of a label that stands for several: those that name it
// in PartOf.
const KindChain = "chain"

// Difficulties.
const (
	plain   = 1 // anybody sees it
	unusual = 2 // seen by who knows what is usual
	hidden  = 3 // small beside what is usual, slow, or in the right shape
	hardest = hidden
	easiest = plain
)

// kinds in the order of planning.
var kinds = []string{
	finding.SignFrequency, finding.SignTime, finding.SignCaller, finding.SignGroup,
	finding.SignFailures, finding.SignView, finding.SignRegion, finding.SignDenials, KindChain,
}

// An incident plans one thing around j.at, or nothing where the world has no
// fitting place for it.
type incident func(p *planner, j *job) bool

// job is one incident to plan.
type job struct {
	kind       string
	difficulty int // of trouble
	variants   []incident
	first      int // variant to try first
	benign     bool
	pair       *job
	at         time.Time
	label      *estate.Label
	told       *finding.Window // what the calendar would say of it, if it is benign
	known      int             // how likely somebody announced it: always, maybe, seldom
	lasting    func()          // carried out when the pair has its place
	lax        bool            // takes places that others have spoilt
	free       time.Duration   // how far incidents have to be apart
	blind      bool
	hidden     *job // of what is unusual: the hidden trouble of the same kind and round
}

// newcomer are kinds of which the point is that somebody comes to a secret for
// the first time.
var newcomer = map[string]bool{finding.SignCaller: true, finding.SignGroup: true, finding.SignView: true, finding.SignRegion: true, KindChain: true}

// needsFirst tells whether j is only as plain as it says on secrets that no other
// stranger comes to.
func (j *job) needsFirst() bool { return !j.benign && newcomer[j.kind] && j.difficulty < hidden }

// How likely what is benign was announced.
const (
	maybe = iota
	always
	seldom
)

type planner struct {
	w       *estate.World
	rng     *rand.Rand
	plan    estate.Plan
	readers map[*estate.Secret][]*estate.Reading
	desks   map[*estate.Person][]*estate.Secret
	claims  map[string][]span // by secret, principal, person
	pending []claim           // of the incident being planned
	calls   []estate.Call
	changes []estate.Change
	labels  []*estate.Label
	virgin  map[string]bool // secrets that one stranger only may come to
	spoilt  map[string]bool // secrets that strangers come to
	lasting func()          // what the incident being planned changes for good

	isSecret map[string]bool // claimed keys that are secrets
	blind    bool            // the incident being planned
	unclear  bool            // the incident being planned is not to be told from the usual
}

type span struct{ from, to time.Time }

type claim struct {
	key string
	span
}

// Plan plans all trouble of w and what looks like it. The same world and seed
// give the same plan. What changes for good becomes part of the world: programs
// that take the place of others are added to it, secrets that go away get the
// time of it. What trouble is made from joins the world's rates.
func Plan(w *estate.World, seed int64) estate.Plan {
	p := &planner{
		w: w, rng: rand.New(rand.NewPCG(uint64(seed), 0x7472_6f75_626c_65)), // "trouble"
		readers: map[*estate.Secret][]*estate.Reading{}, claims: map[string][]span{}, desks: map[*estate.Person][]*estate.Secret{},
		virgin: map[string]bool{}, spoilt: map[string]bool{},
	}
	p.survey()
	jobs := p.jobs()
	for _, j := range jobs {
		p.place(j)
	}
	p.signIns()
	p.stumbles()
	if w.Rates == nil {
		w.Rates = estate.Rates{}
	}
	maps.Copy(w.Rates, Rates())
	p.number(jobs)
	p.calendar(jobs)
	slices.SortStableFunc(p.plan.Calls, func(a, b estate.Call) int { return a.At.Compare(b.At) })
	return p.plan
}

// survey makes ready what is looked up often.
func (p *planner) survey() {
	p.isSecret = map[string]bool{}
	for _, s := range p.w.Secrets {
		p.isSecret[s.ARN] = true
	}
	for _, wl := range p.w.Workloads {
		for _, r := range wl.Reads {
			p.readers[r.Secret] = append(p.readers[r.Secret], r)
		}
	}
	for _, s := range p.w.Secrets {
		for _, x := range s.Readers {
			if _, ok := set(x, s.Account); ok && s.Person {
				p.desks[x] = append(p.desks[x], s)
			}
		}
	}
}

// Rounds is how often each kind comes in each difficulty in a world of a size.
func Rounds(size string) int {
	switch size {
	case "medium":
		return RoundsMedium
	case "large":
		return RoundsLarge
	}
	return RoundsSmall
}

// jobs are all incidents, each with its time: spread evenly over what there is
// of the world after TroubleAt, in random order.
func (p *planner) jobs() []*job {
	var jobs []*job
	span := p.w.End.Sub(p.w.TroubleAt) - Before - After
	if span <= 0 {
		return nil // too short for any
	}
	turn := p.rng.IntN(60) // which variants come first
	for round := range Rounds(p.w.Size) {
		for _, kind := range kinds {
			var middle *job
			for d := easiest; d <= hardest; d++ {
				if kind == KindChain && (d+round)%3 == 0 {
					continue // two a round
				}
				t := &job{kind: kind, difficulty: d, variants: troubles(kind, d), first: round + turn, free: Apart}
				b := &job{kind: kind, difficulty: d, variants: alikes(kind), first: 3*round + d - 1 + turn, benign: true, pair: t, free: Apart}
				t.pair = b
				t.blind = d > easiest && p.rng.Float64() < BlindShare
				switch {
				case d == unusual:
					middle = t
				case d == hidden && middle != nil:
					middle.hidden = t
				}
				jobs = append(jobs, t, b)
			}
		}
	}
	p.rng.Shuffle(len(jobs), func(i, k int) { jobs[i], jobs[k] = jobs[k], jobs[i] })
	for i, j := range jobs {
		j.at = p.w.TroubleAt.Add(Before + time.Duration((float64(i)+p.rng.Float64())/float64(len(jobs))*float64(span))).Truncate(time.Minute)
	}
	// Those with few fitting places choose first.
	rank := map[string]int{finding.SignGroup: 1, KindChain: 2, finding.SignTime: 3}
	after := map[*job]bool{} // a blind one may take their places
	for _, j := range jobs {
		if j.blind && j.hidden != nil {
			after[j.hidden] = true
		}
	}
	of := func(j *job) int {
		switch {
		case j.blind && j.difficulty == unusual:
			return len(kinds) + 1
		case after[j]:
			return len(kinds) + 2
		case j.blind:
			return len(kinds) + 3
		}
		if r, ok := rank[j.kind]; ok {
			return r
		}
		if j.needsFirst() {
			return 0
		}
		return len(kinds)
	}
	slices.SortStableFunc(jobs, func(a, b *job) int { return cmp.Compare(of(a), of(b)) })
	return jobs
}

// place tries a job's variants, then later and earlier times, then times
// anywhere.
func (p *planner) place(j *job) {
	span := p.w.End.Sub(p.w.TroubleAt) - Before - After
	wanted := j.at
	p.blind = j.blind
	defer func() { p.blind = false }()
	for try := range Tries {
		for v := range j.variants {
			p.pending, p.calls, p.changes, p.labels, p.lasting = nil, nil, nil, nil, nil
			j.label, j.told, j.known, p.unclear = nil, nil, maybe, false
			if j.variants[(j.first+v)%len(j.variants)](p, j) {
				if j.blind && j.difficulty == unusual && p.impossible(j) {
					p.hide(j)
				}
				p.settle(j)
				return
			}
		}
		j.at = wanted.AddDate(0, 0, (try/2+1)*(try%2*2-1))
		if j.at.Before(p.w.TroubleAt.Add(Before)) || j.at.After(p.w.End.Add(-After)) {
			j.at = p.w.TroubleAt.Add(Before + time.Duration(p.rng.Int64N(int64(span)))).Truncate(time.Minute)
		}
		j.lax = try > Tries/4
		if j.free = Apart / time.Duration(1+try*4/Tries); try == Tries*3/4 {
			j.free = Apart / 4
		}
	}
	j.label = nil // a world too small for it: number tells
}

// impossible tells whether blind trouble turned out so that nobody can tell it
// from the usual: of secrets that are not yet known, or one stranger of many.
func (p *planner) impossible(j *job) bool {
	if p.unclear {
		return true
	}
	if len(j.label.Secrets) == 0 {
		return false
	}
	for _, s := range p.w.Secrets {
		if !slices.Contains(j.label.Secrets, s.ARN) {
			continue
		}
		young := !s.Created.IsZero() && j.label.Start.Before(s.Created.Add(YoungestSecret/2))
		if !young && !(newcomer[j.kind] && (p.spoilt[s.ARN] || p.virgin[s.ARN])) {
			return false
		}
	}
	return true
}

// hide makes trouble a hidden one; that of the same kind and round takes its
// place, so that there is as much of each difficulty.
func (p *planner) hide(j *job) {
	j.difficulty, j.pair.difficulty = hidden, hidden
	for _, l := range p.labels {
		l.Difficulty = hidden
	}
	if j.pair.label != nil {
		j.pair.label.Difficulty = hidden
	}
	if o := j.hidden; o != nil {
		o.difficulty, o.pair.difficulty, o.blind, o.variants = unusual, unusual, false, troubles(o.kind, unusual)
		if o.pair.label != nil {
			o.pair.label.Difficulty = unusual
		}
	}
}

// settle takes what a variant planned into the plan.
func (p *planner) settle(j *job) {
	for _, c := range p.pending {
		p.claims[c.key] = append(p.claims[c.key], c.span)
	}
	l := j.label
	switch {
	case j.needsFirst() && j.kind == KindChain:
		p.virgin[l.Secrets[0]] = true
	case j.needsFirst():
		for _, s := range l.Secrets {
			p.virgin[s] = true
		}
	case l.Person != "" || l.Sort == "sweep" || newcomer[j.kind]:
		for _, s := range l.Secrets {
			p.spoilt[s] = true
		}
	}
	p.plan.Calls = append(p.plan.Calls, p.calls...)
	p.plan.Changes = append(p.plan.Changes, p.changes...)
	p.plan.Labels = append(p.plan.Labels, p.labels...)
	j.lasting = p.lasting
}

// number names the labels in the order of time and ties pairs. A pair of which
// the world had room for one only loses that one, so that there is as much of
// one as of the other.
func (p *planner) number(jobs []*job) {
	gone := map[*estate.Label]bool{}
	for _, j := range jobs {
		if j.label != nil && j.pair.label == nil {
			gone[j.label] = true
			for _, l := range p.plan.Labels {
				if l.PartOf == j.label.ID && l.PartOf != "" {
					gone[l] = true
				}
			}
		}
	}
	if len(gone) > 0 {
		p.plan.Calls = slices.DeleteFunc(p.plan.Calls, func(c estate.Call) bool { return gone[c.Label] })
		p.plan.Changes = slices.DeleteFunc(p.plan.Changes, func(c estate.Change) bool { return gone[c.Label] })
		p.plan.Labels = slices.DeleteFunc(p.plan.Labels, func(l *estate.Label) bool { return gone[l] })
		for _, j := range jobs {
			if gone[j.label] {
				j.label = nil
			}
		}
	}
	slices.SortStableFunc(p.plan.Labels, func(a, b *estate.Label) int { return a.Start.Compare(b.Start) })
	named, counts := map[string]string{}, map[bool]int{}
	for _, l := range p.plan.Labels {
		if l.PartOf != "" {
			continue
		}
		counts[l.Benign]++
		id := fmt.Sprintf("trouble-%03d", counts[false])
		if l.Benign {
			id = fmt.Sprintf("harmless-%03d", counts[true])
		}
		named[l.ID], l.ID = id, id
	}
	for _, l := range p.plan.Labels {
		if l.PartOf != "" {
			l.PartOf = named[l.PartOf]
			l.ID = l.PartOf + "-" + l.Kind
		}
	}
	for _, j := range jobs {
		if j.label != nil {
			j.label.LookAlike = j.pair.label.ID
			if j.lasting != nil {
				j.lasting()
			}
		}
	}
}

// calendar announces KnownShare of what is benign, and tells the rosters and
// the holidays.
func (p *planner) calendar(jobs []*job) {
	var benign []*job
	for _, j := range jobs {
		if j.benign && j.label != nil {
			benign = append(benign, j)
		}
	}
	order := map[int]int{always: 0, maybe: 1, seldom: 2}
	p.rng.Shuffle(len(benign), func(i, k int) { benign[i], benign[k] = benign[k], benign[i] })
	slices.SortStableFunc(benign, func(a, b *job) int { return cmp.Compare(order[a.known], order[b.known]) })
	known := int(math.Round(KnownShare * float64(len(benign))))
	for i, j := range benign {
		j.label.Known = i < known
	}
	slices.SortStableFunc(benign, func(a, b *job) int { return a.label.Start.Compare(b.label.Start) })
	p.plan.Windows = append(p.plan.Windows, p.tickets(benign)...)
	p.plan.Windows = append(p.plan.Windows, p.rosters()...)
	p.plan.Windows = append(p.plan.Windows, p.holidays()...)
}

const firstTicket = 20417
