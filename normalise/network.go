package normalise

import (
	"regexp"
	"strings"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

// The formats of network sensors and proxies.
const (
	ZeekConn = "zeek.conn"
	ZeekHTTP = "zeek.http"
	ZeekDNS  = "zeek.dns"
	ZeekDHCP = "zeek.dhcp"
	ZeekSSL  = "zeek.ssl"
	Squid    = "squid.access"
)

// LineKey is the one key of an object made of a line of text.
const LineKey = "line"

// zeekKeys are keys by which a record of each log is known where it does not
// name its log: what Zeek always writes, and in no other log.
var zeekKeys = map[string][]string{
	"conn": {"conn_state"},
	"http": {"trans_depth"},
	"dns":  {"trans_id"},
	"dhcp": {"msg_types"},
	"ssl":  {"established"},
}

// zeekPath is the name of the log that a record of Zeek's says it is of: as
// Zeek's own JSON streaming has it, Corelight, or a shipper.
func zeekPath(v jsontree.Value) string {
	for _, key := range []string{"_path", "@stream"} {
		if s := v.Get(key).String(); s != "" {
			return s
		}
	}
	return ""
}

// zeekWho is the address that a record is about.
func zeekWho(v jsontree.Value) bool {
	for _, key := range []string{"id.orig_h", "id_orig_h", "uids", "mac"} {
		if v.Get(key).Exists() {
			return true
		}
	}
	return v.Get("id").Get("orig_h").Exists()
}

// isZeek is true of records of one of Zeek's logs.
func isZeek(log string) func(jsontree.Value) bool {
	return func(v jsontree.Value) bool {
		if !v.Get("ts").Exists() || !zeekWho(v) {
			return false
		}
		if path := zeekPath(v); path != "" {
			return path == log
		}
		return has(zeekKeys[log]...)(v)
	}
}

// otherZeek names a record of one of Zeek's other logs.
func otherZeek(v jsontree.Value) string {
	if !v.Get("ts").Exists() {
		return ""
	}
	if path := zeekPath(v); path != "" {
		return "a record of Zeek's log " + alert.Plain(path) + notYet
	}
	if v.Get("uid").Exists() && zeekWho(v) {
		return "a record of one of Zeek's other logs" + notYet
	}
	return ""
}

// squidLine is how a line of squid's access.log begins, in its native format or
// in the combined format of web servers. A web server's own log begins alike but
// for the address that was asked for, which has a host only at a proxy's, or for
// squid's result code at the end.
var squidLine = regexp.MustCompile(`^(?:\d{9,11}\.\d{1,6} +-?\d+ \S+ [A-Z][A-Z_]*/\d{3} -?\d+ [^ ]+ |` +
	`\S+ \S+ .{1,300}? \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "(?:CONNECT |[A-Z]+ [a-z]+://|.* [A-Z][A-Z_]*:[A-Z_]+$))`)

func isSquid(v jsontree.Value) bool {
	line := v.Get(LineKey)
	return line.Kind() == jsontree.String && !v.First().Next().Exists() && squidLine.MatchString(strings.TrimSpace(line.String()))
}
