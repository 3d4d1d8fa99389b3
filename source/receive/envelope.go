package receive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/internal/texttable"
)

var trees = sync.Pool{New: func() any { return new(jsontree.Tree) }}

// events splits a body of HEC events. Invalid is the first that is none, -1 where
// all are, and code what HEC says of it.
func (s *Source) events(content []byte, held *share) (records []record, invalid, code int, full *refusal) {
	tree := trees.Get().(*jsontree.Tree)
	defer func() {
		if !tree.Large() {
			trees.Put(tree)
		}
	}()
	invalid = -1
	g := s.gather(held)
	sp := splitter{body: content, maxRecord: s.cfg.MaxRecord, maxDepth: s.cfg.MaxDepth, plain: true}
	for p, ok := sp.next(); ok; p, ok = sp.next() {
		wrong := codeFormat
		format := ""
		if p.reason == "" {
			var body []byte
			if format, body, wrong, p.reason = s.open(tree, p.body); p.reason == "" {
				p.body = body
			}
		}
		if p.reason != "" && invalid < 0 {
			invalid, code = len(g.records), wrong
		}
		if !g.add(p.record(format), 0) {
			break
		}
	}
	return g.records, invalid, code, g.full
}

// open checks an envelope and takes out the event where its format is known. Of
// one that is wrong it says why, in words and in HEC's code.
func (s *Source) open(tree *jsontree.Tree, envelope []byte) (format string, body []byte, code int, why string) {
	// No copy: the bytes of a request never change once they were read.
	root, err := tree.Parse(unsafe.String(unsafe.SliceData(envelope), len(envelope)))
	if err != nil {
		return "", nil, codeFormat, "not valid JSON: " + err.Error()
	}
	e := root.Get("event")
	switch e.Kind() {
	case jsontree.Absent:
		return "", nil, codeNoEvent, "there is no event in it"
	case jsontree.Null:
		return "", nil, codeBlankEvent, "its event is null"
	case jsontree.String:
		if e.String() == "" {
			return "", nil, codeBlankEvent, "its event is empty"
		}
	}
	if code, why := checkMeta(root); why != "" {
		return "", nil, code, why
	}
	format, body = s.inner(e, root.Get("sourcetype").String())
	if format == "" {
		return s.cfg.Envelope, envelope, 0, ""
	}
	return format, body, 0, ""
}

// inner is the event without its envelope, if it is a record of a known format: an
// object, or a text that holds one.
func (s *Source) inner(e jsontree.Value, sourceType string) (format string, body []byte) {
	switch e.Kind() {
	case jsontree.Object:
		raw := e.Raw()
		body = unsafe.Slice(unsafe.StringData(raw), len(raw))
	case jsontree.String:
		text := strings.TrimSpace(e.String())
		if !strings.HasPrefix(text, "{") {
			return s.line(text, sourceType)
		}
		body = []byte(text)
		if !json.Valid(body) {
			return "", nil // it stays a text
		}
	default:
		return "", nil
	}
	return s.formatOf(body, sourceType), body
}

// line is a line of text as a record, if it is one that somebody reads.
func (s *Source) line(text, sourceType string) (format string, body []byte) {
	body, ok, _ := texttable.New(texttable.Lines).Append(nil, []byte(text))
	if !ok || s.cfg.Recognise(body) == "" {
		return "", nil
	}
	return s.formatOf(body, sourceType), body
}

func (s *Source) formatOf(body []byte, sourceType string) string {
	if format := s.cfg.SourceTypes[sourceType]; format != "" {
		return format
	}
	if s.cfg.Format != "" {
		return s.cfg.Format
	}
	return s.cfg.Recognise(body)
}

// checkMeta checks what an envelope says about its event.
func checkMeta(root jsontree.Value) (code int, why string) {
	if t := root.Get("time"); t.Exists() && t.Kind() != jsontree.Null {
		if _, err := strconv.ParseFloat(t.Text(), 64); err != nil || t.Kind() != jsontree.Number && t.Kind() != jsontree.String {
			return codeFormat, fmt.Sprintf("time is %s, not a number of seconds", t.Kind())
		}
	}
	for _, key := range []string{"host", "source", "sourcetype", "index"} {
		if v := root.Get(key); v.Exists() && v.Kind() != jsontree.Null && v.Kind() != jsontree.String {
			return codeFormat, fmt.Sprintf("%s is %s where a text was expected", key, v.Kind())
		}
	}
	fields := root.Get("fields")
	switch fields.Kind() {
	case jsontree.Absent, jsontree.Null:
		return 0, ""
	case jsontree.Object:
	default:
		return codeFields, fmt.Sprintf("fields is %s where an object was expected", fields.Kind())
	}
	for f := fields.First(); f.Exists(); f = f.Next() {
		if f.Kind() == jsontree.Object {
			return codeFields, fmt.Sprintf("fields.%s is an object; fields are flat", clip(f.Key()))
		}
	}
	return 0, ""
}

// rawKeys are what a request to /raw may say about all of its events.
var rawKeys = []string{"time", "host", "source", "sourcetype", "index"}

// rawMeta is what the query says of the events, in one text: the same body with
// another host is another object.
func rawMeta(query url.Values) string {
	var b strings.Builder
	for _, key := range rawKeys {
		fmt.Fprintf(&b, "%s=%q ", key, query.Get(key))
	}
	return b.String()
}

// rawRecords makes an event of every line of a text, or of every value of what
// is JSON.
func (s *Source) rawRecords(content []byte, query url.Values, held *share) ([]record, *refusal) {
	g := s.gather(held)
	if b := bytes.TrimLeft(content, " \t\r\n\xef\xbb\xbf"); len(b) > 0 && (b[0] == '{' || b[0] == '[' && json.Valid(b)) {
		sp := splitter{body: content, maxRecord: s.cfg.MaxRecord, maxDepth: s.cfg.MaxDepth}
		for p, ok := sp.next(); ok; p, ok = sp.next() {
			r := s.rawValue(p, query)
			if !g.add(r, max(0, len(r.body)-len(p.body))) {
				break
			}
		}
		return g.records, g.full
	}
	for line := range bytes.Lines(content) {
		line = bytes.TrimRight(line, "\r\n")
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		r := s.rawLine(line, query)
		if !g.add(r, len(r.body)) {
			break
		}
	}
	return g.records, g.full
}

// rawValue is the event of a value of JSON.
func (s *Source) rawValue(p part, query url.Values) record {
	if p.reason != "" {
		return p.record("")
	}
	if format := s.formatOf(p.body, query.Get("sourcetype")); format != "" {
		return p.record(format)
	}
	if !json.Valid(p.body) {
		p.reason = "not valid JSON"
		return p.record("")
	}
	return record{body: wrapped(query, p.body), format: s.cfg.Envelope}
}

// rawLine is the event of a line of text.
func (s *Source) rawLine(line []byte, query url.Values) record {
	if len(line) > s.cfg.MaxRecord {
		why := fmt.Sprintf("the line is %d bytes long; the limit is %d (max_record)", len(line), s.cfg.MaxRecord)
		return part{body: line, reason: why}.record("")
	}
	if format, body := s.line(string(line), query.Get("sourcetype")); format != "" {
		return record{body: body, format: format}
	}
	text, err := json.Marshal(string(line))
	if err != nil {
		panic(err) // a string
	}
	return record{body: wrapped(query, text), format: s.cfg.Envelope}
}

// wrapped is an event in the envelope that /event would have it in.
func wrapped(query url.Values, event []byte) []byte {
	out := []byte{'{'}
	for _, key := range rawKeys {
		if v := query.Get(key); v != "" {
			text, err := json.Marshal(v)
			if err != nil {
				panic(err) // a string
			}
			out = fmt.Appendf(out, "%q:%s,", key, text)
		}
	}
	out = append(out, `"event":`...)
	return append(append(out, event...), '}')
}
