package stored

import (
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/sigma/match"
	"github.com/yagura-sec/yagura/sigma/sqlgen"
)

// maxColumn is how many bytes of a text the normalisers keep in a column.
const maxColumn = 8 << 10

// Logs says by format which columns of an event hold which fields of its record.
//
// Error codes, who invoked a call and the like are taken for texts, because nearly
// all events have none: reading those that lack one, on the chance that it is a
// number, would be reading everything.
func Logs(sources map[string]match.Source) []sqlgen.Log {
	var out []sqlgen.Log
	for format, source := range sources {
		out = append(out, sqlgen.Log{Source: source, Column: "format", Value: format, Fields: fields[format], Raw: "raw"})
	}
	slices.SortFunc(out, func(a, b sqlgen.Log) int { return strings.Compare(a.Value, b.Value) })
	return out
}

var fields = map[string]map[string]sqlgen.Field{
	"aws.cloudtrail": {
		// An Insight may have its name and service further inside.
		"eventName":       {Columns: []string{"api_operation"}, Shared: true, Max: maxColumn, Share: 0.01},
		"eventSource":     {Columns: []string{"api_service"}, Shared: true, Odd: true, Max: maxColumn, Share: 0.05},
		"awsRegion":       {Columns: []string{"region"}, Odd: true, Only: true, Max: maxColumn, Share: 0.3},
		"sourceIPAddress": {Columns: []string{"src_ip", "src_host"}, Odd: true, Only: true, Max: maxColumn, Share: 0.02},
		"userAgent":       {Columns: []string{"user_agent"}, Odd: true, Only: true, Max: maxColumn, Share: 0.02},
		"errorCode":       {Columns: []string{"status_code"}, Only: true, Max: maxColumn, Share: 0.02},
		"errorMessage":    {Columns: []string{"status_detail"}, Only: true, Max: maxColumn, Share: 0.02},
		"requestID":       {Columns: []string{"api_request_uid"}, Odd: true, Only: true, Max: maxColumn, Share: 0.0001},
		"vpcEndpointId":   {Columns: []string{"src_vpce"}, Only: true, Max: maxColumn, Share: 0.02},

		"userIdentity.invokedBy": {Columns: []string{"actor_invoked_by"}, Only: true, Max: maxColumn, Share: 0.02},
		// A bearer token has a credentialId in its place.
		"userIdentity.accessKeyId": {Columns: []string{"actor_credential_uid"}, Shared: true, Max: maxColumn, Share: 0.001},
		"userIdentity.type": {Columns: []string{"actor_type"}, Share: 0.1, Words: map[string][]string{
			// Masked is whoever is named by nothing that stays.
			"Root":        {string(event.ActorRoot), string(event.ActorMasked)},
			"IAMUser":     {string(event.ActorUser), string(event.ActorMasked)},
			"AssumedRole": {string(event.ActorRole), string(event.ActorMasked)},
			"Role":        {string(event.ActorRole), string(event.ActorMasked)},
			"AWSService":  {string(event.ActorService), string(event.ActorMasked)},
			"AWSAccount":  {string(event.ActorAccount), string(event.ActorAnonymous), string(event.ActorMasked)},
		}},
		"eventCategory": {Columns: []string{"category"}, Share: 0.3, Words: map[string][]string{
			"Management":      {string(event.Management)},
			"Data":            {string(event.Data)},
			"Insight":         {string(event.Insight)},
			"NetworkActivity": {string(event.Network)},
		}},
	},
}
