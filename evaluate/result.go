package evaluate

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/finding"
)

// Run is one world that was evaluated.
type Run struct {
	World
	Labels   int       `json:"labels"` // of trouble
	Likes    int       `json:"lookalikes"`
	Early    int       `json:"alerts_before_trouble"`
	Problems []Problem `json:"problems"` // with labels
	Missing  []string  `json:"missing"`  // what the folder has not, and what was done instead

	Records       int64   `json:"records"`
	Stored        int64   `json:"stored"`
	IngestSeconds float64 `json:"ingest_seconds"`
	HuntSeconds   float64 `json:"hunt_seconds"`
	PeakBytes     int64   `json:"peak_bytes"`  // of the process that did both
	StateBytes    int64   `json:"state_bytes"` // that was learned; 0: not told
	LakeBytes     int64   `json:"lake_bytes"`  // stored
	Ingested      string  `json:"ingested"`    // "now", or when and by which version before
	Confined      bool    `json:"confined"`    // labels were out of reach by the kernel's word
	Version       string  `json:"yagura,omitempty"`
	Classes       []Class `json:"classes"` // what the hunter says of its own scores
}

// Class is how often scores of one class exceeded what is nominally one in 100,
// 1,000 and 10,000 judgements, by the hunter's own count. What is explained does
// not count; trouble does.
type Class struct {
	Class    string     `json:"class"`
	Sign     string     `json:"sign"`
	Observed [3]int     `json:"observed"`
	Nominal  [3]float64 `json:"nominal"`
	// Level and Slope are how rates are corrected for it in the end.
	Level float64 `json:"level"`
	Slope float64 `json:"slope"`
}

// Classes adds up what was observed day by day.
func Classes(days []Class) (out []Class) {
	at := map[string]int{}
	for _, d := range days {
		i, ok := at[d.Class]
		if !ok {
			i = len(out)
			at[d.Class] = i
			out = append(out, Class{Class: d.Class, Sign: d.Sign})
		}
		c := &out[i]
		for k := range c.Observed {
			c.Observed[k] += d.Observed[k]
			c.Nominal[k] += d.Nominal[k]
		}
		c.Level, c.Slope = d.Level, d.Slope
	}
	slices.SortFunc(out, func(a, b Class) int { return strings.Compare(a.Class, b.Class) })
	return out
}

// allClasses adds up worlds; level and slope are those in the middle.
func allClasses(worlds []Run) []Class {
	var all []Class
	levels, slopes := map[string][]float64{}, map[string][]float64{}
	for _, w := range worlds {
		for _, c := range w.Classes {
			all = append(all, c)
			levels[c.Class], slopes[c.Class] = append(levels[c.Class], c.Level), append(slopes[c.Class], c.Slope)
		}
	}
	all = Classes(all)
	for i := range all {
		all[i].Level, all[i].Slope = median(levels[all[i].Class]), median(slopes[all[i].Class])
	}
	return all
}

// Outcome is a world with what was said of it.
type Outcome struct {
	Run     Run
	Verdict Verdict
	// Without are the verdicts of ablations, by name.
	Without map[string]Verdict
	// Methods are those of Methods, in their order; nil: not compared.
	Methods []Verdict
	// Control is of the method chance.
	Control Controlled
}

// Result is all that is measured: the JSON of `evaluate`.
type Result struct {
	Scores
	// Basis says which labels the recall and precision of kinds are of.
	Basis     string             `json:"basis"`
	Families  map[string]Scores  `json:"families"`
	Ablations map[string]Ablated `json:"ablations"`
	Baselines []Compared         `json:"baselines"`
	Bars      []Bar              `json:"bars"`
	Checks    []Check            `json:"checks"` // of the scoring; none without simple methods
	// Failed are worlds that could not be evaluated, with why: nothing else here
	// is of them.
	Failed []Failed `json:"failed,omitempty"`
	Worlds []Run    `json:"worlds"`
	Misses []Miss   `json:"misses,omitempty"`
	Wrong  []Alarm  `json:"false_alerts,omitempty"`
}

// Failed is a world that could not be evaluated.
type Failed struct {
	World string `json:"world"`
	Why   string `json:"why"`
}

// Ablated is how it is without something, at the budget of 1.
type Ablated struct {
	Recall  map[string]Number `json:"recall"`
	Alerts  Number            `json:"alerts_per_day_per_1000"`
	False   Number            `json:"false_alerts_per_day_per_1000"`
	Known   Number            `json:"lookalikes_known"`
	Unknown Number            `json:"lookalikes_unknown"`
}

// Miss is trouble that no alert of its kind tells of.
type Miss struct {
	World      string `json:"world"`
	ID         string `json:"id"`
	Kind       string `json:"kind"`
	Difficulty int    `json:"difficulty"`
	Sort       string `json:"sort"`
	Why        string `json:"why"` // what there is instead
	About      string `json:"about"`
	At         string `json:"at"`
}

// Alarm is an alert about no trouble.
type Alarm struct {
	World  string   `json:"world"`
	Key    string   `json:"key"`
	Sign   string   `json:"sign"`
	Needs  Number   `json:"needs"` // the smallest budget at which it is one
	Title  string   `json:"title"`
	At     string   `json:"at"`
	Labels []string `json:"labels"` // look-alikes that it is about
}

// whole is the ablation that leaves out nothing.
const whole = "whole"

// Add makes the result of worlds that were evaluated. Trouble is missed, and
// alerts are false, at the budget misses; 0: neither is listed.
func Add(outcomes []Outcome, misses float64) Result {
	verdicts := make([]Verdict, len(outcomes))
	byFamily := map[string][]Verdict{}
	r := Result{Basis: "difficulties 1 and 2 together, and labels that name none", Families: map[string]Scores{}, Ablations: map[string]Ablated{}}
	for i, o := range outcomes {
		verdicts[i] = o.Verdict
		r.Worlds = append(r.Worlds, o.Run)
		family := string(o.Verdict.World.Family)
		byFamily[family] = append(byFamily[family], o.Verdict)
	}
	r.Scores = Score(verdicts)
	for family, list := range byFamily {
		if family != "" {
			r.Families[family] = Score(list)
		}
	}
	if len(outcomes) > 0 {
		for name := range outcomes[0].Without {
			var list []Verdict
			for _, o := range outcomes {
				list = append(list, o.Without[name])
			}
			r.Ablations[name] = ablated(list)
		}
		r.Ablations[whole] = ablated(verdicts)
	}
	r.Baselines = compared(outcomes)
	r.Bars = bars(&r)
	r.Checks = checks(outcomes)
	if misses > 0 {
		r.list(verdicts, misses)
	}
	return r
}

func ablated(worlds []Verdict) Ablated {
	s := Score(worlds)
	a := Ablated{Recall: map[string]Number{}, Alerts: Number(s.Alerts.At(1)), False: Number(s.False.At(1)),
		Known: Number(s.Lookalikes.Known.Unexplained.At(1)), Unknown: Number(s.Lookalikes.Unknown.Unexplained.At(1))}
	for k, x := range s.Kinds {
		a.Recall[k] = Number(x.Recall.At(1))
	}
	return a
}

// compared puts Yagura first and simple methods after it.
func compared(outcomes []Outcome) []Compared {
	methods := []Method{{Name: "Yagura, threshold set afterwards too", Signs: finding.Signs}}
	worlds := [][]Verdict{nil}
	for i, m := range Methods() {
		var list []Verdict
		for _, o := range outcomes {
			if i < len(o.Methods) {
				list = append(list, o.Methods[i])
			}
		}
		if len(list) == len(outcomes) {
			methods, worlds = append(methods, m), append(worlds, list)
		}
	}
	for _, o := range outcomes {
		worlds[0] = append(worlds[0], o.Verdict)
	}
	return Compare(methods, worlds)
}

// list names misses and false alerts.
func (r *Result) list(worlds []Verdict, budget float64) {
	for i := range worlds {
		v := &worlds[i]
		for j := range v.Labels {
			l := &v.Labels[j]
			if l.Benign || l.Needs <= budget {
				continue
			}
			r.Misses = append(r.Misses, Miss{v.World.Name, l.ID, l.Kind, l.Difficulty, l.Sort, l.missed(budget), about(l.Label), l.Start.Format("01-02 15:04")})
		}
		for _, a := range v.Alerts {
			if falsely(&a, budget) {
				r.Wrong = append(r.Wrong, Alarm{v.World.Name, a.Key, a.Sign, Number(a.Needs), a.Title, a.First.Format("01-02 15:04"), a.Labels})
			}
		}
	}
}

// missed says what there is of a label instead of an alert.
func (l *Judged) missed(budget float64) string {
	switch {
	case l.Explained <= budget:
		return "explained"
	case l.AnyKind <= budget:
		return "other kind"
	case l.Needs <= Loosest:
		return "needs budget " + short(l.Needs)
	case l.AnyExplained <= budget:
		return "other kind, explained"
	}
	return "nothing"
}

func about(l *Label) string {
	var parts []string
	for _, list := range [][]string{l.People, l.Actors, l.Secrets} {
		if len(list) > 0 {
			parts = append(parts, list[0])
		}
	}
	return strings.Join(parts, " ")
}

// Bar is what the product holds itself to.
type Bar struct {
	Name   string  `json:"name"`
	Family string  `json:"family,omitempty"` // empty: all worlds
	Want   float64 `json:"want"`
	AtMost bool    `json:"at_most,omitempty"` // else at least
	Got    Number  `json:"got"`
	Low    Number  `json:"low"` // 95 %
	High   Number  `json:"high"`
	Of     int     `json:"of"` // labels
	Met    bool    `json:"met"`
}

// wanted is the recall at budget 1, difficulties 1 and 2.
var wanted = []struct {
	sign   string
	recall float64
}{
	{finding.SignCaller, 0.9}, {finding.SignView, 0.9}, {finding.SignRegion, 0.9}, {finding.SignFailures, 0.9},
	{finding.SignFrequency, 0.85}, {finding.SignTime, 0.85}, {finding.SignGroup, 0.6},
}

func bars(r *Result) (out []Bar) {
	add := func(b Bar) {
		got := float64(b.Got)
		b.Met = got >= b.Want
		if b.AtMost {
			b.Met = got <= b.Want
		}
		out = append(out, b)
	}
	of := func(family string, s *Scores) {
		for _, w := range wanted {
			if k, ok := s.Kinds[w.sign]; ok && k.Labels > 0 {
				add(Bar{Name: "recall of " + w.sign, Family: family, Want: w.recall, Got: Number(k.Recall.At(1)), Low: k.Interval["1"][0], High: k.Interval["1"][1], Of: k.Labels})
			}
		}
		if k, ok := s.Kinds[finding.SignGroup]; ok && k.Labels > 0 {
			add(Bar{Name: "precision of group", Family: family, Want: 0.8, Got: Number(k.Precision.At(1)), Low: Number(math.NaN()), High: Number(math.NaN())})
		}
		for _, x := range []struct {
			name string
			want float64
			a    Alarmed
		}{{"look-alikes known to the calendar, alarming unexplained", 0.02, s.Lookalikes.Known}, {"look-alikes unknown to it, alarming unexplained", 0.15, s.Lookalikes.Unknown}} {
			if x.a.Labels > 0 {
				add(Bar{Name: x.name, Family: family, Want: x.want, AtMost: true, Got: Number(x.a.Unexplained.At(1)), Low: x.a.Interval["1"][0], High: x.a.Interval["1"][1], Of: x.a.Labels})
			}
		}
	}
	of("", &r.Scores)
	for _, family := range slices.Sorted(maps.Keys(r.Families)) {
		s := r.Families[family]
		of(family, &s)
	}
	return out
}
