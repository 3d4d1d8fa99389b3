package advise

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// withoutPlain takes data events, or management events, out of a trail's plain
// selectors, all else left as it was. False: nothing would be left, or they do not
// read.
func withoutPlain(described json.RawMessage, data bool) (string, bool) {
	var all []map[string]json.RawMessage
	if json.Unmarshal(described, &all) != nil || len(all) == 0 {
		return "", false
	}
	name, value := "IncludeManagementEvents", "false"
	if data {
		name, value = "DataResources", "[]"
	}
	for _, s := range all {
		if s == nil {
			return "", false
		}
		maps.DeleteFunc(s, func(k string, _ json.RawMessage) bool { return strings.EqualFold(k, name) })
		s[name] = json.RawMessage(value)
	}
	if data && !slices.ContainsFunc(all, func(s map[string]json.RawMessage) bool { return string(s["IncludeManagementEvents"]) != "false" }) {
		return "", false
	}
	return text(all), true
}

// withoutAdvanced does so with advanced selectors, which are of one category each.
func withoutAdvanced(described json.RawMessage, data bool) (string, bool) {
	var all []json.RawMessage
	if json.Unmarshal(described, &all) != nil {
		return "", false
	}
	gone := "Management"
	if data {
		gone = "Data"
	}
	left := slices.DeleteFunc(all, func(raw json.RawMessage) bool {
		var s struct {
			FieldSelectors []struct {
				Field  string
				Equals []string
			}
		}
		_ = json.Unmarshal(raw, &s) // what does not read stays as it is
		for _, f := range s.FieldSelectors {
			if f.Field == "eventCategory" && slices.Contains(f.Equals, gone) {
				return true
			}
		}
		return false
	})
	return text(left), len(left) > 0
}

// oneLine is JSON without spaces between.
func oneLine(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}
