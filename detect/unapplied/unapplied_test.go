package unapplied_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/detect/unapplied"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/say"
)

var now = time.Date(2026, 3, 10, 12, 30, 0, 0, time.UTC)

const compute, notebooks, bigquery = "compute.googleapis.com", "notebooks.googleapis.com", "bigquery.googleapis.com"

// look compares an entry with calls of a day, so many days ago each.
func look(t *testing.T, e register.Entry, registered bool, change func(*calls)) []finding.Occurrence {
	t.Helper()
	var u calls
	change(&u)
	c := register.Comparison{Entry: e, Registered: registered, Lines: register.Compare(e, u.Uses(e.Project), nil, register.Everywhere, now)}
	h, err := unapplied.Hunt(t.Context(), []register.Comparison{c}, unapplied.Options{
		Known: companion.Builtin(), Days: u.granted,
		Evidence: func(_ context.Context, project, service string, d register.Day) ([]finding.Sighting, error) {
			return []finding.Sighting{{Time: d.Last, UID: event.HashUID(project, service)}}, nil
		},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range h.Occurrences {
		if o.Since.Before(h.Since) || o.Until.After(h.Until) || o.FirstSeen.Before(o.Since) || !o.LastSeen.Before(o.Until) {
			t.Errorf("an occurrence of %s lies outside of its hour or the hunt's", o.FirstSeen)
		}
	}
	return h.Occurrences
}

// calls are those of a project.
type calls struct {
	register.Usage
	days map[string]*register.Days
}

func (u *calls) granted(_ context.Context, _, service string) ([]register.Day, error) {
	return u.days[service].All(), nil
}

func used(u *calls, service string, daysAgo int, calls int64, denied bool) {
	at := now.AddDate(0, 0, -daysAgo)
	u.Add("kite-ml", service, calls, denied, at, at.Add(time.Minute))
	if u.days == nil {
		u.days = map[string]*register.Days{}
	}
	if u.days[service] == nil {
		u.days[service] = &register.Days{}
	}
	if !denied {
		u.days[service].Add(calls, at, at.Add(time.Minute))
	}
}

func entry(services ...string) register.Entry {
	e := register.Entry{Project: "kite-ml", Owner: "ml"}
	for _, s := range services {
		e.Services = append(e.Services, register.Service{ID: s})
	}
	return e
}

func TestFires(t *testing.T) {
	got := look(t, entry(notebooks), true, func(u *calls) {
		used(u, compute, 2, 5, false)
		used(u, compute, 2, 3, true)
		used(u, compute, 0, 1, false)
		used(u, bigquery, 1, 4, false)
		used(u, notebooks, 1, 9, false)
	})
	if len(got) != 3 {
		t.Fatalf("%d occurrences, want two days of one service and one of another", len(got))
	}
	byService := map[string]finding.Finding{}
	for _, service := range []string{compute, bigquery} {
		var of []finding.Occurrence
		for _, o := range got {
			if o.Resource == service {
				of = append(of, o)
			}
		}
		byService[service] = finding.Fold(of)
	}
	f := byService[compute]
	if f.Count != 6 || f.Severity != finding.Low || f.Kind != finding.KindRegister || f.RegisterGap.NeededBy != notebooks || f.Account != "kite-ml" || len(f.Evidence.First) != 1 {
		t.Errorf("%+v", f)
	}
	if f := byService[bigquery]; f.Severity != finding.Medium || f.RegisterGap.NeededBy != "" || f.Wanted() != bigquery {
		t.Errorf("%+v", f)
	}
	for _, l := range say.Languages {
		if text := f.Reasons[0].Text.In(l); !strings.Contains(text, compute) || !strings.Contains(text, notebooks) || !strings.Contains(text, "6") {
			t.Errorf("in %s it says %q", l, text)
		}
	}
}

func TestQuiet(t *testing.T) {
	f := func(what string, e register.Entry, registered bool, change func(*calls)) {
		t.Helper()
		if got := look(t, e, registered, change); len(got) > 0 {
			t.Errorf("%s: %+v", what, got[0].Trouble)
		}
	}
	f("applied for", entry(compute), true, func(u *calls) { used(u, compute, 0, 5, false) })
	f("only refused", entry(notebooks), true, func(u *calls) { used(u, compute, 0, 5, true) })
	f("comes with every project", entry(notebooks), true, func(u *calls) { used(u, "serviceusage.googleapis.com", 0, 5, false) })
	f("in no register", entry(), false, func(u *calls) { used(u, compute, 0, 5, false) })
	f("not used", entry(notebooks), true, func(*calls) {})
}

func TestNothingOfErrors(t *testing.T) {
	var u calls
	used(&u, compute, 0, 1, false)
	broken := errors.New("disk")
	c := register.Comparison{Entry: entry(), Registered: true, Lines: register.Compare(entry(), u.Uses("kite-ml"), nil, nil, now)}
	_, err := unapplied.Hunt(t.Context(), []register.Comparison{c}, unapplied.Options{
		Known: companion.Builtin(), Days: u.granted,
		Evidence: func(context.Context, string, string, register.Day) ([]finding.Sighting, error) { return nil, broken },
	}, now)
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if !slices.Contains(register.Everywhere, "iam.googleapis.com") {
		t.Error("everybody has IAM")
	}
}
