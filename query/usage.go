package query

import "github.com/yagura-sec/yagura/usage"

// UsageColumns are the columns of the table usage, in the order of usage.Row. SQL
// names them; filters do not.
func UsageColumns() []Spec {
	same := func(name string) Spec { return Spec{Name: name, Doc: "as in events"} }
	return []Spec{
		{Name: "hour", Type: Time, Doc: "start of the hour, UTC"},
		same("cloud_provider"),
		{Name: "account_uid", Doc: "the account that received the calls"},
		{Name: "actor_uid", Doc: "the principal"},
		same("actor_type"),
		same("caller"),
		same("api_service"),
		same("api_operation"),
		{Name: "resource_uid", Doc: "a resource that the calls name; empty: all calls, counted once each; `" + usage.Other + "`: those beyond the first 1,000 of an hour, actor and operation"},
		same("region"),
		same("outcome"),
		{Name: "count", Type: Int, Doc: "how many calls"},
		{Name: "first", Type: Time, Doc: "time of the first of them"},
		{Name: "last", Type: Time, Doc: "time of the last of them"},
	}
}
