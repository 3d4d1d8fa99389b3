package mask

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shapes are what is known on sight. The order counts: what comes first takes
// the text, so that the digits of a UUID are no account.
var shapes = regexp.MustCompile(strings.Join([]string{
	`(?P<arn>arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:[0-9]{12}:[^\s"'<>{}\[\](),;|\\]+)`,
	`(?P<mail>[\pL\pN._%+-]+@[\pL\pN-]+(?:\.[\pL\pN-]+)+)`,
	`(?P<subscription>(?i:subscriptions/)[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})`,
	`(?P<uuid>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b)`,
	`(?P<project>\bprojects/[a-z0-9][a-z0-9:.-]*[a-z0-9])`,
	`(?P<id>\b(?:AKIA|ASIA|AROA|AIDA|AIPA|ANPA|ANVA|APKA|AGPA|ABIA|ACCA)[A-Z0-9]{12,}\b(?::[\pL\pN_.@+=-]+)?)`,
	`(?P<dashed>\b[0-9]{4}-[0-9]{4}-[0-9]{4}\b)`,
	`(?P<digits>[0-9]{12,})`,
}, "|"))

var shapeNames = shapes.SubexpNames()

// Text masks every account, person and project in s that is known on sight or
// was learned.
func (m *Masker) Text(s string) string {
	m.mu.RLock()
	known := m.known
	m.mu.RUnlock()
	return m.text(s, known, words{})
}

// text masks with the names that everybody knows, and those of a document.
func (m *Masker) text(s string, known, own words) string {
	if len(s) < 3 {
		return s
	}
	var b strings.Builder
	at := 0
	for _, found := range shapes.FindAllStringSubmatchIndex(s, -1) {
		from, to := found[0], found[1]
		m.names(&b, s[at:from], known, own)
		b.WriteString(m.shape(s, from, to, shapeOf(found), known, own))
		at = to
	}
	if at == 0 && len(known.alias) == 0 && len(own.alias) == 0 {
		return s
	}
	m.names(&b, s[at:], known, own)
	return b.String()
}

func shapeOf(found []int) string {
	for i := 1; i < len(shapeNames); i++ {
		if found[2*i] >= 0 {
			return shapeNames[i]
		}
	}
	return ""
}

// shape masks what stands between from and to.
func (m *Masker) shape(s string, from, to int, name string, known, own words) string {
	text := s[from:to]
	switch name {
	case "arn":
		name := strings.TrimRight(text, ".:!?") // the sentence's, not the name's
		return m.arn(name, known, own) + text[len(name):]
	case "mail":
		return m.mail(text)
	case "subscription":
		head, id := text[:len(text)-36], text[len(text)-36:]
		return head + m.Project(id)
	case "project":
		return "projects/" + m.projectName(strings.TrimPrefix(text, "projects/"))
	case "id":
		return m.principal(text)
	case "dashed":
		id := m.Account(strings.ReplaceAll(text, "-", ""))
		return id[:4] + "-" + id[4:8] + "-" + id[8:]
	case "digits":
		if len(text) == 12 && !letterAt(s, from-1, true) && !letterAt(s, to, false) {
			return m.Account(text)
		}
	}
	return text
}

// letterAt tells whether a letter ends before, or begins at, the place.
func letterAt(s string, at int, before bool) bool {
	if at < 0 || at >= len(s) {
		return false
	}
	r, _ := utf8.DecodeRuneInString(s[at:])
	if before {
		r, _ = utf8.DecodeLastRuneInString(s[:at+1])
	}
	return unicode.IsLetter(r)
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
	return wordRune(before) && wordRune(after)
}

// wordEnd is the end of the word of letters and digits that begins at the place.
func wordEnd(s string, at int) int {
	for i, r := range s[at:] {
		if !wordRune(r) {
			return at + i
		}
	}
	return len(s)
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

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
