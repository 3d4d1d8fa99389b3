package decision

import (
	"fmt"
	"testing"
	"time"
)

// story makes a history of one decision: a verdict and a saving at each time.
func story(id string, steps ...any) (out []Change) {
	for i := 0; i < len(steps); i += 3 {
		d := Decision{ID: id, Verdict: steps[i+1].(Verdict), Version: i/3 + 1}
		if s := steps[i+2].(string); s != "" {
			d.Saving = &Saving{s, "USD"}
		}
		out = append(out, Change{ID: id, At: steps[i].(time.Time), After: &d})
	}
	return out
}

func date(month, day int) time.Time {
	return time.Date(2026, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}

func TestSummary(t *testing.T) {
	f := func(changes []Change, until time.Time, want string) {
		t.Helper()
		got := ""
		for _, q := range Summary(changes, until) {
			got += fmt.Sprintf("%s %s found %s done %s saved %s lost %s; ", q.Quarter, q.Currency, q.Found, q.Done, q.Saved, q.Lost)
		}
		if got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	f(nil, date(12, 1), "")
	// Thirty days deferred lose a month's saving, exactly.
	f(story("a", date(7, 2), Deferred, "1519.2"), date(8, 1), "2026-Q3 USD found 1519.20 done 0.00 saved 0.00 lost 1519.20; ")
	// What is taken saves from then on, and the quarter's end divides.
	f(story("a", date(9, 1), Deferred, "300", date(9, 16), Taken, "300"), date(10, 16),
		"2026-Q3 USD found 300.00 done 300.00 saved 150.00 lost 150.00; 2026-Q4 USD found 0.00 done 0.00 saved 150.00 lost 0.00; ")
	// A change that is none of the verdict does nothing twice; order does not matter.
	steps := story("a", date(7, 1), Taken, "30", date(7, 11), Taken, "30", date(7, 31), Rejected, "30")
	steps[0], steps[2] = steps[2], steps[0]
	f(steps, date(8, 10), "2026-Q3 USD found 30.00 done 30.00 saved 30.00 lost 10.00; ")
	// What is not about money, or not known, is not counted.
	f(story("a", date(7, 1), Deferred, "", date(7, 11), Deferred, "756.36"), date(7, 11), "2026-Q3 USD found 756.36 done 0.00 saved 0.00 lost 0.00; ")
	f(story("a", date(7, 1), Deferred, ""), date(9, 1), "")
	// What has not happened yet does not count.
	f(story("a", date(9, 1), Deferred, "1"), date(8, 1), "")
	// Several add up exactly, each currency by itself.
	yen := story("c", date(7, 1), Rejected, "0.001")
	yen[0].After.Saving.Currency = "JPY"
	f(append(append(story("a", date(7, 1), Taken, "0.1"), story("b", date(7, 1), Taken, "0.2")...), yen...), date(7, 1),
		"2026-Q3 JPY found 0.001 done 0.00 saved 0.00 lost 0.00; 2026-Q3 USD found 0.30 done 0.30 saved 0.00 lost 0.00; ")
}

func TestAdd(t *testing.T) {
	if got, ok := Add("1519.20", "756.36", "750.6", "718.92"); got != "3745.08" || !ok {
		t.Errorf("%s, %v", got, ok)
	}
	if got, ok := Add("1", "x"); got != "1.00" || ok {
		t.Errorf("%s, %v", got, ok)
	}
}
