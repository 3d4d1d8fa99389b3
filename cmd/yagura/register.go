package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/register"
	sentences "github.com/yagura-sec/yagura/say" // a test of this package has another say
	"github.com/yagura-sec/yagura/triage"
)

func (p *program) register() *cobra.Command {
	c := &cobra.Command{
		Use: "register", Short: "Tell what projects and accounts applied for",
		Long: `The register holds what projects and accounts were applied for: by whom, what for,
with which services, and who approved it. Held against what is used and what
policies allow it tells what nobody applied for, and what was applied for in vain.
See docs/register.md.`,
	}
	c.AddCommand(p.registerList(), p.registerShow(), p.registerSet(), p.registerRemove(), p.registerImport(), p.registerExport(), p.registerCompare(), p.registerHistory())
	return c
}

func (p *program) registerList() *cobra.Command {
	var text string
	c := &cobra.Command{
		Use: "list", Short: "List projects, with what they applied for", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			all, _, total, err := r.triage.Register(c.Context(), triage.RegisterFilter{Text: text})
			if err != nil {
				return err
			}
			known, err := r.companions(c.Context())
			if err != nil {
				return err
			}
			out := api.RegisterProjects{Projects: []api.RegisterEntry{}, Total: total}
			for _, e := range all {
				out.Projects = append(out.Projects, api.ViewEntry(e, known, sentences.English))
			}
			return p.printRegister(out)
		},
	}
	c.Flags().StringVar(&text, "text", "", "with this in project, name, applicant, owner, purpose or a service")
	return c
}

func (p *program) printRegister(all api.RegisterProjects) error {
	if p.json() {
		return p.printJSON(all)
	}
	var rows [][]string
	for _, e := range all.Projects {
		var services, implied []string
		for _, s := range e.Services {
			services = append(services, s.ID)
		}
		for _, i := range e.Implied {
			if i.Always {
				implied = append(implied, i.Service)
			}
		}
		rows = append(rows, []string{e.Project, oneLine(e.Name), e.Owner, e.Applicant, strings.Join(services, " "), strings.Join(implied, " "), oneLine(e.Purpose)})
	}
	return p.printTable([]string{"project", "name", "owner", "applicant", "services", "needs besides", "purpose"}, rows)
}

func (p *program) registerShow() *cobra.Command {
	return &cobra.Command{
		Use: "show PROJECT", Short: "Show what one project applied for", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			return p.showEntry(c.Context(), r, args[0])
		},
	}
}

// showEntry shows what a project applied for.
func (p *program) showEntry(ctx context.Context, r *rooms, project string) error {
	e, there, err := r.registered(ctx, project)
	if err != nil {
		return err
	}
	if !there {
		return fmt.Errorf("project %s is not in the register: `yagura register list` has all that are", project)
	}
	known, err := r.companions(ctx)
	if err != nil {
		return err
	}
	v := api.ViewEntry(e, known, sentences.English)
	if p.json() {
		return p.printJSON(v)
	}
	return p.printRegister(api.RegisterProjects{Projects: []api.RegisterEntry{v}, Total: 1})
}

func (p *program) registerRemove() *cobra.Command {
	var note, by string
	c := &cobra.Command{
		Use: "remove PROJECT", Short: "Take a project from the register; its history stays", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			r, err := p.existing(c.Context(), deciding)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, r.Close()) }()
			at := p.clock().UTC()
			if _, err = r.triage.RemoveEntry(c.Context(), args[0], triage.Edit{By: p.signed(by), At: at, Note: note}); err != nil {
				return err
			}
			return p.registerChanged(c.Context(), r, at)
		},
	}
	c.Flags().StringVar(&note, "note", "", "why, for the history")
	c.Flags().StringVar(&by, "by", "", "who says so (default: the user of this process)")
	return c
}

func (p *program) registerImport() *cobra.Command {
	var by string
	c := &cobra.Command{
		Use: "import FILE", Short: "Read what projects applied for from CSV", Args: cobra.ExactArgs(1),
		Long: `Import takes the rows of FILE (- is standard input), whose header names columns in
any order: ` + strings.Join(register.Columns, ", ") + `; project is needed, and an applicant or owner.
Services stand in one column with spaces between them, each as ID or ID@FROM..UNTIL.
Each row replaces what its project applied for. Rows that cannot be taken are told,
the others are taken, and the exit code is 1.`,
		RunE: func(c *cobra.Command, args []string) (err error) {
			r, err := p.recording(c.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, r.Close()) }()
			at := p.clock().UTC()
			done, err := p.importRegister(c.Context(), r, args[0], p.signed(by), false)
			if err == nil {
				err = p.registerChanged(c.Context(), r, at)
			}
			if err != nil {
				return err
			}
			if p.json() {
				err = p.printJSON(done)
			} else {
				err = p.printTable([]string{"file", "new", "changed", "same", "findings touched", "problems"}, [][]string{{
					done.File, p.count(int64(done.New)), p.count(int64(done.Changed)), p.count(int64(done.Same)), p.count(int64(done.Touched)), p.count(int64(len(done.Problems)))}})
			}
			for _, x := range done.Problems {
				p.warn("%s, line %d: %s", done.File, x.Line, x.Reason)
			}
			if err == nil && len(done.Problems) > 0 {
				err = exit{code: exitFailed}
			}
			return err
		},
	}
	c.Flags().StringVar(&by, "by", "", "who imports it (default: the user of this process)")
	return c
}

// readAll reads a file, or standard input.
func (p *program) readAll(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(p.stdin)
	}
	return os.ReadFile(path)
}

func (p *program) registerExport() *cobra.Command {
	return &cobra.Command{
		Use: "export", Short: "Write the register as CSV, as import reads it", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			all, _, _, err := r.triage.Register(c.Context(), triage.RegisterFilter{})
			if err != nil {
				return err
			}
			return register.WriteCSV(p.stdout, all)
		},
	}
}

func (p *program) registerCompare() *cobra.Command {
	return &cobra.Command{
		Use: "compare [PROJECT]", Short: "Hold what is used against what was applied for and what policies allow", Args: cobra.MaximumNArgs(1),
		Long: `Compare looks at the last 90 days of the log. Of a PROJECT it shows every service;
without one the projects and services about which the register and use disagree.
What policies allow is known where the log has the changes of policies that name
services (gcp.restrictServiceUsage), of the project or what is above it, where
register.allowed of the configuration lists it, or, of AWS's accounts and Azure's
subscriptions, where answers of the organisation or tenant lie in register.organization;
else it is said that it is not known.`,
		RunE: func(c *cobra.Command, args []string) error {
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			known, err := r.companions(c.Context())
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return p.compareAll(c.Context(), r, known)
			}
			u, err := p.inUse(c.Context(), r, args[0])
			if err != nil {
				return err
			}
			p.warnUnread(u)
			e, there, err := r.registered(c.Context(), args[0])
			if err != nil {
				return err
			}
			e.Project = args[0]
			v := api.ViewComparison(u.compare(e, there), known, sentences.English)
			if p.json() {
				return p.printJSON(v)
			}
			if err := p.printLines(v); err != nil || p.flags.format == "csv" {
				return err
			}
			if !there {
				fmt.Fprintf(p.stdout, "\nNobody applied for project %s.\n", safe(args[0]))
			}
			fmt.Fprintf(p.stdout, "\n%s\n", safe(v.Allowed.String()))
			return nil
		},
	}
}

func (p *program) compareAll(ctx context.Context, r *rooms, known *companion.Catalogue) error {
	u, err := p.inUse(ctx, r, "")
	if err != nil {
		return err
	}
	p.warnUnread(u)
	d, err := u.differences(ctx, r)
	if err != nil {
		return err
	}
	v := api.ViewDifferences(d, known, sentences.English, func(string) bool { return true })
	if p.json() {
		return p.printJSON(v)
	}
	return p.printLines(append(v.Projects, v.Unregistered...)...)
}

// warnUnread says which answers of an organisation or tenant could not be read.
func (p *program) warnUnread(u *inUse) {
	for _, err := range u.unread {
		p.warn("register.organization: %v", err)
	}
}

func (p *program) printLines(all ...api.RegisterComparison) error {
	var rows [][]string
	for _, c := range all {
		for _, l := range c.Lines {
			allowed := "unknown"
			if l.Allowed != nil {
				allowed = map[bool]string{true: "yes", false: "no"}[*l.Allowed]
			}
			state := string(l.State)
			if !c.Registered {
				state += ", no entry"
			}
			rows = append(rows, []string{c.Project, l.Service, state, p.count(l.Calls), p.count(l.Denied), p.when(l.Last), allowed, strings.Join(l.NeededBy, " ")})
		}
	}
	return p.printTable([]string{"project", "service", "state", "calls", "refused", "last", "allowed", "needed by"}, rows)
}

func (p *program) registerHistory() *cobra.Command {
	return &cobra.Command{
		Use: "history PROJECT", Short: "Show who changed what a project applied for", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			all, err := r.triage.RegisterHistory(c.Context(), args[0])
			if err != nil {
				return err
			}
			v := api.ViewHistory(args[0], all, companion.Builtin(), sentences.English)
			if p.json() {
				return p.printJSON(v)
			}
			var rows [][]string
			for _, x := range v.Changes {
				rows = append(rows, []string{p.when(x.At), x.By, strings.Join(x.Added, " "), strings.Join(x.Removed, " "), oneLine(x.Note)})
			}
			return p.printTable([]string{"at", "by", "adds", "takes away", "note"}, rows)
		},
	}
}
