package finding

import (
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/query"
)

// Field is one thing of a finding that scopes, lists and facets ask for.
type Field struct {
	query.Spec
	// Lasting: people's decisions and what explains a finding do not change it,
	// so that exceptions and windows may ask for it.
	Lasting bool
	// Facet: few enough values to count each.
	Facet bool
	value func(*Finding) any
}

// Value is what f has in this field: a string, int64, float32, bool, time.Time
// or []string, as the field's Type says.
func (x *Field) Value(f *Finding) any { return x.value(f) }

// Fields are all of them, in the order that they are shown in. The list is
// shared: do not change it.
func Fields() []Field { return fields }

// LookupField finds a field by its name or one of its aliases.
func LookupField(name string) (*Field, bool) {
	c, ok := table.Lookup(name)
	if !ok {
		return nil, false
	}
	return &fields[fieldIndex[c.Name]], true
}

func words[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

var fields = []Field{
	{Spec: query.Spec{Name: "kind", Type: query.List, Doc: "what sort of judgement made it: rule, correlation, anomaly, anomaly.caller, posture, register, external"}, Lasting: true, Facet: true,
		value: func(f *Finding) any { return f.kinds() }},
	{Spec: query.Spec{Name: "source", Type: query.List, Aliases: []string{"product"}, Doc: "the products that say it: yagura, guardduty, securityhub"}, Lasting: true, Facet: true,
		value: func(f *Finding) any { return f.Reporters() }},
	{Spec: query.Spec{Name: "rule", Type: query.Text, Doc: "the rule or check that made it"}, Lasting: true, Facet: true,
		value: func(f *Finding) any { return f.Rule }},
	{Spec: query.Spec{Name: "title", Type: query.Text, Doc: "its title"}, Lasting: true,
		value: func(f *Finding) any { return f.Title }},
	{Spec: query.Spec{Name: "severity", Type: query.Enum, Values: words(Severities), Ordered: true, Doc: "how bad it would be; severity:>=high"}, Lasting: true, Facet: true,
		value: func(f *Finding) any { return string(f.Severity) }},
	{Spec: query.Spec{Name: "status", Type: query.Enum, Values: words(Statuses), Doc: "where it is in its life"}, Facet: true,
		value: func(f *Finding) any { return string(f.Status) }},
	{Spec: query.Spec{Name: "verdict", Type: query.Enum, Values: words(Verdicts), Doc: "what a person says it is"}, Facet: true,
		value: func(f *Finding) any { return string(f.Verdict) }},
	{Spec: query.Spec{Name: "cause", Type: query.Enum, Values: words(Causes), Doc: "what brought it about"}, Facet: true,
		value: func(f *Finding) any { return string(f.Cause) }},
	{Spec: query.Spec{Name: "actor", Type: query.Text, Aliases: []string{"principal"}, Doc: "the principal by its stable name"}, Lasting: true, Facet: true,
		value: func(f *Finding) any { return f.Actor }},
	{Spec: query.Spec{Name: "person", Type: query.Text, Aliases: []string{"user"}, Doc: "the session or user name where a person acted"}, Lasting: true, Facet: true,
		value: func(f *Finding) any { return f.Person() }},
	{Spec: query.Spec{Name: "resource", Type: query.List, Aliases: []string{"resources"}, Doc: "what it is about; each of several"}, Lasting: true, Facet: true,
		value: func(f *Finding) any { return f.Resources() }},
	{Spec: query.Spec{Name: "account", Type: query.Text, Doc: "the account, project or subscription"}, Lasting: true, Facet: true,
		value: func(f *Finding) any { return f.Account }},
	{Spec: query.Spec{Name: "region", Type: query.Text, Doc: "the region"}, Lasting: true, Facet: true,
		value: func(f *Finding) any { return f.Region }},
	{Spec: query.Spec{Name: "environment", Type: query.Text, Aliases: []string{"env"}, Doc: "of the account or resource, as the estate says"}, Lasting: true, Facet: true,
		value: func(f *Finding) any { return f.Environment }},
	{Spec: query.Spec{Name: "owner", Type: query.Text, Aliases: []string{"team"}, Doc: "of the account or resource, as the estate says"}, Lasting: true, Facet: true,
		value: func(f *Finding) any { return f.Owner }},
	{Spec: query.Spec{Name: "attack", Type: query.List, Doc: "ATT&CK techniques and tactics by id"}, Lasting: true, Facet: true,
		value: func(f *Finding) any { return f.attacks() }},
	{Spec: query.Spec{Name: "key", Type: query.Text, Aliases: []string{"id"}, Doc: "what makes it the same trouble"}, Lasting: true,
		value: func(f *Finding) any { return f.Key }},
	{Spec: query.Spec{Name: "case", Type: query.Text, Doc: "the case that it is gathered in"},
		value: func(f *Finding) any { return f.Case }},
	{Spec: query.Spec{Name: "folded_into", Type: query.Text, Doc: "the key of the finding that it is folded into; lists leave out what is folded unless asked"},
		value: func(f *Finding) any { return f.Folded }},
	{Spec: query.Spec{Name: "assignee", Type: query.Text, Doc: "who looks after it"}, Facet: true,
		value: func(f *Finding) any { return f.Assignee }},
	{Spec: query.Spec{Name: "text", Type: query.List, Doc: "any of title, actor, person, account, rule, key and resource: text:~word"}, Lasting: true,
		value: func(f *Finding) any { return f.Texts() }},
	{Spec: query.Spec{Name: "priority", Type: query.Int, Doc: "0 to 100"},
		value: func(f *Finding) any { return int64(f.Priority) }},
	{Spec: query.Spec{Name: "count", Type: query.Int, Doc: "how many events"},
		value: func(f *Finding) any { return f.Count }},
	{Spec: query.Spec{Name: "first_seen", Type: query.Time, Doc: "time of its first event"},
		value: func(f *Finding) any { return f.FirstSeen }},
	{Spec: query.Spec{Name: "last_seen", Type: query.Time, Aliases: []string{"time"}, Doc: "time of its latest event"},
		value: func(f *Finding) any { return f.LastSeen }},
	{Spec: query.Spec{Name: "explained", Type: query.Bool, Doc: "planned work, an exception or the log itself accounts for it"}, Facet: true,
		value: func(f *Finding) any { return len(f.Explained) > 0 }},
	{Spec: query.Spec{Name: "explained_by", Type: query.List, Doc: "ids of the exceptions and windows that account for it"},
		value: func(f *Finding) any { return f.explainers() }},
}

var table, fieldIndex = func() (*query.Table, map[string]int) {
	specs, index := make([]query.Spec, len(fields)), map[string]int{}
	for i, f := range fields {
		specs[i], index[f.Name] = f.Spec, i
	}
	return query.NewTable(specs), index
}()

// kinds are the kind and, of an anomaly, the family that it belongs to.
func (f *Finding) kinds() []string {
	if family, _, of := strings.Cut(string(f.Kind), "."); of {
		return []string{string(f.Kind), family}
	}
	return []string{string(f.Kind)}
}

// Said is the product that says it: Source, or "yagura".
func (t *Trouble) Said() string {
	if t.Source == "" {
		return Ours
	}
	return t.Source
}

// Person is the session or user name where a person acted; empty: none is known.
func (t *Trouble) Person() string {
	if t.Anomaly == nil {
		return ""
	}
	return t.Anomaly.Person
}

// Resources are the resource it is about, and those of an anomaly about several.
func (t *Trouble) Resources() (all []string) {
	if t.Resource != "" {
		all = append(all, t.Resource)
	}
	var more []string
	if t.Anomaly != nil {
		more = t.Anomaly.Resources
	}
	if t.External != nil {
		more = append(more[:len(more):len(more)], t.External.Resources...)
	}
	for _, r := range more {
		if !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	return all
}

func (t *Trouble) attacks() []string {
	var ids []string
	for _, a := range t.Attack {
		ids = append(ids, a.ID)
	}
	return ids
}

func (f *Finding) explainers() []string {
	var ids []string
	for _, x := range f.Explained {
		if x.ID != "" {
			ids = append(ids, x.ID)
		}
	}
	return ids
}

// Texts are what a word of a scope is looked for in: title, principal, person,
// account, rule, key and resources.
func (t *Trouble) Texts() []string {
	return append([]string{t.Title, t.Actor, t.Person(), t.Account, t.Rule, t.Key}, t.Resources()...)
}

// Scope chooses findings: the same language as search (package query) over
// Fields. A word that names no field is found in any of Texts. The zero Scope
// chooses every finding.
type Scope struct {
	text string
	expr query.Expr
}

// ParseScope reads a scope. Errors are *query.SyntaxError. Times relative to now
// are refused: see ParseScopeAt.
func ParseScope(text string) (Scope, error) { return ParseScopeAt(text, time.Time{}) }

// ParseScopeAt is ParseScope where times may be written relative to now
// ("last_seen:>now-7d"); the scope's text then has them written out.
func ParseScopeAt(text string, now time.Time) (Scope, error) {
	e, err := table.ParseAt(text, now)
	if err != nil || e == nil {
		return Scope{}, err
	}
	if !now.IsZero() {
		text = query.String(e)
	}
	return Scope{strings.TrimSpace(text), e}, nil
}

// ScopeOf makes a scope of an expression over Fields.
func ScopeOf(e query.Expr) Scope {
	if e == nil {
		return Scope{}
	}
	return Scope{query.String(e), e}
}

// String is the scope's text; ParseScope reads it back.
func (s Scope) String() string { return s.text }

// Expr is the expression, nil for every finding.
func (s Scope) Expr() query.Expr { return s.expr }

// Empty tells whether it chooses every finding because it says nothing.
func (s Scope) Empty() bool { return s.expr == nil }

// Equal tells whether both are written alike.
func (s Scope) Equal(t Scope) bool { return s.text == t.text }

// And chooses what both do.
func (s Scope) And(t Scope) Scope {
	switch {
	case s.Empty():
		return t
	case t.Empty():
		return s
	}
	return ScopeOf(query.And{X: []query.Expr{s.expr, t.expr}})
}

// Match tells whether the scope chooses f.
func (s Scope) Match(f *Finding) bool {
	return query.Eval(s.expr, func(term query.Expr) bool {
		if w, is := term.(query.Word); is {
			for _, text := range f.Texts() {
				if w.Found(text) {
					return true
				}
			}
			return false
		}
		x, ok := fieldOf(term)
		return ok && x.Holds(term, x.value(f))
	})
}

func fieldOf(term query.Expr) (*Field, bool) {
	i, ok := fieldIndex[query.FieldOf(term)]
	if !ok {
		return nil, false
	}
	return &fields[i], true
}

// fleeting names a field of the scope that decisions or explanations change;
// empty: there is none.
func (s Scope) fleeting() (name string) {
	query.Terms(s.expr, func(term query.Expr) {
		if x, ok := fieldOf(term); ok && !x.Lasting {
			name = x.Name
		}
	})
	return name
}

// MarshalText writes the scope's text.
func (s Scope) MarshalText() ([]byte, error) { return []byte(s.text), nil }

// UnmarshalText is ParseScope.
func (s *Scope) UnmarshalText(text []byte) (err error) {
	*s, err = ParseScope(string(text))
	return err
}
