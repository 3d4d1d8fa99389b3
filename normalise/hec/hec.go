// Package hec reads events in the envelope of Splunk's HTTP Event Collector that
// are of no format Yagura knows: lines of logs, and whatever else forwarders
// send. They are kept to be searched: when, which host, and what was said.
//
// Its records are not told apart by their content. A log that says the same line
// twenty times in a second has twenty events, so that an event's identity is its
// place: the object, which is named by the hash of all that was sent together,
// and the position in it.
package hec

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unsafe"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise"
)

// Format is the name these records carry.
const Format = "splunk.hec"

// Normaliser reads envelopes: {"time": 1773316800.5, "host": "db1", "source":
// "/var/log/auth.log", "sourcetype": "syslog", "event": …}.
type Normaliser struct{}

var _ normalise.Normaliser = Normaliser{}

// Format is Format.
func (Normaliser) Format() string { return Format }

var trees = sync.Pool{New: func() any { return new(jsontree.Tree) }}

// Append appends the event of r; see normalise.Normaliser.
func (Normaliser) Append(dst []event.Event, r event.Raw) ([]event.Event, error) {
	tree := trees.Get().(*jsontree.Tree)
	defer func() {
		if !tree.Large() {
			trees.Put(tree)
		}
	}()
	// No copy: a raw record's bytes never change (event.Raw).
	root, err := tree.Parse(unsafe.String(unsafe.SliceData(r.Body), len(r.Body)))
	if err != nil {
		return dst, fmt.Errorf("not JSON: %w", err)
	}
	if root.Kind() != jsontree.Object {
		return dst, fmt.Errorf("JSON, but %s, not an envelope", root.Kind())
	}
	said := root.Get("event")
	if !said.Exists() {
		return dst, fmt.Errorf("event: it is missing")
	}
	received := r.Received.UTC().Truncate(time.Microsecond)
	at, err := when(root.Get("time"), received)
	if err != nil {
		return dst, err
	}
	return append(dst, event.Event{
		Time: at, IngestTime: received,
		UID:    event.HashUID(Format, r.Object, strconv.FormatInt(r.Position, 10)),
		Format: Format, Caller: event.CallerUnknown,
		DeviceName: root.Get("host").String(),
		Message:    message(said, root.Get("sourcetype").String()),
		Raw:        r.Body, Object: r.Object, Position: r.Position,
	}), nil
}

// when is the envelope's time, in seconds or, as some senders have it,
// milliseconds, micro- or nanoseconds since 1970; without one it is when it was
// received.
func when(v jsontree.Value, received time.Time) (time.Time, error) {
	text := strings.TrimSpace(v.Text())
	if v.Kind() == jsontree.Absent || v.Kind() == jsontree.Null || v.Kind() == jsontree.String && text == "" {
		return received, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return received, fmt.Errorf("time: %.40q is no number of seconds", v.Raw())
	}
	for _, unit := range []float64{1e17, 1e14, 1e11} { // seconds reach 1e11 in the year 5138
		if math.Abs(n) >= unit {
			n /= unit / 1e8
			break
		}
	}
	if math.Abs(n) >= 1e11 {
		return received, fmt.Errorf("time: %.40q is too far away", v.Raw())
	}
	micro := int64(math.Round(n * 1e6))
	return time.UnixMicro(micro).UTC(), nil
}

// maxMessage is how many characters of an event are its message; all of it is in
// raw.
const maxMessage = 500

// texts are fields of events that hold their line, in order.
var texts = []string{"message", "msg", "log", "MESSAGE", "line", "_raw"}

// message is the line of the event: its text, or the field of an object that
// holds one, or the object itself.
func message(said jsontree.Value, sourceType string) string {
	line := said.String()
	if said.Kind() == jsontree.Object {
		for _, key := range texts {
			if line = said.Get(key).String(); line != "" {
				break
			}
		}
	}
	if line == "" {
		line = said.Raw()
	}
	line = strings.Join(strings.FieldsFunc(line, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if sourceType != "" {
		line = sourceType + ": " + line
	}
	if r := []rune(line); len(r) > maxMessage {
		return string(r[:maxMessage-1]) + "…"
	}
	return line
}
