package finding

import (
	"math"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/say"
)

func anomaly(key, resource, sign string, score float64, hour int, change ...func(*Finding)) Finding {
	o := Occurrence{
		Trouble: Trouble{
			Key: key, Kind: Kind("anomaly." + sign), Severity: Medium, Confidence: 0.9, Actor: "arn:role/app", Resource: resource,
			Anomaly: &Anomaly{Sign: sign, Score: score}, Reasons: []Reason{{Text: say.Plain(key)}},
		},
		FirstSeen: time.Date(2026, 4, 2, hour, 5, 0, 0, time.UTC), LastSeen: time.Date(2026, 4, 2, hour, 50, 0, 0, time.UTC), Count: 1,
	}
	f := Of(o, nil, nil)
	for _, c := range change {
		c(&f)
	}
	return f
}

func TestGather(t *testing.T) {
	high := func(f *Finding) { f.Severity, f.Priority = High, 80 }
	cases := Gather([]Finding{
		anomaly("a", "db", SignFrequency, 6, 3),
		anomaly("b", "mq", SignView, 9, 4, high),
		anomaly("c", "db", SignCaller, 8, 2),
		anomaly("d", "db", SignRegion, 3, 5),
	})
	if len(cases) != 2 || cases[0].Resource != "mq" || cases[0].Severity != High || cases[0].Priority != 80 {
		t.Fatalf("%+v", cases)
	}
	c := cases[1]
	if c.First.Hour() != 2 || c.Last.Hour() != 5 || len(c.Findings) != 3 || c.Findings[0].Key != "c" || c.Findings[2].Key != "d" || c.Explained {
		t.Errorf("%+v", c)
	}
}

func TestTogether(t *testing.T) {
	f := func(want float64, findings ...Finding) {
		t.Helper()
		var sum CaseSum
		for i := range findings {
			sum.Add(MemberOf(&findings[i]))
		}
		if got := sum.Case().Chance; math.Abs(got-want) > 1e-9*want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	tail := func(score float64) float64 { // of six chances, by the sum of their -log10
		h, term, sum := score*math.Ln10, 1.0, 1.0
		for i := 1; i < 6; i++ {
			term *= h / float64(i)
			sum += term
		}
		return math.Exp(-h) * sum
	}
	explained := func(f *Finding) { f.Explained = []Explanation{{"calendar", "w", say.Plain("a move")}} }
	f(0, Of(Occurrence{Trouble: Trouble{Key: "a", Kind: KindRule}}, nil, nil))
	f(1, anomaly("a", "db", SignFrequency, 0, 3))
	f(tail(6), anomaly("a", "db", SignFrequency, 6, 3))
	// Caller, view and region count once, the strongest of them.
	f(tail(6), anomaly("a", "db", SignView, 6, 3), anomaly("b", "db", SignRegion, 4, 3), anomaly("c", "db", SignCaller, 2, 3))
	f(tail(5), anomaly("a", "db", SignFrequency, 2, 3), anomaly("b", "db", SignCaller, 3, 3))
	f(tail(2), anomaly("a", "db", SignFrequency, 2, 3), anomaly("b", "db", SignCaller, 9, 3, explained))
}

func TestExplainedRanksLow(t *testing.T) {
	plain := anomaly("a", "db", SignFrequency, 6, 3)
	o := Occurrence{Trouble: plain.Trouble, FirstSeen: plain.FirstSeen, LastSeen: plain.LastSeen}
	o.Explained = []Explanation{{"calendar", "w", say.Plain("Load test (CHG-7)")}}
	if f := Of(o, nil, nil); f.Priority >= plain.Priority || f.Priority == 0 || len(f.Parts) != len(plain.Parts)+1 {
		t.Errorf("explained: %d %+v; not: %d", f.Priority, f.Parts, plain.Priority)
	}
}
