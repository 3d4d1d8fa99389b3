package pipeline_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/pipeline"
)

// unread is the error of a record whose format is known.
type unread struct{ format string }

func (u unread) Error() string  { return "not readable" }
func (u unread) Format() string { return u.format }

// formatted reads records "FORMAT at N"; "FORMAT broken" is of a known format
// and "?" of none.
func formatted(dst []event.Event, r event.Raw) ([]event.Event, error) {
	format, rest, _ := strings.Cut(string(r.Body), " ")
	switch {
	case format == "?":
		return dst, errors.New("no format")
	case rest == "broken":
		return dst, fmt.Errorf("record %d: %w", r.Position, unread{format})
	}
	had := len(dst)
	r.Body = []byte(rest)
	dst, err := normalise(dst, r)
	if err == nil {
		dst[had].Format = format
	}
	return dst, err
}

// The ledger counts by the format that each record was read as, also of those
// that could not be, of those that came twice, and of batches carried on later.
func TestFormats(t *testing.T) {
	h := newHouse()
	h.fail = "settle"
	p := pipeline.New(pipeline.Rooms{Normalise: formatted, Lake: h.lake, Triage: h, Ledger: settler{h.ledger, h}}, pipeline.Options{})
	b := batch("a", "x at 2", "x at 4", "y at 6", "x broken", "?", "x at 2", "y at 99999999999")
	more := batch("b", "y at 6")
	b.Spans, b.Raws = append(b.Spans, more.Spans...), append(b.Raws, more.Raws...)
	if err := p.Deliver(t.Context(), b); !errors.Is(err, errStep) {
		t.Fatal(err)
	}
	if len(b.Spans[0].Formats) > 0 {
		t.Error("the caller's batch was changed")
	}
	h.fail = ""
	if n, err := p.Recover(t.Context()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	got, err := ledger.CountFormats(t.Context(), h.ledger)
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, f := range got.Formats {
		text = append(text, fmt.Sprintf("%q in %d: %d=%d+%d+%d", f.Format, f.Objects, f.Read, f.Stored, f.Duplicate, f.Quarantined))
	}
	const want = `"x" in 1: 4=2+1+1, "y" in 2: 3=1+1+1, "" in 1: 1=0+0+1`
	if got := strings.Join(text, ", "); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
}
