package alert

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Found is a finding out of its envelopes.
type Found struct {
	Format string
	Body   []byte // the finding itself, its bytes as they came
}

// maxEnvelopes is how many envelopes may lie in each other.
const maxEnvelopes = 6

// Find takes a finding out of its envelopes and tells its format. For what is no
// finding that can be read, why says what it is.
func Find(body []byte) (f Found, why string) {
	f, _, why = find(body)
	return f, why
}

// find is Find, with the finding as it was parsed.
func find(body []byte) (Found, value, string) {
	body = bytes.TrimSpace(body)
	outer := ""
	for range maxEnvelopes {
		v, err := decode(body)
		if err != nil {
			return Found{}, value{}, firstOf(outer, err.Error())
		}
		if format := recognise(v); format != "" {
			return Found{Format: format, Body: body}, v, ""
		}
		inner := unwrap(v, body)
		if outer == "" && (v.key("detail-type").exists() || hasAll(v, "status_code", "data")) {
			outer = unread(v)
		}
		if inner == nil {
			return Found{}, value{}, firstOf(outer, unread(v))
		}
		body = inner
	}
	return Found{}, value{}, fmt.Sprintf("more than %d envelopes in each other", maxEnvelopes)
}

// envelopes are names under which forwarders and exporters put a record: as an
// object or as its text. All members beside it are theirs, not the record's.
var envelopes = []string{
	"detail",        // EventBridge
	"event",         // HEC; Elastic Common Schema, whose event.original is next
	"original",      // of ECS
	"_source",       // an Elasticsearch export
	"result",        // a Splunk export
	"_raw",          // its text
	"message",       // CloudWatch Logs, Fluentd, Pub/Sub
	"log", "record", // container logs
	"finding",              // GetFinding of Access Analyzer
	"json",                 // a row of documents
	"data",                 // Pub/Sub, in base64; CloudEvents
	"Message",              // SNS
	"findings", "Findings", // of an EventBridge event or an answer, where there is one
}

// unwrap is what lies in v's envelope; nil where it is none.
func unwrap(v value, body []byte) []byte {
	for _, name := range envelopes {
		switch x := v.key(name).v.(type) {
		case map[string]any:
			return rawOf(body, name)
		case []any: // a list of one, where nobody has split it
			if len(x) != 1 || name != "findings" && name != "Findings" {
				continue
			}
			var list []json.RawMessage
			if json.Unmarshal(rawOf(body, name), &list) == nil && len(list) == 1 {
				return list[0]
			}
		case string:
			if s := strings.TrimSpace(x); strings.HasPrefix(s, "{") {
				return []byte(s)
			}
			if name == "data" {
				if b, err := base64.StdEncoding.DecodeString(x); err == nil && bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")) {
					return bytes.TrimSpace(b)
				}
			}
		}
	}
	return nil
}

// rawOf is a member of an object, its bytes as they came.
func rawOf(body []byte, name string) []byte {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return nil
	}
	return m[name]
}

// recognise tells the format of a bare finding by the names of its members, so
// that one with a wrong value in it is known for what it is.
func recognise(v value) string {
	for _, s := range shapesOf {
		if s.is(v) {
			return s.format
		}
	}
	return ""
}

// shape is how findings of a format look.
type shape struct {
	format string
	is     func(value) bool
}

func hasAll(v value, paths ...string) bool {
	return !slices.ContainsFunc(paths, func(p string) bool { return !v.get(p).exists() })
}

// shapesOf is gone through in order. EventBridge events are no findings: their
// detail is.
var shapesOf = []shape{
	{SecurityHub, func(v value) bool {
		return v.key("SchemaVersion").exists() && v.key("ProductArn").exists() && v.key("Severity").exists() && !v.key("Filters").exists()
	}},
	{SecurityHub, func(v value) bool {
		return isOCSF(v) && strings.Contains(v.get("metadata.product.uid").str(), ":productv2/")
	}},
	{Prowler, func(v value) bool {
		return isOCSF(v) && strings.EqualFold(v.get("metadata.product.name").str(), "Prowler")
	}},
	{OCSF, isOCSF},
	{GuardDuty, func(v value) bool {
		return hasAll(v, "service", "severity", "type", "id", "accountId") && (hasAll(v, "resource") || v.get("service.serviceName").str() == "guardduty" || v.get("service.detectorId").exists())
	}},
	{Macie, func(v value) bool { return hasAll(v, "resourcesAffected", "severity", "type", "id") }},
	{Inspector, func(v value) bool { return hasAll(v, "findingArn", "severity", "type") }},
	{AccessAnalyzer, isAccessAnalyzer},
	{Config, isConfig},
	{SCC, isSCC},
	{Defender, isDefender},
	{Sysdig, isSysdig},
	{Falco, func(v value) bool {
		_, isText := v.key("priority").v.(string)
		return isText && v.key("rule").exists() && v.key("output").exists() && (v.key("output_fields").exists() || v.key("time").exists())
	}},
}

// NoFinding begins the reason for what is nothing that is known by name.
const NoFinding = "JSON, but no finding that Yagura reads: "

// unread says what v is, for a person, where it is no finding that can be read.
func unread(v value) string {
	if _, isList := v.key("detail-type").v.([]any); isList {
		return "an EventBridge rule's pattern, not an event"
	}
	if detail := v.key("detail"); v.key("detail-type").exists() && detail.isObject() {
		return fmt.Sprintf("an EventBridge event %q from %q, with no finding in it that Yagura reads", Plain(v.key("detail-type").str()), Plain(v.key("source").str()))
	}
	class, isClass := v.key("class_uid").num()
	switch {
	case isClass && v.key("metadata").exists():
		name := firstOf(v.key("class_name").str(), "its name is not given")
		return fmt.Sprintf("an OCSF event of class %d (%s), not a finding; Yagura reads OCSF findings only", int(class), Plain(name))
	case v.key("expected").exists():
		return "a file of answers that a test expects, not a finding"
	case hasAll(v, "id", "type", "timestampRFC3339Nano"):
		return fmt.Sprintf("an entry of Sysdig's activity audit (%s), not a finding", Plain(v.key("type").str()))
	case hasAll(v, "assetType", "ancestors"):
		return "an entry of Google's asset inventory, not a finding"
	case hasAll(v, "InsightArn"):
		return "a Security Hub insight, which is a saved filter, not a finding"
	case hasAll(v, "analyzedAt", "rule", "result", "resource"):
		return "a configuration finding of Wiz; Yagura does not read these"
	case hasAll(v, "riskDetail"), hasAll(v, "collections"):
		return "a record of Prisma Cloud; Yagura does not read these"
	case len(v.get("findings").list()) > 1:
		return "several findings in one: a file or an event that was not split, not a record"
	case hasAll(v, "status_code", "data"), hasAll(v, "ResponseMetadata"), hasAll(v, "FailedCount"):
		return "an API's answer without findings"
	}
	return NoFinding + members(v)
}

// members lists an object's first keys.
func members(v value) string {
	const most = 6
	m, _ := v.v.(map[string]any)
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, Plain(k))
	}
	slices.Sort(names)
	switch {
	case len(names) == 0:
		return "it has no keys"
	case len(names) > most:
		return fmt.Sprintf("top-level keys %s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return "top-level keys " + strings.Join(names, ", ")
}

// Plain makes a text from a record fit to stand in a reason that a person reads:
// what cannot be printed is ?, and after 60 characters it ends.
func Plain(s string) string {
	const most = 60
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}
