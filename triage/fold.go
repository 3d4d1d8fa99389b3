package triage

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

// Folding: what another product says of a trouble that we, or a third product,
// tell of already is folded into that finding. People see one finding and who
// else reports it. Nothing is lost or rewritten: folding is a reading of all
// findings together, the same in whatever order they came.
//
// Two findings are the same trouble (SameTrouble) where they are about the same
// subject and share a trouble of foldTroubles within finding.Nearby of each
// other. Ours are never folded, but for the parts of a run (partOf). Of others each is folded into the first by rank
// of those that are the same trouble and are not folded themselves, unless it
// has a reason to stand apart (standApart). So a folded finding is the same trouble
// as what it is folded into, never by way of a third.

// Topic is a subject with a trouble, as which two findings have to meet to be
// folded. It is a hash: stores look findings up by it.
type Topic string

// Topics of a finding; none: it is never folded and folds nothing. They rest on
// its occurrences alone.
func Topics(f *finding.Trouble) []Topic {
	if f.External != nil && f.External.Sample {
		return nil
	}
	troubles := foldTroubles(f)
	var out []Topic
	if t, _ := PartTopic(f); t != "" {
		out = append(out, t)
	}
	add := func(sort, subject string) {
		for _, t := range troubles {
			out = append(out, Topic(finding.Key("topic", sort, subject, t)))
		}
	}
	for _, r := range things(f) {
		add("thing", r)
	}
	if who := principal(f); who != "" {
		add("principal", who)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// things are the resources that a finding is about, as far as each is one thing:
// no whole account, and not the principal itself, which did what is told.
func things(f *finding.Trouble) (out []string) {
	for _, r := range f.Resources() {
		if !whole(r) && r != f.Actor {
			out = append(out, r)
		}
	}
	return out
}

// principal is who acted where that is one principal.
func principal(f *finding.Trouble) string {
	_, err := netip.ParseAddr(f.Actor)
	if err == nil || strings.HasSuffix(f.Actor, ".amazonaws.com") || whole(f.Actor) {
		return "" // many are behind one of these
	}
	return f.Actor
}

// whole tells whether a name is that of an account, project or subscription: all
// manner of troubles are about those.
func whole(r string) bool {
	lower := strings.ToLower(r)
	switch {
	case strings.HasPrefix(lower, "aws::::account:"), strings.HasPrefix(lower, "arn:aws:iam::") && strings.HasSuffix(lower, ":root"):
		return true
	case strings.HasPrefix(lower, "/subscriptions/"):
		return strings.Count(lower, "/") == 2
	case strings.HasPrefix(lower, "cloudresourcemanager.googleapis.com/"), strings.HasPrefix(lower, "//cloudresourcemanager.googleapis.com/"):
		return true
	}
	return lower != "" && strings.Trim(lower, "0123456789") == ""
}

// unplaced: it is about no other resource than the principal itself.
func unplaced(f *finding.Trouble) bool { return f.Resource == "" || f.Resource == f.Actor }

// SameTrouble tells whether two findings are the same trouble, and in what.
func SameTrouble(a, b *finding.Finding) (finding.Same, bool) {
	no := finding.Same{}
	if same, is := partOf(a, b); is {
		return same, true
	}
	if same, is := partOf(b, a); is {
		return same, true
	}
	state := a.External != nil && a.External.State
	switch {
	case a.Said() == b.Said(), a.External == nil && b.External == nil:
		return no, false // of one product its own id says what is the same
	case a.Account != "" && b.Account != "" && a.Account != b.Account:
		return no, false
	case state != (b.External != nil && b.External.State):
		return no, false // how something is, and what was done
	case !state && !finding.Near(a, b):
		return no, false
	}
	trouble := first(foldTroubles(&a.Trouble), foldTroubles(&b.Trouble))
	if trouble == "" || sample(a) || sample(b) {
		return no, false
	}
	for _, r := range things(&a.Trouble) {
		// Of several resources that one names, the same must be the first of one of them:
		// a host that both mention has many containers.
		if (r == a.Resource || r == b.Resource) && slices.Contains(things(&b.Trouble), r) {
			return finding.Same{Subject: r, Trouble: trouble}, true
		}
	}
	if who := principal(&a.Trouble); who != "" && who == b.Actor && (unplaced(&a.Trouble) || unplaced(&b.Trouble)) {
		return finding.Same{Subject: who, Trouble: trouble}, true
	}
	return no, false
}

// sample tells whether a product made it up.
func sample(f *finding.Finding) bool { return f.External != nil && f.External.Sample }

// first is the least of what both lists hold; empty: nothing.
func first(a, b []string) (least string) {
	for _, s := range a {
		if slices.Contains(b, s) && (least == "" || s < least) {
			least = s
		}
	}
	return least
}

// mayLead tells whether others may be folded into f: what is out of sight in
// lists must not take others with it.
func mayLead(f *finding.Finding) bool {
	return !f.Demoted && !f.Staged && !sample(f)
}

// rank orders findings by which leads: ours, what its product has not closed,
// the most severe, the one that tells most, the earliest. People's decisions do
// not change it.
func rank(a, b *finding.Finding) int {
	if c := cmp.Compare(one(a.External != nil), one(b.External != nil)); c != 0 {
		return c
	}
	if c := cmp.Compare(one(a.External.Closed()), one(b.External.Closed())); c != 0 {
		return c
	}
	if c := cmp.Compare(b.Severity.Rank(), a.Severity.Rank()); c != 0 {
		return c
	}
	if c := cmp.Compare(tells(b), tells(a)); c != 0 {
		return c
	}
	return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), strings.Compare(a.Key, b.Key))
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// tells is how much a finding says.
func tells(f *finding.Finding) int {
	return len(f.Reasons) + len(f.Resources()) + len(f.Attack) + one(f.Actor != "")
}

// standApart says why f, which is the same trouble as the leading one, stands beside
// it all the same; nil: it does not. What its product has closed never does.
func standApart(f, lead *finding.Finding) *finding.Apart {
	if f.External.Closed() {
		return nil
	}
	out := func(why, value, than string, text say.Text) *finding.Apart {
		return &finding.Apart{Beside: lead.Key, Why: why, Value: value, Than: than, Text: text}
	}
	if f.Severity.Rank() > lead.Severity.Rank() {
		return out(finding.ApartSevere, string(f.Severity), string(lead.Severity), say.T("apart.severe", say.Values{
			"product": f.Product(), "severity": say.T("severity."+string(f.Severity), nil), "other": lead.Product(), "less": say.T("severity."+string(lead.Severity), nil),
		}))
	}
	if isPart(&f.Trouble) {
		return nil // the run tells of its resources, and what accounts for the run does for its parts
	}
	for _, r := range f.Resources() {
		if !whole(r) && r != f.Actor && r != lead.Actor && !slices.Contains(lead.Resources(), r) {
			return out(finding.ApartResource, r, "", say.T("apart.resource", say.Values{"resource": r, "other": lead.Product()}))
		}
	}
	// What is suppressed, expected or no trouble stays so when it is seen again.
	if at := lead.ClosedAt(); lead.Status == finding.Resolved && lead.Verdict != finding.FalsePositive && lead.Verdict != finding.Expected {
		if _, last := f.Active(); last.After(at) && !slices.ContainsFunc(f.Decisions, func(d finding.Decision) bool { return !d.Undone && !d.At.Before(last) && d.Status != "" }) {
			return out(finding.ApartAgain, last.UTC().Format(time.RFC3339), at.UTC().Format(time.RFC3339),
				say.T("apart.again", say.Values{"product": f.Product(), "at": last.UTC(), "decided": at.UTC()}))
		}
	}
	if len(lead.Explained) > 0 && len(f.Explained) == 0 {
		why := lead.Explained[0].Text
		return out(finding.ApartExplained, why.String(), "", say.T("apart.unexplained", say.Values{"why": why}))
	}
	return nil
}

// Folded is where folding puts one finding.
type Folded struct {
	Into  string // the key of the finding that it is folded into; empty: none
	Same  finding.Same
	Apart *finding.Apart // why it is not folded into one that it could be
}

// FoldOne says where f goes, of those that share a topic with it, given whether
// each of them is folded itself.
func FoldOne(f *finding.Finding, others []*finding.Finding, folded func(key string) bool) (out Folded) {
	if !MayFold(&f.Trouble) || f.Demoted || f.Staged {
		return out
	}
	slices.SortFunc(others, rank)
	for _, lead := range others {
		if lead.Key == f.Key || rank(lead, f) > 0 || !mayLead(lead) || folded(lead.Key) {
			continue
		}
		same, is := SameTrouble(f, lead)
		if !is {
			continue
		}
		why := standApart(f, lead)
		if why == nil {
			return Folded{Into: lead.Key, Same: same}
		}
		if out.Apart == nil {
			out.Apart = why
		}
	}
	return out
}

// Fold tells every finding of all what folding makes of it: Also, Folded and
// Apart. It is the plain counterpart of what stores do as findings change.
func Fold(all map[string]finding.Finding) {
	byTopic := map[Topic][]*finding.Finding{}
	var order []*finding.Finding
	for key := range all {
		f := all[key]
		order = append(order, &f)
		for _, t := range Topics(&f.Trouble) {
			byTopic[t] = append(byTopic[t], &f)
		}
	}
	slices.SortFunc(order, rank) // what leads is placed before what it leads
	places := map[string]Folded{}
	reports := map[string][]finding.Also{}
	for _, f := range order {
		near := map[string]*finding.Finding{}
		for _, t := range Topics(&f.Trouble) {
			for _, x := range byTopic[t] {
				near[x.Key] = x
			}
		}
		at := FoldOne(f, slices.Collect(maps.Values(near)), func(key string) bool { return places[key].Into != "" })
		places[f.Key] = at
		if at.Into != "" {
			reports[at.Into] = append(reports[at.Into], finding.AlsoOf(&f.Trouble, f.LastSeen, at.Same))
		}
	}
	for key, f := range all {
		f.Folded, f.Apart, f.Also = places[key].Into, places[key].Apart, Reports(reports[key])
		all[key] = f
	}
}
