package triage

import (
	"cmp"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
)

// Reach adds up what principals use. The zero Reach is ready.
type Reach struct {
	actors map[string]*touched
}

type touched struct {
	secrets, accounts map[string]bool
}

// Add says that a principal used a secret or key of an account. Empty names are
// passed over.
func (r *Reach) Add(actor, account, secret string) {
	if actor == "" || secret == "" {
		return
	}
	if r.actors == nil {
		r.actors = map[string]*touched{}
	}
	t := r.actors[actor]
	if t == nil {
		t = &touched{map[string]bool{}, map[string]bool{}}
		r.actors[actor] = t
	}
	t.secrets[secret] = true
	if account != "" {
		t.accounts[account] = true
	}
}

// Assessments of all principals, by name.
func (r *Reach) Assessments() []finding.Assessment {
	out := make([]finding.Assessment, 0, len(r.actors))
	for actor, t := range r.actors {
		out = append(out, finding.Assessment{Subject: actor, Secrets: len(t.secrets), Accounts: max(1, len(t.accounts))})
	}
	slices.SortFunc(out, func(a, b finding.Assessment) int { return cmp.Compare(a.Subject, b.Subject) })
	return out
}

// exposing are words by which products say that anybody, or another account, can
// get at a resource.
var exposing = []struct {
	word string
	is   finding.Exposure
}{
	{"public", finding.ExposurePublic},
	{"internet", finding.ExposurePublic},
	{"anonymous", finding.ExposurePublic},
	{"by anybody", finding.ExposurePublic},
	{"0.0.0.0/0", finding.ExposurePublic},
	{"external access", finding.ExposureShared},
	{"cross-account", finding.ExposureShared},
	{"shared with", finding.ExposureShared},
	{"can be used by", finding.ExposureShared},
	{"from outside", finding.ExposureShared},
}

// Exposing chooses the findings that Exposures reads.
func Exposing() Filter {
	words := query.Or{}
	for _, x := range exposing {
		words.X = append(words.X, query.Has{Field: "title", Pattern: query.Escape(x.word)})
	}
	return Filter{Kind: finding.KindExternal, Status: []finding.Status{finding.New, finding.InProgress}, Scope: finding.ScopeOf(words), Demoted: true, Folded: true}
}

// Exposures are the resources of which other products say, in findings that are
// open, that they are exposed: by the title, for each has its own way to say so
// otherwise. Our own findings do not speak of that yet.
func Exposures(all []finding.Finding) []finding.Assessment {
	found := map[string]finding.Assessment{}
	for i := range all {
		f := &all[i]
		if f.Kind != finding.KindExternal || f.Status == finding.Resolved || f.Status == finding.Suppressed || f.External != nil && f.External.Sample {
			continue
		}
		title := strings.ToLower(f.Title)
		for _, x := range exposing {
			if !strings.Contains(title, x.word) {
				continue
			}
			for _, r := range f.Resources() {
				if was := found[r]; was.Exposure != finding.ExposurePublic {
					found[r] = finding.Assessment{Subject: r, Exposure: x.is, Why: f.Product() + ": " + f.Title}
				}
			}
			break
		}
	}
	out := make([]finding.Assessment, 0, len(found))
	for _, a := range found {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b finding.Assessment) int { return cmp.Compare(a.Subject, b.Subject) })
	return out
}
