package ir

import (
	"unicode"
	"unicode/utf8"
)

// Comparisons ignore case by Unicode's simple folding, as strings.EqualFold
// does: two texts are the same if their folded forms are.

// foldRune is the one member of r's folding orbit that stands for all of it.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}
	least := r
	for x := unicode.SimpleFold(r); x != r; x = unicode.SimpleFold(x) {
		least = min(least, x)
	}
	if 'A' <= least && least <= 'Z' { // the Kelvin sign, the long s
		return least + 'a' - 'A'
	}
	return least
}

// FoldString is the folded form of s. Bytes that are no UTF-8 stay as they are.
func FoldString(s string) string { return string(AppendFold(nil, []byte(s))) }

// AppendFold appends the folded form of b to dst.
func AppendFold(dst, b []byte) []byte {
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, c)
		} else {
			dst = utf8.AppendRune(dst, foldRune(r))
		}
		i += size
	}
	return dst
}

// folded tells whether b is its own folded form, looking at ASCII only: false
// for anything beyond.
func folded(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}
