package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/dashboard"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/usage/secrets"
)

// Console is what the pages for exploring ask, besides Rooms. A function that is
// nil is a talent that the rooms of this server do not have: its paths answer 501.
type Console struct {
	// Histogram counts events over time, Values the values of fields.
	Histogram func(ctx context.Context, q query.Query, buckets int) (lake.Histogram, error)
	Values    func(ctx context.Context, q query.Query, fields []string, most int) (lake.FieldValues, error)
	// Complete gives values of a column that begin with prefix, the most used
	// first, of the accounts alone where any are named.
	Complete func(ctx context.Context, field, prefix string, accounts []string, most int) ([]string, error)
	// Draft gives the Sigma rule of a filter, which was written as text; an error
	// says to a person what no rule can say.
	Draft func(where query.Expr, text string) ([]byte, error)
	// SQL runs one statement within the limits of the configuration.
	SQL func(ctx context.Context, text string) (lake.SQLRows, error)
	// Secrets gives what usage says of secrets and keys as of now, SecretUse all
	// of the one with that name; false: there is none.
	Secrets   func(ctx context.Context) (KnownSecrets, error)
	SecretUse func(ctx context.Context, name string) (use secrets.Use, ok bool, err error)

	Rules    func(ctx context.Context) ([]Rule, error)
	Rule     func(ctx context.Context, id string) (RuleDetail, error)
	Coverage func(ctx context.Context) (Coverage, error)
	// RuleWords gives words of rules in other languages; nil: they are as their
	// authors wrote them.
	RuleWords say.RuleWords
	// Formats gives the ledger's account of each format.
	Formats func(ctx context.Context) (ledger.ByFormat, error)
	// Days gives how whole the log of each account is on each of so many days.
	Days     func(ctx context.Context, days int) (ledger.Matrix, error)
	Sources  func(ctx context.Context) ([]SourceState, error)
	Settings func(ctx context.Context) (Settings, error)
	// Dashboards are all there are; Panel answers one of theirs, of the accounts that
	// the question names if it names any, and Choices gives the values of a parameter.
	Dashboards func() *dashboard.Book
	Panel      func(ctx context.Context, d *dashboard.Dashboard, p *dashboard.Panel, ask dashboard.Ask) (dashboard.Answer, error)
	Choices    func(ctx context.Context, d *dashboard.Dashboard, parameter string, ask dashboard.Ask) ([]string, error)
	// AccountName gives the name of an account as people know it; empty: unknown.
	AccountName func(account string) string
}

// KnownSecrets is what is known of secrets and keys.
type KnownSecrets struct {
	*secrets.Book
	Behind   int            // days that are still to be summed
	Findings map[string]int // open ones, by the resource they name
}

// sees tells whether who asks may see what belongs to the account.
func sees(ctx context.Context, account string) bool { return people.From(ctx).Sees(account) }

// explore registers the operations that ask rooms.Console.
func explore(a huma.API, rooms Rooms) {
	histogram(a, rooms)
	fieldValues(a, rooms)
	complete(a, rooms)
	columns(a)
	draft(a, rooms)
	sqlStatement(a, rooms)
	secretList(a, rooms)
	secretDetail(a, rooms)
	ruleList(a, rooms)
	ruleDetail(a, rooms)
	ruleCoverage(a, rooms)
	ledgerMatrix(a, rooms)
	sources(a, rooms)
	settings(a, rooms)
	dashboardList(a, rooms)
	dashboardAnswers(a, rooms)
	dashboardChoices(a, rooms)
	queryDraft(a, rooms)
}

// absent answers for what the rooms of this server do not have.
func absent(what string) error {
	return huma.Error501NotImplemented("this server does not keep " + what)
}
