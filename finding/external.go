package finding

import (
	"fmt"
	"time"
)

// External is what another product says of a finding that is its own (kind
// external): Yagura shows it and keeps to the product's own status.
type External struct {
	Product string `json:"product"` // as people call it: "GuardDuty"
	UID     string `json:"uid"`     // the product's id of the finding
	// Parent is what the id is in, which the product's own API asks for.
	Parent string `json:"parent,omitempty"`
	Format string `json:"format"`         // of the latest record: "aws.guardduty"
	Via    string `json:"via,omitempty"`  // who passed the latest record on: "Security Hub"
	Type   string `json:"type,omitempty"` // the product's own class: "Recon:EC2/PortProbe"

	At    time.Time `json:"at"`                   // when the product wrote the latest record
	First time.Time `json:"first_seen,omitzero"`  // when it first saw the trouble, by its own word
	Last  time.Time `json:"last_seen,omitzero"`   // and last
	Count int64     `json:"count,omitempty"`      // how often, by its own word
	Links []string  `json:"links,omitempty"`      // the product's pages about it
	Level string    `json:"severity,omitempty"`   // its severity in its own words: "8", "HIGH"
	Given Status    `json:"status"`               // its status in our words; never empty
	Said  string    `json:"status_own,omitempty"` // its status in its own words: "Workflow SUPPRESSED"
	// Resources are all that it names, where there are several.
	Resources []string `json:"resources,omitempty"`
	// State: it says how something is (a configuration, a vulnerability), which is
	// so until it is changed, rather than what happened at a time.
	State bool `json:"state,omitempty"`
	// Sample: the product made it up, to show what its findings look like.
	Sample bool `json:"sample,omitempty"`
}

// Closed tells whether the product itself has closed or hidden the finding.
func (x *External) Closed() bool {
	return x != nil && (x.Given == Resolved || x.Given == Suppressed)
}

// given takes over the status of the product whose finding it is, unless a
// person has decided later: of the two, the later word counts. One that is open
// there says nothing against what a person decided here.
func (f *Finding) given(last Decision) {
	x := f.External
	if x == nil || x.Given == "" {
		return
	}
	if last.Status == "" || x.Closed() && x.At.After(last.At) {
		f.Status = x.Given
	}
}

// clean is for Occurrence.Clean.
func (x *External) clean() *External {
	if x == nil {
		return nil
	}
	y := *x
	for _, s := range []*string{&y.Product, &y.UID, &y.Parent, &y.Format, &y.Via, &y.Type, &y.Level, (*string)(&y.Given), &y.Said} {
		*s = clean(*s)
	}
	y.Links, y.Resources = cleanAll(y.Links), cleanAll(y.Resources)
	return &y
}

// String is one line: "GuardDuty: Workflow SUPPRESSED".
func (x *External) String() string {
	if x.Said == "" {
		return x.Product
	}
	return fmt.Sprintf("%s: %s", x.Product, x.Said)
}
