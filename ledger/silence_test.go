package ledger

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// monday is the first hour of the histories below.
var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// silent hours of a list.
func silent(t *testing.T, list []Coverage) []Gap {
	t.Helper()
	gaps, err := Silences(func(yield func(Coverage, error) bool) {
		for _, c := range list {
			if !yield(c, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return gaps
}

// deliver makes the history of an account: records of each hour from monday on.
func deliver(hours int, records func(hour int) int64) []Coverage {
	var out []Coverage
	for h := range hours {
		if n := records(h); n > 0 {
			out = append(out, Coverage{Account: "111122223333", Region: "eu-west-1", Hour: monday.Add(time.Duration(h) * time.Hour), Records: n})
		}
	}
	return out
}

func random() *rand.Rand { return rand.New(rand.NewPCG(5, 5)) }

// always is busy at any hour, with the usual scatter.
func always(r *rand.Rand) func(int) int64 {
	return func(int) int64 { return 80 + r.Int64N(60) }
}

// office is busy from 8 to 18 on weekdays and sleeps otherwise.
func office(r *rand.Rand) func(int) int64 {
	return func(h int) int64 {
		if day, hour := h/24%7, h%24; day < 5 && hour >= 8 && hour < 18 {
			return 40 + r.Int64N(60)
		}
		return 0
	}
}

func without(records func(int) int64, holes ...[2]int) func(int) int64 {
	return func(h int) int64 {
		n := records(h)
		if slices.ContainsFunc(holes, func(x [2]int) bool { return x[0] <= h && h < x[1] }) {
			return 0
		}
		return n
	}
}

func TestSilences(t *testing.T) {
	f := func(hours int, records func(int) int64, want ...[2]int) {
		t.Helper()
		gaps := silent(t, deliver(hours, records))
		var got [][2]int
		for _, g := range gaps {
			got = append(got, [2]int{int(g.From.Sub(monday).Hours()), int(g.To.Sub(monday).Hours())})
			if g.Kind != Silent || g.Account != "111122223333" || g.Region != "eu-west-1" {
				t.Errorf("gap %+v", g)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("gaps at hours %v, want %v", got, want)
			for _, g := range gaps {
				t.Log(g.Reason)
			}
		}
	}
	day := 24
	// A busy account with a hole: in three days, in one, in weeks, at a weekend.
	f(3*day, without(always(random()), [2]int{30, 31}), [2]int{30, 31})
	f(3*day, without(always(random()), [2]int{3, 4}), [2]int{3, 4})
	f(3*day, without(always(random()), [2]int{30, 36}), [2]int{30, 36})
	f(1*day, without(always(random()), [2]int{12, 13}), [2]int{12, 13})
	f(30*day, without(always(random()), [2]int{100, 101}, [2]int{300, 312}), [2]int{100, 101}, [2]int{300, 312})
	f(30*day, without(always(random()), [2]int{5*day + 3, 5*day + 5}), [2]int{5*day + 3, 5*day + 5})
	// Without a hole, at the ends, or with too little to go by.
	f(30*day, always(random()))
	f(3*day, without(always(random()), [2]int{0, 20}))
	f(3*day, without(always(random()), [2]int{50, 72}))
	f(8, without(always(random()), [2]int{4, 5}))
	f(1, always(random()))
	// Office hours: nights and weekends are none, a hole at work is one.
	f(28*day, office(random()))
	f(2*day, office(random()))
	f(3*day, office(random()))
	f(28*day, without(office(random()), [2]int{9*day + 11, 9*day + 13}), [2]int{9*day + 11, 9*day + 13})
	f(28*day, without(office(random()), [2]int{9*day + 8, 9*day + 10})) // came late
	f(28*day, without(office(random()), [2]int{9*day + 8, 9*day + 18}), [2]int{9*day + 8, 9*day + 18})
	// Twelve hours of work and twelve of rest: neighbours alone would be fooled.
	shift := func(h int) int64 {
		if hour := h % 24; hour < 8 || hour >= 20 {
			return 0
		}
		return 50
	}
	for days := 1; days < 12; days++ {
		f(days*day, shift)
	}
	// Noise of services: a few records most hours, or bursts now and then.
	r := random()
	f(28*day, func(int) int64 { return r.Int64N(5) })
	f(28*day, func(h int) int64 {
		if r.IntN(4) == 0 {
			return 500
		}
		return 0
	})
	f(28*day, func(h int) int64 {
		if h%6 == 0 {
			return 60
		}
		return 0
	})
	// Work in bursts, some hours hardly any: an hour without comes by chance.
	f(28*day, func(int) int64 { return int64(r.ExpFloat64() * 150) })
	// An account that pauses for an hour every other day does so today too; a
	// day of silence is another matter.
	pauses := func(h int) int64 {
		if h%53 == 50 {
			return 0
		}
		return 100
	}
	f(28*day, pauses)
	f(28*day, without(pauses, [2]int{330, 350}), [2]int{331, 350}) // one of few Saturdays paused at that hour
	// Busy only lately: the quiet time before is no gap.
	f(28*day, func(h int) int64 {
		if h < 20*day && h%100 != 0 {
			return 0
		}
		return 100
	})
}

func TestSilenceSaysWhy(t *testing.T) {
	f := func(coverage []Coverage, want string) {
		t.Helper()
		gaps := silent(t, coverage)
		if len(gaps) != 1 || gaps[0].Reason.String() != want {
			t.Errorf("got %+v\nwant %s", gaps, want)
		}
	}
	steady := func(h int) int64 { return int64(100 + h%7) }
	f(deliver(72, without(steady, [2]int{30, 31})),
		"Nothing arrived from account 111122223333 in eu-west-1 from 2026-03-03 06:00 to 07:00 UTC, while the 24 comparable hours around had 100 to 106 records (median 104), and none was empty.")
	f(deliver(14*24, without(steady, [2]int{23, 26})),
		"Nothing arrived from account 111122223333 in eu-west-1 from 2026-03-02 23:00 to 2026-03-03 02:00 UTC, while the 27 comparable hours of other days had 100 to 106 records (median 103), and none was empty.")
	work := func(h int) int64 {
		if h/24%7 < 5 && h%24 >= 8 && h%24 < 18 {
			return 50
		}
		return 0
	}
	f(deliver(14*24, without(work, [2]int{48, 72})),
		"Nothing arrived from account 111122223333 in eu-west-1 from 2026-03-04 08:00 to 18:00 UTC, while the 90 comparable hours of other days had 50 to 50 records (median 50), and none was empty."+
			" The quiet time before or after it was silent as usual: a day off looks the same.")
}

func TestSilencesOfSeveralAccounts(t *testing.T) {
	a := deliver(72, without(always(random()), [2]int{30, 31}))
	b := slices.Clone(a)
	for i := range b {
		b[i].Region = "us-east-1"
	}
	gaps := silent(t, append(a, b...))
	if len(gaps) != 2 || gaps[0].Region != "eu-west-1" || gaps[1].Region != "us-east-1" {
		t.Errorf("gaps %+v", gaps)
	}
	if gaps := silent(t, nil); len(gaps) != 0 {
		t.Errorf("nothing gives %v", gaps)
	}
	boom := errors.New("boom")
	_, err := Silences(func(yield func(Coverage, error) bool) {
		if yield(a[0], nil) {
			yield(Coverage{}, boom)
		}
	})
	if !errors.Is(err, boom) {
		t.Errorf("got %v, want boom", err)
	}
}
