// Package decision holds what was decided about findings, advice and anything
// else that is not settled by a verdict alone: what is taken, what is deferred and
// until when or until what, what is rejected and why, what a vendor was asked and
// answered, and what it saves or would have saved.
//
// It is not about what people say of one finding (finding.Decision), which holds
// for that finding: a decision here may be about many things, waits, and comes
// back by itself.
package decision

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/say"
)

// Verdict is what was decided.
type Verdict string

// The verdicts.
const (
	Taken    Verdict = "taken"    // it is done
	Deferred Verdict = "deferred" // it waits for a day or for something to happen
	Rejected Verdict = "rejected" // it is not done
)

// Verdicts are all of them.
var Verdicts = []Verdict{Taken, Deferred, Rejected}

// SubjectKind is what a decision is about.
type SubjectKind string

// The kinds of subjects.
const (
	Advice  SubjectKind = "advice"  // an advice about cost, by its key
	Finding SubjectKind = "finding" // by its key
	Case    SubjectKind = "case"    // of findings, by its id
	Other   SubjectKind = "other"   // in somebody's words
)

// Subjects are all kinds.
var Subjects = []SubjectKind{Advice, Finding, Case, Other}

// Subject is one thing that a decision is about.
type Subject struct {
	Kind SubjectKind `json:"kind"`
	ID   string      `json:"id"` // a key, or the words of Other
	// Title is what the thing was called when it was decided about, in English where
	// TitleMade is given, which is what a title of ours is made of: see say.Text.Made.
	Title     string `json:"title,omitempty"`
	TitleMade string `json:"title_made,omitempty"`
	Account   string `json:"account,omitempty"` // where it lies; empty: nowhere, or not known
}

// Titled is what the thing was called, in every language where the title is ours.
func (s *Subject) Titled() say.Text { return say.Kept(s.Title, s.TitleMade) }

// Saving is what doing it saves in a month of 30 days.
type Saving struct {
	Month    string `json:"month"`    // an exact decimal number: "1519.2"
	Currency string `json:"currency"` // ISO 4217: "USD"
}

// Figure is something measured that the decision rests on, as it was then.
type Figure struct {
	Name  string    `json:"name"` // items, resource_days, operations_day, saving_month, price, or words of somebody
	Of    string    `json:"of"`   // what it was measured of: "111122223333 AWS::EC2::Subnet"
	Value string    `json:"value"`
	Unit  string    `json:"unit,omitempty"`
	Basis string    `json:"basis,omitempty"` // how it is known: metric, history, estimate, bill, settings, Computed
	At    time.Time `json:"at"`              // when it was so: of what was counted, the last day
}

// Computed is the basis of a figure that was worked out from those beside it, at list
// prices.
const Computed = "computed"

// Shown is the value with its unit as people read it.
func (f Figure) Shown() string {
	switch f.Name {
	case "saving_month":
		return say.Saving(say.Number(f.Value), f.Unit)
	case "price":
		return say.Price(say.Number(f.Value), f.Unit)
	}
	return strings.TrimSpace(say.Grouped(f.Value) + " " + f.Unit)
}

// Evidence is something else that the decision rests on.
type Evidence struct {
	Text string    `json:"text"`           // in English where Made is given, else in somebody's words
	Made string    `json:"made,omitempty"` // what a sentence of ours is made of: see say.Text.Made
	Link string    `json:"link,omitempty"`
	At   time.Time `json:"at"`
}

// Said is the evidence in words, in every language where it is a sentence of ours.
func (e *Evidence) Said() say.Text { return say.Kept(e.Text, e.Made) }

// Inquiry is what somebody outside was asked.
type Inquiry struct {
	ID       string    `json:"id"`     // within the decision: "q1"
	Vendor   string    `json:"vendor"` // who was asked
	Case     string    `json:"case,omitempty"`
	Question string    `json:"question"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Answers  []Answer  `json:"answers,omitempty"` // as they came
}

// Answer is what came back.
type Answer struct {
	Text string    `json:"text"`
	At   time.Time `json:"at"`
	By   string    `json:"by"` // who wrote it down
}

// Decision is one, as it stands.
type Decision struct {
	ID        string     `json:"id"`
	Title     string     `json:"title"`                // in English where TitleMade is given, else in somebody's words
	TitleMade string     `json:"title_made,omitempty"` // what a title of ours is made of
	About     []Subject  `json:"about"`
	Verdict   Verdict    `json:"verdict"`
	Reason    string     `json:"reason"`
	Owner     string     `json:"owner"`              // who answers for it
	Accounts  []string   `json:"accounts,omitempty"` // that it is about, by name; none: all
	Revisit   time.Time  `json:"revisit,omitzero"`   // the UTC day to look at it again
	Triggers  []Trigger  `json:"triggers,omitempty"` // what reopens it besides
	Asked     []Inquiry  `json:"asked,omitempty"`    // in the order they were asked
	Figures   []Figure   `json:"figures,omitempty"`
	Evidence  []Evidence `json:"evidence,omitempty"`
	Saving    *Saving    `json:"saving,omitempty"` // nil: it is not about money, or nobody knows
	// Reopened is why it came back, from the first on; it stays until the trigger
	// is answered, whatever was measured since. See Answered.
	Reopened []Reopening `json:"reopened,omitempty"`

	By      string    `json:"by"` // who wrote it down first
	At      time.Time `json:"at"`
	Decided time.Time `json:"decided"` // when its verdict was given
	Changed time.Time `json:"changed"`
	Version int       `json:"version"` // grows with each change, from 1
}

// Reopening is why a decision came back.
type Reopening struct {
	Trigger Trigger   `json:"trigger"`
	Value   string    `json:"value,omitempty"` // what was measured; empty of a day
	At      time.Time `json:"at"`              // when that was seen
}

// Change is one step of a decision's history: Before is nil for the first.
type Change struct {
	ID     string    `json:"id"` // of the decision
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Note   string    `json:"note,omitempty"` // why
	Action string    `json:"action"`         // create, change, ask, answer, reopen
	Before *Decision `json:"before,omitempty"`
	After  *Decision `json:"after"`
}

// Limits of what is kept, so that neither a mistake nor malice fills the disk.
const (
	maxText  = 8000 // bytes of a reason, question, answer, evidence
	maxName  = 512  // bytes of a title, owner, key
	maxItems = 200  // of each list
)

// texts gives every text of a decision with the most bytes that it may have.
func (d *Decision) texts(visit func(name string, s *string, most int)) {
	visit("id", &d.ID, maxName)
	visit("title", &d.Title, maxName)
	visit("title", &d.TitleMade, maxText)
	visit("reason", &d.Reason, maxText)
	visit("owner", &d.Owner, maxName)
	visit("by", &d.By, maxName)
	for i := range d.Accounts {
		visit("account", &d.Accounts[i], maxName)
	}
	for i := range d.About {
		s := &d.About[i]
		most := maxName
		if s.Kind == Other {
			most = maxText
		}
		visit("subject", &s.ID, most)
		visit("subject's title", &s.Title, maxText)
		visit("subject's title", &s.TitleMade, maxText)
		visit("account", &s.Account, maxName)
	}
	for i := range d.Triggers {
		visit("trigger", &d.Triggers[i].Of, maxName)
		visit("trigger", &d.Triggers[i].Account, maxName)
	}
	for i := range d.Asked {
		q := &d.Asked[i]
		visit("vendor", &q.Vendor, maxName)
		visit("case number", &q.Case, maxName)
		visit("question", &q.Question, maxText)
		visit("by", &q.By, maxName)
		for j := range q.Answers {
			visit("answer", &q.Answers[j].Text, maxText)
			visit("by", &q.Answers[j].By, maxName)
		}
	}
	for i := range d.Figures {
		f := &d.Figures[i]
		for _, s := range []*string{&f.Name, &f.Of, &f.Value, &f.Unit, &f.Basis} {
			visit("figure", s, maxName)
		}
	}
	for i := range d.Evidence {
		visit("evidence", &d.Evidence[i].Text, maxText)
		visit("evidence", &d.Evidence[i].Made, 2*maxText)
		visit("evidence's link", &d.Evidence[i].Link, maxText)
	}
}

// Copy is a decision that shares nothing with d.
func (d *Decision) Copy() Decision {
	out := *d
	out.About, out.Triggers, out.Figures = slices.Clone(d.About), slices.Clone(d.Triggers), slices.Clone(d.Figures)
	out.Evidence, out.Asked, out.Reopened = slices.Clone(d.Evidence), slices.Clone(d.Asked), slices.Clone(d.Reopened)
	out.Accounts = slices.Clone(d.Accounts)
	for i := range out.Asked {
		out.Asked[i].Answers = slices.Clone(out.Asked[i].Answers)
	}
	if d.Saving != nil {
		s := *d.Saving
		out.Saving = &s
	}
	return out
}

// Clean puts a decision into the form in which it is kept, sharing nothing with
// what it was made from: valid texts without spaces around them, times as UTC to
// the microsecond, days as days, accounts by name, questions numbered.
func (d *Decision) Clean() {
	*d = d.Copy()
	d.texts(func(_ string, s *string, _ int) { *s = strings.TrimSpace(strings.ToValidUTF8(*s, "\uFFFD")) })
	if d.Saving != nil {
		d.Saving.Month, d.Saving.Currency = strings.TrimSpace(d.Saving.Month), strings.ToUpper(strings.TrimSpace(d.Saving.Currency))
	}
	for i := range d.Asked {
		q := &d.Asked[i]
		q.ID, q.At = fmt.Sprintf("q%d", i+1), micros(q.At)
		for j := range q.Answers {
			q.Answers[j].At = micros(q.Answers[j].At)
		}
	}
	for i := range d.Figures {
		d.Figures[i].At = micros(d.Figures[i].At)
	}
	for i := range d.Evidence {
		d.Evidence[i].At = micros(d.Evidence[i].At)
	}
	for i := range d.Reopened {
		d.Reopened[i].At = micros(d.Reopened[i].At)
	}
	for i := range d.Triggers {
		if t := &d.Triggers[i]; !t.Day.IsZero() {
			t.Day = day(t.Day)
		}
	}
	slices.Sort(d.Accounts)
	d.Accounts = slices.Compact(d.Accounts)
	if !d.Revisit.IsZero() {
		d.Revisit = day(d.Revisit)
	}
	for _, t := range []*time.Time{&d.At, &d.Decided, &d.Changed} {
		*t = micros(*t)
	}
	if d.Title == "" && len(d.About) > 0 {
		s := &d.About[0]
		if d.Title, d.TitleMade = s.Title, s.TitleMade; d.TitleMade == "" || len(d.Title) > maxName {
			d.Title, d.TitleMade = short(cmp.Or(s.Title, s.ID)), ""
		}
	}
}

func micros(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// day is the UTC day of a time.
func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// short is the first line of a text, as a title.
func short(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	const most = 120
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

var currency = regexp.MustCompile(`^[A-Z]{3}$`)

// Check says in a person's words what is wrong with a decision that is Clean.
func (d *Decision) Check() error {
	switch {
	case d.ID == "":
		return errors.New("a decision needs an id")
	case d.Title == "":
		return errors.New("a decision needs a title")
	case len(d.About) == 0:
		return errors.New("say what the decision is about: the key of an advice, a finding or a case, or words")
	case !slices.Contains(Verdicts, d.Verdict):
		return fmt.Errorf("verdict %q is none: taken, deferred or rejected", d.Verdict)
	case d.Reason == "":
		return errors.New("say why: a decision without a reason cannot be looked at again")
	case d.Owner == "":
		return errors.New("name an owner, who answers for the decision")
	case d.Verdict == Deferred && d.Revisit.IsZero() && len(d.Triggers) == 0:
		return errors.New("a deferred decision needs a day to look at it again, or something that reopens it: else it is forgotten")
	}
	for _, s := range d.About {
		if !slices.Contains(Subjects, s.Kind) {
			return fmt.Errorf("a decision is about an advice, finding, case or other, not %q", s.Kind)
		}
		if s.ID == "" {
			return fmt.Errorf("the %s that the decision is about has no key", s.Kind)
		}
	}
	if err := d.checkLists(); err != nil {
		return err
	}
	return d.checkTexts()
}

func (d *Decision) checkLists() error {
	for name, n := range map[string]int{
		"subjects": len(d.About), "triggers": len(d.Triggers), "questions": len(d.Asked), "figures": len(d.Figures), "pieces of evidence": len(d.Evidence), "accounts": len(d.Accounts),
	} {
		if n > maxItems {
			return fmt.Errorf("%d %s: at most %d", n, name, maxItems)
		}
	}
	for _, t := range d.Triggers {
		if err := t.Check(); err != nil {
			return err
		}
	}
	for _, q := range d.Asked {
		switch {
		case q.Vendor == "" || q.Question == "" || q.At.IsZero():
			return errors.New("a question names who was asked, what, and when")
		case len(q.Answers) > maxItems:
			return fmt.Errorf("%d answers to a question: at most %d", len(q.Answers), maxItems)
		}
		for _, a := range q.Answers {
			if a.Text == "" || a.At.IsZero() {
				return errors.New("an answer says what was answered, and when")
			}
		}
	}
	if d.Saving != nil {
		if _, ok := amount(d.Saving.Month); !ok {
			return fmt.Errorf("saving %q is no decimal number", d.Saving.Month)
		}
		if !currency.MatchString(d.Saving.Currency) {
			return fmt.Errorf("currency %q is no code of three letters, such as USD", d.Saving.Currency)
		}
	}
	return nil
}

func (d *Decision) checkTexts() (err error) {
	d.texts(func(name string, s *string, most int) {
		if len(*s) > most && err == nil {
			err = fmt.Errorf("%s is longer than %d bytes", name, most)
		}
	})
	return err
}

var decimal = regexp.MustCompile(`^[+-]?[0-9]{1,30}(\.[0-9]{1,20})?$`)

// amount reads a plain decimal number, exactly.
func amount(s string) (*big.Rat, bool) {
	if !decimal.MatchString(s) {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// Places are the accounts that the decision and what reopens it speak of, each
// once; everywhere: it is not of these alone, so that who may not see all accounts
// may not see it.
func (d *Decision) Places() (accounts []string, everywhere bool) {
	accounts = slices.Clone(d.Accounts)
	for _, s := range d.About {
		accounts = append(accounts, s.Account)
	}
	for _, t := range d.Triggers {
		accounts = append(accounts, t.Account)
		everywhere = everywhere || t.Account == anyAccount || t.Kind == OnFindings
	}
	slices.Sort(accounts)
	accounts = slices.DeleteFunc(slices.Compact(accounts), func(a string) bool { return a == "" || a == anyAccount })
	return accounts, everywhere || len(accounts) == 0
}

// IsAbout tells whether the decision is about the advice, finding or case of that
// key.
func (d *Decision) IsAbout(key string) bool {
	return slices.ContainsFunc(d.About, func(s Subject) bool { return s.ID == key && s.Kind != Other })
}

// Answer notes an answer to the question of that id, or to the latest without one;
// false: nothing was asked by that id.
func (d *Decision) Answer(question string, a Answer) bool {
	i := slices.IndexFunc(d.Asked, func(q Inquiry) bool { return q.ID == question })
	if question == "" {
		i = len(d.Asked) - 1
	}
	if i < 0 {
		return false
	}
	d.Asked[i].Answers = append(d.Asked[i].Answers, a)
	return true
}

// Masked is the decision with every text as mask gives it; what it waits for is left
// as it is, for it would not be what it was.
func (d *Decision) Masked(mask func(string) string) Decision {
	out := d.Copy()
	out.Triggers = nil
	out.texts(func(_ string, s *string, _ int) { *s = mask(*s) })
	out.Triggers = slices.Clone(d.Triggers)
	return out
}

// Titled is the title, in every language where it is ours.
func (d *Decision) Titled() say.Text { return say.Kept(d.Title, d.TitleMade) }

// People are whose names stand in the decision, for who masks them.
func (d *Decision) People() (out []string) {
	out = append(out, d.Owner, d.By)
	for _, q := range d.Asked {
		out = append(out, q.By)
		for _, a := range q.Answers {
			out = append(out, a.By)
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(s string) bool { return s == "" })
}
