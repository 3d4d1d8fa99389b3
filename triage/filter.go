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
		(x.Resource == "" || x.Resource == f.Resource) &&
		(x.Text == "" || strings.Contains(SearchText(&f.Trouble), strings.ToLower(x.Text))) &&
		!f.LastSeen.Before(x.Since) &&
		(x.Until.IsZero() || f.LastSeen.Before(x.Until)) &&
		(x.Demoted || !f.Demoted) &&
		(x.Staged || !f.Staged) &&
		(!x.Unexplained || len(f.Explained) == 0)
}

// SearchText is what Filter.Text is looked for in: lower case, a line each.
func SearchText(t *finding.Trouble) string {
	return strings.ToLower(t.Title + "\n" + t.Actor + "\n" + t.Resource)
}

// Place is where a finding stands in the order of List.
type Place struct {
	Priority int
	LastSeen time.Time
	Key      string
}

// PlaceOf f.
func PlaceOf(f *finding.Finding) Place { return Place{f.Priority, f.LastSeen, f.Key} }

// Compare is the order of List: highest priority first, then latest, then key.
func (p Place) Compare(q Place) int {
	return cmp.Or(cmp.Compare(q.Priority, p.Priority), q.LastSeen.Compare(p.LastSeen), cmp.Compare(p.Key, q.Key))
}

// Cursor is the text form of p: the page after it begins behind p, wherever p
// is by then.
func (p Place) Cursor() string {
	b := binary.AppendVarint(nil, int64(p.Priority))
	b = binary.AppendVarint(b, p.LastSeen.UnixMicro())
	return base64.RawURLEncoding.EncodeToString(append(b, p.Key...))
}

// ParseCursor reads that form.
func ParseCursor(s string) (Place, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	priority, n := binary.Varint(b)
	if err != nil || n <= 0 {
		return Place{}, fmt.Errorf("cursor %q: %w", s, ErrCursor)
	}
	seen, m := binary.Varint(b[n:])
	if m <= 0 {
		return Place{}, fmt.Errorf("cursor %q: %w", s, ErrCursor)
	}
	return Place{int(priority), time.UnixMicro(seen).UTC(), string(b[n+m:])}, nil
}

// PrepareDecision checks d and makes of it what stores keep.
func PrepareDecision(d finding.Decision) (finding.Decision, error) {
	d.At = micros(d.At)
	d.By, d.Assignee, d.Comment = valid(d.By), valid(d.Assignee), valid(d.Comment)
	return d, d.Check()
}
