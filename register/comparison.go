package register

import (
	"time"

	"github.com/yagura-sec/yagura/say"
)

// Where it is known from what a project is allowed.
const (
	FromLog  = "log"  // a change of the policy in the log
	FromList = "list" // a list of the configuration
)

// Allowance is the services that a policy allows a project by name.
type Allowance struct {
	Services []string `json:"services"` // none of them, where it is empty
	Source   string   `json:"source"`   // FromLog or FromList
	// Of a change in the log: what it was set on, when and by whom.
	Resource string    `json:"resource,omitempty"` // "projects/kite-ml", "organizations/1"
	At       time.Time `json:"at,omitzero"`
	By       string    `json:"by,omitempty"`
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
