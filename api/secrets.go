package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/usage/secrets"
)

// Secret is a secret, key, parameter or certificate as usage shows it. There is
// never a value in it.
type Secret struct {
	Resource      string                `json:"resource"`
	Kind          secrets.Kind          `json:"kind" enum:"secret,key,parameter,certificate"`
	Name          string                `json:"name"`
	Forms         []string              `json:"forms" doc:"every name it is called by: with and without random suffix, as alias, as id"`
	Account       string                `json:"account"`
	AccountName   string                `json:"account_name"`
	Region        string                `json:"region" doc:"where it lies"`
	CloudProvider string                `json:"cloud_provider"`
	FirstSeen     time.Time             `json:"first_seen" doc:"of any record about it: its age is at least this"`
	LastUse       time.Time             `json:"last_use,omitzero" doc:"absent: no use was seen"`
	Calls         int64                 `json:"calls" doc:"uses: reads of the value, or operations with the key"`
	Actors        int                   `json:"actors" doc:"different principals that used it"`
	Callers       []secrets.CallerCalls `json:"callers" doc:"the most frequent first"`
	Regions       []string              `json:"regions" doc:"in which it was used"`
	Failures      int64                 `json:"failures" doc:"uses that did not succeed"`
	Findings      int                   `json:"findings" doc:"open findings on it"`
	QuietDays     int                   `json:"quiet_days" doc:"whole days since the last use, as far as the log of its account reaches; -1: no use was seen"`
	UnknownDays   int                   `json:"unknown_days" doc:"days between the first sight and now of which nothing is known, because its account delivered no record"`
	Rotation      secrets.Rotations     `json:"rotation" doc:"calls that rotate it, as far as they were seen"`
	Maturity      SecretMaturity        `json:"maturity"`
}

// SecretMaturity is how far anomalies of its use can be told.
type SecretMaturity struct {
	State string `json:"state" enum:"learned,learning,unused" doc:"learned: its use can be judged; learning: too little was seen yet; unused: there is nothing to learn from"`
	Days  int    `json:"days" doc:"days with uses"`
	Needs int    `json:"needs" doc:"days with uses that it takes"`
	Calls int64  `json:"calls" doc:"uses"`
}

// SecretDetail is all of one.
type SecretDetail struct {
	Secret
	Heat        []secrets.Heat        `json:"heat" doc:"uses by hour of the week, UTC; only those with calls"`
	HeatKnown   []HeatKnown           `json:"heat_known" doc:"of each hour of the week, in how many of the weeks its account delivered records"`
	Days        []secrets.DayCalls    `json:"days" doc:"only those with calls; see gaps for those of which nothing is known"`
	ActorUse    []secrets.ActorUse    `json:"actor_use" doc:"by principal and class of caller, the most frequent first"`
	Group       []secrets.GroupMember `json:"group" doc:"others that are used along with it"`
	Gaps        []secrets.Unheard     `json:"gaps" doc:"stretches in which its account delivered no record: unknown, not unused"`
	FailureKind []secrets.FailedUse   `json:"failure_kinds"`
	FindingList []Finding             `json:"finding_list" doc:"the most pressing first, at most 50"`
}

// HeatKnown is how much is known of an hour of the week.
type HeatKnown struct {
	Weekday int `json:"weekday" minimum:"0" maximum:"6" doc:"0 is Sunday"`
	Hour    int `json:"hour" minimum:"0" maximum:"23" doc:"UTC"`
	Known   int `json:"known" doc:"such hours with records of its account"`
	Unknown int `json:"unknown" doc:"such hours without any record"`
}

// Secrets is a page of them.
type Secrets struct {
	Secrets []Secret    `json:"secrets"`
	Next    string      `json:"next" doc:"cursor of the following page; empty at the end"`
	Total   int         `json:"total" doc:"that the filter chooses"`
	Kinds   []KindCount `json:"kinds" doc:"of all that the filter chooses, each kind"`
	Until   time.Time   `json:"until,omitzero" doc:"usage was summed up to then"`
	Dropped int64       `json:"dropped" doc:"secrets and keys beyond the number that is kept track of"`
}

// KindCount is how many there are of a kind.
type KindCount struct {
	Kind  secrets.Kind `json:"kind" enum:"secret,key,parameter,certificate"`
	Count int          `json:"count"`
}

func secretList(a huma.API, rooms Rooms) {
	type page struct{ Body Secrets }
	huma.Register(a, huma.Operation{
		OperationID: "list-secrets", Method: http.MethodGet, Path: "/api/secrets", Summary: "Secrets, keys, parameters and certificates that were seen in use",
	}, func(ctx context.Context, in *struct {
		Q       string       `query:"q" doc:"words that are in its name, account, region or a principal's class, any case"`
		Account string       `query:"account"`
		Kind    secrets.Kind `query:"kind" enum:"secret,key,parameter,certificate"`
		Caller  string       `query:"caller" doc:"used by this class of callers"`
		Quiet   int          `query:"quiet" minimum:"0" doc:"not used for at least so many days"`
		Sort    string       `query:"sort" default:"findings" enum:"findings,name,calls,-calls,last_use,-last_use,first_seen,-first_seen,actors,-actors,quiet_days,-quiet_days,failures" doc:"a minus turns it round"`
		Limit   int          `query:"limit" default:"100" minimum:"1" maximum:"1000"`
		Cursor  string       `query:"cursor"`
	}) (*page, error) {
		return nil, absent("usage of secrets and keys")
	})
}

func secretDetail(a huma.API, rooms Rooms) {
	type one struct{ Body SecretDetail }
	huma.Register(a, huma.Operation{
		OperationID: "get-secret", Method: http.MethodGet, Path: "/api/secrets/detail", Summary: "All that usage says of one secret or key",
	}, func(ctx context.Context, in *struct {
		Resource string `query:"resource" required:"true" doc:"any of its names"`
	}) (*one, error) {
		return nil, absent("usage of secrets and keys")
	})
}
