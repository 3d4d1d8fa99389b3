package triagetest

import (
	"errors"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/triage"
)

const service = "compute.googleapis.com"

// refusal is that service was refused in a project that nobody applied for it in.
func refusal(key string, n int, change ...func(*finding.Occurrence)) finding.Occurrence {
	return occurrence(key, n, append([]func(*finding.Occurrence){func(o *finding.Occurrence) {
		o.Kind, o.Account, o.Constraint, o.ImpliedService = "anomaly.denials", "kite-ml", "constraints/gcp.restrictServiceUsage", service
		o.RegisterGap = &finding.RegisterGap{Project: "kite-ml", Service: service, NeededBy: "notebooks.googleapis.com", Applied: []string{"notebooks.googleapis.com"}}
	}}, change...)...)
}

func entry(project string, services ...string) register.Entry {
	e := register.Entry{Project: project, Provider: "Google Cloud", Applicant: "mia@kite.example", Owner: "ml", Services: []register.Service{}}
	for _, id := range services {
		e.Services = append(e.Services, register.Service{ID: id})
	}
	return e
}

func edit(minutes int) triage.Edit {
	return triage.Edit{By: "ann", At: noon.Add(time.Duration(minutes) * time.Minute)}
}

func (b *bench) put(want triage.Edited, e triage.Edit, entries ...register.Entry) {
	b.Helper()
	got, err := b.PutEntries(b.Context(), entries, e)
	b.ok(err)
	if got != want {
		b.Errorf("putting %d entries gives %+v, want %+v", len(entries), got, want)
	}
}

// projects are those of the page of the register that f chooses.
func (b *bench) projects(f triage.RegisterFilter, total int, want ...string) (next string) {
	b.Helper()
	page, next, n, err := b.Register(b.Context(), f)
	b.ok(err)
	var got []string
	for _, e := range page {
		got = append(got, e.Project)
	}
	if !slices.Equal(got, want) || n != total {
		b.Errorf("%+v gives %v of %d, want %v of %d", f, got, n, want, total)
	}
	return next
}

func registers(b *bench) {
	b.projects(triage.RegisterFilter{}, 0)
	if _, err := b.Registered(b.Context(), "kite-ml"); !errors.Is(err, triage.ErrUnknown) {
		b.Errorf("of a project that nobody applied for: %v", err)
	}
	// As people write it: services in any order and case, one twice.
	b.put(triage.Edited{New: 1}, edit(0), entry("kite-ml", "Notebooks.googleapis.com", "bigquery.googleapis.com", "notebooks.googleapis.com"))
	want := entry("kite-ml", "bigquery.googleapis.com", "notebooks.googleapis.com")
	got, err := b.Registered(b.Context(), "kite-ml")
	b.ok(err)
	b.same(got, want)
	b.put(triage.Edited{Same: 1}, edit(1), want)
	b.put(triage.Edited{New: 2, Same: 1}, edit(2), want, entry("kite-web", "run.googleapis.com"), entry("kite-ops"))
}

func registerImport(b *bench) {
	b.put(triage.Edited{New: 1}, edit(0), entry("kite-ml", "notebooks.googleapis.com"))
	file := triage.Edit{By: "ann", At: noon.Add(time.Minute), File: "register.csv", Digest: "d1"}
	b.put(triage.Edited{New: 1, Changed: 1}, file, entry("kite-ml", "notebooks.googleapis.com", service), entry("kite-web"))
	for digest, want := range map[string]bool{"d1": true, "d2": false} {
		if is, err := b.Imported(b.Context(), digest); is != want || err != nil {
			b.Errorf("%s was imported: %v, %v", digest, is, err)
		}
	}
	changes, err := b.RegisterHistory(b.Context(), "kite-ml")
	b.ok(err)
	if len(changes) != 2 || changes[0].Note != "import of register.csv" || changes[0].Group == "" || changes[1].Before != nil || changes[0].By != "ann" {
		b.Fatalf("history %+v", changes)
	}
	if added, gone := changes[0].Services(); !slices.Equal(added, []string{service}) || len(gone) > 0 {
		b.Errorf("the import added %v and took away %v", added, gone)
	}
	_, err = b.RemoveEntry(b.Context(), "kite-ml", edit(2))
	b.ok(err)
	if _, err := b.RemoveEntry(b.Context(), "kite-ml", edit(3)); !errors.Is(err, triage.ErrUnknown) {
		b.Errorf("taking away what is not there: %v", err)
	}
	changes, err = b.RegisterHistory(b.Context(), "kite-ml")
	b.ok(err)
	if len(changes) != 3 || changes[0].After != nil || changes[0].Before == nil {
		b.Errorf("history after taking away %+v", changes)
	}
	lines, _, err := b.Audit(b.Context(), triage.AuditFilter{Action: "register"})
	b.ok(err)
	var got []string
	for _, l := range lines {
		got = append(got, l.Action+" "+l.Subject)
	}
	// Newest first; of an import the file comes before its entries.
	if want := []string{"register.remove kite-ml", "register.create kite-web", "register.change kite-ml", "register.import register.csv", "register.create kite-ml"}; !slices.Equal(got, want) {
		b.Errorf("audit lines %q, want %q", got, want)
	}
}

func registerList(b *bench) {
	b.put(triage.Edited{New: 3}, edit(0), entry("c", "run.googleapis.com"), entry("a"), entry("b", service))
	b.projects(triage.RegisterFilter{}, 3, "a", "b", "c")
	next := b.projects(triage.RegisterFilter{Limit: 2}, 3, "a", "b")
	if next = b.projects(triage.RegisterFilter{Limit: 2, Cursor: next}, 3, "c"); next != "" {
		b.Errorf("behind the last page is %q", next)
	}
	b.projects(triage.RegisterFilter{Text: "COMPUTE"}, 1, "b")
	b.projects(triage.RegisterFilter{Text: "mia@"}, 3, "a", "b", "c")
	b.projects(triage.RegisterFilter{Projects: []string{"c", "z"}}, 1, "c")
	for _, wrong := range [][]register.Entry{{{}}, {{Project: "p"}}, {entry("p"), entry("p")}, {entry("ok"), {Project: "p"}}} {
		if _, err := b.PutEntries(b.Context(), wrong, edit(1)); !errors.Is(err, triage.ErrWrong) {
			b.Errorf("%+v is taken: %v", wrong, err)
		}
	}
	if _, err := b.PutEntries(b.Context(), []register.Entry{entry("p")}, triage.Edit{At: noon}); !errors.Is(err, triage.ErrWrong) {
		b.Errorf("a change by nobody: %v", err)
	}
	b.projects(triage.RegisterFilter{}, 3, "a", "b", "c") // all or none
}

// closing: a refusal comes explained where people accepted the same as a gap in
// the application and the register covers the service; one of them is not enough.
func closing(b *bench) {
	accept := finding.Decision{At: noon.Add(time.Hour), By: "ann", Status: finding.Resolved, Verdict: finding.Expected, Reason: finding.ApplicationGap}
	b.put(triage.Edited{New: 1}, edit(0), entry("kite-ml", "notebooks.googleapis.com"))
	b.record(1, refusal("key-of-a", 0))
	b.explained("key-of-a") // neither
	_, err := b.Decide(b.Context(), "key-of-a", accept)
	b.ok(err)
	b.record(2, refusal("key-of-b", 100))
	b.explained("key-of-b") // accepted, and not in the register
	taken, err := b.Undo(b.Context(), triage.Undo{ID: b.decision("key-of-a"), By: "ann", At: noon.Add(2 * time.Hour)})
	b.ok(err)
	if taken != 1 {
		b.Errorf("%d were taken back", taken)
	}
	b.put(triage.Edited{Changed: 1}, edit(130), entry("kite-ml", "notebooks.googleapis.com", service))
	b.record(3, refusal("key-of-c", 140))
	b.explained("key-of-c") // in the register, and nobody accepted it
	again := accept
	again.At = noon.Add(3 * time.Hour)
	_, err = b.Decide(b.Context(), "key-of-a", again)
	b.ok(err)
	b.explained("key-of-c", "register kite-ml") // both
	f, err := b.Get(b.Context(), "key-of-c")
	b.ok(err)
	if f.Count != 141 || f.Status != finding.New {
		b.Errorf("it counts %d and is %s: it is explained, and nothing else", f.Count, f.Status)
	}
	// What is not the same, or worse, is not explained.
	b.record(4,
		refusal("key-of-d", 200, func(o *finding.Occurrence) { o.Severity = finding.High }),
		refusal("key-of-e", 200, func(o *finding.Occurrence) { o.Constraint = "vpc-service-controls" }),
		refusal("key-of-f", 200, func(o *finding.Occurrence) { o.Account = "kite-web" }),
		refusal("key-of-g", 200, func(o *finding.Occurrence) { o.RegisterGap.Service = "dataproc.googleapis.com" }),
		refusal("key-of-h", 200, func(o *finding.Occurrence) { o.RegisterGap, o.ImpliedService = nil, "" }),
		refusal("key-of-i", 200, func(o *finding.Occurrence) { o.RegisterGap = nil })) // as it comes once the register covers it
	for _, key := range []string{"key-of-d", "key-of-e", "key-of-f", "key-of-g", "key-of-h"} {
		b.explained(key)
	}
	b.explained("key-of-i", "register kite-ml")
	// For a time only: what is seen after it is not explained.
	bounded := entry("kite-ml", "notebooks.googleapis.com")
	bounded.Services = append(bounded.Services, register.Service{ID: service, Until: noon.Add(150 * time.Minute)})
	b.put(triage.Edited{Changed: 1, Touched: 1}, edit(210), bounded)
	b.explained("key-of-c", "register kite-ml")
	b.explained("key-of-i")
	touched, err := b.RemoveEntry(b.Context(), "kite-ml", edit(220))
	b.ok(err)
	if touched != 3 {
		b.Errorf("taking the entry away touches %d findings", touched)
	}
	b.explained("key-of-c")
}

// decision is the ID of the only decision about a finding.
func (b *bench) decision(key string) string {
	b.Helper()
	f, err := b.Get(b.Context(), key)
	b.ok(err)
	if len(f.Decisions) != 1 {
		b.Fatalf("%s has %d decisions", key, len(f.Decisions))
	}
	return f.Decisions[0].ID
}
