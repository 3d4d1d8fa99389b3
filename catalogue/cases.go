package catalogue

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/sigma/correlate"
	"github.com/yagura-sec/yagura/sigma/match"
)

// timeFields says by product which member of a record tells its time.
var timeFields = map[string]string{"aws": "eventTime", "gcp": "timestamp", "azure": "time", "zeek": "ts"}

// CaseRecord reads a record of a rule's case as if it had arrived: it gets the
// time at, if it tells none, and the columns of its event stand beside its own
// fields. Records whose format has no normaliser stand for themselves.
func CaseRecord(record []byte, at time.Time, source match.Source) ([]byte, correlate.Lookup, error) {
	record, err := timed(record, timeFields[source.Product], at)
	if err != nil {
		return nil, nil, err
	}
	for format, s := range rule.Sources {
		if s != source {
			continue
		}
		events, err := Formats().Append(nil, event.Raw{Object: "case", Format: format, Body: record, Received: at})
		if err != nil {
			return nil, nil, fmt.Errorf("read as %s: %w", format, err)
		}
		if len(events) == 1 {
			return record, ColumnsOf(&events[0]), nil
		}
	}
	return record, nil, nil
}

// ColumnsOf gives the columns of an event that hold text.
func ColumnsOf(e *event.Event) correlate.Lookup {
	return func(field string) ([]string, bool) {
		c, ok := query.Lookup(field)
		if !ok || c.Name != field {
			return nil, false
		}
		switch s, isText := c.Value(e).(string); {
		case !isText:
			return nil, false
		case s == "":
			return nil, true
		default:
			return []string{s}, true
		}
	}
}

// timed gives a record its time where it tells none.
func timed(record []byte, field string, at time.Time) ([]byte, error) {
	if field == "" {
		return record, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(record, &members); err != nil {
		return nil, fmt.Errorf("event is no JSON object: %w", err)
	}
	if _, told := members[field]; told {
		return record, nil
	}
	out := fmt.Appendf(nil, "{%q:%q", field, at.UTC().Format(time.RFC3339Nano))
	if len(members) > 0 {
		out = append(out, ',')
	}
	for i, c := range record {
		if c == '{' {
			return append(out, record[i+1:]...), nil
		}
	}
	return nil, fmt.Errorf("event is no JSON object")
}

// CaseColumns are the columns that correlations may name besides the fields of
// records.
func CaseColumns() []string {
	var out []string
	none := &event.Event{}
	for _, c := range query.Columns() {
		if _, isText := c.Value(none).(string); isText {
			out = append(out, c.Name)
		}
	}
	return out
}
