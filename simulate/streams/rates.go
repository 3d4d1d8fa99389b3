package streams

import "github.com/yagura-sec/yagura/simulate/estate"

// What the streams are made from. A test holds what is written against them.
const (
	projectCount  = 10   // of Google Cloud
	cloudUsers    = 0.6  // of a project's team work in it
	cloudCalls    = 5.0  // changes a person makes a workday
	pipelineCalls = 3.0  // changes a project's pipeline makes a workday
	shareRefused  = 0.01 // of a person's changes that a policy may stand against are refused

	proxyRequests = 14.0 // a person and workday
	processes     = 3.0  // of note that a person starts a workday
	leaseHours    = 12.0 // of an address in the office or the tunnel

	signInsPerDay = 4.0   // of a person, a workday
	shareMistyped = 0.03  // of them begin with a wrong password
	shareMFA      = 0.12  // of them are asked for a second factor
	failuresAlien = 2.0   // wrong passwords a day from anywhere, at a hundred people
	spraySmall    = 12.0  // people that a spray tries at least, where there are so many
	sprayMost     = 200.0 // and at most

	shareSecondTrail = 0.15 // of accounts pay for a second copy of their trail
	shareChurning    = 0.08 // of accounts have resources that change without end
	configItems      = 60.0 // a day in a common account
	churnFactor      = 25.0
	eventsPerCall    = 12.0 // of the trail, for each read of a secret
	idleFloor        = 4000.0
)

// Rates are those figures by name, for world.json.
func Rates() estate.Rates {
	return estate.Rates{
		"gcp_projects": projectCount, "gcp_users_share": cloudUsers, "gcp_changes_per_workday": cloudCalls,
		"gcp_pipeline_changes_per_workday": pipelineCalls, "gcp_refused_share": shareRefused,
		"proxy_requests_per_workday": proxyRequests, "processes_per_workday": processes, "lease_hours": leaseHours,
		"sign_ins_per_workday": signInsPerDay, "sign_in_mistyped_share": shareMistyped, "sign_in_mfa_share": shareMFA,
		"sign_in_alien_failures_per_day_and_100_people": failuresAlien, "spray_people_min": spraySmall, "spray_people_max": sprayMost,
		"bill_second_trail_share": shareSecondTrail, "bill_churning_share": shareChurning,
		"bill_config_items_per_day": configItems, "bill_churn_factor": churnFactor,
		"bill_events_per_secret_read": eventsPerCall, "bill_events_per_day_min": idleFloor,
	}
}
