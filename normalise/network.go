package normalise

import (
	"fmt"
	"strings"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

// LineKey is the one key of an object made of a line of text.
const LineKey = "line"

// otherLine says of a line of text that nobody reads it.
func otherLine(v jsontree.Value) string {
	if line := v.Get(LineKey); line.Kind() == jsontree.String && !v.First().Next().Exists() {
		return fmt.Sprintf("a line of text of no format that Yagura reads: it starts with %q", alert.Plain(line.String()[:min(len(line.String()), 40)]))
	}
	return ""
}

// otherZeek names a record of one of Zeek's logs that no mapping reads.
func otherZeek(v jsontree.Value) string {
	if !v.Get("ts").Exists() {
		return ""
	}
	for _, key := range []string{"_path", "@stream"} { // Zeek's own streaming, Corelight's and shippers'
		if log := v.Get(key).String(); log != "" {
			return "a record of Zeek's log " + alert.Plain(log) + notYet
		}
	}
	// Zeek's identities of connections begin with a C, those of files with an F.
	if strings.HasPrefix(v.Get("uid").String(), "C") || strings.HasPrefix(v.Get("uids").First().String(), "C") || strings.HasPrefix(v.Get("fuid").String(), "F") {
		return "a record of one of Zeek's logs" + notYet
	}
	for _, keys := range [][]string{{"peer"}, {"note", "msg"}, {"host", "port_num"}, {"id", "certificate.version"}, {"id", "hashAlgorithm"}, {"id", "machine"}, {"src", "dst", "proto"}} {
		if has(keys...)(v) {
			return "a record of one of Zeek's logs" + notYet
		}
	}
	return ""
}
