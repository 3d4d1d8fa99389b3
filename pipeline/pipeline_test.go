package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/lake"
	lakememory "github.com/yagura-sec/yagura/lake/memory"
	"github.com/yagura-sec/yagura/ledger"
	ledgermemory "github.com/yagura-sec/yagura/ledger/memory"
	"github.com/yagura-sec/yagura/pipeline"
	"github.com/yagura-sec/yagura/triage"
	triagememory "github.com/yagura-sec/yagura/triage/memory"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// house is a set of rooms in memory in which every record "at N" is an event of
// N seconds after noon, and every event whose second is odd a finding.
type house struct {
	lake   *lakememory.Store
	ledger *ledgermemory.Store
	triage *triagememory.Store
	fail   string // the step that fails
}

func newHouse() *house {
	return &house{&lakememory.Store{}, ledgermemory.New(ledger.Options{Now: func() time.Time { return noon }}), &triagememory.Store{}, ""}
}

func normalise(dst []event.Event, r event.Raw) ([]event.Event, error) {
	var n int
	if _, err := fmt.Sscanf(string(r.Body), "at %d", &n); err != nil {
		return dst, fmt.Errorf("no number in %q", r.Body)
	}
	e := event.Event{
		UID: event.HashUID(string(r.Body)), Time: noon.Add(time.Duration(n) * time.Second), IngestTime: r.Received,
		AccountUID: "111122223333", Region: "eu-west-1", Raw: r.Body,
	}
	if strings.HasSuffix(string(r.Body), "insight") {
		e.Category = event.Insight
	}
	return append(dst, e), nil
}

func (h *house) Judge(_ context.Context, batch event.BatchID, events []event.Event) (j finding.Judged, err error) {
	for _, e := range events {
		if e.Time.Second()%2 == 0 {
			continue
		}
		o := finding.Occurrence{Batch: batch, FirstSeen: e.Time, LastSeen: e.Time, Count: 1}
		o.Key, o.Kind, o.Title, o.Severity, o.Confidence = finding.Key(e.UID.String()), finding.KindRule, "odd", finding.Low, 1
		o.Evidence.Add(finding.Sighting{Time: e.Time, UID: e.UID})
		j.Occurrences = append(j.Occurrences, o)
	}
	return j, nil
}

var errStep = errors.New("step fails")

// Record and Settle fail where the test says so, and go on to the rooms otherwise.
func (h *house) Record(ctx context.Context, b event.BatchID, j finding.Judged) error {
	if h.fail == "record" {
		return errStep
	}
	return h.triage.Record(ctx, b, j)
}

type settler struct {
	*ledgermemory.Store
	h *house
}

func (s settler) Settle(ctx context.Context, x ledger.Settlement) error {
	if s.h.fail == "settle" {
		return errStep
	}
	return s.Store.Settle(ctx, x)
}

type releaser struct {
	lake.Appender
	h *house
}

func (r releaser) Release(ctx context.Context, id event.BatchID) error {
	if r.h.fail == "release" {
		return errStep
	}
	return r.Appender.Release(ctx, id)
}

func (h *house) pipe(opt pipeline.Options) *pipeline.Pipeline {
	opt.Now = func() time.Time { return noon }
	return pipeline.New(pipeline.Rooms{
		Normalise: normalise, Lake: releaser{h.lake, h}, Detectors: []detect.Detector{h}, Triage: h, Ledger: settler{h.ledger, h},
	}, opt)
}

// batch is an object with the given records.
func batch(object string, bodies ...string) (b event.Batch) {
	b.Spans = []event.Span{{Object: object, Version: "1", Records: int64(len(bodies)), Final: true}}
	for i, body := range bodies {
		b.Raws = append(b.Raws, event.Raw{Object: object, Position: int64(i), Body: []byte(body), Received: noon.Add(time.Hour)})
	}
	return b
}

// state is what the house holds: totals, reasons in quarantine, findings.
func (h *house) state(t *testing.T) string {
	t.Helper()
	totals, err := h.ledger.Totals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var held []string
	for q, err := range h.ledger.Quarantine(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, fmt.Sprintf("%s %d %s", q.Object, q.Position, q.Reason))
	}
	found, _, err := h.triage.List(t.Context(), triage.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%+v %q %d findings", totals, held, len(found))
}

// Findings of rules on trial are recorded, and not counted as what a run found.
func TestQuiet(t *testing.T) {
	f := func(quiet bool, want int64) {
		t.Helper()
		h := newHouse()
		p := h.pipe(pipeline.Options{Quiet: func(string) bool { return quiet }})
		if err := p.Deliver(t.Context(), batch("a", "at 1")); err != nil {
			t.Fatal(err)
		}
		if s := p.Stats(); s.Findings != want || !strings.HasSuffix(h.state(t), "1 findings") {
			t.Errorf("quiet %v: %+v and %s", quiet, s, h.state(t))
		}
	}
	f(false, 1)
	f(true, 0)
}

func TestDeliver(t *testing.T) {
	h := newHouse()
	p := h.pipe(pipeline.Options{})
	if err := p.Deliver(t.Context(), batch("a", "at 1", "at 2", "nonsense", "at 1", "at 99999999999", "at -900000000")); err != nil {
		t.Fatal(err)
	}
	const want = `{Objects:1 Read:6 Stored:2 Duplicate:1 Quarantined:3 Expired:0} ` +
		`["a 2 no number in \"nonsense\"" "a 4 its time %s" "a 5 its time %s"] 1 findings`
	got := h.state(t)
	for _, part := range strings.Split(want, "%s") {
		if !strings.Contains(got, part) {
			t.Errorf("%s\nlacks %s", got, part)
		}
	}
	s := p.Stats()
	if s != (pipeline.Stats{Read: 6, Stored: 2, Duplicate: 1, Quarantined: 3, Batches: 1, Findings: 1}) {
		t.Errorf("%+v", s)
	}
	// The same delivery again changes nothing.
	if err := p.Deliver(t.Context(), batch("a", "at 1", "at 2", "nonsense", "at 1", "at 99999999999", "at -900000000")); err != nil {
		t.Fatal(err)
	}
	if again := h.state(t); again != got {
		t.Errorf("again %s\nbefore %s", again, got)
	}
	var hours []ledger.Coverage
	for c, err := range h.ledger.Coverage(t.Context(), time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		hours = append(hours, c)
	}
	if want := []ledger.Coverage{{Account: "111122223333", Region: "eu-west-1", Hour: noon, Records: 2}}; !reflect.DeepEqual(hours, want) {
		t.Errorf("coverage %+v", hours)
	}
}

// TestCoverage: what somebody concluded does not make an hour look covered.
func TestCoverage(t *testing.T) {
	h := newHouse()
	if err := h.pipe(pipeline.Options{}).Deliver(t.Context(), batch("a", "at 2", "at 4 insight", "at 7200 insight")); err != nil {
		t.Fatal(err)
	}
	n := 0
	for c, err := range h.ledger.Coverage(t.Context(), time.Time{}, time.Time{}) {
		if n++; err != nil || c.Records != 1 || !c.Hour.Equal(noon) {
			t.Errorf("%+v, %v", c, err)
		}
	}
	if n != 1 {
		t.Errorf("%d hours are covered", n)
	}
}

// TestRecover stops after each step and holds what recovery makes of it against
// a run that was not stopped.
func TestRecover(t *testing.T) {
	calm := newHouse()
	if err := calm.pipe(pipeline.Options{}).Deliver(t.Context(), batch("a", "at 1", "bad", "at 2", "at 3")); err != nil {
		t.Fatal(err)
	}
	want := calm.state(t)
	for _, step := range []string{"record", "settle", "release"} {
		h := newHouse()
		h.fail = step
		if err := h.pipe(pipeline.Options{}).Deliver(t.Context(), batch("a", "at 1", "bad", "at 2", "at 3")); !errors.Is(err, errStep) {
			t.Fatalf("%s: %v", step, err)
		}
		h.fail = ""
		p := h.pipe(pipeline.Options{})
		if n, err := p.Recover(t.Context()); n != 1 || err != nil {
			t.Errorf("%s: recovered %d, %v", step, n, err)
		}
		if got := h.state(t); got != want {
			t.Errorf("after a stop at %s\n%s, want\n%s", step, got, want)
		}
		if n, err := p.Recover(t.Context()); n != 0 || err != nil {
			t.Errorf("%s: recovered %d again, %v", step, n, err)
		}
	}
}

// TestShared: deliveries that wait share a batch, all hear of its error, and
// what must not be in one batch is not.
func TestShared(t *testing.T) {
	h := newHouse()
	p := h.pipe(pipeline.Options{Wait: 200 * time.Millisecond})
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if err := p.Deliver(t.Context(), batch(fmt.Sprint("o", i), fmt.Sprint("at ", i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s := p.Stats(); s.Stored != 50 || s.Batches > 10 {
		t.Errorf("%+v", s)
	}
	h.fail = "settle"
	for i := range 3 {
		wg.Go(func() {
			if err := p.Deliver(t.Context(), batch(fmt.Sprint("p", i), fmt.Sprint("at ", 100+i))); !errors.Is(err, errStep) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	h.fail = ""
	// Two versions of one object.
	before := p.Stats().Batches
	for _, version := range []string{"1", "2"} {
		wg.Go(func() {
			b := batch("v", "at 200"+version)
			b.Spans[0].Version = version
			if err := p.Deliver(t.Context(), b); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := p.Stats().Batches - before; n != 2 {
		t.Errorf("two versions of an object came in %d batches", n)
	}
}

// TestSharedLeaves: a caller that goes away does not take the others' commit along.
func TestSharedLeaves(t *testing.T) {
	h := newHouse()
	p := h.pipe(pipeline.Options{Wait: 100 * time.Millisecond})
	ctx, leave := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { first <- p.Deliver(ctx, batch("a", "at 1")) }()
	time.Sleep(20 * time.Millisecond)
	leave()
	if err := p.Deliver(t.Context(), batch("b", "at 2")); err != nil {
		t.Error(err)
	}
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the one who left hears %v", err)
	}
	p.Drain()
	if s := p.Stats(); s.Stored != 2 {
		t.Errorf("%+v", s)
	}
}
