// Package usage holds hourly sums of who used what, when, from where and with
// what outcome: the one table that anomalies, unused resources, least
// privilege and "last used" read. It outlives the events it was summed from.
package usage

import (
	"time"

	"github.com/yagura-sec/yagura/event"
)

// Other stands for the resources beyond the cap of one (hour, actor, operation).
const Other = "(other)"

// Key is what a row sums over.
type Key struct {
	Hour          time.Time       `json:"hour"` // start of the hour, UTC
	CloudProvider string          `json:"cloud_provider"`
	AccountUID    string          `json:"account_uid"`
	ActorUID      string          `json:"actor_uid"`
	ActorType     event.ActorType `json:"actor_type"`
	Caller        event.Caller    `json:"caller"`
	APIService    string          `json:"api_service"`
	APIOperation  string          `json:"api_operation"`
	ResourceUID   string          `json:"resource_uid"` // empty: the row that is summed per principal
	Region        string          `json:"region"`
	Outcome       event.Outcome   `json:"outcome"`
}

// Row is a key with its sums. Rows of one key add up: Count sums, First and
// Last take the earliest and the latest.
type Row struct {
	Key
	Count int64     `json:"count"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// Query chooses rows. Empty fields choose all.
type Query struct {
	Since, Until time.Time // hours in [Since, Until); zero: open
	AccountUID   string
	ActorUID     string
	ResourceUID  string
	APIOperation string
}

// Matches tells whether the query chooses a row of that key.
func (q *Query) Matches(k *Key) bool {
	return (q.Since.IsZero() || !k.Hour.Before(q.Since)) && (q.Until.IsZero() || k.Hour.Before(q.Until)) &&
		(q.AccountUID == "" || q.AccountUID == k.AccountUID) && (q.ActorUID == "" || q.ActorUID == k.ActorUID) &&
		(q.ResourceUID == "" || q.ResourceUID == k.ResourceUID) && (q.APIOperation == "" || q.APIOperation == k.APIOperation)
}
