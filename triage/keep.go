package triage

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
)

// Ahead is how far behind the latest event repeating windows are expanded: what
// comes later expands them anew.
const Ahead = 400 * 24 * time.Hour

// PrepareException checks x and makes of it what stores keep in the place of old
// (nil: there is none). changed is false where it is what is there.
func PrepareException(x finding.Exception, old *finding.Exception, by string, at time.Time) (out finding.Exception, line finding.AuditLine, changed bool, err error) {
	for _, s := range []*string{&x.ID, &x.Title, &x.Owner, &x.Reason, &by} {
		*s = valid(*s)
	}
	x.From, x.Until, x.Explains = micros(x.From), micros(x.Until), 0
	x.By, x.At = by, micros(at)
	if old != nil {
		x.By, x.At = old.By, old.At
	}
	if err := x.Check(); err != nil {
		return x, line, false, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	if old != nil && alike(x, *old) {
		return x, line, false, nil
	}
	text := fmt.Sprintf("%s: %s; %s", x.State, x.Title, x.Scope)
	if !x.Until.IsZero() {
		text += "; until " + x.Until.Format(time.RFC3339)
	}
	if x.Owner != "" {
		text += "; owner " + x.Owner
	}
	if x.Reason != "" {
		text += "; " + x.Reason
	}
	line = finding.AuditLine{At: micros(at), By: by, Action: "exception." + verb(string(x.State), old == nil, old != nil && string(old.State) == string(x.State)), Subject: x.ID, Text: text}
	return x, line, true, line.Check()
}

// PrepareWindow is PrepareException for a window; expand may be nil.
func PrepareWindow(w finding.Window, old *finding.Window, by string, at time.Time, expand Expand) (out finding.Window, line finding.AuditLine, changed bool, err error) {
	for _, s := range []*string{&w.ID, &w.Title, &w.Owner, &w.Ticket, &w.Sort, &w.Repeat, &w.Zone, &by} {
		*s = valid(*s)
	}
	w.Start, w.End, w.Explains, w.Times = micros(w.Start), micros(w.End), 0, nil
	w.State = cmp.Or(w.State, finding.WindowActive)
	w.By, w.At = by, micros(at)
	if old != nil {
		w.By, w.At = old.By, old.At
	}
	if err := w.Check(); err != nil {
		return w, line, false, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	if err := PlanWindow(&w, w.Start.Add(Ahead), expand); err != nil {
		return w, line, false, fmt.Errorf("%w: window %s: %w", ErrWrong, w.ID, err)
	}
	if old != nil && alike(w, *old) {
		return w, line, false, nil
	}
	text := fmt.Sprintf("%s: %s, %s to %s", w.State, w.Title, w.Start.Format(time.RFC3339), w.End.Format(time.RFC3339))
	for _, more := range []string{w.Repeat, w.Zone, w.Scope.String(), w.Ticket, w.Owner} {
		if more != "" {
			text += "; " + more
		}
	}
	line = finding.AuditLine{At: micros(at), By: by, Action: "window." + verb(string(w.State), old == nil, old != nil && old.State == w.State), Subject: w.ID, Text: text}
	return w, line, true, line.Check()
}

// Telling tells whether findings name both windows alike.
func Telling(a, b *finding.Window) bool { return a.Title == b.Title && a.Ticket == b.Ticket }

// PlanWindow gives a repeating window its Times up to then.
func PlanWindow(w *finding.Window, to time.Time, expand Expand) error {
	w.Times = nil
	if w.Repeat == "" {
		return nil
	}
	if expand == nil {
		return fmt.Errorf("windows that repeat are not understood here")
	}
	times, err := expand(w, w.Start, to)
	if err != nil {
		return err
	}
	w.Times = append([]finding.Span{}, times...)
	return nil
}

// verb says what was done to something that is in that state now.
func verb(state string, made, same bool) string {
	switch {
	case same:
		return "change"
	case state == "proposed":
		return "propose"
	case state == "revoked":
		return "revoke"
	case state == "cancelled":
		return "cancel"
	case made:
		return "create"
	}
	return "accept"
}

// alike tells whether both would be kept alike.
func alike[T any](a, b T) bool {
	x, err := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err == nil && err2 == nil && reflect.DeepEqual(x, y)
}

// PrepareEstate checks e and makes a copy of it that shares nothing.
func PrepareEstate(e finding.Estate) (out finding.Estate, err error) {
	if err := e.Check(); err != nil {
		return out, fmt.Errorf("%w: estate: %w", ErrWrong, err)
	}
	text, err := json.Marshal(e)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	return out, err
}

// PrepareLine makes of a line what stores keep.
func PrepareLine(l finding.AuditLine) (finding.AuditLine, error) {
	for _, s := range []*string{&l.By, &l.Action, &l.Subject, &l.Text} {
		*s = valid(*s)
	}
	l.At = micros(l.At)
	if err := l.Check(); err != nil {
		return l, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	return l, nil
}

// DecisionLine is the audit line of a decision about a finding.
func DecisionLine(key string, d finding.Decision) finding.AuditLine {
	var said []string
	for _, x := range []struct{ what, value string }{
		{"takes back", d.Undoes}, {"status", string(d.Status)}, {"verdict", string(d.Verdict)}, {"reason", d.Reason}, {"cause", string(d.Cause)},
		{"assignee", d.Assignee}, {"comment", d.Comment}, {"in", d.Group},
	} {
		if x.value != "" {
			said = append(said, x.what+" "+x.value)
		}
	}
	action := "finding.decide"
	if d.Undoes != "" {
		action = "finding.undo"
	}
	return finding.AuditLine{At: d.At, By: d.By, Action: action, Subject: key, Text: strings.Join(said, "; ")}
}

// StageLine is the audit line of a word on a rule's trial.
func StageLine(s finding.Stage, at time.Time) finding.AuditLine {
	text := string(s.State)
	if s.State == finding.Staged {
		text += fmt.Sprintf(" for %d days", s.Days)
	}
	if s.Comment != "" {
		text += "; " + s.Comment
	}
	return finding.AuditLine{At: micros(at), By: s.By, Action: "rule.stage", Subject: s.Rule, Text: text}
}

// Match tells whether the filter chooses the line, whatever page it is on.
func (x *AuditFilter) Match(l *finding.AuditLine) bool {
	return !l.At.Before(x.Since) && (x.Until.IsZero() || l.At.Before(x.Until)) &&
		(x.By == "" || x.By == l.By) && (x.Subject == "" || x.Subject == l.Subject) &&
		(x.Action == "" || x.Action == l.Action || strings.HasPrefix(l.Action, x.Action+"."))
}

// PrepareView makes of v what stores keep.
func PrepareView(v finding.View) (finding.View, error) {
	for _, s := range []*string{&v.ID, &v.Page, &v.Title, &v.Query, &v.Owner} {
		*s = valid(*s)
	}
	v.At = micros(v.At)
	if len(v.Panels) == 0 {
		v.Panels = nil
	}
	if err := v.Check(); err != nil {
		return v, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	return v, nil
}

// AuditCursor reads a cursor of Audit: lines of lesser IDs follow.
func AuditCursor(s string) (before int64, err error) {
	if s == "" {
		return math.MaxInt64, nil
	}
	before, err = strconv.ParseInt(s, 10, 64)
	if err != nil || before < 1 {
		return 0, fmt.Errorf("cursor %q: %w", s, ErrCursor)
	}
	return before, nil
}
