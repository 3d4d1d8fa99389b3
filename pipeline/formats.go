package pipeline

import (
	"errors"

	"github.com/yagura-sec/yagura/event"
)

// formatNotes gather as which format each record of a batch was read, for the
// ledger's account by format.
type formatNotes struct {
	spans  []event.Span
	names  [][]string // of each span's records; made when the first is noted
	byName map[string][]int
	last   int // where a record was found last: they mostly come in the order of the spans
}

func (n *formatNotes) note(object string, position int64, format string) {
	i, ok := n.find(object, position)
	if !ok || format == "" {
		return
	}
	if n.names[i] == nil {
		n.names[i] = make([]string, n.spans[i].Records)
	}
	n.names[i][position-n.spans[i].First] = format
}

func (n *formatNotes) find(object string, position int64) (int, bool) {
	has := func(i int) bool {
		s := &n.spans[i]
		return position >= s.First && position < s.First+s.Records && s.Object == object
	}
	for i := n.last; i < min(n.last+2, len(n.spans)); i++ {
		if has(i) {
			n.last = i
			return i, true
		}
	}
	if n.byName == nil {
		n.byName = make(map[string][]int, len(n.spans))
		for i := range n.spans {
			n.byName[n.spans[i].Object] = append(n.byName[n.spans[i].Object], i)
		}
	}
	for _, i := range n.byName[object] {
		if has(i) {
			n.last = i
			return i, true
		}
	}
	return 0, false
}

// write puts what was noted into the spans.
func (n *formatNotes) write() {
	for i, names := range n.names {
		n.spans[i].Formats = nil
		for _, name := range names {
			n.spans[i].Formats = n.spans[i].Formats.Add(name, 1)
		}
	}
}

// formatOf is the format that a record was recognised as though it could not be
// read, where the error tells.
func formatOf(err error) string {
	var e interface{ Format() string }
	if errors.As(err, &e) {
		return e.Format()
	}
	return ""
}
