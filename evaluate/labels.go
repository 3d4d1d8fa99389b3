package evaluate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
)

// Label is trouble, or what only looks like it, as it is matched.
type Label struct {
	estate.Label
	Actors []string // Principal, and others where a foreign label names several
	People []string
	// Whole: other labels are parts of it and are counted in its place, where the
	// kind is not that of a whole.
	Whole bool
}

// Problem is what could not be read of a label.
type Problem struct {
	Line int    `json:"line"` // of the file, or the label's place in a list
	ID   string `json:"id,omitempty"`
	What string `json:"what"`
}

// ReadLabels reads labels: one JSON object a line, a list of them, or an object
// with a list named labels. Fields that it does not know are passed over, those
// of other names for the same thing are taken, and what a label lacks so that it
// cannot be judged is a problem. It fails only where r cannot be read.
func ReadLabels(r io.Reader) ([]Label, []Problem, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, nil, fmt.Errorf("labels: %w", err)
	}
	rows, problems := splitLabels(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	var labels []Label
	for _, row := range rows {
		l, what := readLabel(row.fields)
		for _, w := range what {
			problems = append(problems, Problem{row.line, l.ID, w})
		}
		if l.ID == "" {
			l.ID = fmt.Sprintf("line-%d", row.line)
		}
		if !l.Start.IsZero() {
			labels = append(labels, l)
		}
	}
	parts := map[string]bool{}
	for i := range labels {
		parts[labels[i].PartOf] = true
	}
	for i := range labels {
		labels[i].Whole = parts[labels[i].ID]
	}
	return labels, problems, nil
}

type labelRow struct {
	line   int
	fields map[string]json.RawMessage
}

func splitLabels(text []byte) (rows []labelRow, problems []Problem) {
	var list []map[string]json.RawMessage
	var wrapped struct {
		Labels []map[string]json.RawMessage `json:"labels"`
	}
	trimmed := bytes.TrimSpace(text)
	if bytes.HasPrefix(trimmed, []byte("[")) {
		if err := json.Unmarshal(trimmed, &list); err != nil {
			return nil, []Problem{{Line: 1, What: "the list cannot be read: " + err.Error()}}
		}
	} else if json.Unmarshal(trimmed, &wrapped) == nil && wrapped.Labels != nil {
		list = wrapped.Labels
	}
	if list != nil {
		for i, fields := range list {
			rows = append(rows, labelRow{i + 1, fields})
		}
		return rows, nil
	}
	for i, line := range bytes.Split(text, []byte("\n")) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(line, &fields); err != nil {
			problems = append(problems, Problem{Line: i + 1, What: "the line is no JSON object: " + err.Error()})
			continue
		}
		rows = append(rows, labelRow{i + 1, fields})
	}
	return rows, problems
}

// fields are a label's by their plainName.
type fields map[string]json.RawMessage

func readLabel(raw map[string]json.RawMessage) (l Label, problems []string) {
	f := fields{}
	for name, value := range raw {
		f[plainName(name)] = value
	}
	f.unfold("window", "interval", "period", "timerange")
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	l.ID = f.text("id", "uid", "labelid")
	l.Kind = KindOf(f.text("kind", "sign", "type", "category", "anomaly"))
	for _, k := range f.texts("kinds", "signs") {
		l.Kinds = append(l.Kinds, KindOf(k))
	}
	l.Sort = f.text("sort", "subkind", "subtype", "scenario", "name")
	l.Why = f.text("why", "reason", "description")
	l.LookAlike = f.text("lookalike", "lookalikeid", "lookalikeof")
	l.PartOf = f.text("partof")
	l.Benign = f.truth("benign", "isbenign") || f.text("label", "class", "verdict") == "benign" ||
		f.has("malicious") && !f.truth("malicious")
	l.Known = f.truth("known", "incalendar", "calendar", "declared")
	l.Blind = f.truth("blind")
	l.Account = f.text("account", "accountuid", "accountid")
	l.Actors = f.texts("principal", "principals", "actor", "actors", "actoruid", "principalarn", "role")
	l.People = f.texts("person", "people", "user", "users", "email")
	l.Secrets = f.texts("secrets", "secret", "resources", "resource", "resourceuid", "resourceuids", "keys")
	l.Events = f.texts("eventids", "events", "eventid")
	if len(l.Actors) > 0 {
		l.Principal = l.Actors[0]
	}
	if len(l.People) > 0 {
		l.Person = l.People[0]
	}
	var err error
	if l.Difficulty, err = difficulty(f.text("difficulty", "level")); err != nil {
		wrong("%v: counted as one that names none", err)
	}
	if l.Start, err = f.time("start", "from", "begin", "starttime", "time", "firstseen"); err != nil {
		wrong("start: %v: the label is left out", err)
		return l, problems
	}
	if l.End, err = f.time("end", "until", "to", "endtime", "lastseen"); err != nil && f.has("end", "until", "to", "endtime", "lastseen") {
		wrong("end: %v: taken to be the start", err)
	}
	if l.End.Before(l.Start) {
		l.End = l.Start
	}
	if l.Kind == "" && len(l.Kinds) > 0 {
		l.Kind = l.Kinds[0]
	}
	if l.Kind == "" && !l.Benign {
		l.Kind = "unnamed"
		wrong("it names no kind: nothing can match it but kind-blind")
	}
	if len(l.Actors)+len(l.People)+len(l.Secrets) == 0 {
		wrong("it names no principal, person or secret: only its account can match")
	}
	return l, problems
}

// kinds are other words for signs.
var kinds = map[string]string{
	"timing": finding.SignTime, "hour": finding.SignTime, "freq": finding.SignFrequency, "rate": finding.SignFrequency,
	"burst": finding.SignFrequency, "caller_type": finding.SignCaller, "resource": finding.SignCaller, "set": finding.SignGroup,
	"partial_group": finding.SignGroup, "auth": finding.SignFailures, "auth_failures": finding.SignFailures, "auth_failure": finding.SignFailures,
	"failure": finding.SignFailures, "console_view": finding.SignView, "console": finding.SignView,
	"org_policy_denials": finding.SignDenials,
}

// KindOf is the sign that a label or finding names, whatever it calls it.
func KindOf(name string) string {
	k := strings.ToLower(strings.TrimSpace(name))
	k = strings.TrimPrefix(k, string(finding.KindAnomaly)+".")
	k = strings.NewReplacer(" ", "_", "-", "_").Replace(k)
	if other, ok := kinds[k]; ok {
		return other
	}
	return k
}

func difficulty(s string) (int, error) {
	switch strings.ToLower(s) {
	case "":
		return 0, nil
	case "easy", "low":
		return 1, nil
	case "medium":
		return 2, nil
	case "hard", "high":
		return 3, nil
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n != math.Trunc(n) || n < 1 || n > 3 {
		return 0, fmt.Errorf("difficulty %q is none of 1, 2, 3", s)
	}
	return int(n), nil
}

func (f fields) first(names []string) (json.RawMessage, bool) {
	for _, name := range names {
		if v, ok := f[name]; ok && string(v) != "null" && string(v) != `""` && string(v) != "[]" {
			return v, true
		}
	}
	return nil, false
}

// unfold takes start and end out of an object or a pair that holds them.
func (f fields) unfold(names ...string) {
	v, ok := f.first(names)
	if !ok {
		return
	}
	var object map[string]json.RawMessage
	var pair []json.RawMessage
	if json.Unmarshal(v, &object) == nil {
		for name, value := range object {
			if _, ok := f[plainName(name)]; !ok {
				f[plainName(name)] = value
			}
		}
	} else if json.Unmarshal(v, &pair) == nil && len(pair) == 2 && !f.has("start") {
		f["start"], f["end"] = pair[0], pair[1]
	}
}

// plainName is a name without case, _, - and spaces.
func plainName(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}

func (f fields) has(names ...string) bool { _, ok := f.first(names); return ok }

// text is the first of the names that is there: a text, or how a number or truth
// is written.
func (f fields) text(names ...string) string {
	v, _ := f.first(names)
	return scalar(v)
}

// scalar is a text, or how a number or truth is written; of an object its name.
func scalar(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil {
		return strings.TrimSpace(s)
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(v, &object) == nil {
		for _, name := range []string{"arn", "uid", "email", "id", "name"} {
			if v, ok := object[name]; ok && len(v) > 0 && v[0] == '"' {
				return scalar(v)
			}
		}
	}
	if len(v) > 0 && v[0] != '{' && v[0] != '[' {
		return string(v)
	}
	return ""
}

func (f fields) truth(names ...string) bool {
	b, err := strconv.ParseBool(strings.ToLower(f.text(names...)))
	return err == nil && b
}

// texts is every text of all the names, one or a list each.
func (f fields) texts(names ...string) []string {
	var out []string
	for _, name := range names {
		v, ok := f.first([]string{name})
		if !ok {
			continue
		}
		var list []json.RawMessage
		if json.Unmarshal(v, &list) != nil {
			list = []json.RawMessage{v}
		}
		for _, item := range list {
			if s := scalar(item); s != "" && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

// time reads RFC 3339, the same with a space and without a zone (then UTC), or
// seconds or milliseconds since 1970.
func (f fields) time(names ...string) (time.Time, error) {
	s := f.text(names...)
	if s == "" {
		return time.Time{}, fmt.Errorf("it is missing")
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil && n > 1e9 && n < 1e14 {
		if n > 1e11 {
			n /= 1000
		}
		return time.UnixMicro(int64(n * 1e6)).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("%q is no time", s)
}
