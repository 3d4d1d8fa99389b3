package triagetest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// foldsAnyOrder: the same occurrences and decisions give the same folds in
// whatever order they come, and by whatever way.
func foldsAnyOrder(t *testing.T, open Open) {
	rnd := rand.New(rand.NewPCG(5, 6))
	all := foldWorld(rnd)
	var first map[string]finding.Finding
	for try := range 6 {
		t.Run(fmt.Sprint(try), func(t *testing.T) {
			b := &bench{t, open(t)}
			b.recordInOrder(all, rnd)
			got := b.folded()
			likePlainFold(t, got)
			if first == nil {
				first = got
			}
			differ(t, got, first)
		})
	}
}

// foldWorld draws findings of ours and of two products about a few principals, some
// of them of several occurrences, and a run of refusals with its parts.
func foldWorld(rnd *rand.Rand) (all []finding.Occurrence) {
	severities := []finding.Severity{finding.Medium, finding.High, finding.High, finding.Critical}
	given := []finding.Status{finding.New, finding.New, finding.Resolved}
	for i := range 42 {
		n := rnd.IntN(400)
		who := fmt.Sprintf("%s%d", app, rnd.IntN(4))
		change := func(o *finding.Occurrence) {
			o.Actor, o.Severity = who, severities[rnd.IntN(len(severities))]
			if o.External != nil {
				o.Resource = who
				o.External.Given = given[rnd.IntN(len(given))]
			}
		}
		key := fmt.Sprintf("key-%02d", i%32)
		switch i % 32 % 4 {
		case 0:
			all = append(all, ours(key, n, change))
		case 1:
			all = append(all, theirs(key, n, byOther, change))
		default:
			all = append(all, theirs(key, n, change))
		}
	}
	parts := []finding.Occurrence{part(1), part(2), part(3), part(4)}
	return append(append(all, runOf(parts)), parts...)
}

// recordInOrder records all in an order that it draws, some of them after something
// else that they replace; on the way, or at the end, somebody decides about one.
func (b *bench) recordInOrder(all []finding.Occurrence, rnd *rand.Rand) {
	b.Helper()
	const decided = "key-00"
	yet := false
	decide := func() {
		b.Helper()
		_, err := b.Decide(b.Context(), decided, finding.Decision{At: noon.Add(90 * time.Minute), By: "ann", Status: finding.Resolved})
		b.ok(err)
		yet = true
	}
	for n, i := range rnd.Perm(len(all)) {
		if rnd.IntN(3) == 0 {
			wrong := all[i]
			wrong.Actor, wrong.Severity = app+"9", finding.Low
			b.record(byte(i), wrong)
		}
		b.record(byte(i), all[i])
		if !yet && n > 10 && slices.Contains(keys(b.list(triage.Filter{Folded: true})), decided) {
			decide()
		}
	}
	if !yet {
		decide()
	}
}

// folded are all findings by key, enough of them folded and apart to show something.
func (b *bench) folded() map[string]finding.Finding {
	b.Helper()
	all := map[string]finding.Finding{}
	folded, apart := 0, 0
	for _, f := range b.list(triage.Filter{Folded: true, Demoted: true, Staged: true}) {
		all[f.Key] = f
		if f.Folded != "" {
			folded++
		}
		if f.Apart != nil {
			apart++
		}
	}
	if folded < 5 || apart < 3 || len(all)-folded < 12 {
		b.Fatalf("%d of %d are folded, %d stand apart: too easy", folded, len(all), apart)
	}
	return all
}

// likePlainFold holds folds of a store, which keeps them as findings come and go,
// against those that reading all findings at once gives.
func likePlainFold(t *testing.T, got map[string]finding.Finding) {
	t.Helper()
	plain := map[string]finding.Finding{}
	for key, f := range got {
		if f.Folded != "" && got[f.Folded].Folded != "" {
			t.Errorf("%s is folded into %s, which is folded", key, f.Folded)
		}
		f.Also, f.Folded, f.Apart = nil, "", nil
		plain[key] = f
	}
	triage.Fold(plain)
	if !reflect.DeepEqual(plain, got) {
		t.Error("the store folds otherwise than the plain reading does")
		differ(t, got, plain)
	}
}

// differ tells of findings that are folded otherwise.
func differ(t *testing.T, got, want map[string]finding.Finding) {
	t.Helper()
	for key, f := range want {
		if g := got[key]; g.Folded != f.Folded || !reflect.DeepEqual(g.Apart, f.Apart) || !reflect.DeepEqual(g.Also, f.Also) {
			t.Errorf("%s: folded into %q, apart %+v; want %q, %+v", key, g.Folded, g.Apart, f.Folded, f.Apart)
		}
	}
}
