package stored

import (
	"slices"

	"github.com/yagura-sec/yagura/sigma/match"
	"github.com/yagura-sec/yagura/sigma/sqlgen"
)

// maxColumn is how many bytes of a text the normalisers keep in a column.
const maxColumn = 8 << 10

// Logs says by format which columns of an event hold which fields of its record.
//
// CloudTrail's eventName is never missing from a column, but an Insight's record
// may name it inside insightDetails. Error codes and messages are taken for texts
// because nearly all events have none: reading those that lack one, on the chance
// that it is a number, would be reading everything. A record that gives a member
// twice, which no provider writes, has only the first one in its column.
func Logs(sources map[string]match.Source) []sqlgen.Log {
	var out []sqlgen.Log
	for format, source := range sources {
		out = append(out, sqlgen.Log{Source: source, Column: "format", Value: format, Fields: fields[format], Raw: "raw"})
	}
	slices.SortFunc(out, func(a, b sqlgen.Log) int {
		if a.Value < b.Value {
			return -1
		}
		return 1
	})
	return out
}

var fields = map[string]map[string]sqlgen.Field{
	"aws.cloudtrail": {
		"eventName":       {Columns: []string{"api_operation"}, Max: maxColumn, Share: 0.01},
		"eventSource":     {Columns: []string{"api_service"}, Odd: true, Max: maxColumn, Share: 0.05},
		"awsRegion":       {Columns: []string{"region"}, Odd: true, Only: true, Max: maxColumn, Share: 0.3},
		"sourceIPAddress": {Columns: []string{"src_ip", "src_host"}, Odd: true, Only: true, Max: maxColumn, Share: 0.02},
		"userAgent":       {Columns: []string{"user_agent"}, Odd: true, Only: true, Max: maxColumn, Share: 0.02},
		"errorCode":       {Columns: []string{"status_code"}, Only: true, Max: maxColumn, Share: 0.02},
		"errorMessage":    {Columns: []string{"status_detail"}, Only: true, Max: maxColumn, Share: 0.02},
		"requestID":       {Columns: []string{"api_request_uid"}, Odd: true, Only: true, Max: maxColumn, Share: 0.0001},
		"vpcEndpointId":   {Columns: []string{"src_vpce"}, Only: true, Max: maxColumn, Share: 0.02},
	},
}
