package gcpaudit

import (
	"slices"
	"strconv"
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/column"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

// VPCServiceControls is the StatusCode of calls that a service perimeter refused.
const VPCServiceControls = "vpc-service-controls"

// verdict is how a call ended.
type verdict struct {
	outcome      event.Outcome
	code, detail string
	trial        bool // a perimeter in dry run would have refused it, and did not
}

// codes are google.rpc.Code's, by number.
var codes = map[int]struct {
	name    string
	outcome event.Outcome
}{
	1: {"CANCELLED", event.Failed}, 2: {"UNKNOWN", event.Failed}, 3: {"INVALID_ARGUMENT", event.Invalid},
	4: {"DEADLINE_EXCEEDED", event.Failed}, 5: {"NOT_FOUND", event.NotFound}, 6: {"ALREADY_EXISTS", event.Invalid},
	7: {"PERMISSION_DENIED", event.Denied}, 8: {"RESOURCE_EXHAUSTED", event.Throttled}, 9: {"FAILED_PRECONDITION", event.Invalid},
	10: {"ABORTED", event.Failed}, 11: {"OUT_OF_RANGE", event.Invalid}, 12: {"UNIMPLEMENTED", event.Invalid},
	13: {"INTERNAL", event.Failed}, 14: {"UNAVAILABLE", event.Failed}, 15: {"DATA_LOSS", event.Failed}, 16: {"UNAUTHENTICATED", event.AuthFailed},
}

// ofHTTP are outcomes of the status codes of HTTP, which some services write.
func ofHTTP(code int) event.Outcome {
	switch code {
	case 401:
		return event.AuthFailed
	case 403:
		return event.Denied
	case 404:
		return event.NotFound
	case 429:
		return event.Throttled
	}
	if code >= 400 && code < 500 {
		return event.Invalid
	}
	return event.Failed
}

// verdict turns the status, what was authorised and what policies say into one of
// the eight outcomes. The status decides where there is one: calls that ask for
// several permissions succeed with some of them not granted.
func (en *entry) verdict() verdict {
	message := column.Str(en.status.Get("message"))
	code, told := en.code()
	perimeter := en.perimeter(message)
	if perimeter && en.trial(message) {
		return verdict{event.Success, VPCServiceControls, en.perimeterDetail(message), true}
	}
	failed := told && code != 0
	if !told {
		failed = !en.anyGranted() && (en.refusesAll() || en.log() == "policy" && (perimeter || len(en.constraints(message)) > 0))
	}
	if !failed {
		return verdict{outcome: event.Success}
	}
	if perimeter {
		return verdict{event.DeniedByOrgPolicy, VPCServiceControls, en.perimeterDetail(message), false}
	}
	if cs := en.constraints(message); len(cs) > 0 {
		return verdict{event.DeniedByOrgPolicy, strings.Join(cs, ","), column.Text(en.violated(message)), false}
	}
	if !told {
		return verdict{event.Denied, "PERMISSION_DENIED", message, false}
	}
	if c, ok := codes[code]; ok {
		return verdict{c.outcome, c.name, message, false}
	}
	return verdict{ofHTTP(code), strconv.Itoa(code), message, false}
}

// code is status.code; an empty status is code 0. told is false where the entry
// has no status.
func (en *entry) code() (code int, told bool) {
	if en.status.Kind() != jsontree.Object {
		return 0, false
	}
	v := en.status.Get("code")
	if !v.Exists() || v.Kind() == jsontree.Null {
		return 0, true
	}
	n, err := strconv.Atoi(v.Text())
	if err == nil {
		return n, true
	}
	for n, c := range codes {
		if c.name == v.Text() {
			return n, true
		}
	}
	return 0, v.Text() == "OK"
}

// anyGranted tells whether some permission was granted.
func (en *entry) anyGranted() bool {
	for m := en.authorization.First(); m.Exists(); m = m.Next() {
		if granted, _ := column.Truth(m.Get("granted")); granted {
			return true
		}
	}
	return false
}

// refusesAll tells whether permissions were asked for and none was granted: a
// refusal is written as false or left out.
func (en *entry) refusesAll() bool {
	asked := false
	for m := en.authorization.First(); m.Exists(); m = m.Next() {
		if granted, _ := column.Truth(m.Get("granted")); granted {
			return false
		}
		asked = asked || m.Get("permission").String() != ""
	}
	return asked
}

// perimeter tells whether VPC Service Controls judged the call.
func (en *entry) perimeter(message string) bool {
	if strings.HasSuffix(en.metadata.Get("@type").String(), "VpcServiceControlAuditMetadata") ||
		en.metadata.Get("vpcServiceControlsUniqueId").String() != "" || strings.Contains(message, "vpcServiceControlsUniqueIdentifier") {
		return true
	}
	for _, v := range en.violations() {
		if v.Get("type").String() == "VPC_SERVICE_CONTROLS" {
			return true
		}
	}
	return false
}

// trial tells whether the perimeter only says what it would have done.
func (en *entry) trial(message string) bool {
	dry, _ := column.Truth(en.metadata.Get("dryRun"))
	return dry || strings.Contains(message, "(Dry Run Mode)")
}

// perimeterDetail is the message with the id under which Google tells why.
func (en *entry) perimeterDetail(message string) string {
	id := column.Str(en.metadata.Get("vpcServiceControlsUniqueId"))
	for _, v := range en.violations() {
		if id == "" && v.Get("type").String() == "VPC_SERVICE_CONTROLS" {
			id = column.Str(v.Get("description"))
		}
	}
	reason := column.Str(en.metadata.Get("violationReason"))
	if reason != "" && !strings.Contains(message, reason) {
		message = column.Join(message, reason)
	}
	if id != "" && !strings.Contains(message, id) {
		message = column.Join(message, "vpcServiceControlsUniqueIdentifier: "+id)
	}
	return column.Text(message)
}

// violations are those of google.rpc.PreconditionFailure among the status's
// details.
func (en *entry) violations() (out []jsontree.Value) {
	for d := en.status.Get("details").First(); d.Exists(); d = d.Next() {
		for v := d.Get("violations").First(); v.Exists(); v = v.Next() {
			out = append(out, v)
		}
	}
	return out
}

// constraints are the constraints of the organisation's policy that refused, in
// order: as the violation lists them, else as the status's details or its message
// name them.
func (en *entry) constraints(message string) []string {
	var out []string
	add := func(name string) {
		name = strings.TrimRight(name, ".")
		if !strings.Contains(name, "/") {
			name = "constraints/" + name
		}
		if !slices.Contains(out, name) {
			out = append(out, column.Text(name))
		}
	}
	info := en.violation.Get("violationInfo")
	if info.Kind() == jsontree.Object {
		if c := info.Get("constraint").String(); c != "" {
			add(c)
		}
	}
	for v := info.First(); v.Exists(); v = v.Next() {
		if c := v.Get("constraint").String(); c != "" {
			add(c)
		}
	}
	if len(out) == 0 {
		for _, v := range en.violations() {
			if t := v.Get("type").String(); strings.HasPrefix(t, "constraints/") || strings.HasPrefix(t, "customConstraints/") {
				add(t)
			}
		}
	}
	if len(out) == 0 && en.mayQuote() {
		for name, rest := nextConstraint(message); name != ""; name, rest = nextConstraint(rest) {
			add(name)
		}
	}
	slices.Sort(out)
	return out
}

// mayQuote tells whether a constraint that the message names may be what refused:
// who changes policies is also told of constraints that he misspelt.
func (en *entry) mayQuote() bool {
	code, told := en.code()
	return en.service != "orgpolicy.googleapis.com" && (!told || code == 7 || code == 9 || code == 403 || code == 412)
}

// nextConstraint finds "constraints/…" or "customConstraints/…" in a message.
func nextConstraint(message string) (name, rest string) {
	i := strings.Index(strings.ToLower(message), "constraints/")
	if i < 0 {
		return "", ""
	}
	end := i + len("constraints/")
	for end < len(message) && (isLetter(message[end]) || message[end] >= '0' && message[end] <= '9' || strings.IndexByte("._-", message[end]) >= 0) {
		end++
	}
	if end == i+len("constraints/") {
		return "", ""
	}
	if strings.HasSuffix(message[:i], "custom") {
		i -= len("custom")
	}
	return message[i:end], message[end:]
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// violated is what the provider says: the status's message, or the violations'.
func (en *entry) violated(message string) string {
	if message != "" && message != "PERMISSION_DENIED" {
		return message
	}
	said := ""
	for v := en.violation.Get("violationInfo").First(); v.Exists(); v = v.Next() {
		if text := v.Get("errorMessage").String(); !strings.Contains(said, text) {
			said = column.Join(said, text)
		}
	}
	if said == "" {
		return message
	}
	return said
}
