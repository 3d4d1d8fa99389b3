package triagetest

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

const (
	app    = "arn:aws:iam::111122223333:role/app"
	ledger = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:ledger-a1b2c3"
)

// ours is a finding of ours about a secret that was read.
func ours(key string, n int, change ...func(*finding.Occurrence)) finding.Occurrence {
	return occurrence(key, n, append([]func(*finding.Occurrence){func(o *finding.Occurrence) {
		o.Resource, o.Severity, o.Attack = ledger, finding.High, []finding.Attack{{ID: "T1555.006", Version: "19"}}
	}}, change...)...)
}

// theirs is GuardDuty's about the principal that read it.
func theirs(key string, n int, change ...func(*finding.Occurrence)) finding.Occurrence {
	return occurrence(key, n, append([]func(*finding.Occurrence){func(o *finding.Occurrence) {
		o.Kind, o.Rule, o.Source, o.LogSource, o.Resource, o.Attack, o.Reasons = finding.KindExternal, "", "guardduty", "aws.guardduty", app, nil, nil
		o.Title = "Secrets were read oddly"
		o.External = &finding.External{Product: "GuardDuty", UID: "id-of-" + key, Type: "CredentialAccess:IAMUser/AnomalousBehavior", At: o.LastSeen, Given: finding.New,
			Links: []string{"https://console.example/" + key}, First: o.FirstSeen, Last: o.LastSeen}
	}}, change...)...)
}

// byOther is the same of another product.
func byOther(o *finding.Occurrence) {
	o.Source, o.External.Product, o.External.Type, o.Attack = "elsewatch", "Elsewatch", "odd", []finding.Attack{{ID: "T1555.006"}}
}

// alone tells whether the finding is listed for itself, and holds that what says
// so agrees: list, count, keys, facets.
func (b *bench) alone(key string) bool {
	b.Helper()
	is := slices.Contains(keys(b.list(triage.Filter{})), key)
	n, err := b.Count(b.Context(), triage.Filter{Scope: scopeOf(b, "key:"+key)})
	b.ok(err)
	f, err := b.Get(b.Context(), key)
	b.ok(err)
	if (n == 1) != is || (f.Folded == "") != is {
		b.Errorf("%s is listed: %v, counted %d times, folded into %q", key, is, n, f.Folded)
	}
	if !slices.Contains(keys(b.list(triage.Filter{Folded: true})), key) {
		b.Errorf("%s is not listed where folded ones are asked for", key)
	}
	return is
}

func scopeOf(b *bench, text string) finding.Scope {
	b.Helper()
	s, err := finding.ParseScope(text)
	b.ok(err)
	return s
}

func folds(b *bench) {
	b.record(1, ours("key-of-ours", 0))
	b.record(2, theirs("key-of-theirs", 20))
	b.record(3, theirs("key-of-other", 25, byOther))
	b.record(4, theirs("key-of-strangers", 20, func(o *finding.Occurrence) { o.Actor, o.Resource = app+"2", app+"2" }))
	for key, want := range map[string]bool{"key-of-ours": true, "key-of-theirs": false, "key-of-other": false, "key-of-strangers": true} {
		if b.alone(key) != want {
			b.Errorf("%s stands for itself: %v", key, !want)
		}
	}
	f, err := b.Get(b.Context(), "key-of-ours")
	b.ok(err)
	if len(f.Also) != 2 || f.Also[0].Key != "key-of-other" || f.Also[1].Product != "GuardDuty" || f.Also[1].UID != "id-of-key-of-theirs" ||
		f.Also[1].Link != "https://console.example/key-of-theirs" || f.Also[1].Given != finding.New || f.Also[1].Same != (finding.Same{Subject: app, Trouble: "T1555.006"}) {
		b.Errorf("it is reported also by %+v", f.Also)
	}
	facets, err := b.Facets(b.Context(), triage.Filter{}, 0, "source")
	b.ok(err)
	want := []triage.FacetValue{{Value: "guardduty", Count: 2}, {Value: "elsewatch", Count: 1}, {Value: "yagura", Count: 1}}
	if facets.Total != 2 || !reflect.DeepEqual(facets.Facets[0].Values, want) {
		b.Errorf("facets of %d: %v", facets.Total, facets.Facets)
	}
	if got := keys(b.list(triage.Filter{Scope: scopeOf(b, "source:elsewatch")})); !slices.Equal(got, []string{"key-of-ours"}) {
		b.Errorf("a product's are %v", got)
	}
	if got := keys(b.list(triage.Filter{Folded: true, Scope: scopeOf(b, "folded_into:key-of-ours")})); len(got) != 2 {
		b.Errorf("folded are %v", got)
	}
	// An exception is about what the finding itself says.
	x := finding.Exception{ID: "x", Title: "GuardDuty", Scope: scopeOf(b, "source:guardduty"), State: finding.ExceptionActive, Owner: "ann", Reason: "known", Until: noon.AddDate(1, 0, 0)}
	if n, err := b.SetException(b.Context(), x, "ann", noon); err != nil || n != 2 {
		b.Errorf("an exception touches %d, %v", n, err)
	}
	if f, err = b.Get(b.Context(), "key-of-ours"); err != nil || len(f.Explained) > 0 {
		b.Errorf("ours is explained by %v, %v", f.Explained, err)
	}
	// It goes, and what was folded comes forth: the more telling of the two leads.
	b.record(1)
	if b.alone("key-of-theirs") == b.alone("key-of-other") {
		b.Errorf("without ours both, or none, stand for themselves")
	}
}

// apart: what goes on comes forth again, with the reason said.
func apart(b *bench) {
	b.record(1, ours("key-of-ours", 0))
	b.record(2, theirs("key-of-theirs", 20))
	why := func(want string) {
		b.Helper()
		f, err := b.Get(b.Context(), "key-of-theirs")
		b.ok(err)
		got := ""
		if f.Apart != nil {
			got = f.Apart.Why
		}
		if got != want || b.alone("key-of-theirs") != (want != "") || want != "" && (f.Apart.Text.In(say.Japanese) == f.Apart.Text.String() || f.Apart.Beside != "key-of-ours" || f.Apart.Value == "") {
			b.Errorf("it stands apart: %+v, want %q", f.Apart, want)
		}
	}
	why("")
	b.record(2, theirs("key-of-theirs", 20, func(o *finding.Occurrence) { o.Severity = finding.Critical }))
	why(finding.ApartSevere)
	b.record(2, theirs("key-of-theirs", 20, func(o *finding.Occurrence) { o.External.Resources = []string{app, ledger, "arn:aws:s3:::books"} }))
	why(finding.ApartResource)
	b.record(2, theirs("key-of-theirs", 20))
	why("")
	_, err := b.Decide(b.Context(), "key-of-ours", finding.Decision{At: noon.Add(30 * time.Minute), By: "ann", Status: finding.Resolved})
	b.ok(err)
	why("")
	b.record(3, theirs("key-of-theirs", 40))
	why(finding.ApartAgain)
	b.record(3, theirs("key-of-theirs", 40, func(o *finding.Occurrence) { o.External.Given = finding.Suppressed }))
	why("") // its product has closed it
	b.record(3)
	why("")
	x := finding.Exception{ID: "x", Title: "The app reads it", Scope: scopeOf(b, "rule:rule"), State: finding.ExceptionActive, Owner: "ann", Reason: "known", Until: noon.AddDate(1, 0, 0)}
	_, err = b.SetException(b.Context(), x, "ann", noon)
	b.ok(err)
	why(finding.ApartExplained)
	x.Scope = scopeOf(b, "actor:"+`"`+app+`"`)
	_, err = b.SetException(b.Context(), x, "ann", noon)
	b.ok(err)
	why("")
	b.ok(b.SetStage(b.Context(), finding.Stage{Rule: "rule", State: finding.Staged, Days: 7, By: "ann"}, noon))
	if !b.alone("key-of-theirs") {
		b.Error("it is folded into a finding of a rule on trial, which nobody sees")
	}
}

// foldsTogether: what is decided about the leading one is about all, and is
// taken back as one.
func foldsTogether(b *bench) {
	b.record(1, ours("key-of-ours", 0), theirs("key-of-theirs", 20))
	d := finding.Decision{At: noon.Add(time.Hour), By: "ann", Status: finding.Resolved, Verdict: finding.TruePositive}
	_, err := b.Decide(b.Context(), "key-of-ours", d)
	b.ok(err)
	status := func(want finding.Status) (id string) {
		b.Helper()
		for _, key := range []string{"key-of-ours", "key-of-theirs"} {
			f, err := b.Get(b.Context(), key)
			b.ok(err)
			if f.Status != want {
				b.Errorf("%s is %s, want %s", key, f.Status, want)
			}
			if key == "key-of-ours" && len(f.Decisions) > 0 {
				id = f.Decisions[0].ID
			}
		}
		return id
	}
	id := status(finding.Resolved)
	n, err := b.Undo(b.Context(), triage.Undo{ID: id, By: "ann", At: noon.Add(2 * time.Hour)})
	b.ok(err)
	if n != 2 {
		b.Errorf("undone about %d", n)
	}
	status(finding.New)
	// Of several at once likewise.
	d.At = noon.Add(3 * time.Hour)
	bulk, err := b.DecideAll(b.Context(), []string{"key-of-ours"}, d)
	b.ok(err)
	if bulk.Decided != 1 {
		b.Errorf("decided about %d of what was asked for", bulk.Decided)
	}
	status(finding.Resolved)
	_, err = b.Undo(b.Context(), triage.Undo{Group: bulk.Group, By: "ann", At: noon.Add(4 * time.Hour)})
	b.ok(err)
	status(finding.New)
	// About a folded one alone is decided alone.
	_, err = b.Decide(b.Context(), "key-of-theirs", d)
	b.ok(err)
	if f, err := b.Get(b.Context(), "key-of-ours"); err != nil || f.Status != finding.New {
		b.Errorf("ours is %s, %v", f.Status, err)
	}
}

// refusedRule is a rule of ours that speaks of single refusals.
const refusedRule = "46b00bb6-f766-4563-95b8-4fb820916521"

// part is what that rule says of one refusal, n minutes after noon.
func part(n int, change ...func(*finding.Occurrence)) finding.Occurrence {
	return occurrence(fmt.Sprintf("key-of-part-%d", n), n, append([]func(*finding.Occurrence){func(o *finding.Occurrence) {
		o.Rule, o.Title, o.Severity, o.Account, o.Constraint = refusedRule, "Call refused", finding.Low, "kite-ml", "constraints/c"
		o.Actor, o.Resource, o.Attack = "", fmt.Sprintf("//compute.googleapis.com/instances/i%d", n), []finding.Attack{{ID: "T1580"}}
	}}, change...)...)
}

// runOf is the run that parts make.
func runOf(parts []finding.Occurrence) finding.Occurrence {
	run := occurrence("key-of-run", 0, func(o *finding.Occurrence) {
		o.Kind, o.Rule, o.Account, o.Constraint, o.Actor, o.Attack = "anomaly.denials", "", "kite-ml", "constraints/c", "private", nil
		o.Anomaly, o.Evidence = &finding.Anomaly{Sign: finding.SignDenials}, finding.Evidence{}
	})
	for i := range parts {
		run.Evidence.Add(parts[i].Evidence.First[0])
		run.LastSeen, run.Count = parts[i].LastSeen, int64(i+1)
	}
	return run
}

// foldsParts: what a rule says of each refusal is folded into the run that they
// make, whichever comes first, and stands for itself where there is none.
func foldsParts(b *bench) {
	var parts []finding.Occurrence
	for n := range 4 {
		parts = append(parts, part(n))
	}
	run := runOf(parts)
	b.record(1, parts[:2]...)
	stand := func(want map[string]bool) {
		b.Helper()
		for key, is := range want {
			if b.alone(key) != is {
				b.Errorf("%s stands for itself: %v", key, !is)
			}
		}
	}
	stand(map[string]bool{"key-of-part-0": true, "key-of-part-1": true})
	b.record(2, run)
	b.record(3, parts[2:]...)
	b.record(4,
		part(5), // none of the run's
		part(6, func(o *finding.Occurrence) { o.Evidence, o.Account = parts[1].Evidence, "other" }),
		part(7, func(o *finding.Occurrence) { o.Evidence, o.Constraint = parts[1].Evidence, "constraints/d" }),
		part(8, func(o *finding.Occurrence) { o.Evidence, o.Rule = parts[1].Evidence, "rule" }),
		part(9, func(o *finding.Occurrence) { o.Evidence, o.LastSeen = parts[1].Evidence, noon.Add(8*time.Hour) }), // it goes on
	)
	b.record(5, part(10, func(o *finding.Occurrence) { o.Evidence, o.Severity = parts[1].Evidence, finding.Critical }))
	stand(map[string]bool{
		"key-of-run": true, "key-of-part-0": false, "key-of-part-1": false, "key-of-part-2": false, "key-of-part-3": false,
		"key-of-part-5": true, "key-of-part-6": true, "key-of-part-7": true, "key-of-part-8": true, "key-of-part-9": true, "key-of-part-10": true,
	})
	f, err := b.Get(b.Context(), "key-of-run")
	b.ok(err)
	want := []finding.Also{{
		Key: "key-of-part-0", Source: "yagura", Product: "Yagura", Title: say.OfRule(refusedRule, "Call refused"), Rule: refusedRule, Count: 4,
		Severity: finding.Low, LastSeen: parts[3].LastSeen, Same: finding.Same{Subject: "constraints/c", Trouble: "refused by policy"},
	}}
	if !reflect.DeepEqual(f.Also, want) || !slices.Equal(f.Reporters(), []string{"yagura"}) {
		b.Errorf("folded are %+v, want %+v", f.Also, want)
	}
	cases, _, _, err := b.Cases(b.Context(), triage.Filter{Account: "kite-ml", Scope: scopeOf(b, "severity:<=medium -key:key-of-part-5 -key:key-of-part-7 -key:key-of-part-8 -key:key-of-part-9")})
	b.ok(err)
	if len(cases) != 1 || cases[0].Count != 1 {
		b.Errorf("cases are %+v", cases)
	}
	// What accounts for the run does for its parts.
	x := finding.Exception{ID: "x", Title: "Known", Scope: scopeOf(b, "kind:anomaly.denials"), State: finding.ExceptionActive, Owner: "ann", Reason: "known", Until: noon.AddDate(1, 0, 0)}
	_, err = b.SetException(b.Context(), x, "ann", noon)
	b.ok(err)
	stand(map[string]bool{"key-of-part-0": false})
	_, err = b.Decide(b.Context(), "key-of-run", finding.Decision{At: noon.Add(time.Hour), By: "ann", Status: finding.Resolved, Verdict: finding.Expected})
	b.ok(err)
	if f, err := b.Get(b.Context(), "key-of-part-3"); err != nil || f.Status != finding.Resolved {
		b.Errorf("a part is %s, %v", f.Status, err)
	}
	b.record(2) // it was no run
	stand(map[string]bool{"key-of-part-0": true, "key-of-part-3": true})
}
