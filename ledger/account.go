package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/source"
)

// Account is what is known of the records of one version of an object: pieces
// without overlap, ascending, neighbours merged. The zero Account knows nothing.
// Engines keep it, by its text form, and change it only through Settle.
type Account struct {
	pieces []piece
}

// piece is a run of records with what the span that ends there said of its end.
// A piece without records is a span without records: the object's end looked at
// once more. It stays apart from the piece before it, because the two may be
// settled in either order and the look at the end counts.
type piece struct {
	first    int64
	verdicts event.Verdicts
	formats  event.Formats // as many as verdicts; none where no format is known
	end
}

// end is what a source notes where a span ends.
type end struct {
	final, atEnd          bool
	mark, sha256, failure string
}

func (p *piece) last() int64 { return p.first + p.verdicts.Records() } // exclusive

// cut is the n records from the skip-th on.
func (p *piece) cut(skip, n int64, e end) piece {
	return piece{p.first + skip, p.verdicts.Slice(skip, n), known(p.formats.Slice(skip, n)), e}
}

// known is fs, or nothing where they say nothing.
func known(fs event.Formats) event.Formats {
	for _, run := range fs {
		if run.Of != "" {
			return fs
		}
	}
	return nil
}

func (e end) silent() bool { return e == end{} }

// Settle replaces whatever is known of the span's records, and gives what the
// replaced ones were. A replacement that ends where an earlier span ended and
// says nothing of the end keeps what was known of it: a record taken out of
// quarantine does not reopen its object.
func (a *Account) Settle(s event.SpanAccount) (replaced event.Verdicts) {
	p := piece{s.First, nil, nil, end{s.Final, s.AtEnd, s.Mark, s.SHA256, s.Failure}}
	for _, run := range s.Verdicts {
		p.verdicts = p.verdicts.Add(run.Of, run.N)
	}
	p.formats = known(s.Formats.Slice(0, p.verdicts.Records()))
	first, last := p.first, p.last()
	var out []piece
	for _, old := range a.pieces {
		oldLast := old.last()
		if old.first == oldLast { // without records
			again := first == last && old.first == first
			passed := first <= old.first && old.first < last
			outdated := old.first == last && (p.final || p.atEnd || p.failure != "")
			if !again && !passed && !outdated {
				out = append(out, old)
			}
			continue
		}
		if first == last && old.first <= first && first < oldLast {
			return nil // there are records behind this end: it is none
		}
		from, to := max(first, old.first), min(last, oldLast)
		if from >= to {
			out = append(out, old)
			continue
		}
		for _, run := range old.verdicts.Slice(from-old.first, to-from) {
			replaced = replaced.Add(run.Of, run.N)
		}
		if old.first < from {
			out = append(out, old.cut(0, from-old.first, end{}))
		}
		if to < oldLast {
			out = append(out, old.cut(to-old.first, oldLast-to, old.end))
		} else if to == last && p.silent() {
			p.end = old.end
		}
	}
	at, _ := slices.BinarySearchFunc(out, p, comparePieces)
	a.pieces = merge(slices.Insert(out, at, p))
	return replaced
}

// comparePieces orders by position, the look at the end behind the records that
// end there and before those that begin there.
func comparePieces(a, b piece) int {
	if a.first != b.first {
		return int(min(max(a.first-b.first, -1), 1))
	}
	return int(min(max(a.last()-b.last(), -1), 1))
}

// merge joins neighbours that both have records.
func merge(pieces []piece) []piece {
	out := pieces[:0]
	for _, p := range pieces {
		if n := len(out); n > 0 && out[n-1].last() == p.first && len(out[n-1].verdicts) > 0 && len(p.verdicts) > 0 {
			prev := &out[n-1]
			prev.formats = prev.formats.Slice(0, prev.verdicts.Records())
			for _, run := range p.formats.Slice(0, p.verdicts.Records()) {
				prev.formats = prev.formats.Add(run.Of, run.N)
			}
			prev.formats = known(prev.formats)
			for _, run := range p.verdicts {
				prev.verdicts = prev.verdicts.Add(run.Of, run.N)
			}
			prev.end = p.end
			continue
		}
		out = append(out, p)
	}
	return out
}

// Progress is what a source is told.
func (a *Account) Progress(version string) source.Progress {
	p := source.Progress{Version: version}
	for _, x := range a.pieces {
		if n := x.verdicts.Records(); n > 0 {
			p.Settled = append(p.Settled, source.Run{First: x.first, Records: n})
		}
	}
	e, whole := a.end()
	p.Mark, p.Final, p.AtEnd = e.mark, e.final && whole, e.atEnd && whole
	return p
}

// end is what is known of the place where the last piece ends, and whether
// everything before it is accounted for.
func (a *Account) end() (e end, whole bool) {
	at := int64(0)
	whole = true
	for _, p := range a.pieces {
		whole = whole && p.first == at
		at, e = p.last(), p.end
	}
	return e, whole
}

// hole is the first run of records before the end that is not accounted for.
func (a *Account) hole() (first, last int64) {
	for _, p := range a.pieces {
		if p.first > first {
			return first, p.first
		}
		first = p.last()
	}
	return 0, 0
}

// Count is how many records have verdict v.
func (a *Account) Count(v event.Verdict) (n int64) {
	for _, p := range a.pieces {
		n += p.verdicts.Count(v)
	}
	return n
}

// tally calls count for each run of records with one verdict and one format, in
// order of position.
func (a *Account) tally(count func(format string, v event.Verdict, n int64)) {
	for i := range a.pieces {
		p := &a.pieces[i]
		at := int64(0)
		for _, run := range p.verdicts {
			for _, f := range p.formats.Slice(at, run.N) {
				count(f.Of, run.Of, f.N)
			}
			at += run.N
		}
	}
}

// formatAt is the format of the record at that position, empty where it is not known.
func (a *Account) formatAt(position int64) string {
	for i := range a.pieces {
		if p := &a.pieces[i]; p.first <= position && position < p.last() {
			return p.formats.At(position - p.first)
		}
	}
	return ""
}

// Records is how many records are accounted for.
func (a *Account) Records() (n int64) {
	for _, p := range a.pieces {
		n += p.verdicts.Records()
	}
	return n
}

// SHA256 of the object's decompressed content, hex, where its end is settled
// and it was read whole in one go; else empty.
func (a *Account) SHA256() string {
	e, _ := a.end()
	if n := len(a.pieces); e.sha256 == "" && n > 1 && a.pieces[n-1].first == a.pieces[n-2].last() {
		return a.pieces[n-2].sha256 // what follows only looked at the end once more
	}
	return e.sha256
}

// State is how far an object of that kind is, and why it is no further.
func (a *Account) State(kind event.Kind) (s State, reason string) {
	if len(a.pieces) == 0 {
		return Waiting, ""
	}
	e, whole := a.end()
	switch {
	case kind == event.KindOther:
		return Aside, e.failure
	case e.failure != "" && a.Records() == 0:
		return Failed, e.failure
	case e.failure != "":
		return Partial, e.failure
	case !whole:
		first, last := a.hole()
		return Partial, fmt.Sprintf("records %d to %d are not accounted for", first, last-1)
	case e.final:
		return Complete, ""
	case e.atEnd:
		return Growing, ""
	}
	return Partial, "not read to its end yet"
}

// holds tells whether the object of a holds again what was read of old, an
// earlier version: as many records are known already as were readable there,
// and all of them up to the first that was not. That the later version merely
// has the same name proves nothing: a log that is rotated, or emptied and
// written anew, is not the old one mended. Where old has several records and
// none of them was readable there is no proof either way, and so none.
func (a *Account) holds(old *Account) bool {
	known := a.Count(event.Duplicate) + a.Count(event.Expired)
	readable := old.Records() - old.Count(event.Quarantined)
	switch {
	case readable == 0:
		return old.Records() <= 1
	case readable > known:
		return false
	}
	ahead := old.readableAhead()
	return a.aheadOf(ahead, func(v event.Verdict) bool { return v == event.Duplicate || v == event.Expired }) >= ahead
}

// readableAhead is how many records there are before the first that is in
// quarantine or unknown.
func (a *Account) readableAhead() int64 {
	return a.aheadOf(math.MaxInt64, func(v event.Verdict) bool { return v != event.Quarantined })
}

// aheadOf is how many of the first records have a verdict that is ok; it counts
// no further than most.
func (a *Account) aheadOf(most int64, ok func(event.Verdict) bool) (n int64) {
	for _, p := range a.pieces {
		if p.first != n {
			break
		}
		for _, run := range p.verdicts {
			if !ok(run.Of) || n >= most {
				return n
			}
			n += run.N
		}
	}
	return n
}

// Fill sets what o, whose Kind is known, says of its records. Its State stays
// if it is Superseded, which an Account does not know.
func (a *Account) Fill(o *Object) {
	o.Records = a.Records()
	o.Stored, o.Duplicate = a.Count(event.Stored), a.Count(event.Duplicate)
	o.Quarantined, o.Expired = a.Count(event.Quarantined), a.Count(event.Expired)
	superseded := o.State == Superseded
	var why string
	if o.State, why = a.State(o.Kind); superseded {
		o.State = Superseded
	}
	o.Reason = say.Again("held.", why)
	o.SHA256 = a.SHA256()
	o.Formats = a.formats()
}

// MarshalText gives the form engines keep: for each piece its first record, its
// verdicts, "!" if the object ends there or "~" if it may grow, and quoted texts
// where there are any, as in `0 4000s3d! "mark" "" "" "4003 gcp.audit"`. Forms
// of earlier versions have no formats.
func (a *Account) MarshalText() ([]byte, error) {
	var b []byte
	for i, p := range a.pieces {
		if i > 0 {
			b = append(b, '\n')
		}
		b = strconv.AppendInt(b, p.first, 10)
		b = append(b, ' ')
		for _, run := range p.verdicts {
			b = append(strconv.AppendInt(b, run.N, 10), byte(run.Of))
		}
		if p.final {
			b = append(b, '!')
		}
		if p.atEnd {
			b = append(b, '~')
		}
		formats, err := p.formats.MarshalText()
		if err != nil {
			return nil, err
		}
		texts := []string{p.mark, p.sha256, p.failure, string(formats)}
		if texts[3] == "" {
			texts = texts[:3]
		}
		if strings.Join(texts, "") == "" {
			continue
		}
		for _, s := range texts {
			b = strconv.AppendQuoteToASCII(append(b, ' '), s)
		}
	}
	return b, nil
}

// UnmarshalText reads that form.
func (a *Account) UnmarshalText(b []byte) error {
	a.pieces = nil
	for len(b) > 0 {
		line, rest, _ := bytes.Cut(b, []byte{'\n'})
		p, err := parsePiece(string(line))
		if err != nil {
			return fmt.Errorf("account %q: %w", line, err)
		}
		a.pieces, b = append(a.pieces, p), rest
	}
	return nil
}

func parsePiece(line string) (p piece, err error) {
	first, line, found := strings.Cut(line, " ")
	if !found {
		return p, errors.New("no verdicts")
	}
	if p.first, err = strconv.ParseInt(first, 10, 64); err != nil {
		return p, err
	}
	verdicts, line, _ := strings.Cut(line, " ")
	verdicts, p.atEnd = strings.CutSuffix(verdicts, "~")
	verdicts, p.final = strings.CutSuffix(verdicts, "!")
	if err := p.verdicts.UnmarshalText([]byte(verdicts)); err != nil {
		return p, err
	}
	var formats string
	for _, s := range []*string{&p.mark, &p.sha256, &p.failure, &formats} {
		if line == "" {
			break
		}
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return p, err
		}
		if *s, err = strconv.Unquote(quoted); err != nil {
			return p, err
		}
		line = strings.TrimPrefix(line[len(quoted):], " ")
	}
	if err := p.formats.UnmarshalText([]byte(formats)); err != nil {
		return p, err
	}
	p.formats = known(p.formats.Slice(0, p.verdicts.Records()))
	return p, nil
}
