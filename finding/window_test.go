package finding

import (
	"testing"
	"time"

	"github.com/yagura-sec/yagura/say"
)

func TestWindowCovers(t *testing.T) {
	at := time.Date(2026, 4, 2, 14, 0, 0, 0, time.UTC)
	o := Occurrence{
		Trouble: Trouble{
			Kind: "anomaly.frequency", Actor: "arn:role/app", Resource: "arn:secret:prod/db", Account: "111122223333", Region: "eu-west-1",
			Anomaly: &Anomaly{Person: "kato@hoshino.example"},
		},
		FirstSeen: at.Add(10 * time.Minute), LastSeen: at.Add(50 * time.Minute),
	}
	base := Window{ID: "w", Start: at, End: at.Add(time.Hour)}
	f := func(want bool, change func(*Window)) {
		t.Helper()
		w := base
		change(&w)
		if got := w.Covers(&o); got != want {
			t.Errorf("%+v covers: %v", w, got)
		}
	}
	f(true, func(w *Window) {})
	// Half of its forty minutes, with five minutes' grace.
	f(true, func(w *Window) { w.End = o.FirstSeen.Add(15 * time.Minute) })
	f(false, func(w *Window) { w.End = o.FirstSeen.Add(15*time.Minute - 1) })
	f(true, func(w *Window) { w.Start = o.LastSeen.Add(-15 * time.Minute) })
	f(false, func(w *Window) { w.Start = o.LastSeen.Add(-15*time.Minute + 1) })
	f(false, func(w *Window) { w.Start, w.End = o.FirstSeen.Add(20*time.Minute), o.FirstSeen.Add(21*time.Minute) })
	f(false, func(w *Window) { w.End = o.FirstSeen.Add(-time.Hour) })
	f(true, func(w *Window) { w.Accounts = []string{"x", "111122223333"} })
	f(false, func(w *Window) { w.Accounts = []string{"x"} })
	f(true, func(w *Window) { w.Kinds = []string{"frequency"} })
	f(true, func(w *Window) { w.Kinds = []string{"anomaly.frequency"} })
	f(true, func(w *Window) { w.Kinds = []string{"anomaly.*"} })
	f(false, func(w *Window) { w.Kinds = []string{"time"} })
	f(true, func(w *Window) { w.Resources = []string{"arn:secret:prod/*"} })
	f(false, func(w *Window) { w.Resources = []string{"arn:secret:dev/*"} })
	f(true, func(w *Window) { w.People = []string{"kato@hoshino.example"} })
	f(false, func(w *Window) { w.People = []string{"sato@hoshino.example"} })
	f(true, func(w *Window) { w.People, w.Actors = []string{"sato@hoshino.example"}, []string{"arn:role/*"} })
	f(false, func(w *Window) { w.Regions = []string{"us-west-2"} })
	o.Anomaly.Resources = []string{"arn:secret:prod/db", "arn:secret:dev/x"}
	f(false, func(w *Window) { w.Resources = []string{"arn:secret:prod/*"} })
	f(true, func(w *Window) { w.Resources = []string{"arn:secret:prod/*", "arn:secret:dev/x"} })

	once := o
	once.LastSeen = once.FirstSeen
	if w := (Window{Start: once.FirstSeen.Add(4 * time.Minute), End: at.Add(time.Hour)}); !w.Covers(&once) {
		t.Error("no grace for a single call")
	}
	if w := (Window{Start: once.FirstSeen.Add(6 * time.Minute), End: at.Add(time.Hour)}); w.Covers(&once) {
		t.Error("too much grace for a single call")
	}
	o.Explain([]Window{base, {ID: "other", Start: at.Add(-2 * time.Hour), End: at}, {ID: "t", Title: "Load test", Ticket: "CHG-7", Start: at, End: at.Add(time.Hour)}})
	if len(o.Explained) != 2 || o.Explained[1] != (Explanation{"calendar", "t", say.Plain("Load test (CHG-7)")}) {
		t.Errorf("explained by %+v", o.Explained)
	}
}

// TestMergeAnomalies: what is read is the most striking, what is explained is so
// throughout.
func TestMergeAnomalies(t *testing.T) {
	at := time.Date(2026, 4, 2, 14, 0, 0, 0, time.UTC)
	made := func(hour int, score float64, explained ...Explanation) Occurrence {
		return Occurrence{
			Trouble:   Trouble{Key: "k", Kind: "anomaly.frequency", Title: time.Duration(hour).String(), Anomaly: &Anomaly{Score: score}, Explained: explained},
			FirstSeen: at.Add(time.Duration(hour) * time.Hour), LastSeen: at.Add(time.Duration(hour) * time.Hour), Count: 1,
		}
	}
	x, y := Explanation{"calendar", "1", say.Plain("x")}, Explanation{"context", "2", say.Plain("y")}
	all := []Occurrence{made(1, 5, x), made(2, 9, y, x), made(3, 4, x)}
	for _, order := range [][3]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}} {
		f := Fold([]Occurrence{all[order[0]], all[order[1]], all[order[2]]})
		if f.Title != "2ns" || f.Anomaly.Score != 9 || f.Count != 3 || len(f.Explained) != 2 || !f.LastSeen.Equal(at.Add(3*time.Hour)) {
			t.Errorf("in order %v: %q, score %v, explained %v, %v", order, f.Title, f.Anomaly.Score, f.Explained, f.LastSeen)
		}
	}
	if f := Fold(append(all, made(4, 1))); len(f.Explained) != 0 {
		t.Errorf("explained by %v, though an hour is not", f.Explained)
	}
}
