package correlate

import (
	"context"
	"fmt"
	"maps"
	"slices"
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

// chunkHours are read in one go.
const chunkHours = 24

// hits are the matches of base rules in stored events, read when they are asked
// for and remembered by hour until something touches the hour. It is used by one
// goroutine at a time, but for touch.
type hits struct {
	d       *rule.Detector
	src     stored.Source
	bases   map[int]*correlate.Base // by index in the detector's set
	columns []string                // of events

	maxHour, maxHeld int // hits that are remembered of a rule and hour, and of all

	hours map[int64]*hour // by Unix hour
	held  int
	clock int64 // of uses

	mu    sync.Mutex     // guards dirty
	dirty map[int64]bool // hours that were touched since they were asked for
}

type hour struct {
	hits []correlate.Hit // in order of time, then of event and rule
	// many are rules with too many hits to remember: none of theirs is in hits.
	many map[*correlate.Base]bool
	used int64

	counts map[*correlate.Base]int // while it is being read
}

func (x *hour) add(hit correlate.Hit, most int) {
	b := hit.Base
	switch {
	case x.many[b]:
	case x.counts[b] == most || len(x.hits) >= allRules*most:
		if x.many == nil {
			x.many = map[*correlate.Base]bool{}
		}
		x.many[b] = true
		x.hits = slices.DeleteFunc(x.hits, func(h correlate.Hit) bool { return h.Base == b })
	default:
		if x.counts == nil {
			x.counts = map[*correlate.Base]int{}
		}
		x.counts[b]++
		x.hits = append(x.hits, hit)
	}
}

// allRules is how many times as many hits all rules may have as one.
const allRules = 4

// fact is what findings tell of an event: the Data of a hit.
type fact struct {
	time                       time.Time
	uid                        event.UID
	actor, actorName, session  string
	address                    string
	account, region, resource  string
	actorType, message, action string
}

// factColumns are those that a fact is made of.
var factColumns = []string{"account_uid", "region", "api_operation", "actor_type", "actor_uid", "actor_name", "actor_session", "src_ip", "resource_uid"}

func factOf(e *event.Event) *fact {
	same := func(s string) string { return unique.Make(s).Value() } // a few values come again and again
	return &fact{
		time: e.Time, uid: e.UID,
		actor: same(e.ActorUID), actorName: same(e.ActorName), actorType: same(string(e.ActorType)), session: same(e.ActorSession),
		address: same(e.SrcIP), account: same(e.AccountUID), region: same(e.Region), resource: same(e.ResourceUID), action: same(e.APIOperation),
	}
}

func newHits(d *rule.Detector, src stored.Source, maxHour, maxHeld int) *hits {
	h := &hits{
		d: d, src: src, bases: map[int]*correlate.Base{}, maxHour: maxHour, maxHeld: maxHeld,
		hours: map[int64]*hour{}, dirty: map[int64]bool{},
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
			return []string{v}, true
		case []string:
			return v, true
		default:
			return []string{fmt.Sprint(v)}, true
		}
	}
}

// touch says that hits of the hour that t is in may have come. It may be called
// from any goroutine.
func (h *hits) touch(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dirty[unixHour(t)] = true
}

func unixHour(t time.Time) int64 { return finding.Hour(t).Unix() / 3600 }

func hourTime(h int64) time.Time { return time.Unix(h*3600, 0).UTC() }

// each calls f with every hit of the given rules from since to before until, in
// order of time. The hits are f's to keep and not to change.
func (h *hits) each(ctx context.Context, since, until time.Time, rules map[*correlate.Base]bool, f func(correlate.Hit)) error {
	h.forget()
	end := unixHour(until.Add(time.Hour - 1))
	for at := unixHour(since); at < end; at++ {
		x := h.hours[at]
		if x == nil {
			if err := h.load(ctx, at, end); err != nil {
				return err
			}
			x = h.hours[at]
		}
		h.clock++
		x.used = h.clock
		if slices.ContainsFunc(slices.Collect(maps.Keys(x.many)), func(b *correlate.Base) bool { return rules[b] }) {
			err := h.scan(ctx, at, at+1, rules, func(_ int64, hit correlate.Hit) {
				if !hit.Time.Before(since) && hit.Time.Before(until) {
					f(hit)
				}
			})
			if err != nil {
				return err
			}
			continue
		}
		for _, hit := range x.hits {
			if rules[hit.Base] && !hit.Time.Before(since) && hit.Time.Before(until) {
				f(hit)
			}
		}
	}
	return ctx.Err()
}

// forget drops the hours that were touched.
func (h *hits) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for at := range h.dirty {
		h.drop(at)
	}
	clear(h.dirty)
}

func (h *hits) drop(at int64) {
	if x := h.hours[at]; x != nil {
		h.held -= len(x.hits)
		delete(h.hours, at)
	}
}

// load reads the hours from at on that are not remembered, until end or a
// chunk's.
func (h *hits) load(ctx context.Context, at, end int64) error {
	end = min(end, at+chunkHours)
	for k := at + 1; k < end; k++ {
		if h.hours[k] != nil {
			end = k
		}
	}
	got := map[int64]*hour{}
	for k := at; k < end; k++ {
		got[k] = &hour{}
	}
	err := h.scan(ctx, at, end, nil, func(k int64, hit correlate.Hit) { got[k].add(hit, h.maxHour) })
	if err != nil {
		return err
	}
	// What was touched while it was read stays touched, and is read again by
	// the next who asks.
	for k, x := range got {
		h.clock++
		x.used, x.counts = h.clock, nil
		h.hours[k] = x
		h.held += len(x.hits)
	}
	h.makeRoom(at)
	return nil
}

// maxHours is how many hours are remembered, most of them empty.
const maxHours = 20_000

// makeRoom forgets the hours that were not asked for the longest, but not those
// from at on, which were just read.
func (h *hits) makeRoom(at int64) {
	if h.held <= h.maxHeld && len(h.hours) <= maxHours {
		return
	}
	old := slices.SortedFunc(maps.Keys(h.hours), func(a, b int64) int { return int(h.hours[a].used - h.hours[b].used) })
	for _, k := range old {
		if h.held <= h.maxHeld*3/4 && len(h.hours) <= maxHours*3/4 {
			return
		}
		if k < at || k >= at+chunkHours {
			h.drop(k)
		}
	}
}

// scan reads the hits of hours from at to before end; nil stands for all rules.
func (h *hits) scan(ctx context.Context, at, end int64, only map[*correlate.Base]bool, f func(hour int64, hit correlate.Hit)) error {
	var rules []int
	for i, b := range h.bases {
		if only == nil || only[b] {
			rules = append(rules, i)
		}
	}
	slices.Sort(rules)
	if len(rules) == 0 {
		return nil
	}
	o := stored.Options{
		Sources: h.d.Sources(), Rules: rules, Since: hourTime(at), Until: hourTime(end), Columns: h.columns, Ordered: true,
	}
	_, err := stored.Scan(ctx, h.src, h.d.Set(), o, func(e *event.Event, matched []int) error {
		about := factOf(e)
		for _, i := range matched {
			hit, err := h.bases[i].Hit(e.Time, string(e.UID[:]), e.Raw, lookup(e))
			if err != nil {
				return err
			}
			hit.Data = about
			f(unixHour(e.Time), hit)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read matches from %s on: %w", hourTime(at).Format(time.RFC3339), err)
	}
	return nil
}
