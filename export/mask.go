package export

import (
	"iter"
	"slices"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/mask"
	"github.com/yagura-sec/yagura/say"
)

// Learn tells the mask of the names that findings have in fields of their own,
// so that they are masked in every text of all of them. It is to be called with
// all that will be written, before any of it is.
func Learn(all iter.Seq2[finding.Finding, error], m *mask.Masker) error {
	for f, err := range all {
		if err != nil {
			return err
		}
		learn(&f, m)
	}
	return nil
}

func learn(f *finding.Finding, m *mask.Masker) {
	people := []string{f.Assignee, f.Owner}
	for _, d := range f.Decisions {
		people = append(people, d.By, d.Assignee)
	}
	if f.Anomaly != nil {
		people = append(people, f.Anomaly.Person)
	}
	for _, name := range people {
		// What is too short or too common to be looked for in texts is masked in
		// its own field all the same.
		_ = m.Learn(mask.Person, name)
	}
	for _, arn := range []string{f.Actor, f.Resource} {
		for _, name := range mask.People(arn) {
			_ = m.Learn(mask.Person, name) // as above
		}
	}
	if f.AccountName != "" {
		_ = m.LearnAccount(f.Account, f.AccountName) // as above
	}
	if f.Account != "" && !isAccount(f.Account) {
		_ = m.Learn(mask.Project, f.Account) // as above
	}
}

// Masked is f with accounts, people and projects under their aliases, wherever
// they are named. Keys are aliases too: they are hashes of names, and could be
// found out by trying. f is not changed.
func Masked(f finding.Finding, m *mask.Masker) finding.Finding {
	learn(&f, m)
	text := func(s *string) { *s = m.Text(*s) }
	f.Key, f.Case = m.Key(f.Key), m.Key(f.Case)
	f.Account, f.AccountName = m.Account(f.Account), m.Text(f.AccountName)
	f.Assignee, f.Owner = m.Person(f.Assignee), m.Person(f.Owner)
	said := func(t *say.Text) { *t = say.Plain(m.Text(t.String())) }
	f.Headline = say.Text{} // the title alone is masked
	for _, s := range []*string{&f.Title, &f.Actor, &f.Resource} {
		text(s)
	}
	f.Related = each(f.Related, func(s *string) { *s = m.Key(*s) })
	f.FalsePositives, f.Next = each(f.FalsePositives, text), each(f.Next, text)
	f.Reasons = each(f.Reasons, func(r *finding.Reason) { said(&r.Text); said(&r.Observed); said(&r.Expected) })
	explained := func(x *finding.Explanation) { said(&x.Text); text(&x.ID) }
	f.Explained, f.Trouble.Explained = each(f.Explained, explained), each(f.Trouble.Explained, explained)
	f.Parts = each(f.Parts, func(p *finding.Part) { said(&p.Why) })
	f.Decisions = each(f.Decisions, func(d *finding.Decision) {
		d.By, d.Assignee = m.Person(d.By), m.Person(d.Assignee)
		text(&d.Comment)
	})
	if f.Anomaly != nil {
		a := *f.Anomaly
		a.Person = m.Person(a.Person)
		a.Resources, a.Unseen = each(a.Resources, text), each(a.Unseen, said)
		f.Anomaly = &a
	}
	if f.External != nil {
		x := *f.External
		for _, s := range []*string{&x.UID, &x.Parent} {
			text(s)
		}
		x.Resources = each(x.Resources, text)
		x.Links = nil // they lead into accounts
		f.External = &x
	}
	return f
}

// each is a copy of l with every member changed.
func each[T any](l []T, change func(*T)) []T {
	l = slices.Clone(l)
	for i := range l {
		change(&l[i])
	}
	return l
}
