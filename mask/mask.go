// Package mask gives accounts, people and projects stable aliases, wherever
// they stand: in fields, ARNs, titles, sentences and raw JSON.
//
// An alias depends on the name and on a secret key alone: with one key the same
// thing has the same alias in every document, and without the key nobody gets
// from the alias to the name. Aliases keep the shape of what they stand for (an
// account is twelve digits, an ARN is an ARN), so that what reads the original
// reads the masked text too.
//
// Names are found in two ways. Where the writing tells what something is (an
// ARN, an e-mail address, twelve digits, projects/NAME), it is masked on sight.
// Bare names, such as "alice" in a sentence, are masked once somebody said that
// they are names: see Learn. A text is masked once: masking it again gives other
// aliases.
package mask

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// MinKey is how many bytes a key has at least.
const MinKey = 16

// Masker masks with one key. It may be used by several goroutines.
type Masker struct {
	key []byte

	mu    sync.RWMutex // guards known
	known words
}

// words are bare names and their aliases.
type words struct {
	alias map[string]string // by name in lower case
	first map[string]int    // by a name's first word: bytes of the longest name that begins with it
}

// New masks with the key, which is kept as secret as what it masks.
func New(key []byte) (*Masker, error) {
	if len(key) < MinKey {
		return nil, fmt.Errorf("a mask's key has at least %d bytes, this one has %d", MinKey, len(key))
	}
	return &Masker{key: append([]byte(nil), key...)}, nil
}

// ErrShort is of a name that is too short or too common to be looked for in
// texts: masking every "root" would make sentences lie.
var ErrShort = errors.New("too short or too common to be masked in texts")

// Kind is what a bare name is the name of.
type Kind byte

// The kinds.
const (
	Account Kind = iota // the name of an account, not its number: that is known on sight
	Person
	Project
)

// Learn says that name is a name, so that Text and JSON mask it wherever it
// stands as a word of its own, in any case. Names of fewer than three letters
// (two where a script sets no spaces) and a few words that every log has are
// ErrShort. Learning is cheap and may be
// repeated; what is to be masked everywhere is to be learned before the first
// text.
func (m *Masker) Learn(kind Kind, name string) error {
	var alias string
	switch kind {
	case Account:
		alias = "account-" + m.letters("account", strings.ToLower(name), 8)
	case Project:
		alias = m.Project(name)
	default:
		local, _, _ := strings.Cut(name, "@")
		for _, other := range otherForms(name) {
			_ = m.learn(other, m.Person(local)) // of one that is too short there is still the name itself
		}
		alias = m.Person(name)
	}
	return m.learn(name, alias)
}

// otherForms are forms besides the name itself in which people stand in texts:
// of dean.finch@example.com its local part, and Dean Finch as a sentence has it.
func otherForms(name string) (forms []string) {
	local, _, address := strings.Cut(strings.ToLower(strings.TrimSpace(name)), "@")
	if address {
		forms = append(forms, local)
	}
	if words := strings.FieldsFunc(local, nameDot); len(words) > 1 && !strings.ContainsFunc(local, notOfName) {
		forms = append(forms, strings.Join(words, " "))
	}
	return forms
}

func nameDot(r rune) bool { return r == '.' || r == '_' }

func notOfName(r rune) bool { return !unicode.IsLetter(r) && !nameDot(r) && r != '-' }

// LearnAccount says under which name an account is known: both get aliases that
// show that they belong together.
func (m *Masker) LearnAccount(id, name string) error {
	return m.learn(name, "account-"+m.Account(id))
}

func (m *Masker) learn(name, alias string) error {
	low := strings.ToLower(strings.TrimSpace(name))
	if !maskable(low) {
		return fmt.Errorf("%q is %w", name, ErrShort)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known.add(low, alias)
	return nil
}

// add learns a name that begins with a letter or a digit.
func (w *words) add(name, alias string) {
	if w.alias == nil {
		w.alias, w.first = map[string]string{}, map[string]int{}
	}
	name = strings.TrimSpace(name)
	low := strings.ToLower(name)
	w.alias[low] = alias
	for _, form := range []string{name, low} { // İ in lower case is a letter and a mark, and longer
		head := strings.ToLower(form[:wordEnd(form, 0)])
		w.first[head] = max(w.first[head], len(name), len(low))
	}
}

// common are words that are no one's name, whatever a log uses them for.
var common = map[string]bool{
	"root": true, "admin": true, "user": true, "role": true, "system": true, "default": true, "anonymous": true,
	"unknown": true, "none": true, "null": true, "aws": true, "test": true, "service": true, "administrator": true,
	"account": true, "secret": true, "session": true, "global": true, "production": true, "staging": true, "the": true,
}

func maskable(low string) bool {
	first, _ := utf8.DecodeRuneInString(low)
	least := 3
	if spaceless(first) {
		least = 2 // 佐藤
	}
	return utf8.RuneCountInString(low) >= least && !common[low] && wordEnd(low, 0) > 0
}

// sum is the keyed hash that every alias is made of.
func (m *Masker) sum(kind, name string) []byte {
	h := hmac.New(sha256.New, m.key)
	fmt.Fprintf(h, "%d:%s%d:%s", len(kind), kind, len(name), name)
	return h.Sum(nil)
}

var lower = base32.NewEncoding("abcdefghijkmnopqrstuvwxyz2345678").WithPadding(base32.NoPadding)

func (m *Masker) letters(kind, name string, n int) string {
	text := lower.EncodeToString(m.sum(kind, name))
	for block := 1; len(text) < n; block++ {
		text += lower.EncodeToString(m.sum(kind, fmt.Sprintf("%d/%s", block, name)))
	}
	return text[:n]
}

// Account is the alias of a cloud account: of twelve digits another twelve, and
// no two accounts share one. Of other ids, which are GUIDs of subscriptions or
// names of projects, it is what Project gives.
func (m *Masker) Account(id string) string {
	if id == "" {
		return ""
	}
	if !digits12(id) {
		return m.Project(id)
	}
	// A Feistel network over two halves of six digits turns twelve digits into
	// twelve others, each into one of its own. A leading zero is walked past, so
	// that a number in JSON stays a number.
	left, right := number(id[:6]), number(id[6:])
	for {
		for round := range 8 {
			h := m.sum("feistel", fmt.Sprintf("%d/%06d", round, right))
			left, right = right, (left+binary.BigEndian.Uint64(h)%1_000_000)%1_000_000
		}
		if left >= 100_000 || id[0] == '0' {
			return fmt.Sprintf("%06d%06d", left, right)
		}
	}
}

func digits12(s string) bool {
	if len(s) != 12 {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func number(digits string) (n uint64) {
	for _, c := range []byte(digits) {
		n = 10*n + uint64(c-'0')
	}
	return n
}

// Person is the alias of a person, by user name, session name or e-mail
// address: an address and its local part are one person, because consoles name
// sessions by either.
func (m *Masker) Person(name string) string {
	if name == "" {
		return ""
	}
	local, _, address := strings.Cut(strings.ToLower(name), "@")
	alias := "person-" + m.letters("person", local, 8)
	if address {
		alias += "@masked.invalid" // RFC 2606: nobody's
	}
	return alias
}

// Project is the alias of a project or subscription: of a GUID a GUID, of a
// number a number, of a name a name that a project may have.
func (m *Masker) Project(id string) string {
	low := strings.ToLower(id)
	switch {
	case id == "":
		return ""
	case isUUID(low):
		h := m.sum("project", low)
		h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80
		return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
	case strings.Trim(low, "0123456789") == "":
		return m.digits("project", low)
	}
	return "project-" + m.letters("project", low, 8)
}

// digits is as many digits as name has, the first of them no zero.
func (m *Masker) digits(kind, name string) string {
	out := make([]byte, 0, len(name))
	for block := 0; len(out) < len(name); block++ {
		for _, b := range m.sum(kind, fmt.Sprintf("%d/%s", block, name)) {
			if len(out) < len(name) {
				out = append(out, '0'+b%10)
			}
		}
	}
	if out[0] == '0' {
		out[0] = '9'
	}
	return string(out)
}

// Key is the alias of a finding's key or a case's id. Those are hashes of names,
// so whoever knows how they are made could try names until one fits.
func (m *Masker) Key(key string) string {
	if key == "" {
		return ""
	}
	return m.letters("key", key, 20)
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
			return false
		}
	}
	return true
}
