package respond

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/finding"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// product is a responder that remembers what it was told.
type product struct {
	told []Told
	fail error
}

func (*product) As(*finding.Finding) string { return "as tester" }

func (p *product) Plan(_ context.Context, f *finding.Finding, t Told) ([]Call, error) {
	if f.External.UID == "" {
		return nil, errors.New("it has no id")
	}
	body, err := json.Marshal(t)
	return []Call{{Operation: "Tell", Body: body}}, err
}

func (p *product) Apply(_ context.Context, _ *finding.Finding, t Told) ([]Answer, error) {
	p.told = append(p.told, t)
	return []Answer{{"Tell", "heard"}}, p.fail
}

// desk with an audit trail.
func desk(p *product, lines *[]finding.AuditLine) *Desk {
	return &Desk{
		Responders: map[string]Responder{"aws.guardduty": p},
		Commands: func(t finding.Trouble, _ finding.Status, _ string) ([]string, string) {
			return []string{"tell " + t.External.UID}, ""
		},
		Log: func(_ context.Context, l finding.AuditLine) error { *lines = append(*lines, l); return l.Check() },
		Lines: func(_ context.Context, key string) (out []finding.AuditLine, _ error) {
			for _, l := range slices.Backward(*lines) {
				if l.Subject == key {
					out = append(out, l)
				}
			}
			return out, nil
		},
		Now: func() time.Time { return noon },
	}
}

func theirs(change ...func(*finding.Finding)) *finding.Finding {
	f := &finding.Finding{
		Trouble: finding.Trouble{Key: "k", External: &finding.External{Product: "GuardDuty", UID: "u", Format: "aws.guardduty", Given: finding.New}},
		Status:  finding.Suppressed, Decisions: []finding.Decision{{Status: finding.Suppressed, Comment: "known"}, {Comment: "never mind", Undone: true}},
	}
	for _, c := range change {
		c(f)
	}
	return f
}

func TestTwoSteps(t *testing.T) {
	p, lines := &product{}, []finding.AuditLine{}
	d := desk(p, &lines)
	plan, err := d.Plan(t.Context(), theirs())
	if err != nil || plan.ID == "" || plan.Why != "" || len(plan.Calls) != 1 || plan.As != "as tester" || plan.Commands[0] != "tell u" || len(p.told)+len(lines) > 0 {
		t.Fatalf("planned %+v, %v; told %v, lines %v", plan, err, p.told, lines)
	}
	// Somebody comments between the look and the word.
	changed := theirs(func(f *finding.Finding) { f.Decisions = append(f.Decisions, finding.Decision{Comment: "no, wait"}) })
	if _, err := d.Apply(t.Context(), changed, plan.ID, "ann"); !errors.Is(err, ErrChanged) || len(p.told)+len(lines) > 0 {
		t.Errorf("%v; told %v", err, p.told)
	}
	sent, err := d.Apply(t.Context(), theirs(), plan.ID, "ann")
	if err != nil || sent.Step != Done || sent.By != "ann" || !strings.Contains(sent.Text, "Tell: heard") || len(p.told) != 1 || p.told[0] != (Told{Status: finding.Suppressed, Note: "known"}) {
		t.Errorf("%+v, %v; told %+v", sent, err, p.told)
	}
	p.fail = errors.New("not today")
	if sent, err = d.Apply(t.Context(), theirs(), plan.ID, "ben"); !errors.Is(err, p.fail) || sent.Step != Failed || !strings.Contains(sent.Text, "not today") {
		t.Errorf("%+v, %v", sent, err)
	}
	plan, err = d.Plan(t.Context(), theirs())
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, s := range plan.Sent {
		steps = append(steps, s.By+" "+string(s.Step))
	}
	if want := []string{"ben fail", "ben begin", "ann done", "ann begin"}; !slices.Equal(steps, want) {
		t.Errorf("kept are %v, want %v", steps, want)
	}
}

// TestNobodyAsked: nothing is sent that could not be written down before.
func TestNobodyAsked(t *testing.T) {
	p, lines := &product{}, []finding.AuditLine{}
	d := desk(p, &lines)
	plan, err := d.Plan(t.Context(), theirs())
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("the disk is full")
	d.Log = func(context.Context, finding.AuditLine) error { return full }
	if _, err := d.Apply(t.Context(), theirs(), plan.ID, "ann"); !errors.Is(err, full) || len(p.told) > 0 {
		t.Errorf("%v; told %v", err, p.told)
	}
}

func TestNothingToTell(t *testing.T) {
	f := func(about *finding.Finding, want string) {
		t.Helper()
		p, lines := &product{}, []finding.AuditLine{}
		d := desk(p, &lines)
		plan, err := d.Plan(t.Context(), about)
		if err != nil || plan.ID != "" || !strings.Contains(plan.Why, want) {
			t.Errorf("%+v, %v; want %q", plan, err, want)
		}
		if _, err := d.Apply(t.Context(), about, "", "ann"); !errors.Is(err, ErrOff) || len(p.told) > 0 {
			t.Errorf("%v; told %v", err, p.told)
		}
	}
	f(theirs(func(f *finding.Finding) { f.External = nil }), "Yagura's own")
	f(theirs(func(f *finding.Finding) { f.Decisions = nil }), "nothing was decided")
	f(theirs(func(f *finding.Finding) { f.Decisions[0].Undone = true }), "nothing was decided")
	f(theirs(func(f *finding.Finding) { f.External.Given = finding.Suppressed }), "GuardDuty has it")
	f(theirs(func(f *finding.Finding) { f.External.Format = "falco" }), "names nobody who tells")
	f(theirs(func(f *finding.Finding) { f.External.UID = "" }), "it has no id")
}
