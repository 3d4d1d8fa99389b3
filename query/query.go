// Package query is the filter language over events: what a person types, the
// expression it parses to, and whether an event satisfies it.
//
//	operation:GetSecretValue outcome:denied        both (and may be written out)
//	account:111122223333 or account:444455556666   either
//	operation:(GetObject or PutObject or Delete*)  a list
//	not caller:lambda    -caller:lambda            the opposite
//	"access denied"      wp-admin                  text found in raw or message
//	user_agent:~boto                               text found in a field
//	time:>=2026-01-01    time:2026-01              times; a day or month is all of it
//	time:>now-7d         time:[2026-01-01 TO 2026-01-07]
//	caller_confidence:>=0.8   position:{10 TO 20}  numbers; {} leaves the ends out
//	src_ip:10.0.0.0/8    ip:2001:db8::/32          networks
//	status_code:*        not resource:*            there is a value; there is none
//	raw.requestParameters.bucketName:logs-*        a path into the raw record
//
// Fields are the columns of an event (Columns) or their aliases. A field's
// value is compared as it is stored, capitals included, because names and ARNs
// are exact; the fixed vocabularies (outcome, caller, actor_type, category) and
// UUIDs may be written in any case. Text found in raw, message or behind ":~"
// ignores the case of A-Z and of nothing else. Raw is searched as it is
// written, so a quote in a JSON string is found as \".
//
// * stands for any run of characters and ? for one; a backslash takes a
// character's meaning away; between quotes only \" and \\ are escapes. "not"
// binds before "and", "and" before "or". Text that starts with arn: or holds
// :// needs no quotes.
package query

import "time"

// Query chooses events. The zero Query chooses all.
type Query struct {
	Where        Expr      // nil: every event
	Since, Until time.Time // event time in [Since, Until); zero: open
	Limit        int       // at most so many; 0: no limit
	// OldestFirst asks for ascending (time, uid); otherwise newest first.
	OldestFirst bool
	// NoRaw leaves Raw of what is found empty, whatever Where asks of it. Fetching
	// records is most of the work of finding many events.
	NoRaw bool
}

// Expr is a node of a filter expression: one of the types of this package.
type Expr interface{ expr() }
