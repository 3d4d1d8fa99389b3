// Package stored holds rules against events that are stored already: rules hunt
// and correlations read the lake through it.
//
// A lake that takes conditions is asked for no more events than the rules can
// match, as far as its columns tell; whatever it gives is matched again from the
// raw record, so the answer is that of the rules and not that of any SQL.
package stored

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/sigma/match"
	"github.com/yagura-sec/yagura/sigma/sqlgen"
)

// Condition is lake.Condition: one converts into the other.
type Condition struct {
	Since, Until time.Time
	Where        string
	Args         []any
	Columns      []string
	Ordered      bool
}

// Source is where stored events are read: with Where if it is there, else
// whole with Select.
type Source struct {
	// Dialect is the SQL of Where: "duckdb", "clickhouse".
	Dialect string
	Where   func(context.Context, Condition) iter.Seq2[event.Event, error]
	Select  func(context.Context, query.Query) iter.Seq2[event.Event, error]
}

// Options is what is looked for, and how. Only Sources has to be given.
type Options struct {
	// Sources says by format which log source an event belongs to, as
	// rule.Sources does.
	Sources map[string]match.Source
	// Rules are indexes in the set; nil means all.
	Rules []int
	// Since and Until bound the event time to [Since, Until); zero is open.
	Since, Until time.Time
	// Columns of an event that f looks at, by name; time, uid, format and raw
	// always come, and so do all columns where the source has no Where.
	Columns []string
	// Ordered has events come by (time, uid).
	Ordered bool
	// Workers match; 0 means one a processor.
	Workers int
	// Progress, if given, is called now and then. It begins again where so much
	// matches that events have to be read in order.
	Progress func(Progress)
}

// Progress is how far a scan is.
type Progress struct {
	Candidates int64     // events read
	Matched    int64     // events that a rule matched
	Unread     int64     // events whose raw record is no JSON object
	Latest     time.Time // event time of the last one read
}

// chunkEvents and chunkBytes bound what is handed to a matching goroutine at once.
const (
	chunkEvents = 512
	chunkBytes  = 1 << 20
)

// chunk is some events on their way. The records lie in one piece of memory.
type chunk struct {
	events []event.Event
	ends   []int // of each record in raw
	raw    []byte
	hits   []hit
	unread int64
	done   chan struct{} // closed once matched
}

type hit struct {
	event int
	rules []int
}

// Scan calls f for every event that one of the rules matches, with the indexes of
// those that do, ascending; never twice at the same time. The event and the
// indexes are f's to keep. An error of f ends the scan and is returned as it is.
func Scan(ctx context.Context, src Source, set *match.Set, o Options, f func(e *event.Event, rules []int) error) (Progress, error) {
	s, err := newScan(src, set, o)
	if err != nil {
		return Progress{}, err
	}
	return s.all(ctx, f)
}

// all is a scan in the order that is asked for.
func (s *scan) all(ctx context.Context, f func(*event.Event, []int) error) (Progress, error) {
	if !s.cond.Ordered {
		return s.run(ctx, f)
	}
	// Putting in order what matches is far less work than reading in order
	// whatever may match, unless most does.
	found, p, err := s.few(ctx)
	if err == errMany {
		s.progress = Progress{}
		return s.run(ctx, f)
	}
	for i := 0; err == nil && i < len(found); i++ {
		err = f(found[i].event, found[i].rules)
	}
	return p, err
}

// maxHeld is how many matching events are held to be put in order.
const maxHeld = 20_000

var errMany = errors.New("more match than can be held")

type matched struct {
	event *event.Event
	rules []int
}

// few gives all that match in order, or errMany.
func (s *scan) few(ctx context.Context) ([]matched, Progress, error) {
	s.cond.Ordered = false
	defer func() { s.cond.Ordered = true }()
	var found []matched
	p, err := s.run(ctx, func(e *event.Event, rules []int) error {
		if len(found) == s.held {
			return errMany
		}
		found = append(found, matched{e, rules})
		return nil
	})
	slices.SortFunc(found, func(a, b matched) int {
		return cmp.Or(a.event.Time.Compare(b.event.Time), bytes.Compare(a.event.UID[:], b.event.UID[:]))
	})
	return found, p, err
}

// run reads, matches and delivers.
func (s *scan) run(ctx context.Context, f func(*event.Event, []int) error) (Progress, error) {
	workers := s.o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	g, ctx := errgroup.WithContext(ctx)
	work := make(chan *chunk)
	inOrder := make(chan *chunk, 2*workers)
	g.Go(func() error {
		defer close(inOrder)
		defer close(work)
		return s.read(ctx, work, inOrder)
	})
	for range workers {
		g.Go(func() error {
			sc := s.set.NewScratch()
			for c := range work {
				s.match(sc, c)
				close(c.done)
			}
			return nil
		})
	}
	g.Go(func() error { return s.deliver(ctx, inOrder, f) })
	err := g.Wait()
	return s.progress, err
}

// scan is one Scan at work.
type scan struct {
	src  Source
	set  *match.Set // only the rules that are wanted
	o    Options
	cond Condition

	held     int // maxHeld
	free     chan *chunk
	progress Progress // of the goroutine that delivers
}

func newScan(src Source, set *match.Set, o Options) (*scan, error) {
	rules := o.Rules
	if rules == nil {
		for i := range set.Len() {
			rules = append(rules, i)
		}
	}
	for _, i := range rules {
		if i < 0 || i >= set.Len() {
			return nil, fmt.Errorf("the set has no rule %d", i)
		}
	}
	s := &scan{src: src, set: set.Only(rules), o: o, held: maxHeld, free: make(chan *chunk, 64)}
	if src.Where == nil {
		if src.Select == nil {
			return nil, errors.New("no way to read stored events is given")
		}
		return s, nil
	}
	dialect, ok := sqlgen.Dialects[src.Dialect]
	if !ok {
		return nil, fmt.Errorf("there is no SQL dialect called %q", src.Dialect)
	}
	q := sqlgen.Superset(set, rules, Logs(o.Sources), dialect)
	columns := slices.Concat([]string{"time", "uid", "format", "raw"}, o.Columns)
	slices.Sort(columns)
	s.cond = Condition{
		Since: o.Since, Until: o.Until, Where: q.Where, Args: q.Args,
		Columns: slices.Compact(columns), Ordered: o.Ordered,
	}
	return s, nil
}

// events is what the source gives.
func (s *scan) events(ctx context.Context) iter.Seq2[event.Event, error] {
	if s.src.Where != nil {
		return s.src.Where(ctx, s.cond)
	}
	return s.src.Select(ctx, query.Query{Since: s.o.Since, Until: s.o.Until, OldestFirst: true})
}

// read cuts what comes into chunks.
func (s *scan) read(ctx context.Context, work, inOrder chan<- *chunk) error {
	var c *chunk
	send := func() error {
		if c == nil {
			return nil
		}
		for _, to := range [...]chan<- *chunk{inOrder, work} {
			select {
			case to <- c:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		c = nil
		return nil
	}
	for e, err := range s.events(ctx) {
		if err != nil {
			return err
		}
		if c == nil {
			c = s.take()
		}
		c.raw = append(c.raw, e.Raw...)
		e.Raw = nil
		c.events = append(c.events, e)
		c.ends = append(c.ends, len(c.raw))
		if len(c.events) == chunkEvents || len(c.raw) >= chunkBytes {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return send()
}

func (s *scan) take() *chunk {
	var c *chunk
	select {
	case c = <-s.free:
		clear(c.events)
		c.events, c.ends, c.raw, c.hits, c.unread = c.events[:0], c.ends[:0], c.raw[:0], c.hits[:0], 0
	default:
		c = &chunk{}
	}
	c.done = make(chan struct{})
	return c
}

func (s *scan) match(sc *match.Scratch, c *chunk) {
	start := 0
	for i := range c.events {
		record := c.raw[start:c.ends[i]:c.ends[i]]
		start = c.ends[i]
		source, known := s.o.Sources[c.events[i].Format]
		if !known {
			continue
		}
		found, err := s.set.MatchJSON(sc, record, source)
		if err != nil {
			c.unread++
			continue
		}
		if len(found) > 0 {
			c.events[i].Raw = bytes.Clone(record)
			c.hits = append(c.hits, hit{i, slices.Clone(found)})
		}
	}
}

// deliver calls f in the order of the source.
func (s *scan) deliver(ctx context.Context, inOrder <-chan *chunk, f func(*event.Event, []int) error) error {
	for c := range inOrder {
		select {
		case <-c.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		s.progress.Candidates += int64(len(c.events))
		s.progress.Matched += int64(len(c.hits))
		s.progress.Unread += c.unread
		s.progress.Latest = c.events[len(c.events)-1].Time
		for _, h := range c.hits {
			e := c.events[h.event]
			if err := f(&e, h.rules); err != nil {
				return err
			}
		}
		if s.o.Progress != nil {
			s.o.Progress(s.progress)
		}
		select {
		case s.free <- c:
		default:
		}
	}
	return nil
}
