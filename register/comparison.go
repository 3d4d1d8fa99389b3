package register

import (
	"slices"
	"time"

	"github.com/yagura-sec/yagura/say"
)

// Where it is known from what a project is allowed.
const (
	FromLog  = "log"  // a change of the policy in the log
	FromList = "list" // a list of the configuration
	// FromOrganization: policies of an organisation of AWS, as its answers say.
	FromOrganization = "organization"
	// FromTenant: policies of a tenant of Azure, as its answers say.
	FromTenant = "tenant"
)

// Allowance is the services that policies allow a project.
type Allowance struct {
	// Services that are allowed by name. Of an organisation others may be allowed
	// besides; of other sources these are all, and none where it is empty.
	Services []string `json:"services"`
	Source   string   `json:"source"` // FromLog, FromList, FromOrganization or FromTenant
	// Missing are the answers of an organisation or tenant without which it is not
	// known what else is denied: commands of `aws organizations`, or of `az`.
	Missing []string `json:"missing,omitempty"`
	// Of a change in the log: what it was set on, when and by whom.
	Resource string    `json:"resource,omitempty"` // "projects/kite-ml", "organizations/1"
	At       time.Time `json:"at,omitzero"`
	By       string    `json:"by,omitempty"`

	// judge tells what of a service is allowed where Services do not; nil: they do.
	judge func(service string) *bool
}

// Allows tells whether a service is allowed: nil where that is not known.
func (a *Allowance) Allows(service string) *bool {
	switch {
	case a == nil:
		return nil
	case a.judge != nil:
		return a.judge(service)
	}
	is := slices.ContainsFunc(a.Services, func(s string) bool { return ServiceID(s) == ServiceID(service) })
	return &is
}

// Comparison is what a project uses, applied for and is allowed.
type Comparison struct {
	Entry      Entry // Entry{Project: ...} where it is not Registered
	Registered bool
	// Since and Until bound the use that was looked at: [Since, Until).
	Since, Until time.Time
	Allowance    *Allowance // nil: no policy that names services is known
	Lines        []Line
}

// Differences are the comparisons of all projects, by project.
type Differences struct {
	At       time.Time // zero: nothing was compared yet
	Projects []Comparison
}

// Need says that a service needs another, or may.
func Need(service, needs, why string, always bool) say.Text {
	if always {
		return say.T("register.needs", say.Values{"service": service, "needs": needs, "why": why})
	}
	return say.T("register.may_need", say.Values{"service": service, "needs": needs, "why": why})
}
