package triage

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/say"
)

// PolicyDraft is a change of a policy, for whoever may make it. We never do.
type PolicyDraft struct {
	Provider   string   `json:"provider"`
	Constraint string   `json:"constraint"`
	File       string   `json:"file,omitempty"`   // name of the file that Text is for
	Text       string   `json:"text,omitempty"`   // the file
	Commands   []string `json:"commands"`         // what looks at it, and what sets it
	Note       say.Text `json:"note"`             // what to mind
	Source     string   `json:"source,omitempty"` // where the provider says how it is done
}

// restrictServices are the constraints of Google Cloud whose values are services.
// https://cloud.google.com/resource-manager/docs/organization-policy/restricting-resources
var restrictServices = []string{"gcp.restrictServiceUsage"}

// namesServices tells whether a policy may be one that says which services may be
// used. Google's other constraints say how, which no application for a service
// changes; of other providers' policies only their own text would tell.
func namesServices(constraint string) bool {
	name, google := strings.CutPrefix(constraint, "constraints/")
	return !google || slices.Contains(restrictServices, name)
}

// policyDraft is the change that would let a project use a service; nil where the
// policy that refused is not known, or is none that names services.
func policyDraft(d Drafting, service string) *PolicyDraft {
	project := d.Finding.Account
	constraint := strings.TrimPrefix(d.Finding.Constraint, "constraints/")
	switch {
	case slices.Contains(restrictServices, constraint) && projectID.MatchString(project) && serviceID.MatchString(service):
		return googlePolicy(project, constraint, service, d.Allowance)
	case strings.HasSuffix(service, ".amazonaws.com") && serviceID.MatchString(service):
		return awsPolicy(d.Finding.Constraint, service)
	case strings.HasPrefix(service, "microsoft.") && subscriptionID.MatchString(project) && constraint != "":
		return azurePolicy(project, constraint)
	}
	return nil
}

// What goes into files and commands has no more than these: names come from logs.
var (
	projectID      = regexp.MustCompile(`^[a-z][a-z0-9.:-]{2,62}$`)
	serviceID      = regexp.MustCompile(`^[a-z0-9.-]{1,128}$`)
	subscriptionID = regexp.MustCompile(`^[0-9a-f-]{36}$`)
	policyName     = regexp.MustCompile(`^[A-Za-z0-9 ._-]{1,128}$`)
)

// googlePolicy allows the project the service besides: what the project's own
// policy allows, where the log tells, or what it inherits.
func googlePolicy(project, constraint, service string, allowed *register.Allowance) *PolicyDraft {
	out := &PolicyDraft{Provider: "Google Cloud", Constraint: constraint, File: "policy.yaml",
		Source: "https://cloud.google.com/resource-manager/docs/organization-policy/restricting-resources"}
	values, inherits := []string{service}, true
	out.Note = say.T("draft.policy.google.inherits", say.Values{"project": project})
	if allowed != nil && allowed.Source == register.FromLog && allowed.Resource == "projects/"+project {
		inherits = false
		values = append(slices.DeleteFunc(slices.Clone(allowed.Services), func(s string) bool { return !serviceID.MatchString(s) }), service)
		out.Note = say.T("draft.policy.google.own", say.Values{"project": project, "at": allowed.At})
	}
	slices.Sort(values)
	var b strings.Builder
	fmt.Fprintf(&b, "name: projects/%s/policies/%s\nspec:\n", project, constraint)
	if inherits {
		b.WriteString("  inheritFromParent: true\n")
	}
	b.WriteString("  rules:\n  - values:\n      allowedValues:\n")
	for _, v := range slices.Compact(values) {
		fmt.Fprintf(&b, "      - %s\n", v)
	}
	out.Text = b.String()
	out.Commands = []string{
		fmt.Sprintf("gcloud org-policies describe %s --project=%s --effective", constraint, project),
		"gcloud org-policies set-policy policy.yaml --update-mask=spec",
	}
	return out
}

// awsPolicy is a statement for the service control policy that lists what is
// allowed.
func awsPolicy(constraint, service string) *PolicyDraft {
	prefix, _, _ := strings.Cut(service, ".")
	return &PolicyDraft{Provider: "AWS", Constraint: constraint, File: "statement.json",
		Text:     fmt.Sprintf("{\n  \"Effect\": \"Allow\",\n  \"Action\": \"%s:*\",\n  \"Resource\": \"*\"\n}\n", prefix),
		Commands: []string{"aws organizations list-policies --filter SERVICE_CONTROL_POLICY"},
		Note:     say.T("draft.policy.aws", nil),
		Source:   "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_strategies.html"}
}

// azurePolicy exempts the subscription from the assignment that refused.
func azurePolicy(subscription, constraint string) *PolicyDraft {
	name, _, _ := strings.Cut(constraint, ",")
	out := &PolicyDraft{Provider: "Azure", Constraint: constraint, Note: say.T("draft.policy.azure", nil),
		Commands: []string{fmt.Sprintf("az policy assignment list --scope /subscriptions/%s", subscription)},
		Source:   "https://learn.microsoft.com/azure/governance/policy/concepts/exemption-structure"}
	if policyName.MatchString(name) {
		out.Commands = append(out.Commands, fmt.Sprintf("az policy exemption create --name yagura-draft --exemption-category Waiver --policy-assignment '%s' --scope /subscriptions/%s", name, subscription))
	}
	return out
}
