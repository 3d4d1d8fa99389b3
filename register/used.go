package register

import (
	"maps"
	"slices"
	"time"
)

// Usage sums calls by project, service and UTC day. The zero Usage has none.
type Usage struct {
	projects map[string]map[string]map[time.Time]*Day
}

// Day is a service's calls in a project on a UTC day.
type Day struct {
	Day    time.Time
	Calls  int64
	Denied int64     // of Calls: refused
	First  time.Time // of the calls that were not refused; zero: all were
	Last   time.Time // likewise
	Latest time.Time // of all calls
}

// Add counts calls between first and last, which lie in one hour.
func (u *Usage) Add(project, service string, calls int64, denied bool, first, last time.Time) {
	service = ServiceID(service)
	if project == "" || service == "" || calls <= 0 {
		return
	}
	if u.projects == nil {
		u.projects = map[string]map[string]map[time.Time]*Day{}
	}
	if u.projects[project] == nil {
		u.projects[project] = map[string]map[time.Time]*Day{}
	}
	if u.projects[project][service] == nil {
		u.projects[project][service] = map[time.Time]*Day{}
	}
	days, at := u.projects[project][service], first.UTC().Truncate(24*time.Hour)
	d := days[at]
	if d == nil {
		d = &Day{Day: at}
		days[at] = d
	}
	d.Calls += calls
	if last.After(d.Latest) {
		d.Latest = last
	}
	if denied {
		d.Denied += calls
		return
	}
	if d.First.IsZero() || first.Before(d.First) {
		d.First = first
	}
	if last.After(d.Last) {
		d.Last = last
	}
}

// Projects are those with calls, in order.
func (u *Usage) Projects() []string { return slices.Sorted(maps.Keys(u.projects)) }

// Days of a service in a project, in order.
func (u *Usage) Days(project, service string) (out []Day) {
	days := u.projects[project][ServiceID(service)]
	for _, at := range slices.SortedFunc(maps.Keys(days), time.Time.Compare) {
		out = append(out, *days[at])
	}
	return out
}

// Uses are the services that a project calls, by service.
func (u *Usage) Uses(project string) (out []Use) {
	for _, service := range slices.Sorted(maps.Keys(u.projects[project])) {
		use := Use{Service: service}
		for _, d := range u.Days(project, service) {
			use.Calls += d.Calls
			use.Denied += d.Denied
			if at := d.First; !at.IsZero() && (use.First.IsZero() || at.Before(use.First)) {
				use.First = at
			}
			if d.Latest.After(use.Last) {
				use.Last = d.Latest
			}
		}
		out = append(out, use)
	}
	return out
}

// Everywhere are services that come with every account, project or subscription,
// which nobody applies for: those that turn services on, that say who may do
// what, and that keep logs.
var Everywhere = []string{
	"serviceusage.googleapis.com", "servicemanagement.googleapis.com", "cloudresourcemanager.googleapis.com", "iam.googleapis.com",
	"iamcredentials.googleapis.com", "sts.googleapis.com", "oauth2.googleapis.com", "logging.googleapis.com", "monitoring.googleapis.com",
	"orgpolicy.googleapis.com", "cloudbilling.googleapis.com", "cloudasset.googleapis.com", "policytroubleshooter.googleapis.com", "recommender.googleapis.com",
	"iam.amazonaws.com", "sts.amazonaws.com", "signin.amazonaws.com", "sso.amazonaws.com", "cloudtrail.amazonaws.com", "config.amazonaws.com",
	"organizations.amazonaws.com", "account.amazonaws.com", "billing.amazonaws.com", "health.amazonaws.com", "support.amazonaws.com",
	"access-analyzer.amazonaws.com", "servicequotas.amazonaws.com", "tagging.amazonaws.com", "resource-explorer-2.amazonaws.com", "cloudshell.amazonaws.com",
	"microsoft.authorization", "microsoft.resources", "microsoft.insights", "microsoft.policyinsights", "microsoft.support",
	"microsoft.consumption", "microsoft.costmanagement", "microsoft.advisor", "microsoft.resourcehealth", "microsoft.features", "microsoft.billing",
}
