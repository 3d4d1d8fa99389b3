package mapping

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/event"
)

// column is a column of events that a mapping can fill.
type column struct {
	name  string
	words []string // the only values it may have; nil: any
	put   func(*event.Event, string)
}

// classes are names for OCSF's class numbers.
var classes = map[string]int32{
	"process": event.ClassProcess, "account_change": event.ClassAccountChange, "authentication": event.ClassAuthentication,
	"network": event.ClassNetwork, "http": event.ClassHTTP, "dns": event.ClassDNS, "dhcp": event.ClassDHCP, "api": event.ClassAPIActivity,
}

func keys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func words[T ~string](ws ...T) []string {
	var out []string
	for _, w := range ws {
		out = append(out, string(w))
	}
	return out
}

func truths(put func(*event.Event, bool)) func(*event.Event, string) {
	return func(e *event.Event, s string) { put(e, s == "true") }
}

// columns are those that a mapping can fill, in the order in which they are.
var columns = []column{
	{"time", nil, func(e *event.Event, s string) {
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
			e.Time = t.UTC().Truncate(time.Microsecond)
		}
	}},
	{"class", keys(classes), func(e *event.Event, s string) { e.ClassUID = classes[s] }},
	{"activity", []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "99"}, func(e *event.Event, s string) { e.ActivityID = number(s) }},
	{"severity", []string{"0", "1", "2", "3", "4", "5"}, func(e *event.Event, s string) { e.SeverityID = number(s) }},
	{"outcome", words(event.Success, event.Denied, event.DeniedByOrgPolicy, event.AuthFailed, event.Throttled, event.NotFound, event.Invalid, event.Failed),
		func(e *event.Event, s string) { e.Outcome = event.Outcome(s) }},
	{"status_code", nil, func(e *event.Event, s string) { e.StatusCode = s }},
	{"status_detail", nil, func(e *event.Event, s string) { e.StatusDetail = s }},
	{"event_uid", nil, func(e *event.Event, s string) { e.EventUID = s }},
	{"cloud_provider", nil, func(e *event.Event, s string) { e.CloudProvider = s }},
	{"account_uid", nil, func(e *event.Event, s string) { e.AccountUID = s }},
	{"region", nil, func(e *event.Event, s string) { e.Region = s }},
	{"api_service", nil, func(e *event.Event, s string) { e.APIService = s }},
	{"api_operation", nil, func(e *event.Event, s string) { e.APIOperation = s }},
	{"api_request_uid", nil, func(e *event.Event, s string) { e.APIRequestUID = s }},
	{"read_only", []string{"true", "false"}, truths(func(e *event.Event, b bool) { e.ReadOnly = b })},
	{"category", words(event.Management, event.Data, event.Network), func(e *event.Event, s string) { e.Category = event.Category(s) }},
	{"actor_type", words(event.ActorRole, event.ActorUser, event.ActorRoot, event.ActorFederated, event.ActorService, event.ActorAccount, event.ActorAnonymous, event.ActorMasked, event.ActorUnknown),
		func(e *event.Event, s string) { e.ActorType = event.ActorType(s) }},
	{"actor_uid", nil, func(e *event.Event, s string) { e.ActorUID = s }},
	{"actor_name", nil, func(e *event.Event, s string) { e.ActorName = s }},
	{"actor_account_uid", nil, func(e *event.Event, s string) { e.ActorAccountUID = s }},
	{"actor_session", nil, func(e *event.Event, s string) { e.ActorSession = s }},
	{"actor_credential_uid", nil, func(e *event.Event, s string) { e.ActorCredentialUID = s }},
	{"actor_invoked_by", nil, func(e *event.Event, s string) { e.ActorInvokedBy = s }},
	{"actor_mfa", []string{"true", "false"}, truths(func(e *event.Event, b bool) { e.ActorMFA = b })},
	{"caller", words(event.CallerLambda, event.CallerECS, event.CallerEC2, event.CallerEKS, event.CallerCI, event.CallerConsole, event.CallerPersonCLI, event.CallerAWSService, event.CallerStaticKey, event.CallerUnknown),
		func(e *event.Event, s string) { e.Caller = event.Caller(s) }},
	{"caller_evidence", nil, func(e *event.Event, s string) { e.CallerEvidence = s }},
	{"src_host", nil, func(e *event.Event, s string) { e.SrcHost = s }},
	{"src_ip", nil, putAddress},
	{"user_agent", nil, func(e *event.Event, s string) { e.UserAgent = s }},
	{"resource_uid", nil, func(e *event.Event, s string) { e.ResourceUID, e.ResourceUIDs = s, []string{s} }},
	{"resource_type", nil, func(e *event.Event, s string) { e.ResourceType = s }},
	{"device_uid", nil, func(e *event.Event, s string) { e.DeviceUID = hardware(s) }},
	{"device_name", nil, func(e *event.Event, s string) { e.DeviceName = s }},
	{"process", nil, func(e *event.Event, s string) { e.Process = s }},
	{"url", nil, func(e *event.Event, s string) { e.URL = s }},
	{"message", nil, func(e *event.Event, s string) { e.Message = oneLine(s) }},
}

func columnNamed(name string) *column {
	for i := range columns {
		if columns[i].name == name {
			return &columns[i]
		}
	}
	return nil
}

// set puts the value into its column: text that it may hold, and no other.
func (c *column) set(e *event.Event, s string) {
	if c.words != nil && !slices.Contains(c.words, s) {
		return
	}
	c.put(e, fit(s))
}

// maxColumn is how many bytes of a text go into a column; the record keeps the rest.
const maxColumn = 8 << 10

// fit makes a text fit for a column: bounded, and without NUL, which some stores
// cannot hold.
func fit(s string) string {
	if len(s) > maxColumn {
		cut := maxColumn
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}

// maxMessage is how many bytes a message has at most.
const maxMessage = 1 << 10

func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)), " ")
	if len(s) > maxMessage {
		cut := maxMessage
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return s
}

func number(s string) int32 {
	n, _ := strconv.ParseInt(s, 10, 32) // one of the column's words
	return int32(n)
}

// putAddress puts an address into src_ip. What is none, a name, goes to src_host
// unless that is known already. An address may have its port behind it.
func putAddress(e *event.Event, s string) {
	if a, err := netip.ParseAddr(s); err == nil {
		e.SrcIP = a.WithZone("").Unmap().String()
		return
	}
	if a, err := netip.ParseAddrPort(s); err == nil {
		e.SrcIP = a.Addr().WithZone("").Unmap().String()
		return
	}
	if e.SrcHost == "" {
		e.SrcHost = s
	}
}

// hardware writes a hardware address as aa:bb:cc:dd:ee:ff, however it was
// written; another identity of a device stays as it is.
func hardware(s string) string {
	var digits [12]byte
	n := 0
	for i := range len(s) {
		switch c := s[i] | 0x20; {
		case '0' <= s[i] && s[i] <= '9', 'a' <= c && c <= 'f':
			if n == len(digits) {
				return s
			}
			digits[n] = c
			if s[i] <= '9' {
				digits[n] = s[i]
			}
			n++
		case s[i] != ':' && s[i] != '-' && s[i] != '.':
			return s
		}
	}
	if n != len(digits) {
		return s
	}
	var b strings.Builder
	for i := 0; i < n; i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.Write(digits[i : i+2])
	}
	return b.String()
}
