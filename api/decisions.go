package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/decision/dossier"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

// Decisions is what the pages of decisions that wait ask besides
// Rooms.Triage.Store. A function that is nil is a talent that this server does not
// have.
type Decisions struct {
	// Readings measures what reopens decisions; nil: only days are known.
	Readings func(ctx context.Context) decision.Readings
	// Advised gives what is known of an advice by its key; triage.ErrUnknown where
	// there is none.
	Advised func(ctx context.Context, key string) (Advised, error)
	// Undecided gives the saving a month of advice that nobody has decided about, a
	// currency each, of those accounts (none: of all).
	Undecided func(ctx context.Context, accounts []string) ([]decision.Saving, error)
	// Pictures draws what a decision rests on, with mask's aliases in the place of
	// names (nil: the names).
	Pictures func(ctx context.Context, d decision.Decision, l say.Language, mask func(string) string) ([]dossier.Picture, error)
}

// Advised is what a decision about an advice takes from it.
type Advised struct {
	Subject  decision.Subject
	Saving   *decision.Saving
	Figures  []decision.Figure
	Evidence []decision.Evidence
}

// StandingTrigger is something that reopens a decision.
type StandingTrigger struct {
	Text    string               `json:"text" doc:"as it is written" example:"items:111122223333:AWS::EC2::NetworkInterface>600000"`
	Kind    decision.TriggerKind `json:"kind" enum:"date,items,operations,findings,price,saving,news"`
	Said    say.Text             `json:"said" doc:"what it waits for"`
	Reading string               `json:"reading" doc:"what was measured last; empty: nothing, or it is a day"`
	Unread  say.Text             `json:"unread" doc:"why nobody would see it happen at present; empty: it is seen"`
}

// StandingReopening is why a decision came back.
type StandingReopening struct {
	Trigger string    `json:"trigger"`
	Value   string    `json:"value" doc:"what was measured; empty of a day"`
	At      time.Time `json:"at"`
	Said    say.Text  `json:"said"`
}

// StandingSaving is what a decision saves in a month of 30 days.
type StandingSaving struct {
	Month    Amount `json:"month"`
	Currency string `json:"currency" example:"USD"`
}

// StandingSubject is one thing that a decision is about.
type StandingSubject struct {
	Kind    decision.SubjectKind `json:"kind" enum:"advice,finding,case,other"`
	ID      string               `json:"id" doc:"a key, or words"`
	Title   say.Text             `json:"title" doc:"what it was called when it was decided about; empty: nothing"`
	Account string               `json:"account,omitempty" doc:"where it lies; absent: nowhere, or not known"`
}

// StandingFigure is something measured that a decision rests on.
type StandingFigure decision.Figure

// StandingEvidence is something else that a decision rests on.
type StandingEvidence struct {
	Text say.Text  `json:"text"`
	Link string    `json:"link"`
	At   time.Time `json:"at"`
}

// StandingAnswer is what a vendor answered.
type StandingAnswer decision.Answer

// StandingInquiry is what a vendor was asked.
type StandingInquiry struct {
	ID       string           `json:"id" example:"q1"`
	Vendor   string           `json:"vendor"`
	Case     string           `json:"case" doc:"its number; empty: none"`
	Question string           `json:"question"`
	At       time.Time        `json:"at"`
	By       string           `json:"by"`
	Answers  []StandingAnswer `json:"answers" doc:"as they came"`
}

// StandingDecision is a decision that stands for more than one finding's verdict, as
// scripts read it, from the API and from `decision list --format json` alike.
type StandingDecision struct {
	ID       string              `json:"id"`
	Title    say.Text            `json:"title"`
	About    []StandingSubject   `json:"about"`
	Verdict  decision.Verdict    `json:"verdict" enum:"taken,deferred,rejected"`
	Status   decision.Status     `json:"status" enum:"reopened,waiting,settled" doc:"reopened: it wants to be decided again"`
	Reason   string              `json:"reason"`
	Owner    string              `json:"owner"`
	Accounts []string            `json:"accounts" doc:"that it is about by name, besides those of what it is about"`
	Revisit  string              `json:"revisit" example:"2027-03-01" doc:"the UTC day to look at it again; empty: none"`
	Triggers []StandingTrigger   `json:"triggers" doc:"what reopens it besides"`
	Reopened []StandingReopening `json:"reopened" doc:"why it is"`
	Asked    []StandingInquiry   `json:"asked" doc:"what a vendor was asked and answered"`
	Figures  []StandingFigure    `json:"figures" doc:"what it rests on, as it was when it was decided"`
	Evidence []StandingEvidence  `json:"evidence"`
	Saving   *StandingSaving     `json:"saving,omitempty" doc:"absent: it is not about money, or nobody knows"`
	By       string              `json:"by" doc:"who wrote it down first"`
	At       time.Time           `json:"at"`
	Decided  time.Time           `json:"decided" doc:"when its verdict was given"`
	Changed  time.Time           `json:"changed"`
	Version  int                 `json:"version" doc:"grows with each change"`
}

// StandingDecisions are all that were asked for.
type StandingDecisions struct {
	Decisions []StandingDecision `json:"decisions" doc:"the reopened ones first, then those that wait, the latest first"`
	Reopened  int                `json:"reopened" doc:"of these, how many are"`
	Next      string             `json:"next" doc:"always empty: all are told at once"`
}

// ViewStanding gives a decision as scripts read it, as it stands at a time.
func ViewStanding(d decision.Decision, now time.Time, read decision.Readings) StandingDecision {
	state := d.Due(now, read)
	v := StandingDecision{
		ID: d.ID, Title: d.Titled(), About: []StandingSubject{}, Verdict: d.Verdict, Status: state.Status, Reason: d.Reason, Owner: d.Owner, Accounts: list(d.Accounts),
		Triggers: []StandingTrigger{}, Reopened: []StandingReopening{}, Asked: []StandingInquiry{}, Figures: []StandingFigure{}, Evidence: []StandingEvidence{},
		By: d.By, At: d.At, Decided: d.Decided, Changed: d.Changed, Version: d.Version,
	}
	if !d.Revisit.IsZero() {
		v.Revisit = d.Revisit.Format(time.DateOnly)
	}
	for _, t := range d.Triggers {
		x := StandingTrigger{Text: t.String(), Kind: t.Kind, Said: t.Text()}
		if read != nil && t.Measured() {
			x.Reading = read(&d, t).Value
		}
		if i := slices.IndexFunc(state.Unread, func(u decision.Unread) bool { return u.Trigger == t }); i >= 0 {
			x.Unread = state.Unread[i].Why
		}
		v.Triggers = append(v.Triggers, x)
	}
	for _, r := range state.Why {
		v.Reopened = append(v.Reopened, StandingReopening{r.Trigger.String(), r.Value, r.At, r.Text()})
	}
	for _, x := range d.About {
		v.About = append(v.About, StandingSubject{x.Kind, x.ID, x.Titled(), x.Account})
	}
	for _, x := range d.Figures {
		v.Figures = append(v.Figures, StandingFigure(x))
	}
	for _, x := range d.Evidence {
		v.Evidence = append(v.Evidence, StandingEvidence{x.Said(), x.Link, x.At})
	}
	for _, q := range d.Asked {
		x := StandingInquiry{ID: q.ID, Vendor: q.Vendor, Case: q.Case, Question: q.Question, At: q.At, By: q.By, Answers: []StandingAnswer{}}
		for _, a := range q.Answers {
			x.Answers = append(x.Answers, StandingAnswer(a))
		}
		v.Asked = append(v.Asked, x)
	}
	if d.Saving != nil {
		v.Saving = viewSaving(*d.Saving)
	}
	return v
}

func viewSaving(s decision.Saving) *StandingSaving {
	x, err := decimal.NewFromString(s.Month)
	if err != nil {
		return nil // it is not kept otherwise: see decision.Check
	}
	return &StandingSaving{Amount{x}, s.Currency}
}

// ViewDecisions gives decisions as scripts read them, in the order of
// StandingDecisions.
func ViewDecisions(all []decision.Decision, now time.Time, read decision.Readings) StandingDecisions {
	out := StandingDecisions{Decisions: []StandingDecision{}}
	for _, d := range all {
		v := ViewStanding(d, now, read)
		if v.Status == decision.Reopened {
			out.Reopened++
		}
		out.Decisions = append(out.Decisions, v)
	}
	slices.SortStableFunc(out.Decisions, func(a, b StandingDecision) int {
		return cmp.Compare(slices.Index(decision.Statuses, a.Status), slices.Index(decision.Statuses, b.Status))
	})
	return out
}

// StandingAsked is what somebody decides; of a decision that is there it replaces
// all but what a vendor was asked. What an advice, a finding or a case tells is
// filled in where it is absent.
type StandingAsked struct {
	Title    string              `json:"title,omitempty" maxLength:"512" doc:"absent: that of the first thing that it is about"`
	About    []SubjectAsked      `json:"about" minItems:"1" maxItems:"200"`
	Verdict  decision.Verdict    `json:"verdict" enum:"taken,deferred,rejected"`
	Reason   string              `json:"reason" minLength:"1" maxLength:"8000"`
	Owner    string              `json:"owner,omitempty" maxLength:"512" doc:"absent: who asks"`
	Accounts []string            `json:"accounts,omitempty" maxItems:"200"`
	Revisit  string              `json:"revisit,omitempty" pattern:"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$" doc:"the UTC day to look at it again" example:"2027-03-01"`
	Triggers []string            `json:"triggers,omitempty" maxItems:"200" doc:"what reopens it besides: docs/decisions-that-wait.md" example:"[\"items:111122223333:AWS::EC2::NetworkInterface>600000\"]"`
	Evidence []EvidenceAsked     `json:"evidence,omitempty" maxItems:"200"`
	Saving   *StandingSavedAsked `json:"saving,omitempty"`
	Note     string              `json:"note,omitempty" maxLength:"2000" doc:"why it is changed; kept in its history"`
}

// SubjectAsked is one thing that somebody decides about.
type SubjectAsked struct {
	Kind    decision.SubjectKind `json:"kind" enum:"advice,finding,case,other"`
	ID      string               `json:"id" minLength:"1" maxLength:"8000" doc:"its key, or words"`
	Title   string               `json:"title,omitempty" maxLength:"2000"`
	Account string               `json:"account,omitempty" maxLength:"512"`
}

// EvidenceAsked is something that a decision rests on.
type EvidenceAsked struct {
	Text string `json:"text" minLength:"1" maxLength:"8000"`
	Link string `json:"link,omitempty" maxLength:"2000"`
}

// StandingSavedAsked is what a decision saves.
type StandingSavedAsked struct {
	Month    string `json:"month" maxLength:"64" doc:"of 30 days; a decimal number" example:"1519.20"`
	Currency string `json:"currency" example:"USD"`
}

// put writes what is asked for into d.
func (in *StandingAsked) put(ctx context.Context, r Rooms, d *decision.Decision) error {
	was := d.Copy()
	d.Verdict, d.Reason, d.Accounts = in.Verdict, in.Reason, in.Accounts
	if d.Title, d.TitleMade = in.Title, ""; same(in.Title, was.Titled()) {
		d.Title, d.TitleMade = was.Title, was.TitleMade
	}
	d.Owner = cmp.Or(strings.TrimSpace(in.Owner), who(ctx).By())
	d.Revisit, d.Triggers, d.Evidence, d.Saving = time.Time{}, nil, nil, nil
	if in.Revisit != "" {
		day, err := time.Parse(time.DateOnly, in.Revisit)
		if err != nil {
			return huma.Error422UnprocessableEntity("revisit " + in.Revisit + " is no day, such as 2027-03-01")
		}
		d.Revisit = day
	}
	for _, text := range in.Triggers {
		t, err := decision.ParseTrigger(text)
		if err != nil {
			return huma.Error422UnprocessableEntity(err.Error())
		}
		d.Triggers = append(d.Triggers, t)
	}
	for _, e := range in.Evidence {
		x := decision.Evidence{Text: e.Text, Link: e.Link, At: r.Now().UTC()}
		if i := slices.IndexFunc(was.Evidence, func(old decision.Evidence) bool {
			return old.Link == x.Link && same(x.Text, old.Said())
		}); i >= 0 { // it was there
			x = was.Evidence[i]
		}
		d.Evidence = append(d.Evidence, x)
	}
	if in.Saving != nil {
		d.Saving = &decision.Saving{Month: in.Saving.Month, Currency: in.Saving.Currency}
	}
	d.About = nil
	for _, s := range in.About {
		d.About = append(d.About, decision.Subject{Kind: s.Kind, ID: strings.TrimSpace(s.ID), Title: s.Title, Account: s.Account})
	}
	return FillStanding(ctx, d, &was, r.Subjects())
}

// same tells whether somebody's words are a text as it was read, in whichever
// language.
func same(words string, of say.Text) bool {
	return slices.ContainsFunc(say.Languages, func(l say.Language) bool { return of.In(l) == words })
}

// Subjects looks up what decisions are about, of the accounts of who asks.
func (r Rooms) Subjects() LookUp {
	return LookUp{
		Finding: r.Findings.Get, Cases: r.Triage.Store, Advised: r.Decisions.Advised,
	}
}

// LookUp finds what decisions are about.
type LookUp struct {
	Finding func(ctx context.Context, key string) (finding.Finding, error)
	Cases   triage.Counter
	Advised func(ctx context.Context, key string) (Advised, error) // nil: no advice is known
}

// FillStanding completes a decision by what its subjects tell: titles, accounts,
// figures, evidence, and what they save together where nobody said. Subjects that
// was has already are left as they are, and so are its figures: what it was decided
// by is not replaced by what is measured now. What is not there is ErrUnknown or
// ErrNotFound of triage.
func FillStanding(ctx context.Context, d, was *decision.Decision, look LookUp) error {
	d.Figures = nil
	var savings []decision.Saving
	for i := range d.About {
		s := &d.About[i]
		known := slices.IndexFunc(was.About, func(x decision.Subject) bool { return x.Kind == s.Kind && x.ID == s.ID })
		if known >= 0 {
			x := &was.About[known]
			if s.Account = cmp.Or(s.Account, x.Account); s.Title == "" || same(s.Title, x.Titled()) {
				s.Title, s.TitleMade = x.Title, x.TitleMade
			}
			continue
		}
		a, err := look.up(ctx, *s)
		if err != nil {
			return err
		}
		s.ID, s.Account = cmp.Or(a.Subject.ID, s.ID), cmp.Or(s.Account, a.Subject.Account)
		if s.Title == "" || same(s.Title, a.Subject.Titled()) {
			s.Title, s.TitleMade = a.Subject.Title, a.Subject.TitleMade
		}
		d.Figures = append(d.Figures, a.Figures...)
		for _, e := range a.Evidence {
			if !slices.ContainsFunc(d.Evidence, func(x decision.Evidence) bool { return x.Text == e.Text && x.Link == e.Link }) {
				d.Evidence = append(d.Evidence, e)
			}
		}
		if a.Saving != nil {
			savings = append(savings, *a.Saving)
		}
	}
	d.Figures = append(slices.Clone(was.Figures), d.Figures...)
	if d.Saving == nil {
		d.Saving = together(was.Saving, savings)
	}
	return nil
}

// together is what savings come to, those of one currency alone: what comes in
// several is for a person to say.
func together(was *decision.Saving, all []decision.Saving) *decision.Saving {
	if was != nil {
		all = append([]decision.Saving{*was}, all...)
	}
	if len(all) == 0 || slices.ContainsFunc(all, func(s decision.Saving) bool { return s.Currency != all[0].Currency }) {
		return was
	}
	var months []string
	for _, s := range all {
		months = append(months, s.Month)
	}
	sum, ok := decision.Add(months...)
	if !ok {
		return was
	}
	return &decision.Saving{Month: sum, Currency: all[0].Currency}
}

// up finds one subject.
func (look LookUp) up(ctx context.Context, s decision.Subject) (a Advised, err error) {
	switch s.Kind {
	case decision.Finding:
		f, err := look.Finding(ctx, s.ID)
		if err != nil {
			return a, err
		}
		title := titled(&f)
		a.Subject = decision.Subject{ID: f.Key, Title: title.String(), TitleMade: title.Made(), Account: f.Account}
		a.Figures = []decision.Figure{{Name: "events", Of: f.Key, Value: strconv.FormatInt(f.Count, 10), At: f.LastSeen}}
	case decision.Case:
		all := triage.Filter{Demoted: true, Staged: true, Scope: finding.ScopeOf(query.Eq{Field: "case", Value: s.ID})}
		page, _, _, err := look.Cases.Cases(ctx, all)
		if err != nil {
			return a, err
		}
		if len(page) == 0 {
			return a, triage.ErrNotFound
		}
		c := page[0]
		a.Subject = decision.Subject{ID: c.ID, Title: strings.TrimSpace(c.Actor + " " + c.Resource), Account: c.Account}
	case decision.Advice:
		if look.Advised == nil {
			return a, nil
		}
		return look.Advised(ctx, s.ID)
	}
	return a, nil
}

// standing registers the operations of decisions that wait.
func standing(a huma.API, rooms Rooms) {
	lock := &changing{}
	listStanding(a, rooms)
	putStanding(a, rooms, lock)
	askVendor(a, rooms, lock)
	standingHistory(a, rooms)
	dossiers(a, rooms)
	standingSummary(a, rooms)
}

// readings measures what reopens decisions.
func (r Rooms) readings(ctx context.Context) decision.Readings {
	if r.Decisions.Readings == nil {
		return nil
	}
	return r.Decisions.Readings(ctx)
}

func (r Rooms) standingView(ctx context.Context, d decision.Decision) *tagged[StandingDecision] {
	return tagging([]any{d.ID, d.Version}, ViewStanding(d, r.Now(), r.readings(ctx)))
}

func listStanding(a huma.API, rooms Rooms) {
	type all struct{ Body StandingDecisions }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "list-decisions", Method: http.MethodGet, Path: "/api/decisions", Summary: "Decisions that stand: what was taken, deferred until when, rejected why",
		Description: "Whoever is limited to accounts sees those that speak of their accounts alone.",
	})), func(ctx context.Context, in *struct {
		Status  decision.Status  `query:"status" enum:"reopened,waiting,settled"`
		Verdict decision.Verdict `query:"verdict" enum:"taken,deferred,rejected"`
		About   string           `query:"about" maxLength:"8000" doc:"the key of an advice, a finding or a case"`
	}) (*all, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("decisions")
		}
		found, err := rooms.Triage.Store.Decisions(ctx)
		if err != nil {
			return nil, rooms.failure(err)
		}
		found = slices.DeleteFunc(found, func(d decision.Decision) bool {
			return in.Verdict != "" && d.Verdict != in.Verdict || in.About != "" && !d.IsAbout(in.About)
		})
		v := ViewDecisions(found, rooms.Now(), rooms.readings(ctx))
		if in.Status != "" {
			v.Decisions = slices.DeleteFunc(v.Decisions, func(d StandingDecision) bool { return d.Status != in.Status })
			if in.Status != decision.Reopened {
				v.Reopened = 0
			}
		}
		return &all{v}, nil
	})
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-decision", Method: http.MethodGet, Path: "/api/decisions/{id}", Summary: "One decision",
	})), func(ctx context.Context, in *struct {
		ID string `path:"id"`
	}) (*tagged[StandingDecision], error) {
		d, err := rooms.standingDecision(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return rooms.standingView(ctx, d), nil
	})
}

// standingDecision gives one that who asks may see.
func (r Rooms) standingDecision(ctx context.Context, id string) (decision.Decision, error) {
	if r.Triage.Store == nil {
		return decision.Decision{}, absent("decisions")
	}
	d, err := r.Triage.Store.Decision(ctx, id)
	return d, r.wronged(err)
}

// setStanding keeps d and gives it back as it is kept.
func (r Rooms) setStanding(ctx context.Context, d decision.Decision, note string) (*tagged[StandingDecision], error) {
	d, err := r.Triage.Store.PutDecision(ctx, d, r.edit(ctx, note))
	if err != nil {
		return nil, r.wronged(err)
	}
	return r.standingView(ctx, d), nil
}

func putStanding(a huma.API, rooms Rooms, lock *changing) {
	huma.Register(a, need(people.Analyst, within(huma.Operation{
		OperationID: "add-decision", Method: http.MethodPost, Path: "/api/decisions/new", Summary: "Decide, and say what would reopen it", DefaultStatus: http.StatusCreated,
		Description: "Of whoever is limited to accounts it is about these.",
	})), func(ctx context.Context, in *struct{ Body StandingAsked }) (*tagged[StandingDecision], error) {
		if rooms.Triage.Store == nil {
			return nil, absent("decisions")
		}
		d := decision.Decision{ID: newID("dec")}
		if err := in.Body.put(ctx, rooms, &d); err != nil {
			return nil, rooms.unfilled(err)
		}
		return rooms.setStanding(ctx, d, in.Body.Note)
	})
	huma.Register(a, need(people.Analyst, within(huma.Operation{
		OperationID: "change-decision", Method: http.MethodPut, Path: "/api/decisions/{id}", Summary: "Decide again",
		Description: "It replaces all but what a vendor was asked. Another verdict answers what reopened it, and so does another day or limit in the place of the one that did.",
	})), func(ctx context.Context, in *struct {
		ID string `path:"id"`
		Conditional
		Body StandingAsked
	}) (*tagged[StandingDecision], error) {
		return rooms.changeStanding(ctx, lock, in.ID, in.Conditional, in.Body.Note, func(d *decision.Decision) error { return in.Body.put(ctx, rooms, d) })
	})
}

// changeStanding changes a decision that is as the caller has seen it, keeps it and
// gives it back as it is kept. Two at once come one after the other: the later sees
// what the earlier made of it.
func (r Rooms) changeStanding(ctx context.Context, lock *changing, id string, seen Conditional, note string, change func(*decision.Decision) error) (*tagged[StandingDecision], error) {
	lock.Lock()
	defer lock.Unlock()
	d, err := r.standingDecision(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := seen.fresh([]any{d.ID, d.Version}); err != nil {
		return nil, err
	}
	if err := change(&d); err != nil {
		return nil, r.unfilled(err)
	}
	return r.setStanding(ctx, d, note)
}

// unfilled turns an error of who changes a decision into an answer.
func (r Rooms) unfilled(err error) error {
	if said, ok := err.(huma.StatusError); ok {
		return said
	}
	return r.wronged(err)
}

// StandingNamed is a decision as what it is about names it.
type StandingNamed struct {
	ID      string           `json:"id"`
	Title   say.Text         `json:"title"`
	Verdict decision.Verdict `json:"verdict" enum:"taken,deferred,rejected"`
	Status  decision.Status  `json:"status" enum:"reopened,waiting,settled"`
	Revisit string           `json:"revisit" doc:"empty: no day"`
}

// standingAbout are the decisions about any of keys that who asks may see.
func (r Rooms) standingAbout(ctx context.Context, keys ...string) ([]StandingNamed, error) {
	if r.Triage.Store == nil {
		return nil, nil
	}
	all, err := r.Triage.Store.Decisions(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(d decision.Decision) bool { return !slices.ContainsFunc(keys, d.IsAbout) })
	var out []StandingNamed
	for _, v := range ViewDecisions(all, r.Now(), r.readings(ctx)).Decisions {
		out = append(out, StandingNamed{v.ID, v.Title, v.Verdict, v.Status, v.Revisit})
	}
	return out, nil
}
