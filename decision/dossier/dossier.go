// Package dossier writes a decision down for others to read: a vendor's support, a
// request for a feature, whoever decides again. It tells the question, the evidence,
// what was counted, pictures of it, what was asked when and answered what, in
// Japanese or English, as Markdown and as HTML that needs nothing else.
package dossier

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/say"
)

// Dossier is a decision to be written down.
type Dossier struct {
	Decision decision.Decision
	State    decision.State
	Changes  []decision.Change // the latest first
	Pictures []Picture
	Language say.Language
	At       time.Time // when it is written down
	// Mask gives what stands in the place of names; nil: the names. Pictures are
	// masked by who draws them.
	Mask func(string) string
}

// Picture is one of what was counted.
type Picture struct {
	Name  string // of a file: "changes.svg"
	Title string
	SVG   []byte // of cost/picture: whatever it names is in it as text
}

// section is a part under a heading.
type section struct {
	Heading string
	Blocks  []block
}

// block is one of these.
type block struct {
	Text    string // a paragraph
	Quote   string // somebody's words, of several lines
	List    []item
	Head    []string // of a table
	Rows    [][]string
	Picture *Picture
}

// item is one of a list.
type item struct{ Text, Link string }

// tell is a sentence in the dossier's language.
func (d *Dossier) tell(t say.Text) string { return t.In(d.Language) }

// in is a text in the dossier's language, under the mask.
func (d *Dossier) in(t say.Text) string { return d.masked(t.In(d.Language)) }

func (d *Dossier) masked(s string) string {
	if d.Mask == nil {
		return s
	}
	return d.Mask(s)
}

// content is all that is told, under its headings.
func (d *Dossier) content() (title, below string, out []section) {
	x := d.Decision
	if d.Mask != nil {
		x = x.Masked(d.Mask)
	}
	below = d.tell(say.T("dossier.below", say.Values{"at": d.At.UTC(), "owner": x.Owner}))
	if d.Mask != nil {
		below += " " + d.tell(say.T("dossier.masked", nil))
	}
	add := func(heading say.Text, blocks ...block) {
		blocks = slices.DeleteFunc(blocks, func(b block) bool { return b.empty() })
		if len(blocks) > 0 {
			out = append(out, section{d.tell(heading), blocks})
		}
	}
	add(say.T("dossier.question", nil), d.questions(&x)...)
	add(say.T("dossier.decision", nil), d.decided(&x)...)
	add(say.T("dossier.evidence", nil), block{List: d.evidence()})
	add(say.T("dossier.counts", nil), d.figures(&x), block{Text: d.saving(&x)})
	var pictures []block
	for i := range d.Pictures {
		pictures = append(pictures, block{Picture: &d.Pictures[i]})
	}
	add(say.T("dossier.pictures", nil), pictures...)
	add(say.T("dossier.asked", nil), d.asked(&x)...)
	add(say.T("dossier.history", nil), d.history())
	return d.in(d.Decision.Titled()), below, out
}

func (b *block) empty() bool {
	return b.Text == "" && b.Quote == "" && len(b.List) == 0 && len(b.Rows) == 0 && b.Picture == nil
}

// questions are those that wait for an answer, the latest first; where none was
// asked, the one that the decision makes.
func (d *Dossier) questions(x *decision.Decision) (out []block) {
	for _, q := range slices.Backward(x.Asked) {
		if len(q.Answers) == 0 {
			out = append(out, block{Quote: q.Question})
		}
	}
	if len(x.Asked) == 0 {
		out = append(out, block{Text: d.tell(say.T("dossier.question.own", say.Values{"title": d.in(d.Decision.Titled())}))})
	}
	if len(out) == 0 {
		out = append(out, block{Text: d.tell(say.T("dossier.question.none", nil))})
	}
	return out
}

// decided is the verdict, why, about what, and what reopens it.
func (d *Dossier) decided(x *decision.Decision) []block {
	verdict := d.tell(say.T("dossier.verdict."+string(x.Verdict), say.Values{"at": x.Decided.UTC()}))
	var about, when, why []item
	for i, s := range x.About {
		text := cmp.Or(d.in(d.Decision.About[i].Titled()), s.ID)
		if s.Account != "" && !strings.Contains(text, s.Account) {
			text += " (" + s.Account + ")"
		}
		about = append(about, item{Text: text})
	}
	if !d.Decision.Revisit.IsZero() {
		when = append(when, item{Text: d.in(decision.Trigger{Kind: decision.OnDate, Day: d.Decision.Revisit}.Text())})
	}
	for _, t := range d.Decision.Triggers {
		text := d.in(t.Text())
		if i := slices.IndexFunc(d.State.Unread, func(u decision.Unread) bool { return u.Trigger == t }); i >= 0 {
			text += ": " + d.in(d.State.Unread[i].Why)
		}
		when = append(when, item{Text: text})
	}
	for _, r := range d.State.Why {
		why = append(why, item{Text: d.in(r.Text())})
	}
	out := []block{{Text: verdict}, {Quote: x.Reason}}
	for _, part := range []struct {
		said say.Text
		list []item
	}{{say.T("dossier.about", nil), about}, {say.T("dossier.when", nil), when}, {say.T("dossier.reopened", nil), why}} {
		if len(part.list) > 0 {
			out = append(out, block{Text: d.tell(part.said)}, block{List: part.list})
		}
	}
	return out
}

func (d *Dossier) evidence() (out []item) {
	for _, e := range d.Decision.Evidence {
		said := say.T("dossier.evidence.as_of", say.Values{"said": d.in(e.Said()), "at": e.At.UTC()})
		out = append(out, item{Text: d.tell(said), Link: d.masked(e.Link)})
	}
	return out
}

// figures are what was measured, as a table.
func (d *Dossier) figures(x *decision.Decision) block {
	b := block{}
	for _, id := range []string{"what", "of", "value", "basis", "at"} {
		b.Head = append(b.Head, d.tell(say.T("dossier.column."+id, nil)))
	}
	for _, f := range x.Figures {
		name, basis := f.Name, f.Basis
		switch f.Name { // those of our own; others are somebody's words
		case "items", "resource_days", "operations_day", "saving_month", "price", "events":
			name = d.tell(say.T("dossier.figure."+f.Name, nil))
		}
		switch f.Basis {
		case "metric", "history", "estimate", "bill", "settings", decision.Computed:
			basis = d.tell(say.T("dossier.basis."+f.Basis, nil))
		}
		b.Rows = append(b.Rows, []string{name, f.Of, f.Shown(), basis, f.At.UTC().Format(time.DateOnly)})
	}
	return b
}

func (d *Dossier) saving(x *decision.Decision) string {
	if x.Saving == nil {
		return ""
	}
	return d.tell(say.T("dossier.saving", say.Values{"amount": say.Saving(say.Number(x.Saving.Month), x.Saving.Currency)}))
}

// asked is what was asked when, and answered what.
func (d *Dossier) asked(x *decision.Decision) (out []block) {
	for _, q := range x.Asked {
		vendor := say.Plain(q.Vendor)
		if q.Case != "" {
			vendor = say.T("dossier.vendor", say.Values{"vendor": q.Vendor, "case": q.Case})
		}
		out = append(out, block{Text: d.tell(say.T("dossier.asked.one", say.Values{"at": q.At.UTC(), "vendor": vendor, "by": q.By}))}, block{Quote: q.Question})
		for _, a := range q.Answers {
			out = append(out, block{Text: d.tell(say.T("dossier.answered", say.Values{"at": a.At.UTC()}))}, block{Quote: a.Text})
		}
		if len(q.Answers) == 0 {
			out = append(out, block{Text: d.tell(say.T("dossier.unanswered", nil))})
		}
	}
	return out
}

// history is who decided what when, as a table.
func (d *Dossier) history() block {
	b := block{}
	for _, id := range []string{"at", "by", "did", "note"} {
		b.Head = append(b.Head, d.tell(say.T("dossier.column."+id, nil)))
	}
	for _, c := range d.Changes {
		did := d.tell(say.T("dossier.did."+c.Action, nil))
		if c.Before == nil || c.Before.Verdict != c.After.Verdict {
			did += ": " + d.tell(say.T("dossier.word."+string(c.After.Verdict), nil))
		}
		b.Rows = append(b.Rows, []string{c.At.UTC().Format("2006-01-02 15:04"), d.masked(c.By), did, d.masked(c.Note)})
	}
	return b
}
