package mask

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"
)

// fields are keys of providers' records whose value is a name, in lower case
// without underscores.
var fields = map[string]Kind{
	"username": Person, "sessionname": Person, "rolesessionname": Person, "principalemail": Person, "userprincipalname": Person,
	"user": Person, "displayname": Person, "callername": Person, "assignee": Person, "person": Person, "owner": Person, "by": Person,
	"issuedto": Person, "upn": Person, "login": Person, "fullname": Person, "requester": Person, "updatedby": Person,

	"accountid": Account, "awsaccountid": Account, "recipientaccountid": Account, "accountuid": Account, "owneraccountid": Account,
	"accountname": Account, "accountalias": Account, "accountdisplayname": Account,

	"projectid": Project, "projectnumber": Project, "projectname": Project, "projectdisplayname": Project,
	"subscriptionid": Project, "subscriptionname": Project, "tenantid": Project,
}

// JSON masks a JSON text: every string in it, keys with them, and numbers of
// twelve digits. A name that stands in a field of the record that is known to
// hold names, or is that of a principal, is masked in the whole of it. Order, numbers and the meaning of
// everything else stay; white space between values does not. A text that is no
// JSON is masked as a text.
func (m *Masker) JSON(b []byte) []byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	known := m.known
	var own words
	if err := walk(b, nil, func(key, value string) { m.learnOwn(&own, key, value) }); err != nil {
		return []byte(m.text(string(b), known, words{}))
	}
	var out bytes.Buffer
	out.Grow(len(b) + len(b)/8)
	w := writer{out: &out, m: m, known: known, own: own}
	if err := walk(b, &w, nil); err != nil {
		return []byte(m.text(string(b), known, own)) // cannot be: it was walked a moment ago
	}
	return out.Bytes()
}

// learnOwn learns a name for one document.
func (m *Masker) learnOwn(own *words, key, value string) {
	if len(value) < 2048 && (strings.HasPrefix(value, "arn:") || principals.MatchString(value)) {
		for _, name := range People(value) {
			m.ownPerson(own, strings.ToLower(name))
		}
	}
	kind, named := fields[plainKey(key)]
	low := strings.ToLower(strings.TrimSpace(value))
	if !named || !maskable(low) || machine.MatchString(low) || strings.HasPrefix(low, "arn:") {
		return
	}
	switch {
	case kind == Account && digits12(low), strings.Contains(low, "@"):
		return // known on sight
	case kind == Account:
		own.add(low, "account-"+m.letters("account", low, 8))
	case kind == Project:
		own.add(low, m.Project(low))
	default:
		m.ownPerson(own, low)
	}
}

// ownPerson learns a person of one document, in every form.
func (m *Masker) ownPerson(own *words, low string) {
	for _, form := range append(otherForms(low), low) {
		if maskable(form) {
			own.add(form, m.Person(low))
		}
	}
}

// principals are values that are an address or a principal's id and nothing else.
var principals = regexp.MustCompile(`^(?:[\pL\pN._%+-]+@[\pL\pN-]+(?:\.[\pL\pN-]+)+|[A-Z0-9]{16,}:[\pL\pN_.@+=-]+)$`)

func plainKey(key string) string { return strings.ReplaceAll(strings.ToLower(key), "_", "") }

// writer writes tokens as they come, with the commas and colons between them.
type writer struct {
	out        *bytes.Buffer
	m          *Masker
	known, own words
}

// level is an open array or object.
type level struct {
	object bool
	n      int // tokens so far
	key    string
}

// walk goes over b. It gives every token to w, and every string that stands
// under a key to learn; either may be nil. An error: b is no JSON.
func walk(b []byte, w *writer, learn func(key, value string)) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var open []level
	values := 0
	for {
		token, err := dec.Token()
		if err == io.EOF && len(open) == 0 && values == 1 {
			return nil
		}
		if err != nil {
			return err
		}
		delim, isDelim := token.(json.Delim)
		closing := isDelim && (delim == '}' || delim == ']')
		isKey := false
		if n := len(open); n > 0 && !closing {
			top := &open[n-1]
			isKey = top.object && top.n%2 == 0
			w.between(top)
			if text, ok := token.(string); ok && !isKey && learn != nil {
				learn(top.key, text)
			}
			if text, ok := token.(string); ok && isKey {
				top.key = text
			}
			top.n++
		} else if n == 0 {
			values++
		}
		if values > 1 {
			return errValues
		}
		w.token(token)
		switch {
		case closing:
			open = open[:len(open)-1]
		case isDelim:
			key := ""
			if n := len(open); n > 0 {
				key = open[n-1].key // of an array's members too
			}
			open = append(open, level{object: delim == '{', key: key})
		}
	}
}

var errValues = io.ErrUnexpectedEOF // several texts in a row: not one JSON text

func (w *writer) between(top *level) {
	switch {
	case w == nil || top.n == 0:
	case top.object && top.n%2 == 1:
		w.out.WriteByte(':')
	default:
		w.out.WriteByte(',')
	}
}

func (w *writer) token(token json.Token) {
	if w == nil {
		return
	}
	switch t := token.(type) {
	case json.Delim:
		w.out.WriteByte(byte(t))
	case string:
		w.text(w.m.text(t, w.known, w.own))
	case json.Number:
		s := t.String()
		if digits12(s) {
			s = w.m.Account(s)
		}
		w.out.WriteString(s)
	case bool:
		if t {
			w.out.WriteString("true")
		} else {
			w.out.WriteString("false")
		}
	default:
		w.out.WriteString("null")
	}
}

func (w *writer) text(s string) {
	enc := json.NewEncoder(w.out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s)               // a string always encodes
	w.out.Truncate(w.out.Len() - 1) // Encode ends in a newline
}
