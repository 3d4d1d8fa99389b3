package decision

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/say"
)

// TriggerKind is what has to happen for a decision to come back.
type TriggerKind string

// The kinds of triggers, as Parse reads them:
//
//	date:2027-03-01                                  on that UTC day
//	items:111122223333:AWS::EC2::NetworkInterface>600000  configuration items in 30 days
//	operations:111122223333:CreateNetworkInterface>20000  calls on the busiest of the last 7 days
//	findings:aws_trail_stopped>3                     open findings of a rule
//	price:AWS Config/configuration_item_daily<0.01   a list price: service, item and, if need be, region
//	saving>2000                                      a month's saving of what it is about
//	news:Control Tower recorder                      words of news
//
// An account written * is any.
const (
	OnDate       TriggerKind = "date"
	OnItems      TriggerKind = "items"
	OnOperations TriggerKind = "operations"
	OnFindings   TriggerKind = "findings"
	OnPrice      TriggerKind = "price"
	OnSaving     TriggerKind = "saving"
	OnNews       TriggerKind = "news"
)

// TriggerKinds are all of them.
var TriggerKinds = []TriggerKind{OnDate, OnItems, OnOperations, OnFindings, OnPrice, OnSaving, OnNews}

// anyAccount is how Parse reads a trigger that is of all accounts.
const anyAccount = "*"

// Trigger is something that reopens a decision.
type Trigger struct {
	Kind    TriggerKind `json:"kind"`
	Account string      `json:"account,omitempty"` // of items and operations; "*": any
	// Of is the resource type, operation, rule, price, advice (empty: those that
	// the decision is about), or the words of news.
	Of    string    `json:"of,omitempty"`
	Above bool      `json:"above,omitempty"` // it fires above Limit; else below
	Limit string    `json:"limit,omitempty"` // an exact decimal number
	Day   time.Time `json:"day,omitzero"`    // UTC
}

// ParseTrigger reads a trigger as String writes it.
func ParseTrigger(text string) (t Trigger, err error) {
	text = strings.TrimSpace(text)
	head := strings.IndexAny(text, ":><")
	if head < 0 {
		return t, fmt.Errorf("trigger %q: none of %s", text, forms)
	}
	t.Kind = TriggerKind(text[:head])
	rest := text[head:]
	switch t.Kind {
	case OnDate:
		if t.Day, err = time.Parse(time.DateOnly, strings.TrimPrefix(rest, ":")); err != nil {
			return t, fmt.Errorf("trigger %q: a day is needed, such as date:2027-03-01", text)
		}
		return t, t.Check()
	case OnNews:
		t.Of = strings.TrimSpace(strings.TrimPrefix(rest, ":"))
		return t, t.Check()
	}
	// The last sign divides: names may have some of their own.
	sign := strings.LastIndexAny(rest, "><")
	if sign < 0 {
		return t, fmt.Errorf("trigger %q: say above (>) or below (<) which number", text)
	}
	t.Above, t.Limit = rest[sign] == '>', strings.TrimSpace(rest[sign+1:])
	t.Of = strings.TrimSpace(strings.TrimPrefix(rest[:sign], ":"))
	if t.Kind == OnItems || t.Kind == OnOperations {
		account, of, _ := strings.Cut(t.Of, ":")
		t.Account, t.Of = strings.TrimSpace(account), strings.TrimSpace(of)
	}
	return t, t.Check()
}

// forms are how triggers are written.
const forms = "date:DAY, items:ACCOUNT:TYPE>N, operations:ACCOUNT:NAME>N, findings:RULE>N, price:NAME<X, saving>X, news:WORDS"

// String is the trigger as ParseTrigger reads it.
func (t Trigger) String() string {
	sign := "<"
	if t.Above {
		sign = ">"
	}
	switch t.Kind {
	case OnDate:
		return "date:" + t.Day.Format(time.DateOnly)
	case OnNews:
		return "news:" + t.Of
	case OnItems, OnOperations:
		return string(t.Kind) + ":" + t.Account + ":" + t.Of + sign + t.Limit
	case OnSaving:
		if t.Of == "" {
			return "saving" + sign + t.Limit
		}
	}
	return string(t.Kind) + ":" + t.Of + sign + t.Limit
}

// Check says what is wrong with a trigger.
func (t Trigger) Check() error {
	switch t.Kind {
	case OnDate:
		if t.Day.IsZero() {
			return fmt.Errorf("a trigger by date needs a day, such as date:2027-03-01")
		}
		return nil
	case OnNews:
		if t.Of == "" {
			return fmt.Errorf("a trigger by news needs words")
		}
		return nil
	}
	if !slices.Contains(TriggerKinds, t.Kind) {
		return fmt.Errorf("trigger %q: none of %s", t.Kind, forms)
	}
	if _, ok := amount(t.Limit); !ok {
		return fmt.Errorf("trigger %s: %q is no decimal number", t, t.Limit)
	}
	if t.Of == "" && t.Kind != OnSaving {
		return fmt.Errorf("trigger %s: say what is counted: %s", t, forms)
	}
	if (t.Kind == OnItems || t.Kind == OnOperations) && t.Account == "" {
		return fmt.Errorf("trigger %s: name the account, or * for any", t)
	}
	return nil
}

// Measured tells whether the trigger waits for a number: Readings is asked for it.
func (t Trigger) Measured() bool { return t.Kind != OnDate && t.Kind != OnNews }

// Text says what the trigger waits for.
func (t Trigger) Text() say.Text {
	switch t.Kind {
	case OnDate:
		return say.T("decision.when.date", say.Values{"day": t.Day})
	case OnNews:
		return say.T("decision.when.news", say.Values{"words": t.Of})
	}
	return say.T("decision.when.number", say.Values{"what": t.what(), "above": t.Above, "limit": t.Kind.Shown(t.Limit)})
}

// Shown is a number of such triggers as people read it: they do not know the currency
// of money.
func (k TriggerKind) Shown(number string) string {
	switch {
	case k == OnPrice:
		return say.Price(say.Number(number), "")
	case k == OnSaving && strings.Contains(number, "."):
		return say.Saving(say.Number(number), "")
	}
	return say.Grouped(number)
}

// what is what the trigger counts.
func (t Trigger) what() say.Text {
	of := say.Values{"of": t.Of}
	switch t.Kind {
	case OnItems, OnOperations:
		account := say.Plain(t.Account)
		if t.Account == anyAccount {
			account = say.T("decision.any_account", nil)
		}
		if t.Kind == OnItems {
			return say.T("decision.items", say.Values{"of": t.Of, "account": account})
		}
		return say.T("decision.operations", say.Values{"of": t.Of, "account": account})
	case OnFindings:
		return say.T("decision.findings", of)
	case OnPrice:
		return say.T("decision.price", of)
	}
	if t.Of == "" {
		return say.T("decision.saving.own", nil)
	}
	return say.T("decision.saving", of)
}

// Reading is what was measured for a trigger.
type Reading struct {
	Value string    // an exact decimal number; empty: it is not known
	At    time.Time // as of when; zero: now
	Why   say.Text  // why it is not known
}

// NoLog is why nothing is known of what happened: the log has nothing of so many
// days.
func NoLog(days int) say.Text { return say.T("decision.unread.log", say.Values{"days": days}) }

// Readings measures what a trigger of a decision counts. News and dates are not
// asked for.
type Readings func(*Decision, Trigger) Reading

// Status is how a decision stands.
type Status string

// The statuses.
const (
	Settled  Status = "settled"  // taken or rejected, and nothing has reopened it
	Waiting  Status = "waiting"  // deferred, and nothing has reopened it
	Reopened Status = "reopened" // it wants to be decided again
)

// Statuses are all of them.
var Statuses = []Status{Reopened, Waiting, Settled}

// State is how a decision stands at a time.
type State struct {
	Status Status
	Why    []Reopening // of one that is reopened
	// Unread are triggers that cannot be told at present: nobody would see them
	// happen.
	Unread []Unread
}

// Unread is a trigger that cannot be told, and why.
type Unread struct {
	Trigger Trigger
	Why     say.Text
}

// Due tells how the decision stands: what reopened it before, and what does now.
// A nil readings knows nothing but the day.
func (d *Decision) Due(now time.Time, readings Readings) State {
	s := State{Status: Settled, Why: slices.Clone(d.Reopened)}
	if d.Verdict == Deferred {
		s.Status = Waiting
	}
	for _, t := range d.triggers() {
		if slices.ContainsFunc(d.Reopened, func(r Reopening) bool { return r.Trigger == t }) {
			continue
		}
		why, unread := t.due(d, now, readings)
		if unread != nil {
			s.Unread = append(s.Unread, *unread)
		}
		if why != nil {
			s.Why = append(s.Why, *why)
		}
	}
	if len(s.Why) > 0 {
		s.Status = Reopened
	}
	return s
}

// triggers are all that reopen the decision, its day among them.
func (d *Decision) triggers() []Trigger {
	all := slices.Clone(d.Triggers)
	if !d.Revisit.IsZero() {
		all = append([]Trigger{{Kind: OnDate, Day: d.Revisit}}, all...)
	}
	return all
}

// Has tells whether a trigger would reopen the decision.
func (d *Decision) Has(t Trigger) bool { return slices.Contains(d.triggers(), t) }

// due is what a trigger says now: that it happened, or that it cannot be told.
func (t Trigger) due(d *Decision, now time.Time, readings Readings) (*Reopening, *Unread) {
	switch t.Kind {
	case OnDate:
		if now.Before(t.Day) {
			return nil, nil
		}
		return &Reopening{Trigger: t, At: micros(now)}, nil
	case OnNews:
		return nil, &Unread{t, say.T("decision.unread.news", nil)}
	}
	unread := &Unread{t, say.T("decision.unread", say.Values{"what": t.what()})}
	if readings == nil {
		return nil, unread
	}
	r := readings(d, t)
	is, known := amount(r.Value)
	if !known {
		if r.Why != (say.Text{}) {
			unread.Why = r.Why
		}
		return nil, unread
	}
	limit, ok := amount(t.Limit)
	if !ok {
		return nil, unread // Check refuses such a limit
	}
	at := r.At
	if at.IsZero() {
		at = now
	}
	if c := is.Cmp(limit); c > 0 && t.Above || c < 0 && !t.Above {
		return &Reopening{Trigger: t, Value: r.Value, At: micros(at)}, nil
	}
	return nil, nil
}

// Text says why the decision came back.
func (r Reopening) Text() say.Text {
	if r.Trigger.Kind == OnDate {
		return say.T("decision.due.date", say.Values{"day": r.Trigger.Day})
	}
	return say.T("decision.due.number", say.Values{
		"what": r.Trigger.what(), "above": r.Trigger.Above, "value": r.Trigger.Kind.Shown(r.Value), "limit": r.Trigger.Kind.Shown(r.Trigger.Limit), "at": r.At,
	})
}

// Answered takes away what a new verdict or another trigger answers: was is the
// decision before. Reopenings stay whose trigger stands as it was; a verdict that
// is another answers them all, and then the triggers that fired, and a day that
// has passed, are gone: they would fire again at once.
func (d *Decision) Answered(was *Decision) {
	d.Reopened = nil
	if was == nil {
		return
	}
	fired := func(t Trigger) bool {
		return slices.ContainsFunc(was.Reopened, func(r Reopening) bool { return r.Trigger == t })
	}
	if d.Verdict != was.Verdict {
		d.Triggers = slices.DeleteFunc(d.Triggers, fired)
		if !d.Revisit.IsZero() && fired(Trigger{Kind: OnDate, Day: d.Revisit}) {
			d.Revisit = time.Time{}
		}
		return
	}
	for _, r := range was.Reopened {
		if d.Has(r.Trigger) {
			d.Reopened = append(d.Reopened, r)
		}
	}
}
