package ledger

import (
	"iter"
	"math"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/say"
)

// What Silences goes by; each number is argued in its comment.
const (
	comparableDays   = 28  // how many days before and after an hour are looked at
	comparableLeast  = 5   // comparable hours needed to know a habit
	neighboursLeast  = 12  // neighbouring hours needed where there is no habit yet
	neighboursFactor = 6   // and how many times the silence's length they are
	busyMedian       = 10  // records in the middle comparable hour
	busyLeast        = 3   // and in the least, but for one hour in ten
	surpriseLeast    = 5   // silence by chance is rarer than one in 10 to this
	burst            = 4   // times the middle hour: more than that counts as that
	edgeLeast        = 3   // hours of silence that count beside quiet time
	habitStretches   = 3   // more silences than this, and than
	habitShare       = 100 // one in so many busy hours, are a habit
	habitFactor      = 3   // then only those so much longer than usual count
)

// Silences finds the hours in which an account and region delivered nothing
// although it normally does. It judges only hours between the first and the
// last that it delivered anything in; coverage comes ordered as
// Reader.Coverage gives it, stored events only.
//
// An hour is normally busy when the same hour of other days is: those within
// four weeks, on weekdays for a weekday and at weekends for a weekend, so that
// nights and weekends of an account that works office hours are no gaps. At
// least five such hours are needed, and the least of them has three records,
// one in ten left aside. And silence by chance is to be rare: with the mean and
// scatter of those hours and of the hours beside them, taken as negative
// binomial, all of the silence comes by chance less than once in 100,000. So a
// steady account is missed after an hour, and one that works in bursts, or
// delivers little, after several. Where there are fewer than five such hours (a
// history of three days) the hours around the silence are asked instead: at
// least twelve, and six times as many as it lasts, which no night passes since
// another night lies within.
//
// Silence that borders on normally quiet time counts from three hours on:
// people come late and clocks change. And where silences are many, they are the
// account's way: then only those three times as long as its usual ones count.
func Silences(coverage iter.Seq2[Coverage, error]) ([]Gap, error) {
	var gaps []Gap
	var hours []Coverage
	for c, err := range coverage {
		if err != nil {
			return nil, err
		}
		if len(hours) > 0 && (c.Account != hours[0].Account || c.Region != hours[0].Region) {
			gaps = append(gaps, silences(hours)...)
			hours = hours[:0]
		}
		hours = append(hours, c)
	}
	if len(hours) > 0 {
		gaps = append(gaps, silences(hours)...)
	}
	return gaps, nil
}

// history of one account and region: records per hour from first on.
type history struct {
	account, region string
	first           int64 // hours since 1970
	records         []int64
	busy            int // hours with records
}

// stretch is silence in hours from until to, with what was expected there.
type stretch struct {
	from, to int
	nearby   bool    // expected from the hours around it, else from other days
	expected []int64 // records of the hours it was compared with
	surprise float64 // -log10 of how likely such silence is by chance
}

func silences(hours []Coverage) []Gap {
	h := history{account: hours[0].Account, region: hours[0].Region, first: hourOf(hours[0].Hour)}
	h.records = make([]int64, hourOf(hours[len(hours)-1].Hour)-h.first+1)
	for _, c := range hours {
		if at := &h.records[hourOf(c.Hour)-h.first]; c.Records > 0 {
			if *at == 0 {
				h.busy++
			}
			*at += c.Records
		}
	}
	var found []stretch
	for at := 0; at < len(h.records); at++ {
		if h.records[at] > 0 {
			continue
		}
		end := at
		for end < len(h.records) && h.records[end] == 0 {
			end++
		}
		if end < len(h.records) { // what follows the last record is not judged
			found = append(found, h.judge(at, end)...)
		}
		at = end
	}
	var gaps []Gap
	for _, s := range h.unusual(found) {
		gaps = append(gaps, h.gap(s))
	}
	return gaps
}

// judge gives the parts of a silence that are normally busy.
func (h *history) judge(from, to int) (out []stretch) {
	for at := from; at < to; at++ {
		expected, nearby := h.expect(at, from, to)
		if !busy(expected) {
			continue
		}
		scatter := expected
		if !nearby {
			scatter = h.beside(at, from, to)
		}
		surprise := surprise(scatter)
		if n := len(out); n > 0 && out[n-1].to == at && out[n-1].nearby == nearby {
			out[n-1].to = at + 1
			out[n-1].surprise += surprise
			if !nearby { // else the same hours again
				out[n-1].expected = append(out[n-1].expected, expected...)
			}
			continue
		}
		out = append(out, stretch{at, at + 1, nearby, expected, surprise})
	}
	return slices.DeleteFunc(out, func(s stretch) bool {
		return s.surprise < surpriseLeast || (s.from > from || s.to < to) && s.to-s.from < edgeLeast
	})
}

// expect gives what hours comparable to the silent one delivered.
func (h *history) expect(at, from, to int) (expected []int64, nearby bool) {
	if expected = h.otherDays(nil, at, 0, from, to); len(expected) >= comparableLeast {
		return expected, false
	}
	around := max(neighboursLeast, neighboursFactor*(to-from))
	expected = append([]int64(nil), h.records[max(0, from-around):from]...)
	expected = append(expected, h.records[to:min(len(h.records), to+around)]...)
	if len(expected) < around {
		return nil, true
	}
	return expected, true
}

// otherDays appends what the hour, shifted by some, delivered on days like at's.
func (h *history) otherDays(dst []int64, at, shift, from, to int) []int64 {
	class := h.weekend(at)
	for day := -comparableDays; day <= comparableDays; day++ {
		like := at + 24*day
		other := like + shift
		if other >= 0 && other < len(h.records) && (other < from || other >= to) && h.weekend(like) == class {
			dst = append(dst, h.records[other])
		}
	}
	return dst
}

// beside gives what comparable hours and those beside them delivered, where
// they delivered anything: more hours to know the scatter by.
func (h *history) beside(at, from, to int) (out []int64) {
	for shift := -1; shift <= 1; shift++ {
		out = h.otherDays(out, at, shift, from, to)
	}
	return slices.DeleteFunc(out, func(n int64) bool { return n == 0 })
}

// surprise is -log10 of the probability of an hour without records, from the
// mean and scatter of others, taken as negative binomial. One in ten of the
// least is left aside (silence met before) and bursts are cut down. The scatter
// of few hours is underestimated easily, so it is taken larger then.
func surprise(hours []int64) float64 {
	sorted := slices.Sorted(slices.Values(hours))
	middle := sorted[len(sorted)/2]
	sorted = sorted[len(sorted)/10:]
	n := float64(len(sorted))
	var mean, variance float64
	for _, x := range sorted {
		mean += float64(min(x, burst*middle)) / n
	}
	for _, x := range sorted {
		d := float64(min(x, burst*middle)) - mean
		variance += d * d / (n - 1)
	}
	dispersion := 0.01 + (1+2/math.Sqrt(n))*max(0, (variance-mean)/(mean*mean))
	return math.Log10(1+mean*dispersion) / dispersion
}

func busy(expected []int64) bool {
	if len(expected) == 0 {
		return false
	}
	sorted := slices.Clone(expected)
	slices.Sort(sorted)
	return sorted[len(sorted)/10] >= busyLeast
}

// unusual leaves out silences that are a habit.
func (h *history) unusual(found []stretch) []stretch {
	if len(found) <= max(habitStretches, h.busy/habitShare) {
		return found
	}
	lengths := make([]int, len(found))
	for i, s := range found {
		lengths[i] = s.to - s.from
	}
	slices.Sort(lengths)
	usual := lengths[len(lengths)/2]
	return slices.DeleteFunc(found, func(s stretch) bool { return s.to-s.from < habitFactor*usual })
}

func (h *history) gap(s stretch) Gap {
	sorted := slices.Clone(s.expected)
	slices.Sort(sorted)
	empty := say.T("gap.none", nil)
	if n, _ := slices.BinarySearch(sorted, 1); n > 0 {
		empty = say.T("gap.some", say.Values{"n": n})
	}
	where := say.T("gap.days", nil)
	if s.nearby {
		where = say.T("gap.around", nil)
	}
	g := Gap{Kind: Silent, Account: h.account, Region: h.region, From: h.time(s.from), To: h.time(s.to)}
	span := say.T("gap.day", say.Values{"from": g.From, "to": g.To})
	if g.To.Sub(g.From) >= 24*time.Hour || g.To.Day() != g.From.Day() {
		span = say.T("gap.span", say.Values{"from": g.From, "to": g.To})
	}
	var region, quiet say.Text
	if h.region != "" {
		region = say.T("gap.region", say.Values{"region": h.region})
	}
	if h.quietBeside(s) {
		quiet = say.T("gap.quiet", nil)
	}
	g.Reason = say.T("gap.silent", say.Values{
		"account": h.account, "region": region, "span": span, "hours": len(sorted), "where": where,
		"low": sorted[0], "high": sorted[len(sorted)-1], "median": sorted[len(sorted)/2], "empty": empty, "quiet": quiet,
	})
	return g
}

// quietBeside tells whether the silence goes on, before or behind s, in hours
// that are normally quiet.
func (h *history) quietBeside(s stretch) bool {
	return h.records[s.from-1] == 0 || h.records[s.to] == 0
}

func (h *history) time(at int) time.Time { return time.Unix((h.first+int64(at))*3600, 0).UTC() }

func (h *history) weekend(at int) bool {
	day := h.time(at).Weekday()
	return day == time.Saturday || day == time.Sunday
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }
