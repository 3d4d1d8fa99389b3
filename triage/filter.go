package triage

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
)

// PrefixLength is how much of a key Get needs at least.
const PrefixLength = 8

// Match tells whether the filter chooses f, whatever page it is on.
func (x *Filter) Match(f *finding.Finding) bool {
	return f.Severity.Rank() >= x.Severity.Rank() &&
		(len(x.Status) == 0 || slices.Contains(x.Status, f.Status)) &&
		(x.Kind == "" || x.Kind == f.Kind || strings.HasPrefix(string(f.Kind), string(x.Kind)+".")) &&
		(x.Rule == "" || x.Rule == f.Rule) &&
		(x.Account == "" || x.Account == f.Account) &&
		(x.Actor == "" || x.Actor == f.Actor) &&
		(x.Resource == "" || slices.Contains(f.Resources(), x.Resource)) &&
		(x.Text == "" || x.inText(f)) &&
		!f.LastSeen.Before(x.Since) &&
		(x.Until.IsZero() || f.LastSeen.Before(x.Until)) &&
		(x.Demoted || !f.Demoted) &&
		(x.Staged || !f.Staged) &&
		(x.Folded || f.Folded == "") &&
		(!x.Unexplained || len(f.Explained) == 0) &&
		x.Scope.Match(f)
}

func (x *Filter) inText(f *finding.Finding) bool {
	return slices.ContainsFunc(append(f.Resources(), f.Title, f.Actor), func(s string) bool { return InText(s, strings.ToLower(x.Text)) })
}

// InText tells whether a text holds what Filter.Text, in lower case, asks for.
func InText(s, lower string) bool { return strings.Contains(strings.ToLower(s), lower) }

// Sorts are the orders that List knows. Of numbers and times the greatest comes
// first, of texts the least; a - before the name turns that round. Findings that
// are alike in it follow in the order of priority, latest first, and key.
var Sorts = []string{"priority", "last_seen", "first_seen", "severity", "count", "title", "actor", "resource", "account", "status", "assignee"}

// CheckSort tells in a person's words what is wrong with an order.
func CheckSort(sort string) error {
	if sort == "" || slices.Contains(Sorts, strings.TrimPrefix(sort, "-")) {
		return nil
	}
	return fmt.Errorf("%w: sort %q is not one of %s, or - and one of them", ErrWrong, sort, strings.Join(Sorts, ", "))
}

// Place is where a finding stands in an order of List.
type Place struct {
	Sort     string // the order; empty: priority
	Number   int64  // what the order is by: one of these two
	Text     string
	Priority int
	LastSeen time.Time
	Key      string
}

// PlaceOf f in the order.
func PlaceOf(f *finding.Finding, sort string) Place {
	p := Place{Sort: sort, Priority: f.Priority, LastSeen: f.LastSeen, Key: f.Key}
	switch strings.TrimPrefix(sort, "-") {
	case "", "priority":
		p.Number = int64(f.Priority)
	case "last_seen":
		p.Number = f.LastSeen.UnixMicro()
	case "first_seen":
		p.Number = f.FirstSeen.UnixMicro()
	case "severity":
		p.Number = int64(f.Severity.Rank())
	case "count":
		p.Number = f.Count
	case "title":
		p.Text = f.Title
	case "actor":
		p.Text = f.Actor
	case "resource":
		if r := f.Resources(); len(r) > 0 {
			p.Text = r[0]
		}
	case "account":
		p.Text = f.Account
	case "status":
		p.Text = string(f.Status)
	case "assignee":
		p.Text = f.Assignee
	}
	return p
}

// Compare is the order of List. Both places are of one order.
func (p Place) Compare(q Place) int {
	c := cmp.Or(cmp.Compare(q.Number, p.Number), cmp.Compare(p.Text, q.Text))
	if strings.HasPrefix(p.Sort, "-") {
		c = -c
	}
	return cmp.Or(c, cmp.Compare(q.Priority, p.Priority), q.LastSeen.Compare(p.LastSeen), cmp.Compare(p.Key, q.Key))
}

// Cursor is the text form of p: the page after it begins behind p, wherever p
// is by then.
func (p Place) Cursor() string {
	var b []byte
	for _, s := range []string{p.Sort, p.Text} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	b = binary.AppendVarint(b, p.Number)
	b = binary.AppendVarint(b, int64(p.Priority))
	b = binary.AppendVarint(b, p.LastSeen.UnixMicro())
	return base64.RawURLEncoding.EncodeToString(append(b, p.Key...))
}

// ParseCursor reads that form, of a page in the order sort.
func ParseCursor(s, sort string) (p Place, err error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	bad := err != nil
	text := func() string {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			bad, b = true, nil
			return ""
		}
		t := string(b[used : used+int(n)])
		b = b[used+int(n):]
		return t
	}
	number := func() int64 {
		n, used := binary.Varint(b)
		if used <= 0 {
			bad, b = true, nil
			return 0
		}
		b = b[used:]
		return n
	}
	p.Sort, p.Text = text(), text()
	p.Number, p.Priority, p.LastSeen = number(), int(number()), time.UnixMicro(number()).UTC()
	p.Key = string(b)
	if bad || p.Sort != sort {
		return Place{}, fmt.Errorf("cursor %q: %w", s, ErrCursor)
	}
	return p, nil
}

// PrepareDecision checks d and makes of it what stores keep.
func PrepareDecision(d finding.Decision) (finding.Decision, error) {
	d.At, d.Undone = micros(d.At), false
	for _, s := range []*string{&d.ID, &d.By, &d.Assignee, &d.Comment, &d.Undoes, &d.Group} {
		*s = valid(*s)
	}
	return d, d.Check()
}

// CheckUndo refuses a decision that takes back one that was not taken about f.
func CheckUndo(f *finding.Finding, d finding.Decision) error {
	if d.Undoes != "" && !slices.ContainsFunc(f.Decisions, func(x finding.Decision) bool { return x.ID == d.Undoes }) {
		return fmt.Errorf("decision %s about %s: %w", d.Undoes, f.Key, ErrUnknown)
	}
	return nil
}

// PrepareBulk checks what is to be decided about several findings.
func PrepareBulk(keys []string, d finding.Decision) (finding.Decision, error) {
	d, err := PrepareDecision(d)
	if err != nil {
		return d, err
	}
	if d.Undoes != "" {
		return d, fmt.Errorf("%w: a decision about several findings takes none back: undo its group", ErrWrong)
	}
	if d.Group == "" {
		whole := d
		whole.Name(strings.Join(keys, " "))
		d.Group = whole.ID
	}
	return d, nil
}

// OneOf is a bulk decision's part about one finding.
func OneOf(d finding.Decision, key string) finding.Decision {
	if d.ID != "" {
		d.ID = finding.Key("decision", d.ID, key)
	}
	return d
}

// Takers gives the decisions that take back what u asks for of a finding's.
func (u *Undo) Takers(all []finding.Decision) (out []finding.Decision) {
	for _, d := range all {
		if d.Undone || d.Undoes != "" && u.Group != "" || u.ID != "" && d.ID != u.ID || u.ID == "" && d.Group != u.Group {
			continue
		}
		out = append(out, finding.Decision{By: u.By, At: u.At, Undoes: d.ID, Group: u.Group})
	}
	return out
}

// Check tells in a person's words what is wrong with u.
func (u *Undo) Check() error {
	if (u.ID == "") == (u.Group == "") {
		return fmt.Errorf("%w: name a decision or a group to take back", ErrWrong)
	}
	return nil
}
