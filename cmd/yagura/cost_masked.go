package main

import (
	"strings"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/cost/change"
	"github.com/yagura-sec/yagura/mask"
	sentences "github.com/yagura-sec/yagura/say" // a test of this package has another say
)

// aliases mask with the key of the data directory where that is wanted; else nil.
func (p *program) aliases(wanted bool) (*mask.Masker, error) {
	if !wanted {
		return nil, nil
	}
	return p.masker()
}

// maskedChanges is a report on an account under aliases: its account, who made
// changes, and what is said of them.
func maskedChanges(r api.CostChanges, m *mask.Masker) api.CostChanges {
	var people []string
	person := func(kind, maker string) {
		if kind == string(change.Person) {
			people = append(people, maker)
		}
	}
	for _, x := range r.Makers {
		person(x.Kind, x.Maker)
	}
	for _, x := range r.Loops {
		person(x.Kind, x.Maker)
	}
	for _, x := range r.Schedules {
		person(x.Kind, x.Maker)
	}
	d := m.Document(people, projects(r.Account))
	text := func(s *string) { *s = d.Text(*s) }
	said := func(t *sentences.Text) { *t = sentences.Plain(d.Text(t.String())) }
	r.Account = maskedName(m, r.Account)
	for i := range r.Makers {
		text(&r.Makers[i].Maker)
	}
	for i := range r.Loops {
		x := &r.Loops[i]
		text(&x.Maker)
		text(&x.Service)
		text(&x.Cluster)
		said(&x.Note)
		said(&x.Said)
	}
	for i := range r.Schedules {
		x := &r.Schedules[i]
		text(&x.Maker)
		said(&x.Said)
	}
	said(&r.Items.Said)
	return r
}

// maskedTrend is how the bill moves, with accounts under aliases.
func maskedTrend(t api.CostTrend, m *mask.Masker) api.CostTrend {
	parts := [][]api.CostMove{t.Services, t.Moves, t.Peers, t.Forecasts, t.Why}
	var accounts []string
	for _, all := range parts {
		for _, x := range all {
			accounts = append(accounts, x.Account)
		}
	}
	d := m.Document(nil, projects(accounts...))
	for _, all := range parts {
		for i := range all {
			all[i].Account = maskedName(m, all[i].Account)
			all[i].Said = sentences.Plain(d.Text(all[i].Said.String()))
		}
	}
	return t
}

// maskedAdvice is advice with accounts under aliases, and resources named by them.
func maskedAdvice(v api.CostAdvices, m *mask.Masker) api.CostAdvices {
	var accounts []string
	for _, a := range v.Advice {
		accounts = append(accounts, a.Account)
	}
	d := m.Document(nil, projects(accounts...))
	lines := func(all []string) {
		for i := range all {
			all[i] = d.Text(all[i])
		}
	}
	for i := range v.Advice {
		a := &v.Advice[i]
		a.Account, a.AccountName, a.Key, a.ResourceType = maskedName(m, a.Account), "", d.Text(a.Key), d.Text(a.ResourceType)
		for _, t := range []*sentences.Text{&a.Title, &a.Reason, &a.Lost} {
			*t = sentences.Plain(d.Text(t.String()))
		}
		lines(a.Plan)
		lines(a.Undo)
	}
	return v
}

// projects are those accounts that are no numbers, which are known on sight.
func projects(accounts ...string) (out []string) {
	for _, a := range accounts {
		if strings.Trim(a, "0123456789") != "" {
			out = append(out, a)
		}
	}
	return out
}
