package anomaly

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// whole is what one look back over everything says.
func whole(t *testing.T, o Options, end time.Time) *kept {
	t.Helper()
	said, err := New(o).Hunt(t.Context(), Name, start, end, end)
	if err != nil {
		t.Fatal(err)
	}
	k := newKept()
	k.record(said)
	if len(k.all) < 100 {
		t.Fatalf("only %d occurrences: this shows nothing", len(k.all))
	}
	return k
}

// TestLiveIsBacktest: whoever goes along with the log, with records that come
// late and restarts on the way, comes to what a look back finds.
func TestLiveIsBacktest(t *testing.T) {
	for seed := range uint64(3) {
		const days = 6
		w := newWorld(seed)
		l := &lakeOf{events: w.events(days, 300)}
		end := start.Add(days * oneDay)
		want := whole(t, l.options(), end)

		rnd := rand.New(rand.NewPCG(seed, 8))
		type arrival struct {
			at time.Time
			e  event.Event
		}
		var arrivals []arrival
		for _, e := range l.events {
			late := time.Duration(rnd.ExpFloat64() * float64(5*time.Minute))
			switch rnd.IntN(150) {
			case 0:
				late += time.Duration(rnd.Int64N(int64(30 * time.Hour)))
			case 1:
				late += time.Duration(rnd.Int64N(int64(90 * time.Hour)))
			}
			arrivals = append(arrivals, arrival{e.Time.Add(late), e})
		}
		slices.SortFunc(arrivals, func(a, b arrival) int { return a.at.Compare(b.at) })
		live, got := &lakeOf{}, newKept()
		o := live.options()
		o.Notes = got.give
		h := New(o)
		for at := 0; at < len(arrivals); {
			n := min(1+rnd.IntN(60), len(arrivals)-at)
			var batch []event.Event
			for _, a := range arrivals[at : at+n] {
				batch = append(batch, a.e)
			}
			at += n
			live.events = append(live.events, batch...)
			got.mark(t, batch)
			now := arrivals[at-1].at.Add(-time.Duration(rnd.Int64N(int64(40 * time.Minute))))
			if rnd.IntN(25) == 0 {
				h = New(o)
			}
			got.round(t, h, now)
		}
		got.round(t, h, end)
		if d := cmp.Diff(want.all, got.all); d != "" {
			t.Fatalf("seed %d: %s", seed, d[:min(len(d), 3000)])
		}
	}
}

// TestPieces: looks at parts say of them what a look at everything says.
func TestPieces(t *testing.T) {
	const days = 5
	l := &lakeOf{events: newWorld(11).events(days, 300)}
	end := start.Add(days * oneDay)
	want := whole(t, l.options(), end)
	rnd := rand.New(rand.NewPCG(5, 5))
	h, got := New(l.options()), newKept()
	got.record(finding.Hunt{Since: start, Until: end, Occurrences: values(want)})
	for range 25 {
		since := start.Add(time.Duration(rnd.IntN(days*24)) * time.Hour)
		until := since.Add(time.Duration(1+rnd.IntN(30)) * time.Hour)
		now := since.Add(time.Duration(rnd.IntN(60)) * time.Hour)
		if now.After(end) {
			now = end
		}
		said, err := h.Hunt(t.Context(), Name, since, until, now)
		if err != nil {
			t.Fatal(err)
		}
		if now.Before(until) != (len(said.Again) > 0) {
			t.Errorf("until %s with the log up to %s: open are %v", until, now, said.Again)
		}
		got.record(said)
		for _, again := range said.Again { // nothing is said of them
			if again.Add(time.Hour).Before(now) {
				t.Errorf("%s is over at %s and to be looked at again", again, now)
			}
		}
		got.round(t, h, end)
		if d := cmp.Diff(want.all, got.all); d != "" {
			t.Fatalf("[%s, %s) at %s: %s", since, until, now, d[:min(len(d), 2000)])
		}
	}
}

func values(k *kept) (out []finding.Occurrence) {
	for _, o := range k.all {
		out = append(out, o)
	}
	return out
}

// TestNotes: days whose events were dropped are learned from as before.
func TestNotes(t *testing.T) {
	const days = 6
	l := &lakeOf{events: newWorld(21).events(days, 300)}
	end := start.Add(days * oneDay)
	want := whole(t, l.options(), end)
	if len(want.notes) != days {
		t.Fatalf("%d notes of %d days", len(want.notes), days)
	}
	since := start.Add(4 * oneDay)
	l.dropped = since
	o := l.options()
	for _, with := range []bool{true, false} {
		if o.Notes = want.give; !with {
			o.Notes = nil
		}
		said, err := New(o).Hunt(t.Context(), Name, since, end, end)
		if err != nil {
			t.Fatal(err)
		}
		got := newKept()
		got.record(finding.Hunt{Since: start, Until: since, Occurrences: slices.DeleteFunc(values(want), func(x finding.Occurrence) bool { return !x.Since.Before(since) })})
		got.record(said)
		if same := cmp.Diff(want.all, got.all) == ""; same != with {
			t.Errorf("with notes %v: equal %v", with, same)
		}
	}
}

// eager takes everything that a sign notices for worth telling.
type eager struct{ watch.Sign }

func (e eager) Clone() watch.Sign { return eager{e.Sign.Clone()} }

func (e eager) Judge(d *watch.Day, i int) []watch.Alarm {
	out := e.Sign.Judge(d, i)
	for i := range out {
		out[i].Mature = true
	}
	return out
}

// stir puts unusual things among events.
func (w *world) stir(events []event.Event, days int) []event.Event {
	for range 4 * days {
		at := start.Add(time.Duration(w.rnd.Int64N(int64(days) * int64(oneDay))))
		like := events[w.rnd.IntN(len(events))]
		for range 5 + w.rnd.IntN(60) {
			e := w.base(at.Add(time.Duration(w.rnd.Int64N(int64(20*time.Minute)))), "", "")
			uid, t := e.UID, e.Time
			e = like
			e.UID, e.Time = uid, t
			switch w.rnd.IntN(8) {
			case 0:
				e.Region = "us-west-2"
			case 1:
				e.Caller, e.ActorSession = event.CallerEC2, "i-0123456789abcdef0"
			case 2:
				e.Outcome, e.StatusCode = event.Denied, "AccessDenied"
			case 3:
				e.ResourceUID = secretARN(w.rnd.IntN(9))
			case 4:
				e.Outcome = event.DeniedByOrgPolicy
			}
			events = append(events, e)
		}
	}
	return events
}

// together adds a program that reads three secrets together every few hours, and
// somebody else who reads a part of them.
func (w *world) together(events []event.Event, days int) []event.Event {
	reads := func(at time.Time, role string, caller event.Caller, session string, of ...int) {
		for k, i := range of {
			e := w.base(at.Add(time.Duration(k)*time.Second), "secretsmanager", "GetSecretValue")
			w.by(&e, role, caller, session)
			e.ResourceUID = fmt.Sprintf("arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/part%d", i)
			events = append(events, e)
		}
	}
	for hour := 0; hour < 24*days; hour += 3 {
		at := start.Add(time.Duration(hour)*time.Hour + time.Duration(w.rnd.Int64N(int64(50*time.Minute))))
		reads(at, "shop", event.CallerECS, fmt.Sprintf("%032x", hour), 0, 1, 2)
	}
	for day := days - 5; day < days; day++ {
		at := start.Add(time.Duration(day)*oneDay + time.Duration(w.rnd.Int64N(int64(20*time.Hour))))
		reads(at, "app1", event.CallerLambda, fmt.Sprint("once", day), 1)
		reads(at.Add(20*time.Minute), "shop", event.CallerECS, fmt.Sprintf("%032x", 1<<20+day), 0, 1)
	}
	return events
}

// TestSignsArePure: with the signs as they are, hours one by one, with looks back
// on the way, come to what one look at everything finds.
func TestSignsArePure(t *testing.T) {
	const days = 15
	w := newWorld(31)
	l := &lakeOf{events: w.together(w.stir(w.events(days, 250), days), days)}
	end := start.Add(days * oneDay)
	for _, sign := range append([]string{"all"}, finding.Signs...) {
		t.Run(sign, func(t *testing.T) {
			o := l.options()
			o.Signs = func() (out []watch.Sign) {
				for _, name := range finding.Signs {
					if sign == "all" || name == sign {
						out = append(out, eager{makers[name](SignOptions{})})
					}
				}
				return out
			}
			look := func() *kept {
				said, err := New(o).Hunt(t.Context(), Name, start, end, end)
				if err != nil {
					t.Fatal(err)
				}
				k := newKept()
				k.record(said)
				return k
			}
			want := look()
			if len(want.all) == 0 {
				t.Fatal("nothing is found: this shows nothing")
			}
			t.Logf("%d occurrences", len(want.all))
			if d := cmp.Diff(want.all, look().all); d != "" {
				t.Errorf("said again: %s", d[:min(len(d), 1500)])
				return
			}
			h, got := New(o), newKept()
			for at := start; at.Before(end); at = at.Add(time.Hour) {
				got.marks[at] = true
				if at.Before(end.Add(-4 * oneDay)) {
					continue // in one piece
				}
				switch at.Hour() { // something came late
				case 13:
					got.marks[at.Add(-5*time.Hour)] = true
				case 2:
					got.marks[at.Add(-7*time.Hour)] = true
				}
				got.round(t, h, at.Add(time.Hour))
			}
			if d := cmp.Diff(want.all, got.all); d != "" {
				t.Errorf("hour by hour: %s", d[:min(len(d), 1500)])
			}
		})
	}
}
