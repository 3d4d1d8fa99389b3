package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/event"
)

// fileRecord is one record of a file, or of standard input: the only one, or the
// one of that number, from 1.
func (p *program) fileRecord(path string, number int) (record, error) {
	var text []byte
	var err error
	if path == "-" {
		text, err = io.ReadAll(p.stdin)
	} else {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return record{}, err
	}
	all, err := p.recordsIn(path, text)
	switch n := len(all); {
	case err != nil || n == 0:
		return record{}, wrong("%s holds no record: one JSON object is needed", path)
	case number > n:
		return record{}, wrong("--record %d: %s holds %s", number, path, many(int64(n), "record", "records"))
	case number == 0 && n > 1:
		return record{}, wrong("%s holds %d records: give one, or its number with --record, from 1", path, n)
	}
	raw := all[max(0, number-1)]
	out := record{name: path, raw: raw}
	if e, ok := p.normal(path, raw); ok { // else it is of a format that only rules know
		out.raw, out.source, out.ask = e.Raw, rule.Sources[e.Format], catalogue.ColumnsOf(e)
	}
	return out, nil
}

// normal is the event of a record of a format that we read.
func (p *program) normal(path string, raw []byte) (*event.Event, bool) {
	events, err := p.formats.Append(nil, event.Raw{Object: path, Body: raw, Received: p.now()})
	if err != nil || len(events) != 1 {
		return nil, false
	}
	return &events[0], true
}

// recordsIn gives the records of a text: JSON objects in a row, in an array, or
// in a wrapper, as files of logs hold them.
func (p *program) recordsIn(path string, text []byte) ([]json.RawMessage, error) {
	var out []json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))))
	for {
		var value json.RawMessage
		if err := dec.Decode(&value); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		inside, err := p.unwrapped(path, value)
		if err != nil {
			return nil, err
		}
		out = append(out, inside...)
	}
}

// unwrapped gives the records of an array or wrapper. What is a record itself
// stays one, whatever its members are called.
func (p *program) unwrapped(path string, value json.RawMessage) ([]json.RawMessage, error) {
	var elements []json.RawMessage
	if value[0] != '{' {
		if err := json.Unmarshal(value, &elements); err != nil {
			return nil, err
		}
		for _, e := range elements {
			if e[0] != '{' {
				return nil, errors.New("an element is no object")
			}
		}
		return elements, nil
	}
	var wrapper struct{ Records, Events json.RawMessage }
	if _, ok := p.normal(path, value); !ok && json.Unmarshal(value, &wrapper) == nil {
		for _, array := range []json.RawMessage{wrapper.Records, wrapper.Events} {
			if len(array) > 0 && array[0] == '[' {
				return p.unwrapped(path, array)
			}
		}
	}
	return []json.RawMessage{value}, nil
}
