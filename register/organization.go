package register

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// The types of AWS's policies that shut services out, as its answers name them.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_authorization_policies.html
const (
	serviceControl  = "SERVICE_CONTROL_POLICY"
	resourceControl = "RESOURCE_CONTROL_POLICY"
)

var controlTypes = []string{serviceControl, resourceControl}

// Organization is what an organisation of AWS and a tenant of Azure are made of and
// which policies lie on what, as answers of `aws organizations` and `az` say that were
// saved as files.
type Organization struct {
	azure      *tenant
	root       string   // id
	enabled    []string // types of policies that hold in it
	management string   // the account that policies do not bind
	parent     map[string]string
	kinds      map[string]string              // types of policies, by id
	texts      map[string]*controlPolicy      // by id
	all        map[string][]string            // every policy of a type
	targets    map[string][]string            // of a policy
	attached   map[string]map[string][]string // to a target, by type
}

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 4 << 20

// ReadOrganization reads the answers in a folder and below. A file that is none of
// them, or does not say of what it is, is an error that names it and costs no other.
func ReadOrganization(folder fs.FS) (*Organization, []error) {
	o := &Organization{azure: newTenant(), parent: map[string]string{}, kinds: map[string]string{}, texts: map[string]*controlPolicy{}, all: map[string][]string{},
		targets: map[string][]string{}, attached: map[string]map[string][]string{}}
	var wrong []error
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			wrong = append(wrong, err)
		case d.Type().IsRegular() && strings.HasSuffix(name, ".json"):
			if err := o.read(folder, name); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
			}
		}
		return nil
	})
	return o, append(wrong, joined(err)...)
}

func joined(err error) []error {
	if err == nil {
		return nil
	}
	return []error{err}
}

func (o *Organization) read(folder fs.FS, name string) error {
	f, err := folder.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxAnswer+1))
	if err != nil {
		return err
	}
	if len(text) > maxAnswer {
		return fmt.Errorf("longer than %d bytes", maxAnswer)
	}
	return o.Add(name, text)
}

// organizationAnswer is any of the answers that are read.
type organizationAnswer struct {
	Roots []struct {
		ID          string `json:"Id"`
		ARN         string `json:"Arn"`
		PolicyTypes []struct{ Type, Status string }
	}
	Parents []struct {
		ID string `json:"Id"`
	}
	Policies []policySummary
	Policy   *struct {
		Summary policySummary `json:"PolicySummary"`
		Content string
	}
	Targets []struct {
		ID string `json:"TargetId"`
	}
	NextToken string
}

type policySummary struct {
	ID   string `json:"Id"`
	Type string
}

// Ids of things of an organisation, in names of files.
var (
	policyOf = regexp.MustCompile(`\bp-[0-9A-Za-z_]{8,128}\b`)
	targetOf = regexp.MustCompile(`\b(?:\d{12}|r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})\b`)
)

// lastOf is the id that stands last in a path: nearest to the answer.
func lastOf(id *regexp.Regexp, name string) string {
	all := id.FindAllString(name, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

// Add reads one answer. Of what an answer does not say of what it is, the path tells:
// list-parents/111122223333.json, list-targets-for-policy/p-examplepolicy.json,
// list-policies-for-target/ou-ab12-11111111.json, policy-exemptions/ID.json.
func (o *Organization) Add(name string, text []byte) error {
	if is, err := o.azure.add(name, text); is {
		return err
	}
	var a organizationAnswer
	if err := json.Unmarshal(text, &a); err != nil {
		return err
	}
	if a.NextToken != "" {
		return errors.New("it is cut: there is a NextToken in it. Without --max-items the command asks for all of it")
	}
	var has map[string]json.RawMessage
	if err := json.Unmarshal(text, &has); err != nil {
		return err
	}
	is := func(key string) bool { return len(has[key]) > 0 }
	switch {
	case is("Roots"):
		return o.addRoot(&a)
	case is("Parents"):
		child := lastOf(targetOf, name)
		if child == "" || len(a.Parents) != 1 || a.Parents[0].ID == "" {
			return errors.New("the answer of list-parents: its path does not name the account or unit, or it has no parent")
		}
		o.parent[child] = a.Parents[0].ID
	case is("Targets"):
		policy := lastOf(policyOf, name)
		if policy == "" {
			return errors.New("the answer of list-targets-for-policy: its path does not name the policy")
		}
		o.targets[policy] = []string{}
		for _, t := range a.Targets {
			o.targets[policy] = append(o.targets[policy], t.ID)
		}
	case is("Policies"):
		return o.addPolicies(name, a.Policies)
	case a.Policy != nil:
		return o.addText(a.Policy.Summary, a.Policy.Content)
	default:
		return errors.New("it is no answer of list-roots, list-parents, list-policies, list-policies-for-target, list-targets-for-policy or describe-policy, nor of az account management-group show")
	}
	return nil
}

// rootARN has the management account in it.
var rootARN = regexp.MustCompile(`^arn:[a-z-]+:organizations::(\d{12}):root/`)

func (o *Organization) addRoot(a *organizationAnswer) error {
	if len(a.Roots) != 1 {
		return fmt.Errorf("the answer of list-roots has %d roots, not one", len(a.Roots))
	}
	r := a.Roots[0]
	m := rootARN.FindStringSubmatch(r.ARN)
	if r.ID == "" || m == nil {
		return fmt.Errorf("the answer of list-roots: %q is no root", r.ARN)
	}
	o.root, o.management, o.enabled = r.ID, m[1], nil
	for _, t := range r.PolicyTypes {
		if t.Status != "" && slices.Contains(controlTypes, t.Type) {
			o.enabled = append(o.enabled, t.Type) // being enabled or disabled: it may hold
		}
	}
	return nil
}

// addPolicies takes in list-policies, or list-policies-for-target where the name of the
// file names a target or the command.
func (o *Organization) addPolicies(name string, all []policySummary) error {
	base := path.Base(name)
	target := lastOf(targetOf, base)
	if target == "" && strings.Contains(name, "for-target") {
		target = lastOf(targetOf, name)
		if target == "" {
			return errors.New("the answer of list-policies-for-target: its path does not name the target")
		}
	}
	byType := map[string][]string{}
	for _, p := range all {
		if p.ID == "" || p.Type == "" {
			return errors.New("a policy without Id or Type")
		}
		byType[p.Type], o.kinds[p.ID] = append(byType[p.Type], p.ID), p.Type
	}
	for _, t := range controlTypes {
		if len(all) == 0 && strings.Contains(strings.ToUpper(name), t) {
			byType[t] = []string{}
		}
	}
	if len(byType) == 0 {
		return fmt.Errorf("it has no policies, and its path does not name the type that was asked for: %s", strings.Join(controlTypes, ", "))
	}
	for t, ids := range byType {
		switch {
		case target == "":
			o.all[t] = ids
		case o.attached[target] == nil:
			o.attached[target] = map[string][]string{t: ids}
		default:
			o.attached[target][t] = ids
		}
	}
	return nil
}

func (o *Organization) addText(p policySummary, content string) error {
	if p.ID == "" {
		return errors.New("the answer of describe-policy has no Id")
	}
	if !slices.Contains(controlTypes, p.Type) {
		return nil // of another kind: it shuts no service out
	}
	text, err := parseControl([]byte(content))
	if err != nil {
		return fmt.Errorf("policy %s: %w", p.ID, err)
	}
	o.texts[p.ID], o.kinds[p.ID] = text, p.Type
	return nil
}

// on gives the policies of a type that lie on a target, and whether these are known
// to be all.
func (o *Organization) on(target, kind string) (ids []string, whole bool) {
	if ids, ok := o.attached[target][kind]; ok {
		return ids, true
	}
	all, whole := o.all[kind]
	for _, id := range all {
		whole = whole && o.targets[id] != nil
	}
	for _, id := range slices.Sorted(maps.Keys(o.targets)) {
		if o.kinds[id] == kind && slices.Contains(o.targets[id], target) {
			ids = append(ids, id)
		}
	}
	return ids, whole
}

// above is the account with all that lies above it, the root last, and what it is not
// known to lie under; empty: all of it is known.
func (o *Organization) above(account string) (chain []string, unknown string) {
	const deepest = 8 // five units may lie inside each other
	at := account
	for range deepest {
		chain = append(chain, at)
		if at == o.root {
			return chain, ""
		}
		next := o.parent[at]
		if next == "" {
			break
		}
		at = next
	}
	return append(chain, o.root), chain[len(chain)-1]
}

// Of is what policies of the organisation leave an account, or of the tenant a
// subscription; nil: of it, or of what it is part of, nothing is known.
func (o *Organization) Of(account string) *Allowance {
	if o == nil {
		return nil
	}
	if a := o.azure.of(account); a != nil {
		return a
	}
	if o.root == "" || account == "" || o.parent[account] == "" && account != o.management {
		return nil
	}
	a := &Allowance{Services: []string{}, Source: FromOrganization, Resource: o.root}
	if account == o.management {
		a.judge = func(string) *bool { yes := true; return &yes }
		return a
	}
	chain, unknown := o.above(account)
	if unknown != "" {
		a.Missing = append(a.Missing, "list-parents "+unknown)
	}
	var levels []level
	for _, target := range chain {
		for _, kind := range o.enabled {
			ids, whole := o.on(target, kind)
			// That of AWS's own which allows everything cannot be taken off a target.
			l := level{whole: whole, denies: kind == resourceControl}
			if !whole {
				a.Missing = append(a.Missing, fmt.Sprintf("list-policies-for-target %s (%s)", target, kind))
			}
			for _, id := range ids {
				switch text := o.texts[id]; {
				case text != nil:
					l.policies = append(l.policies, text)
				case id == "p-FullAWSAccess" || id == "p-RCPFullAWSAccess": // AWS's own
					l.policies = append(l.policies, everything)
				default:
					l.whole = false
					a.Missing = append(a.Missing, "describe-policy "+id)
				}
			}
			levels = append(levels, l)
		}
	}
	slices.Sort(a.Missing)
	a.Missing = slices.Compact(a.Missing)
	a.judge = func(service string) *bool { return judge(levels, service, unknown == "") }
	a.Services = named(levels, a.judge)
	return a
}
