package finding

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/say"
)

// AuditLine is one thing that somebody changed. Lines are written once and never
// changed or taken away.
type AuditLine struct {
	ID      int64     `json:"id"` // in the order they were written, from 1
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Action  string    `json:"action"`  // "finding.decide", "exception.set", "user.create", ...
	Subject string    `json:"subject"` // the key or id of what was changed
	Text    string    `json:"text"`    // one line a person can read
}

// Told is the text with what this program itself says in it as sentences. Lines are
// kept in English, of parts with a semicolon between them.
func (l *AuditLine) Told() say.Text {
	area := l.Action[:max(0, strings.LastIndexByte(l.Action, '.'))]
	var parts []say.Text
	ours := false
	for rest := l.Text; rest != ""; {
		part, after, _ := strings.Cut(rest, "; ")
		t := say.Again("audit."+area+".", part)
		if strings.HasSuffix(t.ID(), ".words") { // somebody's, to the end, with semicolons of their own
			t, after = say.Again("audit."+area+".words", rest), ""
		}
		ours = ours || t.ID() != ""
		parts, rest = append(parts, t), after
	}
	told := say.T("audit.parts", say.Values{"parts": say.Each(parts...)})
	if !ours || told.String() != l.Text {
		return say.Plain(l.Text)
	}
	return told
}

// Check tells in a person's words what is wrong with l, if anything is.
func (l *AuditLine) Check() error {
	switch {
	case l.At.IsZero():
		return errors.New("audit line without a time")
	case l.By == "":
		return errors.New("audit line without a name: say who did it")
	case l.Action == "":
		return errors.New("audit line without an action")
	}
	return nil
}

// View is a question that somebody saved to ask again, or a page put together of
// such questions.
type View struct {
	ID    string `json:"id"`
	Page  string `json:"page"` // "findings", "search", "dashboard", ...
	Title string `json:"title"`
	Query string `json:"query"` // as the page's address says it
	// Shared: everybody sees it; else its owner alone.
	Shared bool      `json:"shared"`
	Owner  string    `json:"owner"`
	At     time.Time `json:"at"`
	// Panels of a dashboard, as the console keeps them; a JSON list.
	Panels json.RawMessage `json:"panels,omitempty"`
}

const maxView = 256 << 10 // bytes of panels

// Check tells in a person's words what is wrong with v, if anything is.
func (v *View) Check() error {
	switch {
	case v.ID == "":
		return errors.New("a view has no id")
	case v.Page == "":
		return fmt.Errorf("view %s has no page", v.ID)
	case v.Title == "":
		return fmt.Errorf("view %s has no title", v.ID)
	case v.Owner == "":
		return fmt.Errorf("view %s has no owner", v.ID)
	case len(v.Panels) > maxView:
		return fmt.Errorf("view %s: its panels take more than %d kB", v.ID, maxView>>10)
	case len(v.Panels) > 0 && !json.Valid(v.Panels):
		return fmt.Errorf("view %s: its panels are no JSON", v.ID)
	}
	return nil
}
