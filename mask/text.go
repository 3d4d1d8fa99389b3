package mask

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text masks every account, person and project in s that is known on sight or
// was learned.
func (m *Masker) Text(s string) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.text(s, m.known, words{})
}

// text masks with the names that everybody knows, and those of a document.
func (m *Masker) text(s string, known, own words) string {
	var b strings.Builder
	at := 0
	for i := 0; i < len(s); {
		to, alias := m.shape(s, i, known, own)
		if to == 0 {
			i++
			continue
		}
		m.names(&b, s[at:i], known, own)
		b.WriteString(alias)
		at, i = to, to
	}
	if at == 0 && len(known.alias) == 0 && len(own.alias) == 0 {
		return s
	}
	m.names(&b, s[at:], known, own)
	return b.String()
}

// shape is the end and the alias of what begins at i and is known on sight; 0
// where nothing is. What comes first takes the text, so that the digits of a UUID
// are no account.
func (m *Masker) shape(s string, i int, known, own words) (to int, alias string) {
	c := s[i]
	if i > 0 && isDigit(s[i-1]) && isDigit(c) || !isDigit(c) && c < 0x80 && !isLetter(c) && !strings.ContainsRune("._%+-", rune(c)) {
		return 0, "" // inside a number, or nothing begins like this
	}
	if to := mailEnd(s, i); to > 0 {
		return to, m.mail(s[i:to])
	}
	first := i == 0 || !wordByte(s[i-1])
	if first && c < 0x80 {
		if to, alias := m.worded(s, i, known, own); to > 0 {
			return to, alias
		}
	}
	if !isDigit(c) {
		return 0, ""
	}
	to = i
	for to < len(s) && isDigit(s[to]) {
		to++
	}
	if to-i != 12 || letterAt(s, i-1, true) || letterAt(s, to, false) {
		return 0, ""
	}
	return to, m.Account(s[i:to])
}

// worded is shape for what begins where a word does.
func (m *Masker) worded(s string, i int, known, own words) (to int, alias string) {
	rest := s[i:]
	switch c := s[i]; {
	case c == 'a' && strings.HasPrefix(rest, "arn:aws"):
		if found := arns.FindString(rest[:min(len(rest), maxARN)]); found != "" {
			name := strings.TrimRight(found, ".:!?") // the sentence's, not the name's
			return i + len(found), m.arn(name, known, own) + found[len(name):]
		}
	case c == 'p' && strings.HasPrefix(rest, "projects/"):
		name := rest[len("projects/"):]
		end := 0
		for end < len(name) && (isDigit(name[end]) || 'a' <= name[end] && name[end] <= 'z' || strings.IndexByte(":.-", name[end]) >= 0) {
			end++
		}
		if name = strings.Trim(name[:end], ":.-"); name != "" && name[0] == rest[len("projects/")] {
			return i + len("projects/") + len(name), "projects/" + m.projectName(name)
		}
	case (c == 's' || c == 'S') && len(rest) >= subscriptionID+36 && strings.EqualFold(rest[:subscriptionID], "subscriptions/") && isUUID(rest[subscriptionID:subscriptionID+36]):
		return i + subscriptionID + 36, rest[:subscriptionID] + m.Project(rest[subscriptionID:subscriptionID+36])
	case c == 'A' && len(rest) >= 16:
		if found := ids.FindString(rest[:min(len(rest), 200)]); found != "" {
			return i + len(found), m.principal(found)
		}
	}
	if len(rest) >= 36 && isUUID(rest[:36]) && (len(rest) == 36 || !wordByte(rest[36])) {
		return i + 36, rest[:36]
	}
	if d := dashed(rest); d != "" {
		id := m.Account(strings.ReplaceAll(d, "-", ""))
		return i + len(d), id[:4] + "-" + id[4:8] + "-" + id[8:]
	}
	return 0, ""
}

// Bounds of what is looked at for one name: longer ones are none.
const (
	maxARN         = 4096
	subscriptionID = len("subscriptions/")
)

var (
	arns = regexp.MustCompile(`^arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:[0-9]{12}:[^\s"'<>{}\[\](),;|\\]+`)
	ids  = regexp.MustCompile(`^(?:AKIA|ASIA|AROA|AIDA|AIPA|ANPA|ANVA|APKA|AGPA|ABIA|ACCA)[A-Z0-9]{12,}\b(?::[\pL\pN_.@+=-]+)?`)
)

// dashed is an account's number as 1111-2222-3333 at the beginning of s.
func dashed(s string) string {
	if len(s) < 14 || s[4] != '-' || s[9] != '-' || len(s) > 14 && wordByte(s[14]) {
		return ""
	}
	for i := range 14 {
		if i != 4 && i != 9 && !isDigit(s[i]) {
			return ""
		}
	}
	return s[:14]
}

// mailEnd is where the address ends that begins at i, where one begins; else 0. Its
// local part is of ASCII or of other letters, not of both: in Japanese an address
// may follow a word without a space.
func mailEnd(s string, i int) int {
	local := localByte
	if s[i] >= 0x80 {
		local = func(c byte) bool { return c >= 0x80 }
	}
	if i > 0 && local(s[i-1]) {
		return 0 // it was looked at from its beginning
	}
	end := i
	for end < len(s) && local(s[end]) {
		end++
	}
	if end == i || end+3 > len(s) || s[end] != '@' {
		return 0
	}
	to, dots, label := end+1, 0, 0
	last := 0 // behind the last label that is whole, once there is a dot
	foreign := s[to] >= 0x80
	for to < len(s) {
		switch c := s[to]; {
		case c == '.':
			if label == 0 {
				return last
			}
			dots, label = dots+1, 0
		case c == '-' || c >= 0x80 && foreign || wordByte(c) && c != '_':
			label++
			if dots > 0 {
				last = to + 1
			}
		default:
			return last
		}
		to++
	}
	return last
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// wordByte is of a word as \b has it.
func wordByte(c byte) bool  { return isDigit(c) || isLetter(c) || c == '_' }
func localByte(c byte) bool { return wordByte(c) || strings.IndexByte(".%+-", c) >= 0 }

// letterAt tells whether a letter ends before, or begins at, the place.
func letterAt(s string, at int, before bool) bool {
	if at < 0 || at >= len(s) {
		return false
	}
	r, _ := utf8.DecodeRuneInString(s[at:])
	if before {
		r, _ = utf8.DecodeLastRuneInString(s[:at+1])
	}
	return unicode.IsLetter(r) && !spaceless(r)
}

// arn masks the account of an ARN, and who it names: the user, the session of an
// assumed role, the federated user.
func (m *Masker) arn(s string, known, own words) string {
	parts := strings.SplitN(s, ":", 6)
	parts[4] = m.Account(parts[4])
	kind, rest, _ := strings.Cut(parts[5], "/")
	switch {
	case parts[2] == "iam" && kind == "user", parts[2] == "sts" && kind == "federated-user":
		path, name := "", rest
		if i := strings.LastIndexByte(rest, '/'); i >= 0 {
			path, name = rest[:i+1], rest[i+1:]
		}
		parts[5] = kind + "/" + path + m.who(name)
	case parts[2] == "sts" && kind == "assumed-role":
		role, session, _ := strings.Cut(rest, "/")
		parts[5] = kind + "/" + m.text(role, known, own)
		if session != "" {
			parts[5] += "/" + m.who(session)
		}
	default:
		parts[5] = m.text(parts[5], known, own)
	}
	return strings.Join(parts, ":")
}

// machine are session names that programs choose for themselves.
var machine = regexp.MustCompile(`^(?:m?i-[0-9a-f]{8,17}|botocore-session-[0-9]+|aws-sdk-[a-z]+-[0-9]+|[0-9]+|[0-9a-f]{32}|\*)$`)

// who masks the name of a user or a session; names of machines stay, and of
// addresses a service account keeps its own.
func (m *Masker) who(name string) string {
	switch {
	case name == "" || machine.MatchString(name) || common[strings.ToLower(name)]:
		return name
	case strings.Contains(name, "@"):
		return m.mail(name)
	}
	return m.Person(name)
}

// mail masks an address. Google's service accounts are no people, but carry the
// name or the number of their project.
func (m *Masker) mail(s string) string {
	local, domain, _ := strings.Cut(s, "@")
	low := strings.ToLower(domain)
	switch project, service := strings.CutSuffix(low, ".iam.gserviceaccount.com"); {
	case service && strings.HasPrefix(project, "gcp-sa-"), low == "developer.gserviceaccount.com", low == "cloudservices.gserviceaccount.com":
		return longDigits.ReplaceAllStringFunc(local, m.Project) + "@" + domain
	case service:
		return local + "@" + m.projectName(project) + ".iam.gserviceaccount.com"
	case low == "appspot.gserviceaccount.com":
		return m.projectName(local) + "@" + domain
	}
	return m.Person(s)
}

var longDigits = regexp.MustCompile(`[0-9]{6,}`)

// projectName masks example.com:name as a whole, and leaves words that stand for
// any project.
func (m *Masker) projectName(name string) string {
	if name == "_" || name == "-" {
		return name
	}
	return m.Project(name)
}

// principal masks AWS's ids of principals and keys: an access key id has its
// account's number in it (for those that begin ASIA and AKIA it can be computed).
func (m *Masker) principal(s string) string {
	id, session, has := strings.Cut(s, ":")
	id = id[:4] + strings.ToUpper(m.letters("principal", id, len(id)-4))
	if !has {
		return id
	}
	return id + ":" + m.who(session)
}

// names masks learned names in a piece of text without shapes.
func (m *Masker) names(b *strings.Builder, s string, known, own words) {
	if len(known.alias) == 0 && len(own.alias) == 0 {
		b.WriteString(s)
		return
	}
	for at := 0; at < len(s); {
		end := wordEnd(s, at)
		if end == at { // no word begins here
			_, n := utf8.DecodeRuneInString(s[at:])
			b.WriteString(s[at : at+n])
			at += n
			continue
		}
		if to, alias := longest(s, at, end, known, own); to > 0 {
			b.WriteString(alias)
			at = to
			continue
		}
		b.WriteString(s[at:end])
		at = end
	}
}

// longest is the end and the alias of the longest learned name that begins with
// the word s[at:end] and ends where a word does; 0 where there is none.
func longest(s string, at, end int, known, own words) (to int, alias string) {
	head := strings.ToLower(s[at:end])
	most := max(known.first[head], own.first[head])
	if most == 0 {
		return 0, ""
	}
	for to := min(len(s), at+most); to >= end; to-- {
		if to < len(s) && (!utf8.RuneStart(s[to]) || insideWord(s, to)) {
			continue
		}
		low := strings.ToLower(s[at:to])
		if alias, ok := own.alias[low]; ok {
			return to, alias
		}
		if alias, ok := known.alias[low]; ok {
			return to, alias
		}
	}
	return 0, ""
}

// insideWord tells whether a word goes on over the place.
func insideWord(s string, at int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:at])
	after, _ := utf8.DecodeRuneInString(s[at:])
	return wordRune(before) && wordRune(after) && !spaceless(before) && !spaceless(after)
}

// wordEnd is the end of the word of letters and digits that begins at the place. In
// scripts that set no spaces a word may end anywhere: each letter is one.
func wordEnd(s string, at int) int {
	for i, r := range s[at:] {
		switch {
		case !wordRune(r), i > 0 && spaceless(r):
			return at + i
		case spaceless(r):
			return at + utf8.RuneLen(r)
		}
	}
	return len(s)
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// spaceless tells whether r is of a script that sets no spaces between words, or
// none before particles, as Korean.
func spaceless(r rune) bool {
	return r >= 0x0e00 && (r == 'ー' || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar))
}

// People are the names of people that a name of a principal holds: the user of
// an ARN, the session of an assumed role or of a principal id, an address's local
// part; none where it names machines only.
func People(principal string) (names []string) {
	name := ""
	switch parts := strings.SplitN(principal, ":", 6); {
	case len(parts) == 6 && parts[0] == "arn":
		kind, rest, _ := strings.Cut(parts[5], "/")
		switch {
		case parts[2] == "iam" && kind == "user", parts[2] == "sts" && kind == "federated-user":
			name = rest[strings.LastIndexByte(rest, '/')+1:]
		case parts[2] == "sts" && kind == "assumed-role":
			_, name, _ = strings.Cut(rest, "/")
		}
	case len(parts) == 2 && len(parts[0]) >= 16 && parts[0] == strings.ToUpper(parts[0]):
		name = parts[1]
	case strings.Contains(principal, "@"):
		name = principal
	}
	if local, domain, ok := strings.Cut(name, "@"); ok {
		if strings.HasSuffix(strings.ToLower(domain), "gserviceaccount.com") {
			return nil
		}
		name = local
	}
	if name == "" || machine.MatchString(name) {
		return nil
	}
	return []string{name}
}
