package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/detect/anomaly"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/detect/denials"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/lake/local"
)

func (p *program) huntAnomalies() *cobra.Command {
	h := anomalyHunt{program: p}
	var during period
	c := &cobra.Command{
		Use: "hunt", Short: "Look for unusual use of secrets and keys, and for runs of denials, in what is stored", Args: cobra.NoArgs,
		Long: `Hunt judges the stored use of secrets and keys hour by hour, each hour by what was
learned of the days before it: how often, when, by what sort of caller, in which
company, with how many failures, by whom in the console, from which region. It is
what ingest and serve do as logs arrive, over the past: because the budget or the
calendar changed, or to see what would have been found.

It also judges runs of denials by policies of the organisation in Google Cloud and
Azure, and says who it probably was where the records name nobody.

From --since on it keeps what it finds in place of what it had said of those hours,
so that hunting twice changes nothing. It learns from everything stored, however
far back it looks. Hours without any record of an account are not judged.`,
		Example: "  yagura hunt --since 60d\n  yagura hunt --since 30d --calendar changes.ics --dry-run\n  yagura hunt --since 60d --budget 5",
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if given := c.Flags().Changed("budget"); given && !(h.budget > 0 && h.budget <= 1000) {
				return wrong("--budget %v: it is more than 0 and at most 1000 alerts a day and 1,000 secrets", h.budget)
			}
			if h.limit < 0 {
				return wrong("--limit %d: it is not negative", h.limit)
			}
			if h.since, h.until, err = during.times(p.now()); err != nil {
				return err
			}
			return h.run(c.Context())
		},
	}
	during.flags(c)
	flags := c.Flags()
	flags.Float64Var(&h.budget, "budget", 0, "alerts by chance that are worth having, a day and 1,000 secrets and keys (default: the configuration's, 1)")
	flags.StringArrayVar(&h.calendars, "calendar", nil, "a file of planned work, iCalendar or JSON, besides the configured ones; may be repeated")
	flags.BoolVar(&h.dry, "dry-run", false, "show what would be found and keep nothing")
	flags.IntVar(&h.limit, "limit", 20, "findings that a table shows, most pressing first; 0: all")
	flags.StringSliceVar(&h.without, "without", nil, "context, peers, shrinkage or tail: judge without it, to see what it is good for")
	return c
}

// anomalyHunt is one run of the command.
type anomalyHunt struct {
	*program
	budget       float64
	calendars    []string
	without      []string
	dry          bool
	limit        int
	since, until time.Time // zero: open
}

// AnomalyReport is the JSON of `hunt`.
type AnomalyReport struct {
	Since     time.Time     `json:"since"`
	Until     time.Time     `json:"until"` // the first hour not judged yet
	Hours     int64         `json:"hours"`
	OpenHours int           `json:"open_hours"` // of which the log is not complete yet
	LogEnds   time.Time     `json:"log_ends"`   // the latest stored event
	Secrets   int           `json:"secrets"`    // and keys that were ever used
	Budget    float64       `json:"budget"`
	Findings  []api.Finding `json:"findings"`
	Explained int           `json:"explained"` // of them
	anomaly.State
	StateBytes  int64             `json:"state_bytes"`
	StateBySign map[string]int    `json:"state_by_sign"` // bytes; names: of what is watched and how long
	Recorded    bool              `json:"recorded"`
	Reopened    int               `json:"decisions_reopened"` // that came back just now: see `decision list`
	Seconds     float64           `json:"seconds"`
	folded      []finding.Finding // most pressing first
}

func (h *anomalyHunt) run(ctx context.Context) (err error) {
	how := writing
	if h.dry {
		how = asking
	}
	r, err := h.existing(ctx, how)
	if s, ok := served(h.dir); ok && errors.Is(err, local.ErrLocked) {
		return fmt.Errorf("%s is being served (process %d, %s), which hunts as logs arrive; what is found here can be kept only while nobody else writes: stop it first, or give --dry-run", h.dir, s.PID, s.URL)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	began := time.Now()
	o, err := h.options()
	if err != nil {
		return err
	}
	hunter := h.program.anomalies(r, o)
	stop := h.progress(func() string { return huntingDay(hunter.Progress()) })
	report, said, err := h.hunt(ctx, r, hunter)
	stop()
	if err != nil {
		return err
	}
	said = slices.DeleteFunc(said, func(s finding.Hunt) bool { return !s.Since.Before(s.Until) })
	if !h.dry && len(said) > 0 {
		seen, err := r.latestMark(ctx)
		if err != nil {
			return err
		}
		for _, s := range said {
			if err := r.triage.RecordHunt(ctx, s, seen); err != nil {
				return err
			}
		}
		report.Recorded = true
		h.assess(ctx, r)
	}
	if !h.dry {
		if report.Reopened, err = h.reopen(ctx, r); err != nil {
			return err
		}
	}
	report.Seconds = time.Since(began).Seconds()
	return h.print(report)
}

// options are the hunter's, by the flags.
func (h *anomalyHunt) options() (o anomaly.Options, err error) {
	files := append(append([]string{}, h.cfg.Anomalies.Calendars...), h.calendars...)
	c := h.program.calendars(files)
	windows, err := c.load()
	if err != nil && len(windows) == 0 {
		return o, exit{exitUsage, fmt.Errorf("calendar: %w", err)}
	}
	if err != nil { // one event loses nothing but itself
		h.warn("calendar: %v", err)
	}
	o.Windows = func() []finding.Window { return windows }
	o.Budget = h.budget
	var s anomaly.SignOptions
	for _, w := range h.without {
		switch w {
		case "context":
			s.NoContext = true
		case "peers":
			s.NoPeers = true
		case "shrinkage":
			s.NoShrinkage = true
		case "tail":
			o.Nominal = true
		default:
			return o, wrong("--without %s: it is one of context, peers, shrinkage, tail", w)
		}
	}
	o.Signs = func() []watch.Sign { return anomaly.Signs(s) }
	return o, nil
}

// hunt looks at the period, as far as the log is complete: for anomalies, then
// for runs of denials.
func (h *anomalyHunt) hunt(ctx context.Context, r *rooms, hunter *anomaly.Hunter) (AnomalyReport, []finding.Hunt, error) {
	report := AnomalyReport{Budget: h.budget, Findings: []api.Finding{}, State: anomaly.State{Maturity: []anomaly.Maturity{}, Calibration: []anomaly.Calibration{}}}
	if report.Budget == 0 {
		report.Budget = h.cfg.Anomalies.Budget
	}
	now, err := r.latest(ctx)
	if err != nil || now.IsZero() {
		return report, nil, err
	}
	if real := h.now(); now.After(real) {
		now = real
	}
	report.LogEnds = now
	since, until := h.since, finding.Hour(now).Add(time.Hour)
	first, err := r.earliest(ctx)
	if err != nil {
		return report, nil, err
	}
	if since.Before(first) {
		since = first
	}
	if horizon, err := r.lake.Horizon(); err != nil {
		return report, nil, err
	} else if since.Before(horizon) {
		h.warn("the events before %s are not held any more: what was found of that time stays", stamp(horizon))
		since = horizon
	}
	since = finding.Hour(since)
	if !since.Before(until) {
		return report, nil, nil
	}
	said, err := hunter.Hunt(ctx, anomaly.Name, since, until, now)
	if err != nil {
		return report, nil, err
	}
	refused, err := h.program.denials(r).Hunt(ctx, denials.Name, since, until, now)
	if err != nil {
		return report, nil, err
	}
	said, refused = h.within(said), h.within(refused)
	report.Since, report.Until = said.Since, said.Until
	if len(said.Again) > 0 {
		report.Until = said.Again[0]
	}
	report.Hours, report.OpenHours = int64(report.Until.Sub(said.Since)/time.Hour), len(said.Again)
	report.Secrets, report.StateBytes = hunter.Progress().Secrets, hunter.Progress().Bytes
	report.State = hunter.State()
	report.StateBySign, _ = hunter.Bytes()
	report.folded = folded(slices.Concat(said.Occurrences, refused.Occurrences))
	for _, f := range report.folded {
		if len(f.Explained) > 0 {
			report.Explained++
		}
		report.Findings = append(report.Findings, api.ViewFinding(f))
	}
	return report, []finding.Hunt{said, refused}, nil
}

// within is what was said up to --until: what is later stays as it was.
func (h *anomalyHunt) within(said finding.Hunt) finding.Hunt {
	if h.until.IsZero() || !finding.Hour(h.until).Before(said.Until) {
		return said
	}
	said.Until = finding.Hour(h.until)
	before := func(t time.Time) bool { return t.Before(said.Until) }
	said.Occurrences = slices.DeleteFunc(said.Occurrences, func(o finding.Occurrence) bool { return !before(o.Since) })
	said.Again = slices.DeleteFunc(said.Again, func(t time.Time) bool { return !before(t) })
	said.Notes = slices.DeleteFunc(said.Notes, func(n finding.Note) bool { return !before(n.Day.AddDate(0, 0, 1).Add(-1)) })
	return said
}

func (h *anomalyHunt) print(r AnomalyReport) error {
	switch h.flags.format {
	case "json", "jsonl":
		return h.printJSON(r)
	case "csv":
		return h.tableOfFindings(r.folded, "")
	}
	shown := r.folded
	if h.limit > 0 && len(shown) > h.limit {
		shown = shown[:h.limit]
	}
	h.listed(shown)
	if r.Reopened > 0 {
		fmt.Fprintf(h.stdout, "%s: `yagura decision list --status reopened`\n\n", many(int64(r.Reopened), "decision came back", "decisions came back"))
	}
	if left := len(r.folded) - len(shown); left > 0 {
		fmt.Fprintf(h.stdout, "and %s: --limit 0 shows all\n\n", many(int64(left), "more finding", "more findings"))
	}
	if r.Hours == 0 {
		_, err := fmt.Fprintf(h.stdout, "Nothing was judged: the log ends at %s, and an hour is judged when the log goes on for 20 minutes after it. (--now sets what --since is counted from.)\n", stamp(r.LogEnds))
		return err
	}
	var rows [][]string
	for _, m := range r.Maturity {
		rows = append(rows, []string{m.Sign, m.About, number(int64(m.Learned)), number(int64(m.Learning)), learning(m)})
	}
	if err := h.printTable([]string{"sign", "of", "learned", "learning", "needs"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(h.stdout, "\n%s of %s to %s judged in %.1f s: %s, %d of them accounted for. Budget: %s alerts by chance a day and 1,000 secrets and keys; %s are watched.\n",
		many(r.Hours, "hour", "hours"), stamp(r.Since), stamp(r.Until), r.Seconds, many(int64(len(r.folded)), "finding", "findings"), r.Explained,
		small(r.Budget), number(int64(r.Secrets)))
	if r.OpenHours > 0 {
		fmt.Fprintf(h.stdout, "From %s on hours wait for the log to go on: it ends at %s.\n", stamp(r.Until), stamp(r.LogEnds))
	}
	switch {
	case !r.Recorded:
		fmt.Fprintln(h.stdout, "Nothing was kept.")
	case len(h.without) > 0:
		fmt.Fprintf(h.stdout, "What was kept was judged without %s: hunt again without that flag to put it right.\n", strings.Join(h.without, ", "))
	}
	return nil
}

// learning says what a sign still waits for.
func learning(m anomaly.Maturity) string {
	needs := many(int64(m.Days), "day", "days")
	if m.Calls > 0 {
		needs += " and " + many(m.Calls, "call", "calls")
	}
	if m.Missing > 0 && m.Learned == 0 {
		needs += fmt.Sprintf("; no alert yet: %s to go", many(int64(m.Missing), "day", "days"))
	}
	return needs
}
