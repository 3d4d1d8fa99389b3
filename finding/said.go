package finding

import (
	"encoding/json"
	"fmt"

	"github.com/yagura-sec/yagura/say"
)

// Told is the title, in whatever languages it can be said.
func (t *Trouble) Told() say.Text {
	if t.Headline.String() == t.Title {
		return t.Headline
	}
	return say.Plain(t.Title)
}

// Entitle gives the trouble its title.
func (t *Trouble) Entitle(title say.Text) { t.Title, t.Headline = title.String(), title }

// Said is the severity as a word.
func (s Severity) Said() say.Text {
	if s.Rank() < 0 {
		return say.Plain(string(s))
	}
	return say.T("severity."+string(s), nil)
}

// texts are all sentences of the trouble, in an order that the trouble itself
// gives.
func (t *Trouble) texts() []*say.Text {
	out := []*say.Text{&t.Headline}
	for i := range t.Reasons {
		r := &t.Reasons[i]
		out = append(out, &r.Text, &r.Observed, &r.Expected)
	}
	for i := range t.Explained {
		out = append(out, &t.Explained[i].Text)
	}
	if t.Anomaly != nil {
		for i := range t.Anomaly.Unseen {
			out = append(out, &t.Anomaly.Unseen[i])
		}
	}
	if t.Inferred != nil {
		for i := range t.Inferred.Candidates {
			for k := range t.Inferred.Candidates[i].Why {
				out = append(out, &t.Inferred.Candidates[i].Why[k].Text)
			}
		}
	}
	if t.Proposed != nil {
		for i := range t.Proposed.Why {
			out = append(out, &t.Proposed.Why[i])
		}
	}
	return out
}

// kept is a trouble as stores write it: what its sentences are made of is beside
// it, in the order of texts, so that what does not know of that reads the English.
type kept struct {
	*Trouble
	Said []string `json:"said,omitempty"`
}

// Keep writes the trouble for a store, as JSON.
func (t *Trouble) Keep() ([]byte, error) {
	k := kept{Trouble: t}
	any := false
	for _, x := range t.texts() {
		k.Said = append(k.Said, x.Made())
		any = any || x.Made() != ""
	}
	if !any {
		k.Said = nil
	}
	return json.Marshal(k)
}

// Recall reads what Keep wrote, and troubles of before that, whose sentences are
// in English only.
func (t *Trouble) Recall(text []byte) error {
	*t = Trouble{}
	k := kept{Trouble: t}
	if err := json.Unmarshal(text, &k); err != nil {
		return err
	}
	all := t.texts()
	if len(k.Said) == 0 {
		return nil
	}
	if len(k.Said) != len(all) {
		return fmt.Errorf("%d sentences are kept of %d", len(k.Said), len(all))
	}
	for i, x := range all {
		english := x.String()
		if i == 0 {
			english = t.Title
		}
		if k.Said[i] != "" {
			*x = say.Kept(english, k.Said[i])
		}
	}
	return nil
}
