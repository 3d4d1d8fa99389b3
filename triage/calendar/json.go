package calendar

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/yagura-sec/yagura/finding"
)

// json reads our own form. A window that is wrong does not lose the others; what
// is not JSON ends the reading where it begins.
func (s *reading) json(text []byte) {
	d := json.NewDecoder(bytes.NewReader(text))
	line := func(offset int64) int { return 1 + bytes.Count(text[:min(int(offset), len(text))], []byte("\n")) }
	if err := s.jsonTop(d, line); err != nil {
		at := d.InputOffset()
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = syntax.Offset
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			at, err = int64(len(text)), errors.New("the JSON ends before it is whole")
		}
		s.wrong(line(at), err)
		return
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		s.wrong(line(d.InputOffset()), errors.New("something follows the JSON"))
	}
}

func (s *reading) jsonTop(d *json.Decoder, line func(int64) int) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t == json.Delim('[') {
		return s.jsonList(d, line)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		if key != "windows" {
			s.wrong(line(d.InputOffset()), fmt.Errorf("unknown field %q: windows is the only one", key))
			var skip json.RawMessage
			if err := d.Decode(&skip); err != nil {
				return err
			}
			continue
		}
		switch t, err := d.Token(); {
		case err != nil:
			return err
		case t == nil:
		case t != json.Delim('['):
			return errors.New("windows is not a list")
		default:
			if err := s.jsonList(d, line); err != nil {
				return err
			}
		}
	}
	_, err = d.Token()
	return err
}

// jsonList reads the windows of a list that was opened, and its end.
func (s *reading) jsonList(d *json.Decoder, line func(int64) int) error {
	for d.More() {
		var one json.RawMessage
		if err := d.Decode(&one); err != nil {
			return err
		}
		at := line(d.InputOffset() - int64(len(one)))
		var w finding.Window
		strict := json.NewDecoder(bytes.NewReader(one))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&w); err != nil {
			s.wrong(at, fmt.Errorf("window: %w", err))
			continue
		}
		if w.Repeat != "" {
			from, to := s.horizon()
			times, err := Expand(&w, from, to)
			if err != nil {
				s.wrong(at, fmt.Errorf("window %s: %w", w.ID, err))
				continue
			}
			w.Times = append([]finding.Span{}, times...)
		}
		if w.Unscoped() {
			s.warn(at, w.ID, unscopedText)
		}
		s.add(at, w)
	}
	_, err := d.Token()
	return err
}
