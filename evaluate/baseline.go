package evaluate

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// Method is a simple way of finding unusual use, to compare with. The higher its
// score, the lower Sighting.Needs.
type Method struct {
	Name  string
	Signs []string // that it tries
	// Told is the oracle: the calendar explains nothing to it.
	Told bool
	// Blind is chance.
	Blind bool
	Find  func(h *History, w *World, labels []Label) []Sighting
}

// Methods are what is compared with. The oracle is told the answers and has to
// score 1; chance has to score what chance does: both check the scoring itself.
func Methods() []Method {
	return []Method{
		{"mean and standard deviation", []string{finding.SignFrequency}, false, false, meanDeviation},
		{"median and MAD, hour by day class", []string{finding.SignFrequency}, false, false, medianDeviation},
		{"negative binomial, each secret alone", []string{finding.SignFrequency}, false, false, negativeBinomial},
		{"never seen before", []string{finding.SignCaller, finding.SignRegion, finding.SignView, finding.SignTime}, false, false, neverSeen},
		{"fixed rules", []string{finding.SignFrequency, finding.SignFailures}, false, false, fixedRules},
		{"chance", finding.Signs, false, true, chance},
		{"oracle", finding.Signs, true, false, oracle},
	}
}

// Days that simple methods look back, and have to have seen.
const (
	lookBack = 28
	learning = 7
)

// tops keeps the highest scores of a sign: more than the largest budget can use.
func tops(w *World, list []Sighting) []Sighting {
	slices.SortStableFunc(list, func(a, b Sighting) int { return cmp.Compare(a.Needs, b.Needs) })
	return list[:min(len(list), 2000+int(20*Loosest*w.unit()))]
}

// hourly are the counts of one secret, hour by hour.
func (h *History) hourly() [][]int32 {
	out := make([][]int32, len(h.secrets.list))
	for _, u := range h.rows {
		if out[u.secret] == nil {
			out[u.secret] = make([]int32, h.hours)
		}
		out[u.secret][u.hour] += u.count
	}
	return out
}

// meanDeviation is how many standard deviations a secret's hour lies above the
// mean of the four weeks before its day. What lies before its first use is not
// among them.
func meanDeviation(h *History, w *World, _ []Label) (out []Sighting) {
	from := h.after(w.From)
	for secret, counts := range h.hourly() {
		var n, sum, squares float64
		first := born(counts) / 24
		for day := first; day*24 < len(counts); day++ {
			today := counts[day*24 : min(len(counts), day*24+24)]
			if n >= learning*24 {
				mean := sum / n
				sd := math.Sqrt(max(squares/n-mean*mean, 0.25))
				for i, x := range today {
					if z := (float64(x) - mean) / sd; z > 2 && int32(day*24+i) >= from {
						out = append(out, h.sighting(finding.SignFrequency, int32(secret), -1, int32(day*24+i), z))
					}
				}
			}
			add := func(counts []int32, sign float64) {
				for _, x := range counts {
					n, sum, squares = n+sign, sum+sign*float64(x), squares+sign*float64(x)*float64(x)
				}
			}
			add(today, 1)
			if old := day - lookBack; old >= first {
				add(counts[old*24:old*24+24], -1)
			}
		}
	}
	return tops(w, out)
}

// medianDeviation is how many times the median absolute deviation a secret's hour
// lies above the median of the same hour on the working days, or the weekends,
// of the four weeks before.
func medianDeviation(h *History, w *World, _ []Label) (out []Sighting) {
	from := h.after(w.From)
	var before, off []float64
	for secret, counts := range h.hourly() {
		first := born(counts)
		for hour := max(from, int32(first+learning*24)); int(hour) < len(counts); hour++ {
			x := float64(counts[hour])
			if x < 3 {
				continue
			}
			off = off[:0]
			if before = h.same(before[:0], counts, first, hour); len(before) < 2 {
				continue
			}
			mid := median(before)
			for _, y := range before {
				off = append(off, math.Abs(y-mid))
			}
			if z := (x - mid) / max(1.4826*median(off), 1); z > 2 {
				out = append(out, h.sighting(finding.SignFrequency, int32(secret), -1, hour, z))
			}
		}
	}
	return tops(w, out)
}

// born is the hour of a secret's first use.
func born(counts []int32) int {
	return max(slices.IndexFunc(counts, func(x int32) bool { return x > 0 }), 0)
}

// same adds the counts of the same hour on the working days, or the weekends, of
// the four weeks before, from a secret's first hour on.
func (h *History) same(to []float64, counts []int32, first int, hour int32) []float64 {
	for day := 1; day <= lookBack && int(hour)-day*24 >= first; day++ {
		if h.weekend(hour) == h.weekend(hour-int32(day*24)) {
			to = append(to, float64(counts[int(hour)-day*24]))
		}
	}
	return to
}

// negativeBinomial is how unlikely a secret's hour is under a negative binomial
// distribution with the mean of the same hours before and one spread of the
// secret's, both from its own history alone: -log10 of the chance of as many.
func negativeBinomial(h *History, w *World, _ []Label) (out []Sighting) {
	from := h.after(w.From)
	var before []float64
	for secret, counts := range h.hourly() {
		first := born(counts)
		var means, excess float64 // sums of squares, and of variance beyond Poisson's
		for hour := int32(first + learning*24); int(hour) < len(counts); hour++ {
			x := float64(counts[hour])
			if before = h.same(before[:0], counts, first, hour); len(before) < 2 {
				continue
			}
			var sum float64
			for _, y := range before {
				sum += y
			}
			n := float64(len(before))
			mean := (sum + 0.5) / (n + 1) // never nothing at all
			if x >= 3 && x > mean && hour >= from {
				k := 1e6
				if excess > 0 {
					k = min(max(means/excess, 0.05), k)
				}
				if score := negativeBinomialTail(x, mean, k); score > 2 {
					out = append(out, h.sighting(finding.SignFrequency, int32(secret), -1, hour, score))
				}
			}
			means += mean * mean
			excess += (x-mean)*(x-mean)/(1+1/n) - mean
		}
	}
	return tops(w, out)
}

// negativeBinomialTail is -log10 of the chance of x or more.
func negativeBinomialTail(x, mean, k float64) float64 {
	g := func(f float64) float64 { l, _ := math.Lgamma(f); return l }
	q := mean / (mean + k)
	log := g(x+k) - g(k) - g(x+1) + k*math.Log1p(-q) + x*math.Log(q)
	// Each term is the one before times that ratio; above the mean it is below 1.
	sum, term := 1.0, 1.0
	for i := 0.0; i < 10_000 && term > 1e-9*sum; i++ {
		term *= (x + i + k) / (x + i + 1) * q
		sum += term
	}
	return -(log + math.Log(sum)) / math.Ln10
}

func (h *History) weekend(hour int32) bool {
	day := h.at(hour).Weekday()
	return day == 0 || day == 6
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// neverSeen tells of the first caller, region, person's role and hour of the day
// of a secret; the more it was used before, the more striking.
func neverSeen(h *History, w *World, _ []Label) (out []Sighting) {
	type pair struct {
		sign         string
		secret, with int32
	}
	seen := map[pair]bool{}
	calls := make([]int32, len(h.secrets.list))
	since := make([]int32, len(h.secrets.list))
	from := h.after(w.From)
	for _, u := range h.rows {
		if calls[u.secret] == 0 {
			since[u.secret] = u.hour
		}
		grown := calls[u.secret] >= 30 && u.hour-since[u.secret] >= learning*24
		first := func(sign string, with int32) {
			if p := (pair{sign, u.secret, with}); !seen[p] {
				seen[p] = true
				if grown && u.hour >= from {
					out = append(out, h.sighting(sign, u.secret, u.actor, u.hour, math.Log10(float64(calls[u.secret]))))
				}
			}
		}
		first(finding.SignCaller, u.caller)
		first(finding.SignRegion, u.region)
		first(finding.SignTime, int32(h.at(u.hour).Hour()))
		if c := event.Caller(h.callers.list[u.caller]); c == event.CallerConsole || c == event.CallerPersonCLI {
			first(finding.SignView, u.actor)
		}
		calls[u.secret] += u.count
	}
	return tops(w, out)
}

// Limits of the fixed rules: distinct secrets that one principal uses in an
// hour, and calls of one that are denied in an hour.
const (
	ruleSecrets = 20
	ruleDenials = 10
)

// fixedRules are rules as they are published: they know no usual, so that what
// uses many secrets every day is told of every day.
func fixedRules(h *History, w *World, _ []Label) (out []Sighting) {
	type cell struct{ hour, actor int32 }
	secrets := map[cell]map[int32]bool{}
	for _, u := range h.rows {
		c := cell{u.hour, u.actor}
		if secrets[c] == nil {
			secrets[c] = map[int32]bool{}
		}
		secrets[c][u.secret] = true
	}
	for c, s := range secrets {
		if len(s) >= ruleSecrets {
			x := h.sighting(finding.SignFrequency, -1, c.actor, c.hour, float64(len(s)))
			for secret := range s {
				x.Resources = append(x.Resources, h.secrets.list[secret])
			}
			out = append(out, x)
		}
	}
	denied := map[cell]int32{}
	account := map[cell]string{}
	for _, d := range h.turned {
		c := cell{d.hour, d.actor}
		denied[c] += d.count
		account[c] = d.account
	}
	for c, n := range denied {
		if n >= ruleDenials {
			x := h.sighting(finding.SignFailures, -1, c.actor, c.hour, float64(n))
			x.Account = account[c]
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b Sighting) int { return cmp.Or(a.First.Compare(b.First), strings.Compare(a.Key, b.Key)) })
	return tops(w, out)
}

// chance draws secrets and hours from all that were used, the same for the same
// world.
func chance(h *History, w *World, _ []Label) (out []Sighting) {
	if len(h.rows) == 0 {
		return nil
	}
	draw := rand.New(rand.NewPCG(uint64(w.Seed), uint64(len(h.rows))))
	for _, sign := range finding.Signs {
		for range int(3*Loosest*w.unit()) + 1 {
			u := h.rows[draw.IntN(len(h.rows))]
			if h.at(u.hour).Before(w.From) {
				continue
			}
			out = append(out, h.sighting(sign, u.secret, u.actor, u.hour, draw.Float64()))
		}
	}
	return out
}

// oracle tells of every trouble, and of nothing else.
func oracle(_ *History, _ *World, labels []Label) (out []Sighting) {
	for i := range labels {
		l := &labels[i]
		if l.Benign {
			continue
		}
		s := Sighting{Key: l.ID, Sign: l.Kind, Person: l.Person, Resources: l.Secrets, Account: l.Account, First: l.Start, Last: l.End, Known: l.Start}
		if len(l.Actors) > 0 {
			s.Actor = l.Actors[0]
		}
		out = append(out, s)
	}
	return out
}

// Explain marks what the calendar covers, as findings are marked.
func Explain(sightings []Sighting, windows []finding.Window) {
	for i := range sightings {
		s := &sightings[i]
		o := finding.Occurrence{Trouble: finding.Trouble{Kind: finding.Kind("anomaly." + s.Sign), Actor: s.Actor, Account: s.Account,
			Anomaly: &finding.Anomaly{Person: s.Person, Resources: s.Resources}}, FirstSeen: s.First, LastSeen: s.Last}
		if len(s.Resources) > 0 {
			o.Resource = s.Resources[0]
		}
		for j := range windows {
			if windows[j].Covers(&o) {
				s.Explained = "calendar"
				break
			}
		}
	}
}

// Compared is how a method does where the threshold is set afterwards, so that
// each kind alone has as many false alerts as the budget says.
type Compared struct {
	Name   string              `json:"name"`
	Recall map[string]ByBudget `json:"recall"`
	// False are all the false alerts it has without a threshold, of the kind.
	False map[string]Number `json:"false_alerts_per_day_per_1000"`
}

// Compare is how methods do, worlds by method in the order of Methods.
func Compare(methods []Method, worlds [][]Verdict) []Compared {
	var out []Compared
	for i, m := range methods {
		c := Compared{m.Name, map[string]ByBudget{}, map[string]Number{}}
		for _, sign := range m.Signs {
			if sum(parts(worlds[i], ofKind(sign, Headline), found(0))).Of == 0 {
				continue
			}
			c.Recall[sign] = afterTheFact(worlds[i], sign)
			c.False[sign] = Number(perDay(worlds[i], math.MaxFloat64, func(a *Alert) bool { return a.Sign == sign }, falsely))
		}
		out = append(out, c)
	}
	return out
}
