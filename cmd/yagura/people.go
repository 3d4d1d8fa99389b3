package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/people/oidc"
	peoplesqlite "github.com/yagura-sec/yagura/people/sqlite"
)

// door lets people in, as the configuration says.
func (p *program) door(r *rooms) (*people.Door, error) {
	providers, err := p.providers()
	if err != nil {
		return nil, err
	}
	return people.NewDoor(r.people, people.Options{
		Idle: time.Duration(p.cfg.People.Idle), Longest: time.Duration(p.cfg.People.Longest),
		NoPasswords: !p.cfg.People.Passwords, Providers: providers, Now: p.clock,
		Audit: func(ctx context.Context, d people.Deed) error {
			return r.triage.Log(ctx, finding.AuditLine{At: p.clock().UTC(), By: d.By, Action: d.Action, Subject: d.Subject, Text: d.Text})
		},
	}), nil
}

// providers are the identity providers of the configuration.
func (p *program) providers() (out []people.Provider, err error) {
	for i, c := range p.cfg.People.OIDC {
		wrong := func(err error) error { return exit{exitUsage, fmt.Errorf("people.oidc[%d]: %w", i, err)} }
		secret, err := c.ClientSecret.Reveal(p.getenv)
		if err != nil {
			return nil, wrong(fmt.Errorf("client_secret: %w", err))
		}
		made, err := oidc.New(providerConfig(c, secret), p.clock)
		if err != nil {
			return nil, wrong(err)
		}
		if slices.ContainsFunc(out, func(other people.Provider) bool { return other.ID() == made.ID() }) {
			return nil, wrong(fmt.Errorf("id %q: there is another of it", c.ID))
		}
		out = append(out, made)
	}
	return out, nil
}

func providerConfig(c config.OIDC, secret string) oidc.Config {
	out := oidc.Config{
		ID: c.ID, Name: c.Name, Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: secret, Scopes: c.Scopes,
		UserClaim: c.UserClaim, GroupsClaim: c.GroupsClaim, Default: people.Role(c.DefaultRole),
	}
	for _, r := range c.Roles {
		out.Roles = append(out.Roles, oidc.RoleOf{Group: r.Group, Role: people.Role(r.Role), Accounts: r.Accounts})
	}
	return out
}

// atDoor opens the data directory, makes it if need be, and gives its door.
// Another process may be serving it.
func (p *program) atDoor(ctx context.Context, f func(d *people.Door) error) (err error) {
	var r *rooms
	if there(filepath.Join(p.dir, "lake.db")) {
		r, err = p.existing(ctx, deciding)
	} else {
		r, err = p.write(ctx)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	d, err := p.door(r)
	if err != nil {
		return err
	}
	err = f(d)
	for _, misuse := range []error{people.ErrName, people.ErrRole, people.ErrAccount, people.ErrPassword, people.ErrTokenName, people.ErrTokenExpires} {
		if errors.Is(err, misuse) {
			return exit{exitUsage, err}
		}
	}
	return err
}

// origin is where the server is reached by browsers.
func (p *program) origin() string {
	c := p.cfg.Server
	if c.BehindProxy && len(c.Hosts) > 0 {
		return "https://" + c.Hosts[0]
	}
	s, ok := served(p.dir)
	if !ok {
		s.URL = "http://" + p.cfg.Listen
		if c.TLSCert != "" {
			s.URL = "https://" + p.cfg.Listen
		}
	}
	if _, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL, "https://")); err == nil && c.TLSCert != "" && len(c.Hosts) > 0 {
		return "https://" + net.JoinHostPort(c.Hosts[0], port) // a name that the certificate has
	}
	return s.URL
}

func (p *program) people() *cobra.Command {
	c := &cobra.Command{
		Use: "people", Short: "Say who may sign in",
		Long: `People are the users of the console and the API. Each has a role (viewer reads,
analyst decides, responder accepts exceptions and windows, admin does everything)
and may be limited to accounts. These commands need the data directory and nothing
else; a server that is running takes up what they change at once. See
docs/people.md.`,
	}
	c.AddCommand(p.peopleList(), p.peopleAdd(), p.peopleChange(), p.peopleRemove(), p.peoplePasswd(), p.peopleLink(), p.peopleToken())
	return c
}

func (p *program) peopleList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List users", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.atDoor(c.Context(), func(d *people.Door) error {
				all, err := d.Users(c.Context())
				if err != nil {
					return err
				}
				if p.json() {
					return p.printJSON(api.ViewUsers(all))
				}
				var rows [][]string
				for _, u := range all {
					state := "active"
					if u.Disabled {
						state = "disabled"
					}
					rows = append(rows, []string{u.Name, u.FullName, string(u.Role), strings.Join(u.Accounts, " "), u.Method(), state, p.when(u.Seen)})
				}
				return p.printTable([]string{"name", "full name", "role", "accounts", "method", "state", "seen"}, rows)
			})
		},
	}
}

func (p *program) peopleAdd() *cobra.Command {
	var n people.NewUser
	var role string
	var ask bool
	c := &cobra.Command{
		Use: "add NAME", Short: "Add a user", Args: cobra.ExactArgs(1),
		Long: `Add adds a local user and prints a one-time link, good for 24 hours, by which the
user sets a password. With --password it is asked for here instead, or read as one
line from standard input.`,
		RunE: func(c *cobra.Command, args []string) error {
			n.Name, n.Role = args[0], people.Role(role)
			if ask {
				var err error
				if n.Password, err = p.askPassword(); err != nil {
					return err
				}
			}
			return p.atDoor(c.Context(), func(d *people.Door) error {
				u, err := d.AddUser(c.Context(), people.LocalOwner(), n)
				if err != nil || ask {
					return err
				}
				return p.printLink(c.Context(), d, people.LinkPassword, u.Name)
			})
		},
	}
	c.Flags().StringVar(&role, "role", "viewer", "viewer, analyst, responder or admin")
	c.Flags().StringVar(&n.FullName, "full-name", "", "as people read it")
	c.Flags().StringSliceVar(&n.Accounts, "accounts", nil, "limit the user to these accounts")
	c.Flags().BoolVar(&ask, "password", false, "ask for a password here")
	return c
}

func (p *program) peopleChange() *cobra.Command {
	var role, fullName string
	var accounts []string
	var disable, enable, signOut bool
	c := &cobra.Command{
		Use: "change NAME", Short: "Change what a user may do", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if disable && enable {
				return wrong("--disable and --enable: one of them")
			}
			change := people.UserChange{SignOut: signOut}
			flags := c.Flags()
			if flags.Changed("role") {
				r := people.Role(role)
				change.Role = &r
			}
			if flags.Changed("full-name") {
				change.FullName = &fullName
			}
			if flags.Changed("accounts") {
				accounts = slices.DeleteFunc(accounts, func(a string) bool { return a == "" })
				change.Accounts = &accounts
			}
			if disable || enable {
				change.Disabled = &disable
			}
			return p.atDoor(c.Context(), func(d *people.Door) error {
				_, err := d.ChangeUser(c.Context(), people.LocalOwner(), args[0], change, nil)
				return err
			})
		},
	}
	c.Flags().StringVar(&role, "role", "", "viewer, analyst, responder or admin")
	c.Flags().StringVar(&fullName, "full-name", "", "as people read it")
	c.Flags().StringSliceVar(&accounts, "accounts", nil, "limit the user to these accounts; '' for all")
	c.Flags().BoolVar(&disable, "disable", false, "keep the user out, and end what it has open")
	c.Flags().BoolVar(&enable, "enable", false, "let the user in again")
	c.Flags().BoolVar(&signOut, "sign-out", false, "end all sessions of the user")
	return c
}

func (p *program) peopleRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Take a user away, with its sessions and tokens", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.atDoor(c.Context(), func(d *people.Door) error {
				return d.RemoveUser(c.Context(), people.LocalOwner(), args[0])
			})
		},
	}
}

func (p *program) peoplePasswd() *cobra.Command {
	return &cobra.Command{
		Use: "passwd NAME", Short: "Set a user's password", Args: cobra.ExactArgs(1),
		Long: `Passwd asks for a new password, or reads it as one line from standard input. The
user's sessions end.`,
		RunE: func(c *cobra.Command, args []string) error {
			return p.atDoor(c.Context(), func(d *people.Door) error {
				if _, err := d.User(c.Context(), args[0]); err != nil {
					return err // before anybody types
				}
				password, err := p.askPassword()
				if err != nil {
					return err
				}
				_, err = d.ChangeUser(c.Context(), people.LocalOwner(), args[0], people.UserChange{Password: &password}, nil)
				return err
			})
		},
	}
}

// askPassword reads a password: typed twice and unseen at a terminal, or a line.
func (p *program) askPassword() (string, error) {
	file, ok := p.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(p.stdin, 8<<10)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read a password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	typed := func(prompt string) (string, error) {
		fmt.Fprint(p.stderr, prompt)
		text, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(p.stderr)
		return string(text), err
	}
	first, err := typed("New password: ")
	if err != nil {
		return "", err
	}
	again, err := typed("Again: ")
	if err == nil && again != first {
		err = wrong("the two are not the same")
	}
	return first, err
}

func (p *program) peopleLink() *cobra.Command {
	var enter bool
	c := &cobra.Command{
		Use: "link [NAME]", Short: "Make a one-time link", Args: cobra.MaximumNArgs(1),
		Long: `Link prints an address that works once. Without a name, while there is no admin,
it makes the first admin. With a name, that user sets a new password there, or with
--sign-in just signs in. Whoever has the link may use it: it is good for 24 hours,
or with --sign-in for one.`,
		RunE: func(c *cobra.Command, args []string) error {
			return p.atDoor(c.Context(), func(d *people.Door) error {
				first, err := d.FirstRun(c.Context())
				switch {
				case err != nil:
					return err
				case len(args) == 0 && !first:
					return wrong("there is an admin: name the user that the link is for")
				case len(args) == 0:
					return p.printLink(c.Context(), d, people.LinkFirst, "")
				case enter:
					return p.printLink(c.Context(), d, people.LinkSignIn, args[0])
				}
				return p.printLink(c.Context(), d, people.LinkPassword, args[0])
			})
		},
	}
	c.Flags().BoolVar(&enter, "sign-in", false, "a link that signs in, and sets no password")
	return c
}

func (p *program) printLink(ctx context.Context, d *people.Door, kind people.LinkKind, user string) error {
	secret, l, err := d.NewLink(ctx, people.LocalOwner(), kind, user)
	if err != nil {
		return err
	}
	link := p.origin() + api.LinkPath(kind, secret)
	if p.json() {
		return p.printJSON(api.OneTimeLink{Link: link, Expires: l.Expires})
	}
	fmt.Fprintln(p.stdout, link)
	return nil
}

func (p *program) peopleToken() *cobra.Command {
	c := &cobra.Command{
		Use: "token", Short: "Make, list and remove API tokens",
		Long: `Tokens let scripts use the API: Authorization: Bearer TOKEN. Those that are made
here belong to the machine's owner; in the console everybody makes their own.`,
	}
	c.AddCommand(p.tokenMake(), p.tokenList(), p.tokenRemove())
	return c
}

func (p *program) tokenMake() *cobra.Command {
	var n people.NewToken
	var role, expires string
	c := &cobra.Command{
		Use: "make NAME", Short: "Make a token and print it, once", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			n.Name, n.Role = args[0], people.Role(role)
			if err := api.CheckScopes(n.Scopes); err != nil {
				return wrong("--scopes: %v", err)
			}
			lasts, err := config.ParseDuration(expires)
			if err != nil {
				return wrong("--expires: %v", err)
			}
			n.Expires = p.clock().Add(lasts)
			return p.atDoor(c.Context(), func(d *people.Door) error {
				secret, t, err := d.NewToken(c.Context(), people.LocalOwner(), n)
				if err != nil {
					return err
				}
				if p.json() {
					return p.printJSON(api.NewToken{Token: api.ViewToken(t), Secret: secret})
				}
				fmt.Fprintln(p.stdout, secret)
				return nil
			})
		},
	}
	c.Flags().StringVar(&role, "role", "viewer", "what it may: viewer, analyst, responder or admin")
	c.Flags().StringVar(&expires, "expires", "90d", "how long it is good for; at most 366d")
	c.Flags().StringSliceVar(&n.Accounts, "accounts", nil, "limit it to these accounts")
	c.Flags().StringSliceVar(&n.Scopes, "scopes", nil, "limit it to these parts of the API: "+strings.Join(api.Scopes(), ", "))
	return c
}

func (p *program) tokenList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List tokens, everybody's", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.atDoor(c.Context(), func(d *people.Door) error {
				all, err := d.Tokens(c.Context(), people.LocalOwner())
				if err != nil {
					return err
				}
				if p.json() {
					return p.printJSON(api.ViewTokens(all))
				}
				var rows [][]string
				for _, t := range all {
					rows = append(rows, []string{t.ID, t.Name, t.User, string(t.Role), strings.Join(t.Scopes, " "), strings.Join(t.Accounts, " "), p.when(t.Expires), p.when(t.Used)})
				}
				return p.printTable([]string{"id", "name", "user", "role", "scopes", "accounts", "expires", "used"}, rows)
			})
		},
	}
}

func (p *program) tokenRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove ID", Short: "Take a token away", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.atDoor(c.Context(), func(d *people.Door) error {
				return d.RemoveToken(c.Context(), people.LocalOwner(), args[0])
			})
		},
	}
}

// openPeople is kept apart from the rest of open: whoever only asks needs
// nobody let in, and a data directory that is older than people stays readable.
func (r *rooms) openPeople(ctx context.Context) (err error) {
	r.people, err = peoplesqlite.On(ctx, r.state)
	return err
}
