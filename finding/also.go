package finding

import (
	"time"

	"github.com/yagura-sec/yagura/say"
)

// Also is what another product says of the trouble that a finding leads, or what
// a rule of ours says of its parts: people see one finding, and who else reports
// it.
type Also struct {
	Key     string   `json:"key"`     // of the product's finding; of several of ours the least
	Source  string   `json:"source"`  // the product: guardduty, securityhub
	Product string   `json:"product"` // that, as people call it
	UID     string   `json:"uid"`     // the product's own id of it
	Title   say.Text `json:"title"`
	// Rule is ours whose findings these are, and Count how many; of other products'
	// findings each stands for itself, and both are empty.
	Rule     string   `json:"rule,omitempty"`
	Count    int      `json:"count,omitempty"`
	Severity Severity `json:"severity"`
	// Given is the product's own status in our words, and Own in its own.
	Given    Status    `json:"status"`
	Own      string    `json:"status_own,omitempty"`
	Link     string    `json:"link,omitempty"` // the product's page about it
	LastSeen time.Time `json:"last_seen"`
	Same     Same      `json:"same"`
}

// Same is in what two findings are the same trouble.
type Same struct {
	Subject string `json:"subject"` // the resource or principal that both are about, or the policy that refused
	Trouble string `json:"trouble"` // an ATT&CK technique, a vulnerability, a check
}

// AlsoOf is the report that f makes beside the finding it is folded into.
func AlsoOf(f *Trouble, last time.Time, same Same) Also {
	r := Also{Key: f.Key, Source: f.Said(), Product: f.Product(), Title: say.Plain(f.Title), Severity: f.Severity, LastSeen: last, Same: same}
	if f.Source == "" {
		r.Rule, r.Title, r.Count = f.Rule, say.OfRule(f.Rule, f.Title), 1
	}
	if x := f.External; x != nil {
		r.UID, r.Given, r.Own = x.UID, x.Given, x.Said
		if len(x.Links) > 0 {
			r.Link = x.Links[0]
		}
	}
	return r
}

// Apart is why a finding stands beside another that speaks of the same trouble,
// instead of being folded into it.
type Apart struct {
	Beside string `json:"beside"` // the key of the other
	Why    string `json:"why"`    // one of the reasons below
	// Value is what the reason is about: a severity, resource, time or
	// explanation.
	Value string   `json:"value"`
	Than  string   `json:"than,omitempty"` // what the other has instead: a severity, the time of a decision
	Text  say.Text `json:"text"`           // the same as a sentence
}

// The reasons to stand apart.
const (
	ApartSevere    = "more_severe"  // its product thinks worse of it
	ApartResource  = "new_resource" // it is about a resource that the other is not
	ApartAgain     = "seen_again"   // it went on after the other was decided
	ApartExplained = "unexplained"  // what accounts for the other does not account for it
)

// Reporters are the products that speak of it: whose finding it is, then those
// whose findings are folded into it.
func (f *Finding) Reporters() []string {
	out := []string{f.Said()}
	for _, r := range f.Also {
		if r.Source != out[0] {
			out = append(out, r.Source)
		}
	}
	return out
}
