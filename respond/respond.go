// Package respond tells other products what was decided here about their
// findings, when a person asks for it and not otherwise; each folder is products
// that are told in one way.
//
// It goes in two steps. Plan shows exactly what would be sent; Apply sends it,
// provided that it is still what the person has seen. Whoever asked for it and
// what came of it is kept in the audit trail.
package respond

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
)

var (
	// ErrOff: no responder is configured for the product, or there is nothing to
	// tell it.
	ErrOff = errors.New("nothing can be written back")
	// ErrChanged: what would be sent is not what was looked at.
	ErrChanged = errors.New("it would send something else than was looked at: look again")
)

// Told is what a product is told about a finding of its own.
type Told struct {
	Status  finding.Status
	Verdict finding.Verdict
	Note    string // the latest comment; empty: none
}

// Call is one request to a product, as it would be sent.
type Call struct {
	Operation string          `json:"operation"` // as the product calls it: "BatchUpdateFindings"
	Region    string          `json:"region"`
	Method    string          `json:"method"`
	URL       string          `json:"url"`
	Body      json.RawMessage `json:"body"`
}

// Answer is what a product said to one request.
type Answer struct {
	Operation string `json:"operation"`
	Text      string `json:"text"` // in a person's words
}

// Responder tells one product. Two that are made alike plan alike: a plan holds
// no times and nothing random.
type Responder interface {
	// As says with whose rights requests are sent, in a person's words.
	As(f *finding.Finding) string
	// Plan gives the requests that would tell the product; it sends nothing. An
	// error says why it cannot be told.
	Plan(ctx context.Context, f *finding.Finding, t Told) ([]Call, error)
	// Apply sends what Plan gives, and says what was answered so far where it fails.
	Apply(ctx context.Context, f *finding.Finding, t Told) ([]Answer, error)
}

// Plan is what would be sent about a finding.
type Plan struct {
	// ID names what is in Calls: Apply asks for it. Empty: nothing can be sent.
	ID      string `json:"id"`
	Product string `json:"product"`
	As      string `json:"as"`
	Calls   []Call `json:"calls"`
	// Why says why nothing can be sent from here; empty: it can.
	Why string `json:"why"`
	// Commands are those by which a person would do it.
	Commands []string `json:"commands"`
	// Sent is what was asked for before, the latest first.
	Sent []Sent `json:"sent"`
}

// Sent is what came of telling a product once, as the audit trail has it.
type Sent struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Step Step      `json:"step"`
	Text string    `json:"text"`
}

// Step is how far telling a product went.
type Step string

// The steps. An attempt that only began did not come to its end: the product may
// know or not.
const (
	Began  Step = "begin"
	Done   Step = "done"
	Failed Step = "fail"
)

// action is that of audit lines, before a point and the step.
const action = "finding.write_back"

// Action chooses the audit lines of telling products.
const Action = action

// Desk is where people ask for it.
type Desk struct {
	// Responders by the format in which a product's findings come.
	Responders map[string]Responder
	// Commands gives those by which a person would tell a product, or why none
	// does.
	Commands func(t finding.Trouble, s finding.Status, note string) (commands []string, why string)
	// Log writes an audit line, and Lines gives those about a finding whose action
	// is Action or begins with it, the latest first.
	Log   func(ctx context.Context, l finding.AuditLine) error
	Lines func(ctx context.Context, key string) ([]finding.AuditLine, error)
	Now   func() time.Time
}

// told is what is to be told about f; why: there is nothing.
func told(f *finding.Finding) (t Told, why string) {
	t = Told{Status: f.Status, Verdict: f.Verdict}
	decided := false
	for _, d := range f.Decisions {
		if d.Undone {
			continue
		}
		decided = decided || d.Status != "" || d.Verdict != ""
		if d.Comment != "" {
			t.Note = d.Comment
		}
	}
	switch {
	case f.External == nil:
		return t, "the finding is Yagura's own: there is no other product to tell"
	case !decided:
		return t, "nothing was decided about it here"
	case f.Status == f.External.Given && f.Verdict == finding.NoVerdict:
		return t, f.Product() + " has it as it was decided here"
	}
	return t, ""
}

// Plan says what would be sent about f, and what was.
func (d *Desk) Plan(ctx context.Context, f *finding.Finding) (Plan, error) {
	p := Plan{Product: f.Product(), Calls: []Call{}, Commands: []string{}, Sent: []Sent{}}
	lines, err := d.Lines(ctx, f.Key)
	if err != nil {
		return p, err
	}
	for _, l := range lines {
		if step, ok := strings.CutPrefix(l.Action, action+"."); ok {
			p.Sent = append(p.Sent, Sent{l.At, l.By, Step(step), l.Text})
		}
	}
	t, why := told(f)
	if why != "" {
		p.Why = why
		return p, nil
	}
	commands, none := d.Commands(f.Trouble, t.Status, t.Note)
	p.Commands = append(p.Commands, commands...)
	r := d.Responders[f.External.Format]
	if r == nil {
		p.Why = fmt.Sprintf("write_back in the configuration names nobody who tells %s", f.Product())
		if none != "" {
			p.Why = none
		}
		return p, nil
	}
	calls, err := r.Plan(ctx, f, t)
	if err != nil {
		p.Why = err.Error()
		return p, nil
	}
	p.As, p.Calls = r.As(f), calls
	text, err := json.Marshal(calls)
	if err != nil {
		return p, err
	}
	p.ID = finding.Key("write back", f.Key, p.As, string(text))
	return p, nil
}

// applyMost is how long telling a product may take.
const applyMost = time.Minute

// Apply sends the plan of that ID about f, in somebody's name. That it began is
// in the audit trail before anything is sent, and what came of it afterwards.
func (d *Desk) Apply(ctx context.Context, f *finding.Finding, id, by string) (Sent, error) {
	p, err := d.Plan(ctx, f)
	switch {
	case err != nil:
		return Sent{}, err
	case p.ID == "":
		return Sent{}, fmt.Errorf("%w: %s", ErrOff, p.Why)
	case p.ID != id:
		return Sent{}, ErrChanged
	}
	var operations []string
	for _, c := range p.Calls {
		operations = append(operations, c.Operation+" "+string(c.Body))
	}
	if _, err := d.log(ctx, f, by, Began, fmt.Sprintf("%s, %s: %s", p.Product, p.As, strings.Join(operations, "; "))); err != nil {
		return Sent{}, err
	}
	// Once begun it goes on though whoever asked has gone: half of it is worse.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyMost)
	defer cancel()
	t, _ := told(f)
	answers, failed := d.Responders[f.External.Format].Apply(ctx, f, t)
	var texts []string
	for _, a := range answers {
		texts = append(texts, a.Operation+": "+a.Text)
	}
	step := Done
	if failed != nil {
		step, texts = Failed, append(texts, failed.Error())
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), applyMost)
	defer done()
	sent, err := d.log(ctx, f, by, step, p.Product+": "+strings.Join(texts, "; "))
	if err != nil {
		return sent, errors.Join(fmt.Errorf("the product was told, and that could not be written down: %w", err), failed)
	}
	return sent, failed
}

func (d *Desk) log(ctx context.Context, f *finding.Finding, by string, step Step, text string) (Sent, error) {
	l := finding.AuditLine{At: d.Now().UTC(), By: by, Action: action + "." + string(step), Subject: f.Key, Text: text}
	return Sent{l.At, l.By, step, l.Text}, d.Log(ctx, l)
}

// Products are the formats that responders are configured for, in order.
func (d *Desk) Products() []string {
	var out []string
	for p := range d.Responders {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}
