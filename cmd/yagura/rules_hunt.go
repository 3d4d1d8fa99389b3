package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/detect/about"
	"github.com/yagura-sec/yagura/detect/correlate"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/instant"
	"github.com/yagura-sec/yagura/lake/local"
	"github.com/yagura-sec/yagura/pipeline"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

func (p *program) rulesHunt() *cobra.Command {
	var during period
	var record bool
	var limit int
	var extra []string
	c := &cobra.Command{
		Use: "hunt RULE...", Short: "Hold rules and correlations against what is stored", Args: cobra.MinimumNArgs(1),
		Long: `Hunt runs rules over stored events: before a rule is put to work, or because it
was added after the events came. RULE is the id, name, title or file name (without
.yml) of a rule that is built in or configured, or a file or folder of rules.

It shows what would be found and how much noise it would be, and changes nothing.
With --record the findings are kept: they take the place of what the rule has said
of those days so far, so recording again doubles nothing. Whole UTC days are
recorded.`,
		Example: `  yagura rules hunt my-rule.yml --since 30d
  yagura rules hunt secrets-swept --since 90d --format json
  yagura rules hunt ./new-rules --since 7d --record`,
		RunE: func(c *cobra.Command, args []string) error {
			if limit < 0 {
				return wrong("--limit %d: it is not negative", limit)
			}
			since, until, err := during.times(p.now())
			if err != nil {
				return err
			}
			return p.hunt(c.Context(), args, extra, since, until, limit, record)
		},
	}
	during.flags(c)
	c.Flags().BoolVar(&record, "record", false, "keep what is found")
	c.Flags().IntVar(&limit, "limit", 20, "findings that a table shows, most pressing first; 0: all")
	c.Flags().StringArrayVar(&extra, "rules", nil, "a folder of Sigma rules besides our own, to look RULE up in; may be repeated")
	return c
}

// HuntedRule is what a hunt says of one rule.
type HuntedRule struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	Kind      string `json:"kind"` // rule or correlation
	Severity  string `json:"severity"`
	LogSource string `json:"log_source"`
	// LogEvents is how many events of its log sources are stored of the period:
	// where there are none, that nothing was found says nothing.
	LogEvents int64 `json:"log_events"`
	Matches   int64 `json:"matches"` // events
	Findings  int   `json:"findings"`
	Days      int   `json:"days"` // with a match
	// DemotedDays are those on which the rule would be a counter.
	DemotedDays int `json:"demoted_days"`
	// Cut is how many matches are in no finding because there were too many.
	Cut int64 `json:"cut"`
	// Open are hours of which the log does not reach far enough yet.
	Open int `json:"open_hours"`
}

// HuntReport is the JSON of `rules hunt`.
type HuntReport struct {
	Rules      []HuntedRule      `json:"rules"`
	Findings   []api.Finding     `json:"findings"`
	Candidates int64             `json:"candidates"` // events that were looked at for rules
	Hours      int64             `json:"hours"`      // that were looked at for correlations
	Unread     int64             `json:"unread"`     // of them, without a record that can be read
	Seconds    float64           `json:"seconds"`
	Recorded   bool              `json:"recorded"`
	hunts      []finding.Hunt    // to record
	folded     []finding.Finding // most pressing first
}

// chosen is what is to be hunted for.
type chosen struct {
	sigma.Documents
	// all is what correlations may refer to: the files named, and what is known.
	all sigma.Documents
}

// hunting is one run of the command.
type hunting struct {
	*program
	rooms        *rooms
	since, until time.Time        // zero: open, unless the hunt is recorded
	limit        int              // of findings that a table shows; 0: all
	stored       map[string]int64 // events of the period by format
	report       HuntReport
}

func (p *program) hunt(ctx context.Context, names, extra []string, since, until time.Time, limit int, record bool) (err error) {
	if err := p.rulesThere(extra); err != nil {
		return err
	}
	what, err := p.choose(names, extra)
	if err != nil {
		return err
	}
	how := asking
	if record {
		how = writing
	}
	r, err := p.existing(ctx, how)
	if s, ok := served(p.dir); ok && errors.Is(err, local.ErrLocked) {
		return fmt.Errorf("%s is being served (process %d, %s), and what is found can be kept only while nobody else writes: stop it first, or hunt without --record", p.dir, s.PID, s.URL)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	h := &hunting{program: p, rooms: r, since: since, until: until, limit: limit, stored: map[string]int64{}}
	h.report.Rules, h.report.Findings = []HuntedRule{}, []api.Finding{}
	began := time.Now()
	if err := h.bounds(ctx, record); err != nil {
		return err
	}
	if err := h.rules(ctx, what); err != nil {
		return err
	}
	if err := h.correlations(ctx, what); err != nil {
		return err
	}
	if record {
		if err := h.record(ctx); err != nil {
			return err
		}
	}
	h.report.Seconds = time.Since(began).Seconds()
	return h.print()
}

// choose finds the rules that names mean, among the configured ones or in files.
func (p *program) choose(names, extra []string) (chosen, error) {
	known, refused := catalogue.Documents(p.cfg.Rules, extra)
	out := chosen{}
	for _, name := range names {
		some := named(known, name)
		if len(some.Rules)+len(some.Correlations) == 0 {
			if !there(name) {
				return out, wrong("%s is no rule that is known (`yagura rules list` shows them), nor a file or folder", name)
			}
			docs, errs := sigma.LoadPath(name)
			refused = append(refused, errs...)
			out.all.Add(docs)
			some = docs
		}
		out.Add(some)
	}
	out.all.Add(known)
	unique(&out.Documents)
	unique(&out.all)
	out.Filters = out.all.Filters
	p.refused(plain(refused))
	if len(out.Rules)+len(out.Correlations) == 0 {
		return out, wrong("%s: no rule in there can be used", strings.Join(names, ", "))
	}
	return out, nil
}

func plain[E error](refused []E) (out []error) {
	for _, e := range refused {
		out = append(out, e)
	}
	return out
}

// named gives the rules and correlations of that id, name, title or file.
func named(known sigma.Documents, name string) (out sigma.Documents) {
	is := func(m *sigma.Meta) bool {
		return name == m.ID || name == m.Name || strings.EqualFold(name, m.Title)
	}
	file := func(m *sigma.Meta) bool { return name == strings.TrimSuffix(path.Base(m.File), path.Ext(m.File)) }
	for _, r := range known.Rules {
		if is(&r.Meta) || file(&r.Meta) && !beside(known, &r.Meta) {
			out.Rules = append(out.Rules, r)
		}
	}
	for _, c := range known.Correlations {
		if is(&c.Meta) || file(&c.Meta) {
			out.Correlations = append(out.Correlations, c)
		}
	}
	return out
}

// beside tells whether the rule stands in a file of correlations, which it is
// part of.
func beside(known sigma.Documents, m *sigma.Meta) bool {
	return slices.ContainsFunc(known.Correlations, func(c *sigma.Correlation) bool { return c.File == m.File })
}

// unique keeps the first document of each id: a file that is named goes before
// the one that is built in.
func unique(d *sigma.Documents) {
	met := map[string]bool{}
	again := func(m *sigma.Meta) bool {
		was := met[m.Key()]
		met[m.Key()] = true
		return was
	}
	d.Rules = slices.DeleteFunc(d.Rules, func(r *sigma.Rule) bool { return again(&r.Meta) })
	d.Correlations = slices.DeleteFunc(d.Correlations, func(c *sigma.Correlation) bool { return again(&c.Meta) })
}

// bounds makes the period of a hunt that is recorded one of whole days.
func (h *hunting) bounds(ctx context.Context, record bool) error {
	if !record {
		return nil
	}
	var err error
	if h.since.IsZero() {
		if h.since, err = h.rooms.earliest(ctx); err != nil {
			return err
		}
	}
	if h.until.IsZero() {
		if h.until, err = h.rooms.latest(ctx); err != nil {
			return err
		}
		h.until = h.until.Add(time.Nanosecond) // with that event, be it the first of its day
	}
	h.since = finding.Day(h.since)
	if day := finding.Day(h.until); day.Before(h.until) || !h.since.Before(day) {
		h.until = day.AddDate(0, 0, 1)
	}
	return h.held()
}

// held leaves out the days whose events retention has dropped: nobody can look at
// them again, so what was found of them stays.
func (h *hunting) held() error {
	horizon, err := h.rooms.lake.Horizon()
	if err != nil || !h.since.Before(horizon) {
		return err
	}
	if !horizon.Before(h.until) {
		return wrong("the events before %s are not held any more: there is nothing to hunt in that time", stamp(horizon))
	}
	h.warn("the events before %s are not held any more: what was found of that time stays", stamp(horizon))
	h.since = finding.Day(horizon)
	if h.since.Before(horizon) {
		h.since = h.since.AddDate(0, 0, 1)
	}
	return nil
}

// rules hunts for the rules of one event.
func (h *hunting) rules(ctx context.Context, what chosen) error {
	alone := sigma.Documents{Filters: what.Filters}
	for _, r := range what.Rules {
		if !serves(what.Correlations, &r.Meta) {
			alone.Rules = append(alone.Rules, r)
		}
	}
	sources := map[string]sigma.LogSource{}
	for _, r := range alone.Rules {
		sources[r.Key()] = r.LogSource
	}
	d, refused := rule.New(alone, h.ruleOptions)
	h.refused(plain(refused))
	var latest atomic.Pointer[stored.Progress]
	stop := h.progress(func() string {
		if s := latest.Load(); s != nil {
			return fmt.Sprintf("%s events looked at, %s matched", number(s.Candidates), number(s.Matched))
		}
		return "hunting"
	})
	found, looked, err := d.Hunt(ctx, rule.Hunting{
		Source: h.rooms.history(), Since: h.since, Until: h.until,
		Progress: func(s stored.Progress) { latest.Store(&s) },
	})
	stop()
	if err != nil {
		return err
	}
	h.report.Candidates += looked.Candidates
	h.report.Unread += looked.Unread
	for _, f := range found {
		row := HuntedRule{ID: f.Rule.Key, Title: f.Rule.Title, Kind: string(finding.KindRule), Severity: string(f.Rule.Severity), Cut: f.Cut}
		for _, m := range f.Matches {
			row.Matches += m.Matches
			row.Days++
			row.LogSource = m.LogSource
		}
		if row.DemotedDays, err = h.noisy(ctx, f.Matches); err != nil {
			return err
		}
		if row.LogEvents, err = h.logEvents(ctx, sources[f.Rule.Key]); err != nil {
			return err
		}
		h.add(row, finding.Hunt{Hunter: rule.Hunter(f.Rule.Key), Rule: f.Rule.Key, Occurrences: f.Occurrences, Matches: f.Matches})
	}
	return nil
}

// needed is the correlations that were chosen with all that they rest on: what
// is read of the log is what these rules ask for.
func (c chosen) needed() sigma.Documents {
	out := sigma.Documents{Correlations: slices.Clone(c.Correlations), Filters: c.all.Filters}
	for i := 0; i < len(out.Correlations); i++ { // it grows on the way
		for _, x := range c.all.Correlations {
			if out.Correlations[i].Refers(&x.Meta) && !slices.Contains(out.Correlations, x) {
				out.Correlations = append(out.Correlations, x)
			}
		}
	}
	for _, r := range c.all.Rules {
		if slices.ContainsFunc(out.Correlations, func(x *sigma.Correlation) bool { return x.Refers(&r.Meta) }) {
			out.Rules = append(out.Rules, r)
		}
	}
	return out
}

// serves tells whether a rule is there for one of the correlations and finds
// nothing by itself.
func serves(correlations []*sigma.Correlation, m *sigma.Meta) bool {
	return slices.ContainsFunc(correlations, func(c *sigma.Correlation) bool {
		return !c.Generate && c.Refers(m)
	})
}

// huntSlice is how much is hunted through at a time. All correlations look at it
// in one pass, which begins and ends as far outside as they reach, some days.
const huntSlice = 30 * 24 * time.Hour

// correlations hunts for those over several events.
func (h *hunting) correlations(ctx context.Context, what chosen) error {
	if len(what.Correlations) == 0 {
		return nil
	}
	d, refused := rule.New(what.needed(), h.ruleOptions)
	h.refused(plain(refused))
	hunter := correlate.New(d, h.rooms.history(), correlate.Options{Hits: -1})
	since, until, complete, err := h.reach(ctx)
	if err != nil {
		return err
	}
	h.report.Hours = int64(until.Sub(since) / time.Hour)
	able := hunter.Hunters()
	var hunted []int // of the correlations: not those refused, or there only for others
	for i, c := range what.Correlations {
		if slices.Contains(able, rule.Hunter(c.Key())) {
			hunted = append(hunted, i)
		}
	}
	var at atomic.Int64
	stop := h.progress(func() string {
		return "correlating " + stamp(since.Add(time.Duration(at.Load())))
	})
	defer stop()
	hunts := make([]finding.Hunt, len(what.Correlations))
	for from := since; from.Before(until) && len(hunted) > 0; from = from.Add(huntSlice) {
		at.Store(int64(from.Sub(since)))
		to := instant.Earlier(from.Add(huntSlice), until)
		var looks []detect.Look
		for _, i := range hunted {
			looks = append(looks, detect.Look{Hunter: rule.Hunter(what.Correlations[i].Key()), Since: from, Until: to})
		}
		found, err := hunter.HuntTogether(ctx, looks, complete)
		if err != nil {
			return err
		}
		for k, i := range hunted {
			hunts[i].Occurrences = append(hunts[i].Occurrences, found[k].Occurrences...)
			hunts[i].Again = append(hunts[i].Again, found[k].Again...)
		}
	}
	for _, i := range hunted {
		c := what.Correlations[i]
		hunts[i].Hunter = rule.Hunter(c.Key())
		row := correlated(c, hunts[i].Occurrences)
		var logs []sigma.LogSource
		for _, x := range d.Plan().Correlations {
			if x.Key() == c.Key() {
				for _, b := range x.Bases {
					logs = append(logs, b.Rule.LogSource)
				}
			}
		}
		if row.LogEvents, err = h.logEvents(ctx, logs...); err != nil {
			return err
		}
		h.add(row, hunts[i])
	}
	return nil
}

// correlated tells of what hunting for a correlation found.
func correlated(c *sigma.Correlation, found []finding.Occurrence) HuntedRule {
	of := about.Of(&c.Meta)
	row := HuntedRule{ID: of.Key, Title: of.Title, Kind: string(finding.KindCorrelation), Severity: string(of.Severity)}
	days := map[time.Time]bool{}
	for _, o := range found {
		row.Matches += o.Count
		row.LogSource = o.LogSource
		days[finding.Day(o.Since)] = true
	}
	row.Days = len(days)
	return row
}

// reach is what there is to hunt through in whole hours, and up to when the log
// may be taken to be complete.
func (h *hunting) reach(ctx context.Context) (since, until, complete time.Time, err error) {
	first, err := h.rooms.earliest(ctx)
	if err != nil {
		return since, until, complete, err
	}
	last, err := h.rooms.latest(ctx)
	if err != nil {
		return since, until, complete, err
	}
	since, until = h.since, h.until
	if since.Before(first) {
		since = first
	}
	if until.IsZero() || until.After(last) {
		until = last.Add(time.Nanosecond)
	}
	since = finding.Hour(since)
	if hour := finding.Hour(until); hour.Before(until) {
		until = hour.Add(time.Hour)
	}
	complete = last.Add(-pipeline.DefaultLateness)
	if now := h.now(); now.Before(complete) {
		complete = now
	}
	return since, until, complete, nil
}

// logEvents counts the stored events of the period that belong to one of the log
// sources.
func (h *hunting) logEvents(ctx context.Context, logs ...sigma.LogSource) (sum int64, err error) {
	for format, source := range rule.Sources {
		if !slices.ContainsFunc(logs, func(l sigma.LogSource) bool { return covered(l, source) }) {
			continue
		}
		n, counted := h.stored[format]
		if !counted {
			n, err = h.rooms.lake.Count(ctx, query.Query{Where: query.Eq{Field: "format", Value: format}, Since: h.since, Until: h.until})
			if err != nil {
				return 0, err
			}
			h.stored[format] = n
		}
		sum += n
	}
	return sum, nil
}

// noisy counts the days on which a rule would be a counter.
func (h *hunting) noisy(ctx context.Context, matches []finding.MatchCount) (days int, err error) {
	for _, m := range matches {
		if m.Matches < finding.DemoteMatches {
			continue
		}
		var of query.Or
		for format, source := range rule.Sources {
			if nameOf(source) == m.LogSource {
				of.X = append(of.X, query.Eq{Field: "format", Value: format})
			}
		}
		n, err := h.rooms.lake.Count(ctx, query.Query{Where: of, Since: m.Day, Until: m.Day.AddDate(0, 0, 1)})
		if err != nil {
			return days, err
		}
		if (finding.Tally{Matches: m.Matches, Events: n}).Demoted() {
			days++
		}
	}
	return days, nil
}

// nameOf is a log source as counts name it.
func nameOf(s match.Source) string {
	return sigma.LogSource{Category: s.Category, Product: s.Product, Service: s.Service}.String()
}

// add puts what a hunt found into the report.
func (h *hunting) add(row HuntedRule, hunt finding.Hunt) {
	found := folded(hunt.Occurrences)
	h.report.folded = append(h.report.folded, found...)
	row.Findings, row.Open = len(found), len(hunt.Again)
	h.report.Rules = append(h.report.Rules, row)
	h.report.hunts = append(h.report.hunts, hunt)
}

// record keeps what was found. Nobody else writes meanwhile: no batch is between
// being stored and being judged.
func (h *hunting) record(ctx context.Context) error {
	for _, row := range h.report.Rules {
		if row.Cut > 0 {
			return fmt.Errorf("%s finds too much to be kept: %s matches are in no finding; narrow the rule or the period", row.Title, number(row.Cut))
		}
	}
	seen, err := h.rooms.latestMark(ctx)
	if err != nil {
		return err
	}
	for _, hunt := range h.report.hunts {
		hunt.Since, hunt.Until = h.since, h.until
		if err := h.rooms.triage.RecordHunt(ctx, hunt, seen); err != nil {
			return err
		}
	}
	h.report.Recorded = true
	return nil
}

func (h *hunting) print() error {
	pressing(h.report.folded)
	if h.json() {
		for _, f := range h.report.folded {
			h.report.Findings = append(h.report.Findings, api.ViewFinding(f))
		}
		return h.printJSON(h.report)
	}
	if h.flags.format == "csv" {
		return h.tableOfFindings(h.report.folded, "")
	}
	shown := h.report.folded
	if h.limit > 0 && len(shown) > h.limit {
		shown = shown[:h.limit]
	}
	h.listed(shown)
	if left := len(h.report.folded) - len(shown); left > 0 {
		fmt.Fprintf(h.stdout, "and %s: --limit 0 shows all\n\n", many(int64(left), "more finding", "more findings"))
	}
	rows := make([][]string, 0, len(h.report.Rules))
	silent := 0
	for _, r := range h.report.Rules {
		if r.LogEvents == 0 {
			silent++
		}
		rows = append(rows, []string{r.Severity, number(r.Matches), number(int64(r.Findings)), fmt.Sprint(r.Days), noise(r), oneLine(r.Title)})
	}
	if err := h.printTable([]string{"severity", "events", "findings", "days", "noise", "rule"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(h.stdout, "\nHunted in %.1f s", h.report.Seconds)
	if h.report.Candidates > 0 {
		fmt.Fprintf(h.stdout, "; %s had to be read", many(h.report.Candidates, "event", "events"))
	}
	fmt.Fprintln(h.stdout, ".")
	if silent > 0 {
		fmt.Fprintf(h.stdout, "Of %s no log is stored for that time, so nothing is said about them.\n", many(int64(silent), "rule", "rules"))
	}
	if h.report.Recorded {
		_, err := fmt.Fprintf(h.stdout, "What was found from %s to %s is kept.\n", stamp(h.since), stamp(h.until))
		return err
	}
	_, err := fmt.Fprintln(h.stdout, "Nothing was kept: --record keeps it.")
	return err
}

// noise says what would keep a rule from being read.
func noise(r HuntedRule) string {
	var out []string
	if days := many(int64(r.DemotedDays), "day", "days"); r.DemotedDays > 0 && finding.Severity(r.Severity).NeverDemoted() {
		out = append(out, "too frequent on "+days+", and shown one by one nevertheless")
	} else if r.DemotedDays > 0 {
		out = append(out, "a counter on "+days)
	}
	if r.LogEvents == 0 {
		out = append(out, "no such log")
	}
	if r.Cut > 0 {
		out = append(out, fmt.Sprintf("%s events in no finding", number(r.Cut)))
	}
	if r.Open > 0 {
		out = append(out, fmt.Sprintf("%s not over yet", many(int64(r.Open), "hour", "hours")))
	}
	return strings.Join(out, ", ")
}
