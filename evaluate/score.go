package evaluate

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
)

// Number is a figure; what is of nothing is null in JSON.
type Number float64

// MarshalJSON writes four decimals, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	f := float64(n)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(math.Round(f*1e4) / 1e4)
}

// ByBudget is a figure at each of Budgets: "1", "5", "20".
type ByBudget map[string]Number

// name is a budget as a key.
func name(budget float64) string { return strconv.FormatFloat(budget, 'f', -1, 64) }

// At is the figure at a budget; NaN where there is none.
func (b ByBudget) At(budget float64) float64 {
	if n, ok := b[name(budget)]; ok {
		return float64(n)
	}
	return math.NaN()
}

func byBudget(figure func(budget float64) float64) ByBudget {
	b := ByBudget{}
	for _, budget := range Budgets {
		b[name(budget)] = Number(figure(budget))
	}
	return b
}

// Scores are the figures of worlds together.
type Scores struct {
	// Kinds are signs, and what other kinds labels name.
	Kinds      map[string]Kind `json:"kinds"`
	Lookalikes Lookalikes      `json:"lookalikes"`
	// Alerts a day and 1,000 secrets that nothing explains; False are those of
	// them that are about no trouble, and Explained those that are marked.
	Alerts    ByBudget `json:"alerts_per_day_per_1000"`
	False     ByBudget `json:"false_alerts_per_day_per_1000"`
	Explained ByBudget `json:"explained_per_day_per_1000"`
	// Early are alerts before trouble begins, while there is little to judge from:
	// a day of that time and 1,000 secrets. They are in no other figure.
	Early ByBudget `json:"alerts_before_trouble_per_day_per_1000"`
	// FalseWatched is False on all secrets and keys that are watched, as the
	// budget counts them.
	FalseWatched ByBudget `json:"false_alerts_per_day_per_1000_watched"`
	// Known is what the calendar or the log explains wrongly: trouble that was
	// found and marked as explained, a part of all trouble.
	Excused ByBudget `json:"trouble_explained"`
	// Sorts are sorts of trouble, by kind, sort and difficulty.
	Sorts []OfTrouble `json:"sorts"`
	// Curve is the recall of each kind at many budgets, difficulties 1 and 2.
	Curve []Point `json:"curve"`
	// Calibration is expected against observed on what no label concerns.
	Calibration []Calibrated `json:"calibration"`
}

// Kind is one kind of trouble.
type Kind struct {
	// Labels and recall are of difficulties 1 and 2 together; ByDifficulty has
	// the others. Precision is of all alerts of the kind.
	Labels    int                 `json:"labels"`
	Recall    ByBudget            `json:"recall"`
	Precision ByBudget            `json:"precision"`
	Interval  map[string][]Number `json:"recall_interval"` // 95 %
	// PrecisionRarer is where trouble is ten times as rare.
	PrecisionRarer ByBudget `json:"precision_10x_rarer"`
	// AnyKind: alerts of other kinds count for trouble as well.
	RecallAnyKind    ByBudget `json:"recall_any_kind"`
	PrecisionAnyKind ByBudget `json:"precision_any_kind"`
	// RecallBoth counts what an alert tells of that has the principal or person
	// and the secret right, as far as the label names them.
	RecallBoth ByBudget `json:"recall_principal_and_secret"`
	// RecallExplained counts what was found and marked as explained too.
	RecallExplained ByBudget `json:"recall_with_explained"`
	// AfterTheFact is recall where the threshold is set afterwards so that this
	// kind alone has that many false alerts a day and 1,000 secrets.
	AfterTheFact ByBudget                `json:"recall_after_the_fact"`
	Alerts       ByBudget                `json:"alerts_per_day_per_1000"`
	False        ByBudget                `json:"false_alerts_per_day_per_1000"`
	ByDifficulty map[string]OfDifficulty `json:"by_difficulty"`
	// Minutes from a label's start to when it is told of, at the budgets.
	MedianMinutes ByBudget `json:"minutes_to_detect_median"`
	WorstMinutes  ByBudget `json:"minutes_to_detect_p90"`
}

// OfDifficulty is what of a kind depends on difficulty.
type OfDifficulty struct {
	Labels    int                 `json:"labels"`
	Recall    ByBudget            `json:"recall"`
	Interval  map[string][]Number `json:"recall_interval"`
	Precision ByBudget            `json:"precision"` // true alerts of that difficulty against all false ones
	// Blind is the part of it that was put anywhere, not where it can be told
	// apart.
	Blind Placed `json:"blind"`
}

// Placed is how labels of one placement fare.
type Placed struct {
	Labels int      `json:"labels"`
	Recall ByBudget `json:"recall"`
}

// Lookalikes are what only looks like trouble.
type Lookalikes struct {
	Known   Alarmed           `json:"known"` // to the calendar
	Unknown Alarmed           `json:"unknown"`
	Sorts   map[string]OfSort `json:"sorts"`
}

// OfSort is a sort of look-alikes.
type OfSort struct {
	Known   Alarmed `json:"known"`
	Unknown Alarmed `json:"unknown"`
}

// Alarmed is which part of look-alikes was alarming.
type Alarmed struct {
	Labels int `json:"labels"`
	// Unexplained: an alert of any kind that nothing explains is about it.
	Unexplained ByBudget            `json:"alarming_unexplained"`
	SameKind    ByBudget            `json:"alarming_unexplained_same_kind"`
	Explained   ByBudget            `json:"alarming_explained"` // and none that is not
	Interval    map[string][]Number `json:"alarming_unexplained_interval"`
}

// OfTrouble is a sort of trouble in one difficulty.
type OfTrouble struct {
	Kind       string `json:"kind"`
	Sort       string `json:"sort"`
	Difficulty int    `json:"difficulty"`
	Labels     int    `json:"labels"`
	// Found at the smallest and at the loosest budget; AnyKind and Excused are of
	// those that are not found at the smallest: an alert of another kind tells of
	// them, or they are found and explained.
	Found   int `json:"found"`
	Loosest int `json:"found_loosest"`
	AnyKind int `json:"other_kind"`
	Excused int `json:"explained"`
}

// Point is a budget of the curve.
type Point struct {
	Budget float64           `json:"budget"`
	Recall map[string]Number `json:"recall"`
}

// Calibrated is how many alerts about nothing were expected and came, a day and
// 1,000 of all secrets and keys that are watched.
type Calibrated struct {
	Expected float64           `json:"expected_per_day_per_1000"`
	Observed Number            `json:"observed_per_day_per_1000"`
	BySign   map[string]Number `json:"by_sign"`
	// ExpectedBySign is the line of a sign: each of its classes of scores has
	// one part of the budget, of as many as the hunter divides it into.
	ExpectedBySign map[string]Number `json:"expected_by_sign"`
}

// curveBudgets are those of Scores.Curve.
var curveBudgets = []float64{0.1, 0.2, 0.5, 1, 2, 5, 10, 20}

// Score adds worlds up.
func Score(worlds []Verdict) Scores {
	s := Scores{Kinds: map[string]Kind{}}
	for _, k := range kindsOf(worlds) {
		s.Kinds[k] = kindScore(worlds, k)
	}
	s.Lookalikes = lookalikes(worlds)
	all := func(*Alert) bool { return true }
	s.Alerts = byBudget(func(b float64) float64 { return perDay(worlds, b, all, needs) })
	s.False = byBudget(func(b float64) float64 { return perDay(worlds, b, all, falsely) })
	s.Explained = byBudget(func(b float64) float64 {
		return perDay(worlds, b, all, func(a *Alert, b float64) bool { return a.Needs > b && a.Explained <= b })
	})
	s.Excused = byBudget(func(b float64) float64 {
		return sum(parts(worlds, trouble, func(l *Judged) bool { return l.Needs > b && l.Explained <= b })).Ratio()
	})
	s.Early = byBudget(func(b float64) float64 { return beforeTrouble(worlds, b) })
	s.FalseWatched = byBudget(func(b float64) float64 { return float64(count(worlds, b, all, falsely)) / watched(worlds) })
	s.Sorts = sortsOf(worlds)
	for _, b := range curveBudgets {
		p := Point{b, map[string]Number{}}
		for k := range s.Kinds {
			p.Recall[k] = Number(sum(parts(worlds, ofKind(k, Headline), found(b))).Ratio())
		}
		s.Curve = append(s.Curve, p)
	}
	s.Calibration = calibration(worlds)
	return s
}

// beforeTrouble is how many alerts came then, a day and 1,000 secrets.
func beforeTrouble(worlds []Verdict, budget float64) float64 {
	n, units := 0, 0.0
	for i := range worlds {
		w := &worlds[i].World
		if w.Start.IsZero() || !w.Start.Before(w.From) {
			continue
		}
		units += w.From.Sub(w.Start).Hours() / 24 * float64(max(w.Secrets, 1)) / 1000
		for _, needs := range worlds[i].early {
			if needs <= budget {
				n++
			}
		}
	}
	return float64(n) / units
}

// watched is how many days times 1,000 secrets and keys are watched.
func watched(worlds []Verdict) (n float64) {
	for i := range worlds {
		w := worlds[i].World
		w.Secrets = max(w.Watched, w.Secrets)
		n += w.unit()
	}
	return n
}

func sortsOf(worlds []Verdict) (out []OfTrouble) {
	type key struct {
		kind, sort string
		difficulty int
	}
	at := map[key]*OfTrouble{}
	for _, w := range worlds {
		for i := range w.Labels {
			l := &w.Labels[i]
			if l.Benign {
				continue
			}
			k := key{l.Kind, l.Sort, l.Difficulty}
			if at[k] == nil {
				at[k] = &OfTrouble{Kind: l.Kind, Sort: l.Sort, Difficulty: l.Difficulty}
			}
			t := at[k]
			t.Labels++
			smallest := Budgets[0]
			switch {
			case l.Needs <= smallest:
				t.Found++
			case l.Explained <= smallest:
				t.Excused++
			case l.AnyKind <= smallest:
				t.AnyKind++
			}
			if l.Needs <= Loosest {
				t.Loosest++
			}
		}
	}
	for _, t := range at {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b OfTrouble) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), cmp.Compare(a.Difficulty, b.Difficulty), strings.Compare(a.Sort, b.Sort))
	})
	return out
}

// kindsOf are all signs, and what else labels of trouble name.
func kindsOf(worlds []Verdict) []string {
	all := slices.Clone(finding.Signs)
	for _, w := range worlds {
		for i := range w.Labels {
			if l := &w.Labels[i]; !l.Benign && !slices.Contains(all, l.Kind) {
				all = append(all, l.Kind)
			}
		}
	}
	return all
}

func trouble(l *Judged) bool { return !l.Benign && !l.Whole }

// ofKind chooses trouble of a kind and base.
func ofKind(kind, base string) func(*Judged) bool {
	return func(l *Judged) bool {
		if l.Benign || l.Kind != kind {
			return false
		}
		switch base {
		case All:
			return true
		case Headline:
			return l.Difficulty <= 2
		}
		return strconv.Itoa(l.Difficulty) == base
	}
}

func found(budget float64) func(*Judged) bool {
	return func(l *Judged) bool { return l.Needs <= budget }
}

// parts are, for each seed, how many of the chosen labels are hits: worlds of one
// seed have the same trouble in other traffic, so they are not two draws.
func parts(worlds []Verdict, choose, hit func(*Judged) bool) (out []Part) {
	at := map[string]int{}
	for i := range worlds {
		w := &worlds[i]
		seed := w.World.Name
		if w.World.Family != "" {
			seed = strconv.FormatInt(w.World.Seed, 10) + w.World.Size
		}
		k, ok := at[seed]
		if !ok {
			k = len(out)
			at[seed] = k
			out = append(out, Part{})
		}
		for j := range w.Labels {
			l := &w.Labels[j]
			if choose(l) {
				out[k].Of++
				if hit(l) {
					out[k].Hits++
				}
			}
		}
	}
	return out
}

func needs(a *Alert, b float64) bool   { return a.Needs <= b }
func truly(a *Alert, b float64) bool   { return a.True <= b }
func nearly(a *Alert, b float64) bool  { return a.Near <= b }
func falsely(a *Alert, b float64) bool { return a.Needs <= b && a.Near > b }

// count is how many alerts of all worlds are chosen and hold at a budget.
func count(worlds []Verdict, budget float64, choose func(*Alert) bool, holds func(*Alert, float64) bool) (n int) {
	for i := range worlds {
		for j := range worlds[i].Alerts {
			if a := &worlds[i].Alerts[j]; choose(a) && holds(a, budget) {
				n++
			}
		}
	}
	return n
}

func units(worlds []Verdict) (n float64) {
	for i := range worlds {
		n += worlds[i].World.unit()
	}
	return n
}

func perDay(worlds []Verdict, budget float64, choose func(*Alert) bool, holds func(*Alert, float64) bool) float64 {
	return float64(count(worlds, budget, choose, holds)) / units(worlds)
}

func intervals(parts func(budget float64) []Part) map[string][]Number {
	out := map[string][]Number{}
	for _, b := range Budgets {
		low, high := Interval(parts(b))
		out[name(b)] = []Number{Number(low), Number(high)}
	}
	return out
}

func kindScore(worlds []Verdict, kind string) Kind {
	mine := func(a *Alert) bool { return a.Sign == kind }
	n := func(b float64, holds func(*Alert, float64) bool) float64 {
		return float64(count(worlds, b, mine, holds))
	}
	recall := func(hit func(b float64) func(*Judged) bool) ByBudget {
		return byBudget(func(b float64) float64 { return sum(parts(worlds, ofKind(kind, Headline), hit(b))).Ratio() })
	}
	k := Kind{
		Labels: sum(parts(worlds, ofKind(kind, Headline), found(0))).Of,
		Recall: recall(found),
		RecallAnyKind: recall(func(b float64) func(*Judged) bool {
			return func(l *Judged) bool { return l.AnyKind <= b }
		}),
		RecallBoth: recall(func(b float64) func(*Judged) bool {
			return func(l *Judged) bool { return l.Both <= b }
		}),
		RecallExplained: recall(func(b float64) func(*Judged) bool {
			return func(l *Judged) bool { return min(l.Needs, l.Explained) <= b }
		}),
		Precision:        byBudget(func(b float64) float64 { return n(b, truly) / n(b, needs) }),
		PrecisionAnyKind: byBudget(func(b float64) float64 { return n(b, nearly) / n(b, needs) }),
		PrecisionRarer: byBudget(func(b float64) float64 {
			hits := n(b, truly) / 10
			return hits / (hits + n(b, needs) - n(b, truly))
		}),
		Alerts:       byBudget(func(b float64) float64 { return perDay(worlds, b, mine, needs) }),
		False:        byBudget(func(b float64) float64 { return perDay(worlds, b, mine, falsely) }),
		AfterTheFact: afterTheFact(worlds, kind),
		ByDifficulty: map[string]OfDifficulty{},
	}
	for i, base := range Bases {
		d := OfDifficulty{Labels: sum(parts(worlds, ofKind(kind, base), found(0))).Of}
		at := func(b float64) []Part { return parts(worlds, ofKind(kind, base), found(b)) }
		d.Recall = byBudget(func(b float64) float64 { return sum(at(b)).Ratio() })
		blind := func(l *Judged) bool { return l.Blind && ofKind(kind, base)(l) }
		d.Blind = Placed{sum(parts(worlds, blind, found(0))).Of, byBudget(func(b float64) float64 { return sum(parts(worlds, blind, found(b))).Ratio() })}
		d.Interval = intervals(at)
		of := [][]int{{0, 1, 2}, {1}, {2}, {3}, {0, 1, 2, 3}}[i]
		d.Precision = byBudget(func(b float64) float64 {
			hits := n(b, func(a *Alert, b float64) bool {
				return slices.ContainsFunc(of, func(d int) bool { return a.trueBy[d] <= b })
			})
			return hits / (hits + n(b, needs) - n(b, truly))
		})
		k.ByDifficulty[base] = d
	}
	k.Interval = k.ByDifficulty[Headline].Interval
	k.MedianMinutes = byBudget(func(b float64) float64 { return minutes(worlds, kind, b, 0.5) })
	k.WorstMinutes = byBudget(func(b float64) float64 { return minutes(worlds, kind, b, 0.9) })
	return k
}

// minutes is a quantile of how long after its start trouble was told of.
func minutes(worlds []Verdict, kind string, budget, q float64) float64 {
	var all []float64
	choose := ofKind(kind, Headline)
	for i := range worlds {
		for j := range worlds[i].Labels {
			l := &worlds[i].Labels[j]
			if d, ok := l.delay(budget); ok && choose(l) {
				all = append(all, d.Round(time.Second).Minutes())
			}
		}
	}
	slices.Sort(all)
	return quantile(all, q)
}

// afterTheFact is recall of a kind where the threshold is set on the answers:
// as many false alerts of it as the budget allows.
func afterTheFact(worlds []Verdict, kind string) ByBudget {
	return byBudget(func(b float64) float64 {
		limit := threshold(worlds, b, func(a *Alert) bool { return a.Sign == kind })
		hit := func(l *Judged) bool { return l.Needs < limit }
		return sum(parts(worlds, ofKind(kind, Headline), hit)).Ratio()
	})
}

// threshold is the first need that would be one false alert too many.
func threshold(worlds []Verdict, budget float64, choose func(*Alert) bool) float64 {
	var wrong []float64
	for i := range worlds {
		for j := range worlds[i].Alerts {
			if a := &worlds[i].Alerts[j]; choose(a) && math.IsInf(a.Near, 1) && !math.IsInf(a.Needs, 1) {
				wrong = append(wrong, a.Needs)
			}
		}
	}
	slices.Sort(wrong)
	allowed := int(budget * units(worlds))
	if allowed >= len(wrong) {
		return math.MaxFloat64
	}
	return wrong[allowed]
}

func lookalikes(worlds []Verdict) Lookalikes {
	which := func(sort string, every, known bool) func(*Judged) bool {
		return func(l *Judged) bool { return l.Benign && !l.Whole && l.Known == known && (every || l.Sort == sort) }
	}
	x := Lookalikes{Known: alarmed(worlds, which("", true, true)), Unknown: alarmed(worlds, which("", true, false)), Sorts: map[string]OfSort{}}
	for _, w := range worlds {
		for i := range w.Labels {
			l := &w.Labels[i]
			if _, ok := x.Sorts[l.Sort]; l.Benign && !l.Whole && !ok {
				x.Sorts[l.Sort] = OfSort{alarmed(worlds, which(l.Sort, false, true)), alarmed(worlds, which(l.Sort, false, false))}
			}
		}
	}
	return x
}

func alarmed(worlds []Verdict, choose func(*Judged) bool) Alarmed {
	at := func(b float64) []Part {
		return parts(worlds, choose, func(l *Judged) bool { return l.AnyKind <= b })
	}
	ratio := func(hit func(l *Judged, b float64) bool) ByBudget {
		return byBudget(func(b float64) float64 {
			return sum(parts(worlds, choose, func(l *Judged) bool { return hit(l, b) })).Ratio()
		})
	}
	return Alarmed{
		Labels:      sum(at(0)).Of,
		Unexplained: ratio(func(l *Judged, b float64) bool { return l.AnyKind <= b }),
		SameKind:    ratio(func(l *Judged, b float64) bool { return l.Needs <= b }),
		Explained:   ratio(func(l *Judged, b float64) bool { return l.AnyKind > b && l.AnyExplained <= b }),
		Interval:    intervals(at),
	}
}

// calibration counts alerts that no label concerns. What is expected is a day and
// 1,000 of what is watched.
func calibration(worlds []Verdict) []Calibrated {
	watched := watched(worlds)
	perDay := func(worlds []Verdict, b float64, choose func(*Alert) bool, holds func(*Alert, float64) bool) float64 {
		return float64(count(worlds, b, choose, holds)) / watched
	}
	clean := func(a *Alert) bool { return len(a.Labels) == 0 }
	parts := map[string]float64{} // of the budget that a sign has
	for i := range worlds {
		w := worlds[i].World
		w.Secrets = max(w.Watched, w.Secrets)
		for sign, n := range w.ClassesOf {
			parts[sign] += float64(n) / w.Parts * w.unit() / watched
		}
	}
	var out []Calibrated
	for _, b := range curveBudgets {
		c := Calibrated{Expected: b, Observed: Number(perDay(worlds, b, clean, needs)), BySign: map[string]Number{}, ExpectedBySign: map[string]Number{}}
		for _, sign := range finding.Signs {
			c.BySign[sign] = Number(perDay(worlds, b, func(a *Alert) bool { return clean(a) && a.Sign == sign }, needs))
			c.ExpectedBySign[sign] = Number(math.NaN())
			if len(parts) > 0 {
				c.ExpectedBySign[sign] = Number(b * parts[sign])
			}
		}
		out = append(out, c)
	}
	return out
}
