package normalise

import (
	"strings"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

// LineKey is the one key of an object made of a line of text.
const LineKey = "line"

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
	return ""
}
