package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/dashboard"
	"github.com/yagura-sec/yagura/detect/anomaly/stat"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/lake/local"
)

func (p *program) dashboards() *cobra.Command {
	c := &cobra.Command{
		Use: "dashboards", Short: "Panels over saved queries, which mark what is unusual",
		Long: `A dashboard is a file of panels, each of which shows a saved query over a time and
marks what is unusual against the same hours of the weeks before. docs/dashboards.md
describes the files; folders of your own stand in the configuration under dashboards
and queries.`,
	}
	show := &cobra.Command{
		Use: "show ID", Short: "Tell what a dashboard shows", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return p.showDashboard(args[0]) },
	}
	c.AddCommand(&cobra.Command{
		Use: "list", Short: "List the dashboards: the program's and the configured ones", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.listDashboards() },
	}, show, p.runDashboardCommand())
	for _, x := range c.Commands()[:2] {
		x.Annotations = noData
	}
	return c
}

func (p *program) runDashboardCommand() *cobra.Command {
	var when period
	var params []string
	var panel string
	c := &cobra.Command{
		Use: "run ID", Short: "Answer a dashboard, all of it or one panel", Args: cobra.ExactArgs(1),
		Long: `Run answers every panel of a dashboard, or one of them, over the dashboard's own span
back from now unless --since and --until say otherwise. What is unusual is marked; a
panel whose log never came in says that nothing can be known.`,
		Example: "  yagura dashboards run gcp-audit --param account=harbour-ml --since 7d\n  yagura dashboards run gcp-audit --panel denials --format csv",
		RunE: func(c *cobra.Command, args []string) error {
			given, err := parameters(params)
			if err != nil {
				return err
			}
			since, until, err := when.times(p.now())
			if err != nil {
				return err
			}
			return p.runDashboard(c.Context(), args[0], panel, dashboard.Ask{Since: since, Until: until, Values: given, Now: p.now()})
		},
	}
	when.flags(c)
	c.Flags().StringArrayVar(&params, "param", nil, "a parameter's value, as name=value")
	c.Flags().StringVar(&panel, "panel", "", "this panel alone")
	return c
}

// parameters reads name=value.
func parameters(given []string) (map[string]string, error) {
	out := map[string]string{}
	for _, s := range given {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, wrong("--param %s: write name=value", s)
		}
		out[name] = value
	}
	return out, nil
}

// book is the program's queries and dashboards and the configured ones.
func (p *program) book() (*dashboard.Book, error) {
	b, refused := catalogue.Dashboards(p.cfg.Queries, p.cfg.Dashboards)
	if len(refused) > 0 {
		return nil, exit{exitUsage, errors.Join(plain(refused)...)}
	}
	return b, nil
}

// engine asks a lake what dashboards ask.
func engine(l *local.Store, limits config.SQL) dashboard.Engine {
	return dashboard.Engine{
		Sum: l.Sum,
		SQL: func(ctx context.Context, text string, values map[string]any, accounts []string) (dashboard.Table, error) {
			rows, err := l.SQL(ctx, text, lake.SQLOptions{
				Timeout: time.Duration(limits.Timeout), MaxRows: int64(limits.Rows), MaxBytes: int64(limits.Bytes), Values: values, Accounts: accounts,
			})
			if err != nil {
				return dashboard.Table{}, err
			}
			return tableOf(rows)
		},
		Judge: judge,
	}
}

// tableOf reads all of an answer.
func tableOf(rows lake.SQLRows) (t dashboard.Table, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for _, c := range rows.Columns() {
		t.Columns = append(t.Columns, c.Name)
	}
	for rows.Next() {
		t.Rows = append(t.Rows, slices.Clone(rows.Row()))
	}
	t.More = rows.Truncated()
	return t, rows.Err()
}

// judge holds counts against their past as anomalies are.
func judge(seen []float64, past [][]float64) []dashboard.Usual {
	var out []dashboard.Usual
	for _, e := range stat.Held(seen, past) {
		out = append(out, dashboard.Usual(e))
	}
	return out
}

// listedDashboard is a dashboard as list shows it.
type listedDashboard struct {
	ID      string         `json:"id"`
	Version int            `json:"version"`
	Title   dashboard.Text `json:"title"`
	Panels  int            `json:"panels"`
	File    string         `json:"file"`
}

func (p *program) listDashboards() error {
	b, err := p.book()
	if err != nil {
		return err
	}
	all := []listedDashboard{}
	for _, d := range b.Dashboards() {
		all = append(all, listedDashboard{d.ID, d.Version, d.Title, len(d.Panels), d.File})
	}
	if p.json() {
		return p.printJSON(all)
	}
	rows := make([][]string, len(all))
	for i, d := range all {
		rows[i] = []string{d.ID, fmt.Sprint(d.Version), d.Title.En, fmt.Sprint(d.Panels), d.File}
	}
	return p.printTable([]string{"id", "version", "title", "panels", "file"}, rows)
}

// dashboardOf finds one.
func dashboardOf(b *dashboard.Book, id string) (*dashboard.Dashboard, error) {
	if d, ok := b.Dashboard(id); ok {
		return d, nil
	}
	var ids []string
	for _, d := range b.Dashboards() {
		ids = append(ids, d.ID)
	}
	return nil, wrong("there is no dashboard %s: these there are: %s", id, strings.Join(ids, ", "))
}

func (p *program) showDashboard(id string) error {
	b, err := p.book()
	if err != nil {
		return err
	}
	d, err := dashboardOf(b, id)
	if err != nil {
		return err
	}
	if p.json() {
		return p.printJSON(d.View(b))
	}
	if p.flags.format == "csv" {
		return p.printTable([]string{"panel", "title", "shown as", "query"}, panelRows(b, d))
	}
	fmt.Fprintf(p.stdout, "%s, version %d\n%s\n", safe(d.Title.En), d.Version, safe(d.Description.En))
	for _, x := range d.Parameters {
		fmt.Fprintf(p.stdout, "--param %s=…  %s\n", x.Name, safe(x.Title.En))
	}
	fmt.Fprintln(p.stdout)
	return p.printTable([]string{"panel", "title", "shown as", "query"}, panelRows(b, d))
}

func panelRows(b *dashboard.Book, d *dashboard.Dashboard) (rows [][]string) {
	for _, x := range d.View(b).Panels {
		rows = append(rows, []string{x.ID, x.Title.En, x.Show, x.Query})
	}
	return rows
}

// answered is a panel with its answer, as run prints it.
type answered struct {
	dashboard.PanelView
	Answer dashboard.Answer `json:"answer"`
}

func (p *program) runDashboard(ctx context.Context, id, only string, ask dashboard.Ask) error {
	b, err := p.book()
	if err != nil {
		return err
	}
	d, err := dashboardOf(b, id)
	if err != nil {
		return err
	}
	if _, ok := d.Panel(only); only != "" && !ok {
		return wrong("dashboard %s has no panel %s", id, only)
	}
	r, err := p.read(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	ask = d.Settle(ask)
	e := engine(r.lake, p.cfg.SQL)
	var out []answered
	for _, v := range d.View(b).Panels {
		if only != "" && v.ID != only {
			continue
		}
		panel, _ := d.Panel(v.ID)
		a, err := e.Ask(ctx, b, d, panel, ask)
		if bad := (*dashboard.ValueError)(nil); errors.As(err, &bad) {
			return wrong("%v", err)
		}
		if err != nil {
			return fmt.Errorf("panel %s: %w", v.ID, err)
		}
		out = append(out, answered{v, a})
	}
	return p.printAnswers(d, out)
}

func (p *program) printAnswers(d *dashboard.Dashboard, all []answered) error {
	if p.json() {
		return p.printJSON(struct {
			ID      string     `json:"id"`
			Version int        `json:"version"`
			Panels  []answered `json:"panels"`
		}{d.ID, d.Version, all})
	}
	if p.flags.format == "csv" {
		var rows [][]string
		for _, a := range all {
			for _, row := range p.longRows(a.Answer) {
				rows = append(rows, append([]string{a.ID}, row...))
			}
		}
		return p.printTable([]string{"panel", "group", "time", "count", "usual_low", "usual_high", "unusual"}, rows)
	}
	for i, a := range all {
		if i > 0 {
			fmt.Fprintln(p.stdout)
		}
		fmt.Fprintf(p.stdout, "%s\n", safe(a.Title.En))
		if err := p.printAnswer(a.Answer); err != nil {
			return err
		}
	}
	return nil
}

// printAnswer prints a panel's answer as a table, with what is known of it.
func (p *program) printAnswer(a dashboard.Answer) error {
	if why := a.Unknown(); why != "" {
		fmt.Fprintf(p.stdout, "  %s\n", safe(why))
		if a.State == dashboard.NoLog {
			return nil
		}
	}
	if len(a.Series) == 0 && len(a.Rows) == 0 {
		fmt.Fprintln(p.stdout, "  nothing")
		return nil
	}
	marks := map[int][]string{}
	for _, m := range a.Marks {
		said := m.Said()
		if len(a.Series) > 0 {
			said = stamp(a.Start.Add(time.Duration(int64(m.Bucket)*a.Width)*time.Second)) + ": " + said
		}
		marks[m.Series] = append(marks[m.Series], said)
	}
	var head []string
	for _, c := range a.Columns {
		head = append(head, c.Name)
	}
	var rows [][]string
	if len(a.Series) > 0 {
		head = append(head, "count")
	}
	for i, s := range a.Series {
		rows = append(rows, append(groupCells(s, len(a.Columns)), p.count(s.Total), strings.Join(marks[i], "; ")))
	}
	for i, r := range a.Rows {
		rows = append(rows, append(p.rowCells(a.Columns, r), strings.Join(marks[i], "; ")))
	}
	if err := p.printTable(append(head, "unusual"), rows); err != nil {
		return err
	}
	if a.Past.State == dashboard.PastShort {
		fmt.Fprintf(p.stdout, "  nothing is marked: %s of past are known, %s are needed\n", many(int64(a.Past.Weeks), "week", "weeks"), many(int64(a.Past.Needs), "week", "weeks"))
	}
	return nil
}

func groupCells(s dashboard.Series, n int) []string {
	if s.Rest {
		return append([]string{"(other)"}, make([]string, max(0, n-1))...)[:n]
	}
	return slices.Clone(s.By)
}

// rowCells is a row as people read it: what groups that are not shown come to is
// named so, and a share is in percent. CSV has shares as they are.
func (p *program) rowCells(columns []dashboard.Heading, row []any) []string {
	cells := make([]string, len(row))
	named := slices.Contains(columns, dashboard.Heading{Name: "count", Type: "number"}) // else SQL says what nothing means
	rest := named
	for j, c := range columns {
		cells[j] = p.cell(row[j])
		switch share, ok := row[j].(float64); {
		case c.Type == "share" && ok && p.flags.format != "csv":
			cells[j] = fmt.Sprintf("%.1f %%", share*100)
		case c.Type == "text" && row[j] != nil:
			rest = false
		}
	}
	if !rest {
		return cells
	}
	other := "(other)"
	for j, c := range columns {
		if c.Type == "text" {
			cells[j], other = other, ""
		}
	}
	return cells
}

// longRows are an answer's counts one a row, for CSV.
func (p *program) longRows(a dashboard.Answer) (rows [][]string) {
	marked := map[[2]int]dashboard.Mark{}
	for _, m := range a.Marks {
		marked[[2]int{m.Series, m.Bucket}] = m
	}
	usual := func(series, bucket int) []string {
		m, ok := marked[[2]int{series, bucket}]
		if !ok {
			return []string{"", "", ""}
		}
		return []string{fmt.Sprint(m.Low), fmt.Sprint(m.High), fmt.Sprint(m.Score)}
	}
	for i, s := range a.Series {
		for b, n := range s.Counts {
			if n < 0 {
				continue // nothing is known
			}
			at := a.Start.Add(time.Duration(int64(b)*a.Width) * time.Second)
			rows = append(rows, append([]string{strings.Join(groupCells(s, max(1, len(a.Columns))), " "), p.when(at), p.count(n)}, usual(i, b)...))
		}
	}
	for i, r := range a.Rows {
		cells := map[string]string{}
		var group []string
		texts := p.rowCells(a.Columns, r)
		for j, c := range a.Columns {
			text := texts[j]
			if cells[c.Type] = text; c.Type == "text" || c.Type == "other" {
				group = append(group, text)
			}
		}
		rows = append(rows, append([]string{strings.Join(group, " "), cells["time"], cells["number"]}, usual(i, 0)...))
	}
	return rows
}

// paramsText is values as a line.
func paramsText(values map[string]string) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		out = append(out, name+"="+values[name])
	}
	return strings.Join(out, " ")
}
