package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/triage"
	"github.com/yagura-sec/yagura/usage/secrets"
)

// Today is what the page of that name answers.
type Today struct {
	Now           time.Time          `json:"now"`
	Since         time.Time          `json:"since" doc:"changes are told from here on"`
	Needs         []Finding          `json:"needs" doc:"what waits for a person, the most pressing first"`
	NeedsTotal    int                `json:"needs_total"`
	Explained     int                `json:"explained" doc:"findings that nobody has decided and that something accounts for"`
	Days          []DayCount         `json:"days" doc:"the last 14, the oldest first"`
	Changes       Changes            `json:"changes"`
	Windows       TodayWindows       `json:"windows"`
	Reopened      []StandingDecision `json:"reopened" doc:"decisions that came back, the latest first, at most 20"`
	ReopenedTotal int                `json:"reopened_total"`
	Proposals     int                `json:"proposals" doc:"exceptions and windows that wait for a responder"`
	Coverage      TodayCoverage      `json:"coverage"`
}

// DayCount is what became of findings on a UTC day.
type DayCount struct {
	Day       string `json:"day" example:"2026-11-21"`
	Made      int    `json:"made" doc:"first seen on the day"`
	Explained int    `json:"explained" doc:"of these, what something accounts for now"`
	Decided   int    `json:"decided" doc:"whose latest verdict or closing was given on the day"`
	Open      int    `json:"open" doc:"at the end of the day"`
}

// Changes are what is new since a time. Each list has at most 50, the latest
// first; what usage is not kept of is empty.
type Changes struct {
	Known      bool           `json:"known" doc:"false: usage was not summed yet, and nothing is known of changes"`
	Principals []NewPrincipal `json:"principals" doc:"first seen in the account since then"`
	Regions    []NewRegion    `json:"regions" doc:"first used in the account since then"`
	Resources  []NewResource  `json:"resources" doc:"secrets, keys, parameters and certificates first seen since then"`
	Quiet      []QuietSecret  `json:"quiet" doc:"those that were used on ten days or more and, since then, have not been used for a week"`
}

// NewPrincipal is one that was not there before.
type NewPrincipal struct {
	Actor     string    `json:"actor"`
	Account   string    `json:"account"`
	FirstSeen time.Time `json:"first_seen"`
}

// NewRegion is one in which an account was not active before.
type NewRegion struct {
	Region    string    `json:"region"`
	Account   string    `json:"account"`
	FirstSeen time.Time `json:"first_seen"`
}

// NewResource is a secret or key that was not there before.
type NewResource struct {
	Resource  string       `json:"resource"`
	Name      string       `json:"name"`
	Kind      secrets.Kind `json:"kind" enum:"secret,key,parameter,certificate"`
	Account   string       `json:"account"`
	FirstSeen time.Time    `json:"first_seen"`
}

// QuietSecret is one that is not used any more.
type QuietSecret struct {
	Resource string       `json:"resource"`
	Name     string       `json:"name"`
	Kind     secrets.Kind `json:"kind" enum:"secret,key,parameter,certificate"`
	Account  string       `json:"account"`
	LastUse  time.Time    `json:"last_use"`
}

// TodayWindows are those that matter now.
type TodayWindows struct {
	Open  []Window        `json:"open"`
	Next  []Window        `json:"next" doc:"those that begin within a week, the first ones"`
	Ended []WindowSummary `json:"ended" doc:"those that ended since then, summed up"`
}

// TodayCoverage is how much of the log there is to believe.
type TodayCoverage struct {
	Accounts  int           `json:"accounts"`
	Days      int           `json:"days"`
	Complete  int           `json:"complete" doc:"of accounts × days, those of which nothing is missing"`
	Late      int           `json:"late" doc:"those of which records may still come, such as today"`
	Partial   int           `json:"partial"`
	Missing   int           `json:"missing"`
	Unknown   int           `json:"unknown" doc:"before an account's first record, or behind its last"`
	Gaps      []TimelineGap `json:"gaps" doc:"of these days, the latest 50"`
	GapsTotal int           `json:"gaps_total"`
	LastEvent time.Time     `json:"last_event,omitzero" doc:"the latest record of any account; absent: there is none"`
}

const (
	todayNeeds  = 20
	todayDays   = 14
	todayMost   = 50 // of each list of changes, and gaps
	todayAhead  = 7 * 24 * time.Hour
	todayNext   = 5
	quietAfter  = 7 * 24 * time.Hour
	quietUsed   = 10  // days of use before it counts as gone quiet
	coveredDays = 14  // looked at for coverage
	oldestVisit = 366 // days; who was away longer is told of so many
)

// waiting chooses what waits for a person.
func waiting() triage.Filter {
	return triage.Filter{Status: openStatuses, Unexplained: true}
}

func today(a huma.API, rooms Rooms) {
	type told struct{ Body Today }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "today", Method: http.MethodGet, Path: "/api/today", Summary: "What needs a person, what has changed, and what there is to believe it by",
	})), func(ctx context.Context, in *struct {
		Since time.Time `query:"since" doc:"of changes, such as the end of the last visit; absent: a day ago"`
	}) (*told, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("decisions")
		}
		now := rooms.Now().UTC()
		t := Today{Now: now, Since: in.Since.UTC(), Days: []DayCount{}}
		if in.Since.IsZero() || !in.Since.Before(now) {
			t.Since = now.AddDate(0, 0, -1)
		}
		if oldest := now.AddDate(0, 0, -oldestVisit); t.Since.Before(oldest) {
			t.Since = oldest
		}
		for _, step := range []func(context.Context, *Today) error{rooms.todayFindings, rooms.todayReopened, rooms.todayWindows, rooms.todayChanges, rooms.todayCoverage} {
			if err := step(ctx, &t); err != nil {
				return nil, rooms.wronged(err)
			}
		}
		return &told{t}, nil
	})
}

// todayFindings tells what waits, and of the last days.
func (r Rooms) todayFindings(ctx context.Context, t *Today) error {
	needs := waiting()
	needs.Limit = todayNeeds
	page, _, err := r.Findings.List(ctx, needs)
	if err != nil {
		return err
	}
	t.Needs = ViewFindings(page, "").Findings
	if t.NeedsTotal, err = r.Triage.Store.Count(ctx, needs); err != nil {
		return err
	}
	explained := triage.Filter{Status: openStatuses, Scope: finding.ScopeOf(query.Eq{Field: "explained", Value: true})}
	if t.Explained, err = r.Triage.Store.Count(ctx, explained); err != nil {
		return err
	}
	days, err := r.Triage.Store.Days(ctx, triage.Filter{}, finding.Day(t.Now).AddDate(0, 0, 1-todayDays), finding.Day(t.Now).AddDate(0, 0, 1))
	for _, d := range days {
		t.Days = append(t.Days, DayCount{d.Day.Format(time.DateOnly), d.Made, d.Explained, d.Decided, d.Open})
	}
	return err
}

// todayReopened tells which decisions came back.
func (r Rooms) todayReopened(ctx context.Context, t *Today) error {
	t.Reopened = []StandingDecision{}
	all, err := r.Triage.Store.Decisions(ctx)
	if err != nil {
		return err
	}
	v := ViewDecisions(all, t.Now, r.readings(ctx)) // the reopened ones stand first
	t.ReopenedTotal = v.Reopened
	t.Reopened = v.Decisions[:min(v.Reopened, todayNeeds)]
	return nil
}

// todayWindows tells of planned work now, next and just over.
func (r Rooms) todayWindows(ctx context.Context, t *Today) error {
	t.Windows = TodayWindows{Open: []Window{}, Next: []Window{}}
	all, err := r.allWindows(ctx)
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, Sooner)
	for _, w := range all {
		if w.Phase == "open" {
			t.Windows.Open = append(t.Windows.Open, w)
		}
		soon := w.State == finding.WindowActive && w.Next != nil && w.Next.Start.Before(t.Now.Add(todayAhead))
		if soon && len(t.Windows.Next) < todayNext {
			t.Windows.Next = append(t.Windows.Next, w)
		}
	}
	if t.Windows.Ended, err = r.ended(ctx, t.Since, t.Now); err != nil {
		return err
	}
	proposed, err := r.allProposals(ctx)
	t.Proposals = len(proposed)
	return err
}

// todayChanges tells of who and what is new.
func (r Rooms) todayChanges(ctx context.Context, t *Today) error {
	c := Changes{Principals: []NewPrincipal{}, Regions: []NewRegion{}, Resources: []NewResource{}, Quiet: []QuietSecret{}}
	defer func() { t.Changes = c }()
	if r.Triage.Activity != nil {
		known, err := r.Triage.Activity(ctx)
		if err != nil {
			return err
		}
		c.Known = known != nil
		if known != nil {
			for _, x := range newest(ctx, known.Principals, t.Since) {
				c.Principals = append(c.Principals, NewPrincipal{x.Name, x.Account, x.At})
			}
			for _, x := range newest(ctx, known.Regions, t.Since) {
				c.Regions = append(c.Regions, NewRegion{x.Name, x.Account, x.At})
			}
			for account, at := range known.LastEvent {
				if sees(ctx, account) && at.After(t.Coverage.LastEvent) {
					t.Coverage.LastEvent = at
				}
			}
		}
	}
	if r.Console.Secrets == nil {
		return nil
	}
	known, err := r.Console.Secrets(ctx)
	if err != nil || known.Book == nil {
		return err
	}
	for i := range known.Book.Secrets {
		s := &known.Book.Secrets[i]
		if !sees(ctx, s.Account) {
			continue
		}
		if s.Confirmed && !s.First.Before(t.Since) {
			c.Resources = append(c.Resources, NewResource{s.Resource, s.Name, s.Kind, s.Account, s.First})
		}
		quiet := s.LastUse.Add(quietAfter)
		if s.UsedDays >= quietUsed && !quiet.Before(t.Since) && quiet.Before(known.Book.Until) {
			c.Quiet = append(c.Quiet, QuietSecret{s.Resource, s.Name, s.Kind, s.Account, s.LastUse})
		}
	}
	slices.SortFunc(c.Resources, func(a, b NewResource) int {
		return cmp.Or(b.FirstSeen.Compare(a.FirstSeen), cmp.Compare(a.Resource, b.Resource))
	})
	slices.SortFunc(c.Quiet, func(a, b QuietSecret) int {
		return cmp.Or(b.LastUse.Compare(a.LastUse), cmp.Compare(a.Resource, b.Resource))
	})
	c.Resources, c.Quiet = c.Resources[:min(len(c.Resources), todayMost)], c.Quiet[:min(len(c.Quiet), todayMost)]
	return nil
}

// newest are those that who asks may see and that were first seen since; all are
// in the order of the latest first.
func newest(ctx context.Context, all []FirstSight, since time.Time) (out []FirstSight) {
	for _, x := range all {
		if x.At.Before(since) || len(out) == todayMost {
			break
		}
		if sees(ctx, x.Account) {
			out = append(out, x)
		}
	}
	return out
}

// todayCoverage tells how whole the log is.
func (r Rooms) todayCoverage(ctx context.Context, t *Today) error {
	c := &t.Coverage
	c.Days, c.Gaps = coveredDays, []TimelineGap{}
	if r.Console.Days == nil {
		return nil
	}
	m, err := r.Console.Days(ctx, coveredDays)
	if err != nil {
		return err
	}
	c.Days = len(m.Days)
	for _, row := range m.Accounts {
		if !sees(ctx, row.Account) {
			continue
		}
		c.Accounts++
		for _, cell := range row.Cells {
			switch cell.State {
			case ledger.DayComplete:
				c.Complete++
			case ledger.DayLate:
				c.Late++
			case ledger.DayPartial:
				c.Partial++
			case ledger.DayMissing:
				c.Missing++
			default:
				c.Unknown++
			}
		}
	}
	if len(m.Days) == 0 {
		return nil
	}
	first, err := time.Parse(time.DateOnly, m.Days[0])
	if err != nil {
		return err
	}
	gaps, err := r.gapsOf(ctx, first, first.AddDate(0, 0, len(m.Days)), func(string) bool { return true })
	slices.SortFunc(gaps, func(a, b TimelineGap) int { return b.From.Compare(a.From) })
	c.GapsTotal, c.Gaps = len(gaps), gaps[:min(len(gaps), todayMost)]
	return err
}
