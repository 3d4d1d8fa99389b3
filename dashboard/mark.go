package dashboard

import (
	"math"
	"time"

	"github.com/yagura-sec/yagura/query"
)

// Mark says that a count is not what it usually is.
type Mark struct {
	Series int   `json:"series" doc:"which series, or which row"`
	Bucket int   `json:"bucket" doc:"which bucket of a series; 0 of a row"`
	Seen   int64 `json:"seen"`
	Low    int64 `json:"low" doc:"95 of 100 such counts lie between low and high"`
	High   int64 `json:"high"`
	// Score is -log10 of the chance that a count is as far out.
	Score float64 `json:"score"`
	Below bool    `json:"below" doc:"it is less than usual"`
}

// Past says against how much past counts were held.
type Past struct {
	State string `json:"state" enum:"judged,short,none" doc:"short: too little past is known to mark anything; none: such an answer has no past to be held against"`
	Weeks int    `json:"weeks" doc:"how many weeks before are known"`
	Needs int    `json:"needs" doc:"how many are needed"`
}

// What came of holding counts against their past.
const (
	PastJudged = "judged"
	PastShort  = "short"
	PastNone   = "none"
)

// needsWeeks is with how many weeks of past a count is judged at least: of fewer it
// cannot be told how much a count of this hour of the week varies.
const needsWeeks = 2

// falseMarks is how many marks chance alone may make, on average, on a panel.
const falseMarks = 0.01

// cells are counts of one series that are judged together, with their past.
type cells struct {
	series int
	bucket []int
	seen   []float64
	past   [][]float64
	whole  []bool // the bucket is over, so that less than usual says something
}

// judgeTimeline holds each bucket against those of the same hours of the weeks
// before, as far as the log reaches back.
func (x *asked) judgeTimeline(all []*gathered, start time.Time, width time.Duration, past, n int) {
	if past == 0 {
		x.out.Past = Past{State: PastNone}
		return
	}
	perWeek := int(week / width)
	known := x.knownFrom(start.Add(-time.Duration(past)*width), width)
	var judged []cells
	for series, g := range all {
		c := cells{series: series}
		for b := range n {
			var peers []float64
			for w := 1; w <= pastWeeks; w++ {
				if i := past + b - w*perWeek; i >= known && i >= 0 {
					peers = append(peers, float64(g.counts[i]))
				}
			}
			end := start.Add(time.Duration(b+1) * width)
			if len(peers) >= needsWeeks && past+b >= known {
				c.add(b, g.counts[past+b], peers, !end.After(x.ask.Now))
			}
			x.out.Past.Weeks = max(x.out.Past.Weeks, len(peers))
		}
		if !g.rest {
			judged = append(judged, c)
		}
	}
	x.mark(judged)
}

func (c *cells) add(bucket int, seen int64, past []float64, whole bool) {
	c.bucket, c.seen = append(c.bucket, bucket), append(c.seen, float64(seen))
	c.past, c.whole = append(c.past, past), append(c.whole, whole)
}

// knownFrom is the first bucket, counted from start, all of which the log covers.
func (x *asked) knownFrom(start time.Time, width time.Duration) int {
	if !x.out.Log.First.After(start) {
		return 0
	}
	return int((x.out.Log.First.Sub(start) + width - 1) / width)
}

// judgeGroups holds each group's count against those of the spans before.
func (x *asked) judgeGroups(all []*gathered, s query.Sum) {
	if x.Judge == nil || s.From == 0 {
		x.out.Past = Past{State: PastNone}
		return
	}
	known := x.knownFrom(s.Start, s.Step)
	x.out.Past.Weeks = max(0, s.From-known)
	var judged []cells
	for i, g := range all {
		if g.rest || x.out.Past.Weeks < needsWeeks {
			continue
		}
		var past []float64
		for _, n := range g.counts[known:s.From] {
			past = append(past, float64(n))
		}
		c := cells{series: i}
		c.add(0, g.counts[s.From], past, !x.ask.Until.After(x.ask.Now))
		judged = append(judged, c)
	}
	x.mark(judged)
}

// mark notes the counts that chance would give less than falseMarks times among all.
func (x *asked) mark(all []cells) {
	x.out.Past.State, x.out.Past.Needs = PastJudged, needsWeeks
	if x.out.Past.Weeks < needsWeeks {
		x.out.Past.State = PastShort
		return
	}
	looks := 0
	for _, c := range all {
		looks += len(c.seen)
	}
	least := math.Log10(float64(max(looks, 1)) / falseMarks)
	for _, c := range all {
		for i, u := range x.Judge(c.seen, c.past) {
			if u.Score < least || u.Below && !c.whole[i] {
				continue
			}
			x.out.Marks = append(x.out.Marks, Mark{
				Series: c.series, Bucket: c.bucket[i], Seen: int64(c.seen[i]), Low: int64(u.Low), High: int64(u.High),
				Score: math.Round(u.Score*100) / 100, Below: u.Below,
			})
		}
	}
}
