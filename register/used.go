package register

import (
	"maps"
	"slices"
	"time"
)

// Usage sums calls by project and service. The zero Usage has none.
type Usage struct {
	projects map[string]map[string]*Use
}

// Add counts calls between first and last.
func (u *Usage) Add(project, service string, calls int64, denied bool, first, last time.Time) {
	service = ServiceID(service)
	if project == "" || service == "" || calls <= 0 {
		return
	}
	if u.projects == nil {
		u.projects = map[string]map[string]*Use{}
	}
	if u.projects[project] == nil {
		u.projects[project] = map[string]*Use{}
	}
	x := u.projects[project][service]
	if x == nil {
		x = &Use{Service: service, First: first, Last: last}
		u.projects[project][service] = x
	}
	x.Calls += calls
	if denied {
		x.Denied += calls
	}
	if first.Before(x.First) {
		x.First = first
	}
	if last.After(x.Last) {
		x.Last = last
	}
}

// Projects are those with calls, in order.
func (u *Usage) Projects() []string { return slices.Sorted(maps.Keys(u.projects)) }

// Uses are the services that a project calls, by service.
func (u *Usage) Uses(project string) (out []Use) {
	for _, service := range slices.Sorted(maps.Keys(u.projects[project])) {
		out = append(out, *u.projects[project][service])
	}
	return out
}

// Day is a service's calls in a project on a UTC day that were not refused.
type Day struct {
	Day         time.Time
	Calls       int64
	First, Last time.Time
}

// Days sums calls by UTC day. The zero Days has none.
type Days struct {
	days map[time.Time]*Day
}

// Add counts calls between first and last, which lie in one hour.
func (d *Days) Add(calls int64, first, last time.Time) {
	if calls <= 0 {
		return
	}
	if d.days == nil {
		d.days = map[time.Time]*Day{}
	}
	at := first.UTC().Truncate(24 * time.Hour)
	x := d.days[at]
	if x == nil {
		x = &Day{Day: at, First: first, Last: last}
		d.days[at] = x
	}
	x.Calls += calls
	if first.Before(x.First) {
		x.First = first
	}
	if last.After(x.Last) {
		x.Last = last
	}
}

// All are the days with calls, in order.
func (d *Days) All() (out []Day) {
	for _, at := range slices.SortedFunc(maps.Keys(d.days), time.Time.Compare) {
		out = append(out, *d.days[at])
	}
	return out
}

// Everywhere are services that come with every account, project or subscription,
// which nobody applies for: those that turn services on, that say who may do
// what, and that keep logs.
var Everywhere = []string{
	"serviceusage.googleapis.com", "servicemanagement.googleapis.com", "cloudresourcemanager.googleapis.com", "iam.googleapis.com",
	"iamcredentials.googleapis.com", "sts.googleapis.com", "oauth2.googleapis.com", "logging.googleapis.com", "monitoring.googleapis.com",
	"orgpolicy.googleapis.com", "cloudbilling.googleapis.com", "cloudasset.googleapis.com", "policytroubleshooter.googleapis.com", "login.googleapis.com", "admin.googleapis.com", "recommender.googleapis.com",
	"iam.amazonaws.com", "sts.amazonaws.com", "signin.amazonaws.com", "sso.amazonaws.com", "cloudtrail.amazonaws.com", "config.amazonaws.com",
	"organizations.amazonaws.com", "account.amazonaws.com", "billing.amazonaws.com", "health.amazonaws.com", "support.amazonaws.com",
	"access-analyzer.amazonaws.com", "servicequotas.amazonaws.com", "tagging.amazonaws.com", "resource-explorer-2.amazonaws.com", "cloudshell.amazonaws.com",
	"microsoft.authorization", "microsoft.resources", "microsoft.insights", "microsoft.policyinsights", "microsoft.support",
	"microsoft.consumption", "microsoft.costmanagement", "microsoft.advisor", "microsoft.resourcehealth", "microsoft.features", "microsoft.billing",
}
