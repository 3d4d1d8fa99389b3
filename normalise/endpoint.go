package normalise

import (
	"strings"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

// otherDevices names what comes from devices, networks and their products and no
// mapping reads.
func otherDevices(v jsontree.Value) string {
	for _, name := range []func(jsontree.Value) string{otherLine, otherZeek, otherSensor, otherWindows} {
		if what := name(v); what != "" {
			return what
		}
	}
	for _, s := range deviceShapes {
		if s.is(v) {
			return s.what
		}
	}
	return ""
}

// otherSensor names the events of CrowdStrike's sensor: a mapping reads some.
func otherSensor(v jsontree.Value) string {
	for _, key := range []string{"event_simpleName", "fdr_event_type"} {
		if name := v.Get(key).String(); name != "" {
			return "an event " + alert.Plain(name) + " of CrowdStrike Falcon's sensor" + notYet
		}
	}
	return ""
}

// otherWindows names the events of Windows' logs: a mapping reads some.
func otherWindows(v jsontree.Value) string {
	if id, channel := v.Get("EventID").Text(), v.Get("Channel").String(); id != "" && channel != "" {
		return "event " + alert.Plain(id) + " of Windows' log " + alert.Plain(channel) + notYet
	}
	if log := v.Get("winlog"); log.Kind() == jsontree.Object {
		return "event " + alert.Plain(log.Get("event_id").Text()) + " of Windows' log " + alert.Plain(log.Get("channel").String()) + notYet
	}
	return ""
}

// ruleCase names what a case of a detection rule is about, of which nobody reads
// the record that it holds.
func ruleCase(v jsontree.Value) string {
	if kind := v.Get("log_type").String(); kind != "" && v.Get("rule_id").Exists() && v.Get("test").Exists() {
		return "a case of a detection rule about " + alert.Plain(kind) + notYet
	}
	return ""
}

func anyOf(keys ...string) func(jsontree.Value) bool {
	return func(v jsontree.Value) bool {
		for _, k := range keys {
			if v.Get(k).Exists() {
				return true
			}
		}
		return false
	}
}

func both(a, b func(jsontree.Value) bool) func(jsontree.Value) bool {
	return func(v jsontree.Value) bool { return a(v) && b(v) }
}

func sourceType(prefix string) func(jsontree.Value) bool {
	return func(v jsontree.Value) bool { return strings.HasPrefix(v.Get("sourcetype").String(), prefix) }
}

var deviceShapes = []shape{
	{"a result of osquery" + notYet, both(has("columns", "name"), anyOf("calendarTime", "hostIdentifier", "unixTime"))},
	{"a result of osquery" + notYet, both(has("columns", "action"), anyOf("calendarTime", "name"))},
	{"an event of Suricata" + notYet, has("flow_id", "event_type", "src_ip")},
	{"an event of Suricata" + notYet, both(has("event_type", "timestamp"), anyOf("stats", "in_iface"))},
	{"a threat that SentinelOne found" + notYet, has("agentDetectionInfo")},
	{"an activity in SentinelOne's console" + notYet, both(anyOf("activityType", "activitytype"), anyOf("agentId", "accountId", "accountid", "agentid"))},
	{"a record of SentinelOne's list of agents" + notYet, has("agentVersion", "computerName")},
	{"an alert of SentinelOne" + notYet, has("alertInfo", "agentRealtimeInfo")},
	{"an event of SentinelOne's Cloud Funnel" + notYet, both(anyOf("site.id", "mgmt.id"), anyOf("event.category", "event.type"))},
	{"a record of Cloudflare's logs" + notYet, anyOf("RayID", "EdgeColoCode", "EdgeColoID", "ColoCode", "ClientASN", "ClientAsn", "LastKnownGoodColoCode", "ClientRefererHost")},
	{"a record of Cloudflare's Zero Trust logs" + notYet, both(has("AccountID"), anyOf("Datetime", "SessionID", "Timestamp", "DestAddr"))},
	{"a finding of Cloudflare's CASB" + notYet, has("FindingTypeDisplayName")},
	{"a record of Cloudflare's DNS logs" + notYet, has("QueryName", "ResponseCode")},
	{"a record of Netskope" + notYet, anyOf("_insertion_epoch_timestamp", "netskope_pop", "is_netskope_personnel", "ccl")},
	{"an event of Carbon Black" + notYet, both(has("device_id"), anyOf("org_key", "org_id", "backend_timestamp"))},
	{"an event of CrowdStrike Falcon's streaming API" + notYet, func(v jsontree.Value) bool {
		return v.Get("metadata").Get("customerIDString").Exists()
	}},
	{"an audit event of CrowdStrike Falcon's console" + notYet, has("OperationName", "ServiceName", "UserId")},
	{"a detection of CrowdStrike Falcon" + notYet, anyOf("DetectName", "FalconHostLink", "IncidentStartTime")},
	{"a record of Zscaler" + notYet, sourceType("zscalernss")},
	{"a detection rule, not a log record", has("rule_id", "analysis", "log_types")},
	{"a file of events that a parser of Google SecOps is tested by, not a log record", has("raw_logs")},
	{"an event of Google SecOps's data model" + notYet, has("idm")},
	{"a result that Splunk exported, without its record", has("preview", "result")},
}
