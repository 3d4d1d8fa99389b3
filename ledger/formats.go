package ledger

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/say"
)

// FormatRecords counts records that were read as one format. Read = Stored +
// Duplicate + Quarantined + Expired.
type FormatRecords struct {
	// Format is empty for records that none was recognised in, and for those
	// that were read by a version that did not note it.
	Format      string `json:"format"`
	Read        int64  `json:"read"`
	Stored      int64  `json:"stored"`
	Duplicate   int64  `json:"duplicate"`
	Quarantined int64  `json:"quarantined"`
	Expired     int64  `json:"expired"`
}

// add counts n more records with verdict v.
func (r *FormatRecords) add(v event.Verdict, n int64) {
	r.Read += n
	switch v {
	case event.Stored:
		r.Stored += n
	case event.Duplicate:
		r.Duplicate += n
	case event.Quarantined:
		r.Quarantined += n
	case event.Expired:
		r.Expired += n
	}
}

// sum adds what o counts.
func (r *FormatRecords) sum(o FormatRecords) {
	r.Read += o.Read
	r.Stored += o.Stored
	r.Duplicate += o.Duplicate
	r.Quarantined += o.Quarantined
	r.Expired += o.Expired
}

// formats counts the account's records by format, sorted by name.
func (a *Account) formats() []FormatRecords {
	var out []FormatRecords
	a.tally(func(format string, v event.Verdict, n int64) {
		at, found := slices.BinarySearchFunc(out, format, func(r FormatRecords, name string) int { return cmp.Compare(r.Format, name) })
		if !found {
			out = slices.Insert(out, at, FormatRecords{Format: format})
		}
		out[at].add(v, n)
	})
	return out
}

// Rejected is why a record is in quarantine, and the format it was read as.
type Rejected struct{ Format, Reason string }

// Rejected is the reason with the format that the account has at that position.
func (a *Account) Rejected(position int64, reason string) Rejected {
	return Rejected{a.formatAt(position), reason}
}

// FormatAccount is the account of one format.
type FormatAccount struct {
	FormatRecords
	// Objects that hold records of it, without superseded versions; one that
	// holds several formats counts for each. With an empty Format also those in
	// which no record was found.
	Objects int64 `json:"objects"`
	// Reasons why records are in quarantine, the most frequent first, at most
	// MostReasons; OtherReasons counts the records of the rest.
	Reasons      []ReasonCount `json:"reasons"`
	OtherReasons int64         `json:"other_reasons"`
}

// ReasonCount is how many records are in quarantine for one kind of reason.
type ReasonCount struct {
	// Reason without what differs from record to record: an ellipsis stands for
	// quoted texts and numbers.
	Reason  say.Text `json:"reason"`
	Records int64    `json:"records"`
}

// MostReasons is how many reasons a format's account names.
const MostReasons = 5

// ByFormat is the account of each format, as `ledger --by format` and the API
// give it.
//
// The records of all formats are those of Totals.
type ByFormat struct {
	Formats []FormatAccount `json:"formats"` // by name; the empty one last
	// Aside counts objects that are no logs and hold no records: notes beside
	// logs, digests.
	Aside int64 `json:"aside"`
}

// CountFormats gathers it. It reads the account of every object.
func CountFormats(ctx context.Context, r Reader) (ByFormat, error) {
	accounts := map[string]*FormatAccount{}
	of := func(format string) *FormatAccount {
		a := accounts[format]
		if a == nil {
			a = &FormatAccount{FormatRecords: FormatRecords{Format: format}, Reasons: []ReasonCount{}}
			accounts[format] = a
		}
		return a
	}
	out := ByFormat{Formats: []FormatAccount{}}
	for o, err := range r.Objects(ctx, ObjectFilter{}) {
		if err != nil {
			return out, err
		}
		for _, f := range o.Formats {
			of(f.Format).sum(f)
		}
		switch {
		case o.State == Superseded:
		case o.Records == 0 && o.Kind != event.KindRecords:
			out.Aside++
		case o.Records == 0:
			of("").Objects++
		default:
			for _, f := range o.Formats {
				of(f.Format).Objects++
			}
		}
	}
	reasons := map[Rejected]int64{}
	for x, err := range r.Rejected(ctx) {
		if err != nil {
			return out, err
		}
		reasons[Rejected{x.Format, alike(x.Reason)}]++
	}
	for x, n := range reasons {
		a := of(x.Format)
		a.Reasons = append(a.Reasons, ReasonCount{say.Again("held.", x.Reason), n})
	}
	for _, a := range accounts {
		a.cutReasons()
		out.Formats = append(out.Formats, *a)
	}
	slices.SortFunc(out.Formats, func(a, b FormatAccount) int {
		if (a.Format == "") != (b.Format == "") {
			return cmp.Compare(b.Format, a.Format)
		}
		return cmp.Compare(a.Format, b.Format)
	})
	return out, nil
}

// cutReasons keeps the most frequent.
func (a *FormatAccount) cutReasons() {
	slices.SortFunc(a.Reasons, func(x, y ReasonCount) int {
		return cmp.Or(cmp.Compare(y.Records, x.Records), cmp.Compare(x.Reason.String(), y.Reason.String()))
	})
	for len(a.Reasons) > MostReasons {
		last := len(a.Reasons) - 1
		a.OtherReasons += a.Reasons[last].Records
		a.Reasons = a.Reasons[:last]
	}
}

// differs are the parts of a reason that are the record's own: quoted texts,
// numbers, times; but not the 509 of x509.
var differs = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'[^']*'|` + "`[^`]*`" + `|\b\d(?:[\d:.,TZ+-]*[\dZ])?`)

// conflict is the reason of a record whose uid is stored with another body: names of
// objects may have anything in them. See lake.Conflict.
var conflict = regexp.MustCompile(`(?s)^conflict: record .* of .* has the uid .* of record .* of .*, but says something else$`)

// alike is what a reason has in common with those of other records.
func alike(reason string) string {
	if conflict.MatchString(reason) {
		return "conflict: record … of … has the uid … of record … of …, but says something else"
	}
	const mostRunes = 200
	text := []rune(differs.ReplaceAllString(strings.ToValidUTF8(reason, "\uFFFD"), "…"))
	return string(text[:min(len(text), mostRunes)])
}
