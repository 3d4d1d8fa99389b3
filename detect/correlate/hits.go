package correlate

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unique"

	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/sigma/correlate"
)

// hits are the matches of base rules in stored events, by hour. What the
// detector sees go by is kept as it comes. An hour is whole once it was read, or
// once the lake is known to hold no more events of it than went by here: then a
// running program need not read at all. What does not fit in memory is read when
// it is asked for.
type hits struct {
	d       *rule.Detector
	src     stored.Source
	count   Count
	bases   map[int]*correlate.Base // by index in the detector's set
	columns []string                // of events

	maxHour, maxHeld int // hits that are remembered of a rule and hour, and of all
	dayHits          int // that passDays puts in order

	mu     sync.Mutex // guards everything below
	hours  map[int64]*hour
	held   int
	clock  int64 // of uses
	judged map[event.BatchID]bool
	// Hours from pinned[0] to before pinned[1] were read last and stay.
	pinned [2]int64
}

// Count tells how many stored events there are in [since, until).
type Count func(ctx context.Context, since, until time.Time) (int64, error)

type hour struct {
	hits   []correlate.Hit
	sorted int // so many are in order of time, event and rule, each once
	// many are rules with too many hits to remember: none of theirs is in hits.
	many   map[*correlate.Base]bool
	counts map[*correlate.Base]int
	used   int64

	whole  bool  // every hit is here, but for those of many
	reads  bool  // it is being read
	events int64 // that went by the detector; less than 0: it was not looked all the time
}

// allRules is how many times as many hits all rules may have in an hour as one.
const allRules = 4

func (x *hour) add(hit correlate.Hit, most int) {
	if x.many[hit.Base] {
		return
	}
	if x.counts == nil {
		x.counts = map[*correlate.Base]int{}
	}
	x.hits = append(x.hits, hit)
	x.counts[hit.Base]++
	if x.counts[hit.Base] > most {
		x.tooMany(hit.Base)
	}
	for len(x.hits) > allRules*most {
		var worst *correlate.Base
		for b, n := range x.counts {
			if worst == nil || n > x.counts[worst] {
				worst = b
			}
		}
		x.tooMany(worst)
	}
}

// tooMany lets go of a rule's hits. Whoever reads the hour has the old slice.
func (x *hour) tooMany(b *correlate.Base) {
	if x.many == nil {
		x.many = map[*correlate.Base]bool{}
	}
	x.many[b] = true
	var left []correlate.Hit
	for _, h := range x.hits {
		if h.Base != b {
			left = append(left, h)
		}
	}
	x.hits, x.sorted = left, 0
	delete(x.counts, b)
}

// inOrder gives the hits in order of time, event and rule, each once.
func (x *hour) inOrder() []correlate.Hit {
	if x.sorted < len(x.hits) {
		all := slices.Clone(x.hits)
		slices.SortFunc(all, compareHits)
		x.hits = slices.CompactFunc(all, func(a, b correlate.Hit) bool { return a.Base == b.Base && a.ID == b.ID })
		x.sorted = len(x.hits)
		clear(x.counts)
		for i := range x.hits {
			x.counts[x.hits[i].Base]++
		}
	}
	return x.hits[:x.sorted:x.sorted]
}

func compareHits(a, b correlate.Hit) int {
	return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.ID, b.ID), strings.Compare(a.Base.Rule.Key(), b.Base.Rule.Key()))
}

// fact is what findings tell of an event: the Data of a hit.
type fact struct {
	time                      time.Time
	uid                       event.UID
	actor, actorName, session string
	address                   string
	account, region, resource string
	actorType, action         string
}

// factColumns are those that a fact is made of.
var factColumns = []string{"account_uid", "region", "api_operation", "actor_type", "actor_uid", "actor_name", "actor_session", "src_ip", "resource_uid"}

// same is a text with memory of its own, which it shares with its equals: a few
// values come again and again, and those of an event may hold on to a batch.
func same(s string) string { return unique.Make(s).Value() }

func factOf(e *event.Event) *fact {
	return &fact{
		time: e.Time, uid: e.UID,
		actor: same(e.ActorUID), actorName: same(e.ActorName), actorType: same(string(e.ActorType)), session: same(e.ActorSession),
		address: same(e.SrcIP), account: same(e.AccountUID), region: same(e.Region), resource: same(e.ResourceUID), action: same(e.APIOperation),
	}
}

func newHits(d *rule.Detector, src stored.Source, o Options) *hits {
	h := &hits{
		d: d, src: src, count: o.Count, bases: map[int]*correlate.Base{}, maxHour: o.HourHits, maxHeld: o.Hits, dayHits: o.DayHits,
		hours: map[int64]*hour{}, judged: map[event.BatchID]bool{},
	}
	columns := map[string]bool{}
	for _, name := range factColumns {
		columns[name] = true
	}
	for i := range d.Set().Len() {
		b := d.Plan().Base(d.Set().Rule(i))
		if b == nil {
			continue
		}
		h.bases[i] = b
		for _, field := range b.Fields {
			if c, ok := column(field); ok {
				columns[c.Name] = true
			}
		}
	}
	h.columns = slices.Sorted(maps.Keys(columns))
	return h
}

// column is the column of an event that a field is taken from: columns are
// meant where they are called by their own name, for the shorter ones are names
// in many records.
func column(field string) (*query.Column, bool) {
	c, ok := query.Lookup(field)
	if !ok || c.Name != field || c.Type == query.JSON || c.Type == query.Time {
		return nil, false
	}
	return c, true
}

// lookup asks the columns of an event for the values of a field.
func lookup(e *event.Event) correlate.Lookup {
	return func(field string) ([]string, bool) {
		c, ok := column(field)
		if !ok {
			return nil, false
		}
		switch v := c.Value(e).(type) {
		case string:
			if v == "" {
				return nil, true
			}
			return []string{same(v)}, true
		case []string:
			out := make([]string, len(v))
			for i := range v {
				out[i] = same(v[i])
			}
			return out, true
		default:
			return []string{fmt.Sprint(v)}, true
		}
	}
}

func unixHour(t time.Time) int64 { return finding.Hour(t).Unix() / 3600 }

func hourTime(h int64) time.Time { return time.Unix(h*3600, 0).UTC() }

// maxBatches is how many batches are remembered, so that one that is judged
// twice counts once.
const maxBatches = 100_000

// see takes what the detector judges.
func (h *hits) see(batch event.BatchID, events []event.Event, found []rule.BaseHit) {
	if batch == (event.BatchID{}) {
		return // nothing new, but a look at what is stored
	}
	made := make([]correlate.Hit, 0, len(found))
	for _, x := range found {
		e := &events[x.Event]
		// The record was read a moment ago by the rules.
		hit, err := h.bases[x.Rule].Hit(e.Time, string(e.UID[:]), e.Raw, lookup(e))
		if err != nil {
			continue
		}
		if n := len(made); n > 0 && made[n-1].ID == hit.ID {
			hit.Data = made[n-1].Data
		} else {
			hit.Data = factOf(e)
		}
		made = append(made, hit)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.judged[batch] {
		if len(h.judged) == maxBatches {
			clear(h.judged)
			for _, x := range h.hours {
				x.events = -1
			}
		}
		h.judged[batch] = true
		for i := range events {
			if x := h.at(unixHour(events[i].Time)); x.events >= 0 {
				x.events++
			}
		}
	}
	for _, hit := range made {
		x := h.at(unixHour(hit.Time))
		before := len(x.hits)
		if x.whole || x.reads || x.events >= 0 {
			x.add(hit, h.maxHour)
		}
		h.held += len(x.hits) - before
	}
	h.makeRoom()
}

// at is an hour, which counts as used; h.mu is held.
func (h *hits) at(k int64) *hour {
	x := h.hours[k]
	if x == nil {
		x = &hour{}
		h.hours[k] = x
	}
	h.clock++
	x.used = h.clock
	return x
}

// maxHours is how many hours are remembered, most of them empty.
const maxHours = 20_000

// makeRoom forgets the hours that were not used the longest; h.mu is held.
// That an hour was forgotten is remembered, because what went by is not whole
// any more.
func (h *hits) makeRoom() {
	if h.held <= h.maxHeld && len(h.hours) <= maxHours {
		return
	}
	old := slices.SortedFunc(maps.Keys(h.hours), func(a, b int64) int { return cmp.Compare(h.hours[a].used, h.hours[b].used) })
	for i, k := range old {
		x := h.hours[k]
		crowded := len(old)-i > maxHours*3/4 && len(h.hours) > maxHours*3/4
		if k >= h.pinned[0] && k < h.pinned[1] || h.held <= h.maxHeld*3/4 && !crowded {
			continue
		}
		h.held -= len(x.hits)
		*x = hour{used: x.used, events: -1}
		if crowded && h.count == nil {
			delete(h.hours, k)
		}
	}
}

// part is what one correlation wants of a pass.
type part struct {
	since, until time.Time
	rules        map[*correlate.Base]bool
	// take gets every hit of the rules from since to before until, in order of
	// time. It is not to be changed.
	take func(*correlate.Hit)
}

func (p *part) within(hour int64) bool {
	return hourTime(hour).Before(p.until) && hourTime(hour+1).After(p.since)
}

// give hands a hit to the parts that want it.
func give(to map[*correlate.Base][]*part, hit *correlate.Hit) {
	for _, p := range to[hit.Base] {
		if !hit.Time.Before(p.since) && hit.Time.Before(p.until) {
			p.take(hit)
		}
	}
}

// pass goes through the hits of several parts once, in order of time.
func (h *hits) pass(ctx context.Context, parts []*part) error {
	if h.maxHeld < 0 {
		return h.passDays(ctx, parts)
	}
	var hours []int64 // that a part wants
	wanted := map[int64]bool{}
	for _, p := range parts {
		for k := unixHour(p.since); p.within(k); k++ {
			if !wanted[k] {
				wanted[k] = true
				hours = append(hours, k)
			}
		}
	}
	slices.Sort(hours)
	for _, at := range hours {
		end := at + 1
		for wanted[end] && end%chunkHours != 0 {
			end++
		}
		if err := h.passHour(ctx, at, end, parts); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// chunkHours are read in one go, where they are wanted.
const chunkHours = 6

// passHour hands out the hits of an hour. If it has to be read, so are those
// before end.
func (h *hits) passHour(ctx context.Context, at, end int64, parts []*part) error {
	all, many, whole := h.remembered(at)
	for !whole {
		if err := h.load(ctx, at, end); err != nil {
			return err
		}
		all, many, whole = h.remembered(at)
	}
	remembered, read := map[*correlate.Base][]*part{}, map[*correlate.Base][]*part{}
	for _, p := range parts {
		if !p.within(at) {
			continue
		}
		to := remembered
		if anyOf(many, p.rules) {
			to = read
		}
		for b := range p.rules {
			to[b] = append(to[b], p)
		}
	}
	for i := range all {
		give(remembered, &all[i])
	}
	if len(read) == 0 {
		return nil
	}
	return h.scan(ctx, at, at+1, func(b *correlate.Base) bool { return read[b] != nil }, true, func(hit correlate.Hit) error { give(read, &hit); return nil })
}

func anyOf(a, b map[*correlate.Base]bool) bool {
	for x := range a {
		if b[x] {
			return true
		}
	}
	return false
}

// remembered is what is known of an hour, and whether that is all.
func (h *hits) remembered(at int64) (all []correlate.Hit, many map[*correlate.Base]bool, whole bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	x := h.hours[at]
	if x == nil || !x.whole {
		return nil, nil, false
	}
	h.clock++
	x.used = h.clock
	before := len(x.hits)
	all = x.inOrder()
	h.held += len(x.hits) - before
	return all, maps.Clone(x.many), true
}

// load makes the hours from at to before end whole, or up to one that is.
func (h *hits) load(ctx context.Context, at, end int64) error {
	end, went := h.begin(at, end)
	err := h.read(ctx, at, end, went)
	h.mu.Lock()
	defer h.mu.Unlock()
	for k := at; k < end; k++ {
		x := h.hours[k]
		x.reads = false
		x.whole = err == nil
	}
	if err == nil {
		h.makeRoom()
	}
	return err
}

// begin takes the hours that are to be read, up to one that is whole already,
// and gives how many of their events went by the detector: less than 0 if that
// is not known.
func (h *hits) begin(at, end int64) (until, went int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer func() { h.pinned = [2]int64{at, until} }()
	for k := at; k < end; k++ {
		if x := h.hours[k]; x != nil && x.whole {
			return k, went
		}
		x := h.at(k)
		x.reads = true
		if x.events < 0 || went < 0 {
			went = -1
		} else {
			went += x.events
		}
	}
	return end, went
}

// read adds the stored hits of hours that begin took, unless all of their
// events went by. What comes meanwhile is added by see.
func (h *hits) read(ctx context.Context, at, end, went int64) error {
	if h.count != nil && went >= 0 {
		// Each event is stored before it goes by, so there are never fewer.
		n, err := h.count(ctx, hourTime(at), hourTime(end))
		if err != nil {
			return fmt.Errorf("count events from %s on: %w", hourTime(at).Format(time.RFC3339), err)
		}
		if n == went {
			return nil
		}
	}
	return h.scan(ctx, at, end, func(*correlate.Base) bool { return true }, false, func(hit correlate.Hit) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		x := h.hours[unixHour(hit.Time)]
		before := len(x.hits)
		x.add(hit, h.maxHour)
		h.held += len(x.hits) - before
		return nil
	})
}

// manyRules: the conditions of more rules together take longer to tell than to
// read everything: for our 107 rules on CloudTrail, twice as long.
const manyRules = 20

// scan reads the hits of some rules in hours from at to before end.
// An error of f ends it.
func (h *hits) scan(ctx context.Context, at, end int64, only func(*correlate.Base) bool, ordered bool, f func(correlate.Hit) error) error {
	var rules []int
	for i, b := range h.bases {
		if only(b) {
			rules = append(rules, i)
		}
	}
	slices.Sort(rules)
	if len(rules) == 0 {
		return nil
	}
	src := h.src
	if len(rules) > manyRules && src.Where != nil {
		// Of so many rules together no condition leaves much out.
		where := src.Where
		src.Where = func(ctx context.Context, c stored.Condition) iter.Seq2[event.Event, error] {
			c.Where, c.Args = "", nil
			return where(ctx, c)
		}
	}
	o := stored.Options{
		Sources: h.d.Sources(), Rules: rules, Since: hourTime(at), Until: hourTime(end), Columns: h.columns, Ordered: ordered,
	}
	_, err := stored.Scan(ctx, src, h.d.Set(), o, func(e *event.Event, matched []int) error {
		about := factOf(e)
		for _, i := range matched {
			hit, err := h.bases[i].Hit(e.Time, string(e.UID[:]), e.Raw, lookup(e))
			if err != nil {
				return err
			}
			hit.Data = about
			if err := f(hit); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read matches from %s on: %w", hourTime(at).Format(time.RFC3339), err)
	}
	return nil
}
