package triage

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

// Advice is what to do about a rule or product.
type Advice string

// The advices.
const (
	AdviceTooFew    Advice = "too_few"   // too few verdicts to say anything
	AdviceKeep      Advice = "keep"      // it is worth reading
	AdviceNarrow    Advice = "narrow"    // it is mostly wrong: narrow it or lower its level
	AdviceData      Advice = "fix_data"  // it is mostly wrong because of what the log says
	AdviceException Advice = "exception" // it is mostly right and expected: an exception or a window
	AdviceRetire    Advice = "retire"    // it is nearly always wrong
)

// Tuning is how good rules and products are, by what people decided.
type Tuning struct {
	Rules   []RuleTuning `json:"rules"`   // the most wasted reading first
	Sources []RuleTuning `json:"sources"` // of a product as a whole: Rule and Title are empty
	Times   []Response   `json:"times"`   // by severity, the most severe first
}

// RuleTuning is how good a rule is.
type RuleTuning struct {
	Rule          string `json:"rule"` // its id; of what no rule made, the kind
	Title         string `json:"title"`
	Source        string `json:"source"`
	Findings      int    `json:"findings"`
	Decided       int    `json:"decided"` // with a verdict
	TruePositive  int    `json:"true_positive"`
	FalsePositive int    `json:"false_positive"`
	Expected      int    `json:"expected"`
	// Rate is FalsePositive of Decided, 0 to 1; Low and High hold it with 95 %
	// (Wilson's interval), and are 0 and 1 where nothing was decided.
	Rate    float64        `json:"rate"`
	Low     float64        `json:"rate_low"`
	High    float64        `json:"rate_high"`
	Reasons map[string]int `json:"reasons"` // of false positives, by reason code
	Advice  Advice         `json:"advice"`
	Text    say.Text       `json:"text"` // the advice in a sentence
}

// Response is how long findings of a severity wait. Times are seconds from a
// finding's first event, of those that anybody decided about; -1: of none.
type Response struct {
	Severity        finding.Severity `json:"severity"`
	Findings        int              `json:"findings"`
	Acknowledged    int              `json:"acknowledged"`     // somebody said anything of it
	AcknowledgedP50 float64          `json:"acknowledged_p50"` // until then
	AcknowledgedP90 float64          `json:"acknowledged_p90"`
	Decided         int              `json:"decided"` // a verdict, resolved or suppressed
	DecidedP50      float64          `json:"decided_p50"`
	DecidedP90      float64          `json:"decided_p90"`
	Open            int              `json:"open"` // neither closed nor accounted for
}

// fewest verdicts that advice rests on.
const fewest = 5

// Tune says how good rules and products are, and how long findings wait.
func Tune(all []finding.Finding) Tuning {
	rules, sources := map[string]*RuleTuning{}, map[string]*RuleTuning{}
	at := func(m map[string]*RuleTuning, key string, rule, title, source string) *RuleTuning {
		if m[key] == nil {
			m[key] = &RuleTuning{Rule: rule, Title: title, Source: source, Reasons: map[string]int{}}
		}
		return m[key]
	}
	for i := range all {
		f := &all[i]
		rule := cmp.Or(f.Rule, string(f.Kind))
		title := f.Title
		if f.Rule == "" {
			title = ""
		}
		at(rules, f.Said()+"\x00"+rule, rule, title, f.Said()).count(f)
		at(sources, f.Said(), "", "", f.Said()).count(f)
	}
	return Tuning{Rules: judgedAll(rules), Sources: judgedAll(sources), Times: responses(all)}
}

func (t *RuleTuning) count(f *finding.Finding) {
	t.Findings++
	if f.Verdict == finding.NoVerdict {
		return
	}
	t.Decided++
	switch f.Verdict {
	case finding.TruePositive:
		t.TruePositive++
	case finding.FalsePositive:
		t.FalsePositive++
		if f.Reason != "" {
			t.Reasons[f.Reason]++
		}
	case finding.Expected:
		t.Expected++
	}
}

func judgedAll(m map[string]*RuleTuning) []RuleTuning {
	out := make([]RuleTuning, 0, len(m))
	for _, t := range m {
		t.judge()
		out = append(out, *t)
	}
	// Wasted reading is what is wrong, and what is expected every time.
	slices.SortFunc(out, func(a, b RuleTuning) int {
		return cmp.Or(cmp.Compare(b.FalsePositive+b.Expected, a.FalsePositive+a.Expected), cmp.Compare(b.Findings, a.Findings),
			cmp.Compare(a.Source, b.Source), cmp.Compare(a.Rule, b.Rule))
	})
	return out
}

func (t *RuleTuning) judge() {
	t.Low, t.High = wilson(t.FalsePositive, t.Decided)
	if t.Decided > 0 {
		t.Rate = float64(t.FalsePositive) / float64(t.Decided)
	}
	expected, _ := wilson(t.Expected, t.Decided)
	share := say.Values{"n": t.FalsePositive, "all": t.Decided}
	switch {
	case t.Decided < fewest:
		t.Advice, t.Text = AdviceTooFew, say.T("tuning.few", say.Values{"n": t.Decided})
	case t.Low >= 0.8 && t.TruePositive == 0:
		t.Advice, t.Text = AdviceRetire, say.T("tuning.retire", share)
	case t.Low >= 0.3 && 2*t.Reasons["wrong_data"] > t.FalsePositive:
		t.Advice, t.Text = AdviceData, say.T("tuning.data", share)
	case t.Low >= 0.3:
		t.Advice, t.Text = AdviceNarrow, say.T("tuning.narrow", share)
	case expected >= 0.3:
		t.Advice, t.Text = AdviceException, say.T("tuning.exception", say.Values{"n": t.Expected, "all": t.Decided})
	default:
		t.Advice, t.Text = AdviceKeep, say.T("tuning.keep", share)
	}
}

// wilson is the 95 % interval of a share (E. B. Wilson, 1927).
func wilson(k, n int) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.96
	p, m := float64(k)/float64(n), float64(n)
	middle := p + z*z/(2*m)
	half := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	whole := 1 + z*z/m
	return max(0, (middle-half)/whole), min(1, (middle+half)/whole)
}

func responses(all []finding.Finding) []Response {
	var out []Response
	for _, s := range slices.Backward(finding.Severities) {
		r := Response{Severity: s}
		var acknowledged, decided []float64
		for i := range all {
			f := &all[i]
			if f.Severity != s {
				continue
			}
			r.Findings++
			if f.ClosedAt().IsZero() && len(f.Explained) == 0 {
				r.Open++
			}
			first, verdict := time.Time{}, time.Time{}
			for _, d := range f.Decisions {
				if d.Undone || d.Undoes != "" {
					continue
				}
				if first.IsZero() {
					first = d.At
				}
				if verdict.IsZero() && (d.Verdict != finding.NoVerdict || d.Status == finding.Resolved || d.Status == finding.Suppressed) {
					verdict = d.At
				}
			}
			if !first.IsZero() {
				acknowledged = append(acknowledged, max(0, first.Sub(f.FirstSeen).Seconds()))
			}
			if !verdict.IsZero() {
				decided = append(decided, max(0, verdict.Sub(f.FirstSeen).Seconds()))
			}
		}
		r.Acknowledged, r.Decided = len(acknowledged), len(decided)
		r.AcknowledgedP50, r.AcknowledgedP90 = quantile(acknowledged, 0.5), quantile(acknowledged, 0.9)
		r.DecidedP50, r.DecidedP90 = quantile(decided, 0.5), quantile(decided, 0.9)
		out = append(out, r)
	}
	return out
}

// quantile is the least value that a share q of the values does not exceed; -1
// of none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return -1
	}
	slices.Sort(values)
	return values[max(0, int(math.Ceil(q*float64(len(values))))-1)]
}
