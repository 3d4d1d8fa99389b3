// Package config reads the one configuration file: strict YAML in which an
// unknown key is an error with its line and column, and secrets are references.
//
//	data: /var/lib/yagura
//	listen: 127.0.0.1:8484
//	sources:
//	  - type: file
//	    paths: [/var/log/cloudtrail]
//	    follow: true
//	rules:
//	  dirs: [/etc/yagura/rules]
//	retention:
//	  events: 400d
package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Config is the whole file. Defaults are in Default.
type Config struct {
	Data       string      `yaml:"data"`   // data directory
	Listen     string      `yaml:"listen"` // address of serve
	Server     Server      `yaml:"server"`
	People     People      `yaml:"people"`
	Sources    []Node      `yaml:"sources"`    // each as its connector's package comment shows it
	Exports    []Node      `yaml:"exports"`    // where findings are sent, each as its package comment shows it
	WriteBack  []WriteBack `yaml:"write_back"` // products that may be told what was decided, when asked
	Mappings   []string    `yaml:"mappings"`   // folders or files that describe formats of records
	Queries    []string    `yaml:"queries"`    // folders or files of saved queries, besides the program's
	Dashboards []string    `yaml:"dashboards"` // folders or files of dashboards, besides the program's
	Rules      Rules       `yaml:"rules"`
	Anomalies  Anomalies   `yaml:"anomalies"`
	Estate     Estate      `yaml:"estate"`
	Register   Register    `yaml:"register"`
	Cost       Cost        `yaml:"cost"`
	Retention  Retention   `yaml:"retention"`
	Lake       Lake        `yaml:"lake"`
	SQL        SQL         `yaml:"sql"`
	Ledger     Ledger      `yaml:"ledger"`
}

// WriteBack is a product that people may tell what was decided about its findings.
// See the package comment of respond/aws.
type WriteBack struct {
	Product  string `yaml:"product"`  // securityhub or guardduty
	Role     string `yaml:"role"`     // to assume; {account} is the finding's
	Region   string `yaml:"region"`   // empty: the finding's
	Endpoint string `yaml:"endpoint"` // empty: the product's own
}

// Register is what the register of what projects applied for is held against
// besides the log: see docs/register.md.
type Register struct {
	// Allowed is a CSV file with the columns project and services: what policies
	// allow. Empty: what the log tells of changes of policies is all that is known.
	Allowed string `yaml:"allowed"`
	// Organization is a folder with answers of `aws organizations` and of `az`: which
	// policies lie on AWS's accounts and Azure's subscriptions, and on what is above.
	Organization string `yaml:"organization"`
}

// Cost is what the cost of security services is worked out with: see docs/cost.md.
type Cost struct {
	// Prices is a file of prices, which take the place of the program's own.
	Prices string `yaml:"prices"`
}

// Server shapes serve.
type Server struct {
	// Hosts are the names it may be asked by besides its address and localhost.
	Hosts []string `yaml:"hosts"`
	// Token is what callers must show, as a reference; empty: one is made and
	// kept in the data directory, mode 0600.
	Token Secret `yaml:"token"`
	// TLSCert and TLSKey are PEM files. BehindProxy declares that something in
	// front speaks TLS. One of the two is needed to listen beyond loopback.
	TLSCert     string `yaml:"tls_cert"`
	TLSKey      string `yaml:"tls_key"`
	BehindProxy bool   `yaml:"behind_proxy"`
	// Wait is how long live records wait for others to share their commit.
	Wait Duration `yaml:"wait"`
}

// People says how people sign in.
type People struct {
	// Passwords: local users may sign in by password.
	Passwords bool `yaml:"passwords"`
	// A session ends when it was not used for Idle, and Longest after it began.
	Idle    Duration `yaml:"session_idle"`
	Longest Duration `yaml:"session_longest"`
	OIDC    []OIDC   `yaml:"oidc"`
}

// OIDC is an identity provider. See the package comment of people/oidc.
type OIDC struct {
	ID           string   `yaml:"id"`
	Name         string   `yaml:"name"` // on the button
	Issuer       string   `yaml:"issuer"`
	ClientID     string   `yaml:"client_id"`
	ClientSecret Secret   `yaml:"client_secret"` // empty: a public client
	Scopes       []string `yaml:"scopes"`        // besides openid, profile, email
	UserClaim    string   `yaml:"user_claim"`    // empty: email, else preferred_username
	GroupsClaim  string   `yaml:"groups_claim"`  // empty: groups
	Roles        []RoleOf `yaml:"roles"`
	DefaultRole  string   `yaml:"default_role"` // of members of no such group; empty: they are refused
}

// RoleOf gives the members of a provider's group a role, limited to accounts
// where any are named.
type RoleOf struct {
	Group    string   `yaml:"group"`
	Role     string   `yaml:"role"`
	Accounts []string `yaml:"accounts"`
}

// Rules says which rules judge.
type Rules struct {
	Builtin bool     `yaml:"builtin"` // our own
	Dirs    []string `yaml:"dirs"`    // folders of Sigma rules besides
	// Placeholders are the values of Sigma's expand modifier.
	Placeholders map[string][]string `yaml:"placeholders"`
	// Pipelines are files of pySigma's processing pipelines, which rewrite rules
	// before they are used.
	Pipelines []string `yaml:"pipelines"`
	// Aliases says under which other names fields of rules are looked for:
	// "default" for our own table, "none", or a file.
	Aliases string `yaml:"aliases"`
	// ExtendedConditions allows correlations of specification 2.2's proposal,
	// such as "a and not b".
	ExtendedConditions bool `yaml:"extended_conditions"`
}

// Anomalies says how the use of secrets and keys is judged.
type Anomalies struct {
	Off bool `yaml:"off"`
	// Budget is how many alerts by chance are worth having, a day and 1,000
	// secrets and keys.
	Budget float64 `yaml:"budget"`
	// Calendars are files of planned work, iCalendar or JSON.
	Calendars []string `yaml:"calendars"`
}

// Retention says how long events stay. Hourly usage stays for good.
type Retention struct {
	Events Duration `yaml:"events"` // by event day; 0: for good
	Size   Bytes    `yaml:"size"`   // of all event segments, oldest days go first; 0: any
}

// Lake shapes the embedded lake.
type Lake struct {
	FreeSpaceFloor Bytes `yaml:"free_space_floor"` // intake stops below it
	QueryMemory    Bytes `yaml:"query_memory"`     // of the query engine in this process
	QueryThreads   int   `yaml:"query_threads"`    // 0: as many as processors
}

// SQL limits analysts' statements.
type SQL struct {
	Timeout Duration `yaml:"timeout"`
	Rows    int      `yaml:"rows"`
	Bytes   Bytes    `yaml:"bytes"`
}

// Ledger shapes the account.
type Ledger struct {
	QuarantineSize Bytes `yaml:"quarantine_size"` // of kept bodies
	// DigestKeys is the answer of `aws cloudtrail list-public-keys` as a file.
	DigestKeys string `yaml:"digest_keys"`
}

// Default is what holds where the file says nothing.
func Default() Config {
	return Config{
		Listen: "127.0.0.1:8484",
		Server: Server{Wait: Duration(250 * time.Millisecond)},
		People: People{Passwords: true, Idle: Duration(12 * time.Hour), Longest: Duration(7 * 24 * time.Hour)},
		Rules:  Rules{Builtin: true, Aliases: "default"},

		Anomalies: Anomalies{Budget: 1},

		Lake:   Lake{FreeSpaceFloor: 512 << 20, QueryMemory: 1 << 30},
		SQL:    SQL{Timeout: Duration(time.Minute), Rows: 100_000, Bytes: 64 << 20},
		Ledger: Ledger{QuarantineSize: 1 << 30},
	}
}

// Node is a part of the file that a connector reads by itself.
type Node struct {
	Type string
	Name string // of those sources that have one
	node *yaml.Node
	file string
}

// UnmarshalYAML keeps the node and its type.
func (n *Node) UnmarshalYAML(v *yaml.Node) error {
	var head struct {
		Type string `yaml:"type"`
		Name string `yaml:"name"`
	}
	if err := v.Decode(&head); err != nil || head.Type == "" {
		return fmt.Errorf("line %d: a source needs its type", v.Line)
	}
	n.Type, n.Name, n.node = head.Type, head.Name, v
	return nil
}

// Decode reads the node strictly into a struct with yaml tags.
func (n Node) Decode(into any) error {
	return decode(n.file, n.node, into)
}

// Load reads a file over the defaults.
func Load(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	return Parse(path, text)
}

// Parse reads the text of a file over the defaults; name is for messages.
func Parse(name string, text []byte) (Config, error) {
	c := Default()
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return Config{}, fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 {
		return c, nil
	}
	if err := decode(name, doc.Content[0], &c); err != nil {
		return Config{}, err
	}
	for i := range c.Sources {
		c.Sources[i].file = name
	}
	for i := range c.Exports {
		c.Exports[i].file = name
	}
	return c, c.check(name)
}

func (c *Config) check(name string) error {
	if twice := namedTwice(c.Sources); twice != "" {
		return fmt.Errorf("%s: sources: two of them are named %s", name, twice)
	}
	if twice := namedTwice(c.Exports); twice != "" {
		return fmt.Errorf("%s: exports: two of them are named %s", name, twice)
	}
	if (c.Server.TLSCert == "") != (c.Server.TLSKey == "") {
		return fmt.Errorf("%s: server: tls_cert and tls_key go together", name)
	}
	if c.People.Idle <= 0 || c.People.Longest < c.People.Idle {
		return fmt.Errorf("%s: people: session_idle is more than 0, and session_longest at least as long", name)
	}
	if !c.People.Passwords && len(c.People.OIDC) == 0 {
		return fmt.Errorf("%s: people: without passwords an identity provider (oidc) is needed", name)
	}
	if b := c.Anomalies.Budget; !(b > 0 && b <= 1000) {
		return fmt.Errorf("%s: anomalies: a budget of %v: it is more than 0 and at most 1000 alerts a day and 1,000 secrets", name, b)
	}
	return nil
}

// namedTwice is a name that two nodes have; empty: there is none.
func namedTwice(nodes []Node) string {
	named := map[string]bool{}
	for _, n := range nodes {
		if n.Name != "" && named[n.Name] {
			return n.Name
		}
		named[n.Name] = true
	}
	return ""
}

// DataDir is the data directory where neither file nor command line names one:
// $XDG_DATA_HOME/yagura, or ~/.local/share/yagura; empty where neither is an
// absolute path (XDG Base Directory Specification: relative ones are ignored).
func DataDir(getenv func(string) string) string {
	return homeDir(getenv, "XDG_DATA_HOME", ".local/share")
}

// CacheDir is the same for what can be made anew: $XDG_CACHE_HOME/yagura, or
// ~/.cache/yagura.
func CacheDir(getenv func(string) string) string {
	return homeDir(getenv, "XDG_CACHE_HOME", ".cache")
}

func homeDir(getenv func(string) string, variable, below string) string {
	if base := getenv(variable); filepath.IsAbs(base) {
		return filepath.Join(base, "yagura")
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, filepath.FromSlash(below), "yagura")
	}
	return ""
}
