// Package shell writes commands that are safe to paste: names in logs are chosen by
// whoever made the call.
package shell

import (
	"strings"
	"unicode"
)

// Command is a command of these words, of which none is more than one word to a shell,
// and none is run.
func Command(words ...string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = Word(w)
	}
	return strings.Join(out, " ")
}

// Word is a value as one word of a command, in single quotes where it needs them.
func Word(value string) string {
	if value != "" && strings.IndexFunc(value, func(r rune) bool { return !plain(r) }) < 0 {
		return value
	}
	return "'" + Quoted(value) + "'"
}

// Quoted is a value as it stands between single quotes. A control character, which a
// terminal might obey, is replaced.
func Quoted(value string) string {
	value = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, value)
	return strings.ReplaceAll(value, "'", `'\''`)
}

func plain(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_./:@+=,%^-", r)
}
