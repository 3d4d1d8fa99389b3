package finding

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/say"
)

// Known is what is known beside the occurrences when a finding is made. A nil
// *Known knows nothing.
type Known struct {
	Estate     *Estate
	Exceptions []Exception
	Windows    []Window // with Times where they recur
	// Assessed is what was judged of principals and resources, by their names.
	Assessed map[string]Assessment
	// Register is what was applied for, by project, and Accepted what people
	// accepted as gaps in it, by key.
	Register map[string]register.Entry
	Accepted []Acceptance
}

// Assessment is what is known of a principal's reach or a resource's exposure.
type Assessment struct {
	Subject string `json:"subject"` // actor_uid or resource_uid
	// Secrets and Accounts are how many secrets and keys, in how many accounts, a
	// principal used of late; 0: not assessed.
	Secrets  int `json:"secrets,omitempty"`
	Accounts int `json:"accounts,omitempty"`
	// Exposure of a resource; empty: not assessed.
	Exposure Exposure `json:"exposure,omitempty"`
	Why      string   `json:"why,omitempty"` // where that is known from, in a person's words
}

// Exposure is who can get at a resource.
type Exposure string

// The exposures.
const (
	ExposurePublic   Exposure = "public"   // anybody
	ExposureShared   Exposure = "shared"   // other accounts
	ExposureInternal Exposure = "internal" // its own account only
)

// Estate is what the operator says of accounts and resources.
type Estate struct {
	Accounts []Account    `json:"accounts"`
	Rules    []EstateRule `json:"rules"`
}

// Account is one account, project or subscription.
type Account struct {
	ID   string            `json:"id"`
	Name string            `json:"name,omitempty"`
	Tags map[string]string `json:"tags,omitempty"`
	Said
}

// Said is what can be said of accounts and resources; empty: nothing is.
type Said struct {
	Environment string `json:"environment,omitempty"`
	Owner       string `json:"owner,omitempty"`
	Criticality string `json:"criticality,omitempty"` // one of Criticalities
}

// EstateRule says something of every account, or of every resource of an
// account, that all of its conditions choose. The first rule that says a thing
// has the word; what an Account says itself comes before any rule.
type EstateRule struct {
	Accounts  []string          `json:"accounts,omitempty"`  // ids or names; * stands for any text
	Tags      map[string]string `json:"tags,omitempty"`      // of the account; * stands for any text
	Resources []string          `json:"resources,omitempty"` // names of resources; * stands for any text
	Said
}

// Criticalities from the least to the most; what each counts is in
// docs/triage.md.
var Criticalities = []string{"low", "medium", "high", "critical"}

// Check tells in a person's words what is wrong with e, if anything is.
func (e *Estate) Check() error {
	if e == nil {
		return nil
	}
	said := func(what string, s Said) error {
		if s.Criticality != "" && !slices.Contains(Criticalities, s.Criticality) {
			return fmt.Errorf("%s: criticality %q is not one of %s", what, s.Criticality, strings.Join(Criticalities, ", "))
		}
		return nil
	}
	ids := map[string]bool{}
	for i, a := range e.Accounts {
		what := fmt.Sprintf("account %d", i+1)
		switch {
		case a.ID == "":
			return fmt.Errorf("%s has no id", what)
		case ids[a.ID]:
			return fmt.Errorf("account %s is there twice", a.ID)
		}
		ids[a.ID] = true
		if err := said("account "+a.ID, a.Said); err != nil {
			return err
		}
	}
	for i, r := range e.Rules {
		what := fmt.Sprintf("rule %d", i+1)
		switch {
		case len(r.Accounts)+len(r.Tags)+len(r.Resources) == 0:
			return fmt.Errorf("%s names no account, tag or resource", what)
		case r.Said == Said{}:
			return fmt.Errorf("%s says nothing: give an environment, owner or criticality", what)
		}
		if err := said(what, r.Said); err != nil {
			return err
		}
	}
	return nil
}

// Place is what the estate says of where a finding is.
type Place struct {
	Name string `json:"name,omitempty"` // of the account
	Said
}

// Place of an account and resource, either of which may be empty.
func (e *Estate) Place(account, resource string) (p Place) {
	if e == nil {
		return p
	}
	var a Account
	if i := slices.IndexFunc(e.Accounts, func(a Account) bool { return a.ID == account && account != "" }); i >= 0 {
		a = e.Accounts[i]
	}
	a.ID = account
	p.Name, p.Said = a.Name, a.Said
	for _, r := range e.Rules {
		if !r.chooses(&a, resource) {
			continue
		}
		p.Environment = cmp.Or(p.Environment, r.Environment)
		p.Owner = cmp.Or(p.Owner, r.Owner)
		p.Criticality = cmp.Or(p.Criticality, r.Criticality)
	}
	return p
}

func (r *EstateRule) chooses(a *Account, resource string) bool {
	if len(r.Accounts) > 0 && !like(r.Accounts, a.ID) && !like(r.Accounts, a.Name) {
		return false
	}
	if len(r.Resources) > 0 && !like(r.Resources, resource) {
		return false
	}
	for key, pattern := range r.Tags {
		value, has := a.Tags[key]
		if !has || !like([]string{pattern}, value) {
			return false
		}
	}
	return true
}

// like tells whether one of the patterns covers s; nothing covers empty text.
func like(patterns []string, s string) bool {
	return s != "" && slices.ContainsFunc(patterns, func(p string) bool { return star(p, s) })
}

// star matches * as any text, all else as it is written.
func star(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	rest, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

// seen is an occurrence as scopes look at it.
func (k *Known) seen(o *Occurrence) *Finding {
	f := &Finding{Trouble: o.Trouble, FirstSeen: o.FirstSeen, LastSeen: o.LastSeen, Count: o.Count}
	f.place(k)
	return f
}

// concerned are the active windows that name what o is about, whenever they are.
func (k *Known) concerned(o *Occurrence) (out []*Window) {
	if k == nil || len(k.Windows) == 0 {
		return nil
	}
	f := k.seen(o)
	for i := range k.Windows {
		if w := &k.Windows[i]; w.Active() && w.concerns(f) {
			out = append(out, w)
		}
	}
	return out
}

// Planned tells whether a window names what o is about, whenever it is: then Sum
// has to look at the times of every occurrence of its key.
func (k *Known) Planned(o *Occurrence) bool { return len(k.concerned(o)) > 0 }

// Sum merges all occurrences of one key, in whatever order they come; there is
// at least one. It is explained by windows where every part of it is of the time
// of one that names it: a part is what is of one day, or of a hunter's hour, so
// that it does not matter how events fell into batches.
func Sum(occurrences []Occurrence, known *Known) Occurrence {
	sum := occurrences[0]
	for _, o := range occurrences[1:] {
		sum.Merge(o)
	}
	windows := known.concerned(&sum)
	if len(windows) == 0 {
		return sum
	}
	type span struct {
		hunter       string
		since, until int64
	}
	parts := map[span]Occurrence{}
	for _, o := range occurrences {
		at := span{o.Hunter, o.Since.UnixMicro(), o.Until.UnixMicro()}
		if part, there := parts[at]; there {
			o.Merge(part)
		}
		parts[at] = o
	}
	var all []Explanation
	for _, o := range parts {
		before := len(all)
		all = append(all, o.Explained...)
		for _, w := range windows {
			if w.during(&o) {
				all = append(all, Explanation{Kind: "window", ID: w.ID, Text: say.Plain(w.told())})
			}
		}
		if len(all) == before {
			return sum // nothing accounts for this part
		}
	}
	sum.Explained = sortExplanations(all)
	return sum
}

// except marks f with every exception that covers it.
func (f *Finding) except(k *Known) {
	if k == nil {
		return
	}
	before := len(f.Explained)
	for i := range k.Exceptions {
		if x := &k.Exceptions[i]; x.Covers(f) {
			f.Explained = append(f.Explained, x.Explanation())
		}
	}
	if len(f.Explained) > before {
		f.Explained = sortExplanations(f.Explained)
	}
}

// place puts f where the estate says it is.
func (f *Finding) place(k *Known) Place {
	if k == nil {
		return Place{}
	}
	p := k.Estate.Place(f.Account, f.Resource)
	f.AccountName, f.Environment, f.Owner, f.Criticality = p.Name, p.Environment, p.Owner, p.Criticality
	return p
}

// criticalityWeights turn criticality into the factor "environment", and
// environmentWeights what an environment is commonly called where nobody said
// how critical it is.
var (
	criticalityWeights = map[string]float64{"critical": 1, "high": 0.9, "medium": 0.7, "low": 0.4}
	environmentWeights = map[string]float64{
		"production": 1, "prod": 1, "prd": 1, "live": 1,
		"staging": 0.7, "stage": 0.7, "stg": 0.7, "preproduction": 0.7, "preprod": 0.7, "uat": 0.7,
		"development": 0.5, "dev": 0.5, "test": 0.5, "testing": 0.5, "qa": 0.5, "sandbox": 0.4, "sbx": 0.4,
	}
	exposureWeights = map[Exposure]float64{ExposurePublic: 1, ExposureShared: 0.9, ExposureInternal: 0.7}
)

// unassessed says why a factor is 1 that nobody has judged.
func unassessed() say.Text { return say.T("part.unassessed", nil) }

// environmentPart is the factor of the place.
func environmentPart(f *Finding) Part {
	const name = "environment"
	if w, ok := criticalityWeights[f.Criticality]; ok {
		critical := say.T("criticality."+f.Criticality, nil)
		why := say.T("part.criticality", say.Values{"criticality": critical})
		if f.Environment != "" {
			why = say.T("part.environment", say.Values{"environment": f.Environment, "criticality": critical})
		}
		return Part{name, w, why}
	}
	if w, ok := environmentWeights[strings.ToLower(f.Environment)]; ok {
		return Part{name, w, say.Plain(f.Environment)}
	}
	if f.Environment != "" {
		return Part{name, 1, say.T("part.environment.unknown", say.Values{"environment": f.Environment})}
	}
	return Part{name, 1, unassessed()}
}

// reachPart is the factor of what the principal touches: 0.6 where it is one
// secret, and 1 from 64 on; an account more counts as eight secrets.
func reachPart(f *Finding, k *Known) Part {
	const name = "reach"
	if k == nil || f.Actor == "" {
		return Part{name, 1, unassessed()}
	}
	a, ok := k.Assessed[f.Actor]
	if !ok || a.Secrets <= 0 {
		return Part{name, 1, unassessed()}
	}
	n := float64(a.Secrets + 8*max(0, a.Accounts-1))
	w := 0.6 + 0.4*min(1, math.Log2(n)/6)
	w = math.Round(100*w) / 100
	return Part{name, w, say.T("part.reach", say.Values{"secrets": a.Secrets, "accounts": max(1, a.Accounts)})}
}

// exposurePart is the factor of who can get at the resource.
func exposurePart(f *Finding, k *Known) Part {
	const name = "exposure"
	var a Assessment
	if k != nil && f.Resource != "" {
		a = k.Assessed[f.Resource]
	}
	w, ok := exposureWeights[a.Exposure]
	if !ok {
		return Part{name, 1, unassessed()}
	}
	text := say.T("part.exposure", say.Values{"exposure": say.T("exposure."+string(a.Exposure), nil)})
	if a.Why != "" {
		text = say.T("part.exposure.why", say.Values{"exposure": say.T("exposure."+string(a.Exposure), nil), "why": a.Why})
	}
	return Part{name, w, text}
}
