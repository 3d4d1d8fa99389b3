package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/config"
)

// commands runs commands over one data directory.
type commands struct {
	*testing.T
	data string
}

// ok gives what a command writes.
func (c *commands) ok(args ...string) string {
	c.Helper()
	code, out, errs := ask(c.T, c.data, args...)
	if code != exitDone {
		c.Fatalf("%v exits with %d: %s", args, code, errs)
	}
	return out
}

// json reads what a command writes as JSON.
func (c *commands) json(into any, args ...string) {
	c.Helper()
	if err := json.Unmarshal([]byte(c.ok(append(args, "--format", "json")...)), into); err != nil {
		c.Fatalf("%v: %v", args, err)
	}
}

// TestClosing tells the end of the story: what was applied for comes in beside the
// logs, the refusals are a gap in it, drafts close it, and the same refusals come
// explained once that was accepted and the register changed.
func TestClosing(t *testing.T) {
	story := filepath.Join(t.TempDir(), "story")
	c := &commands{t, t.TempDir()}
	c.ok("simulate", "--story", "policy-denied", "--seed", "3", "--records", "8000", "--out", story)
	var world struct {
		Truth struct{ Project, Service string }
	}
	text, err := os.ReadFile(filepath.Join(story, "world.json"))
	if err == nil {
		err = json.Unmarshal(text, &world)
	}
	if err != nil {
		t.Fatal(err)
	}
	project, service, logs := world.Truth.Project, world.Truth.Service, filepath.Join(story, "logs")

	var done Ingested
	c.json(&done, "ingest", logs)
	if len(done.Registers) != 1 || done.Registers[0].New == 0 || len(done.Registers[0].Problems) > 0 {
		t.Fatalf("beside the logs lies a register: %+v", done.Registers)
	}
	c.json(&done, "ingest", logs)
	if len(done.Registers) > 0 {
		t.Errorf("the same file is imported twice: %+v", done.Registers)
	}

	var compared api.RegisterComparison
	c.json(&compared, "register", "compare", project)
	if len(compared.Lines) == 0 || compared.Lines[0].Service != service || compared.Lines[0].State != "refused" || compared.Lines[0].Denied != 23 || compared.Allowance != nil {
		t.Errorf("compared: %+v", compared)
	}

	f := c.run(project)
	if f.RegisterGap == nil || f.RegisterGap.Service != service || f.ImpliedService != service || len(f.ExplainedBy) > 0 {
		t.Fatalf("the run of refusals: %+v", f)
	}
	// The register alone ends and makes the gap of a run that is open.
	for _, change := range []struct {
		args []string
		gap  bool
	}{
		{[]string{"register", "set", project, "--add", service}, false}, {[]string{"register", "set", project, "--without", service}, true},
		{[]string{"register", "import", c.sheet(project + ",ml,notebooks.googleapis.com " + service)}, false},
		{[]string{"register", "import", c.sheet(project + ",ml,notebooks.googleapis.com")}, true},
		{[]string{"register", "remove", project}, false}, // nothing is known of it
		{[]string{"ingest", logs, c.folder(project + ",ml-team,notebooks.googleapis.com")}, true},
	} {
		c.ok(change.args...)
		x := c.run(project)
		if (x.RegisterGap != nil) != change.gap || (x.ProposedVerdict != nil) != change.gap || x.Key != f.Key || x.Count != f.Count || x.ImpliedService != service {
			t.Errorf("after %v: gap %v, proposed %v, count %d, service %s; want a gap: %v", change.args, x.RegisterGap, x.ProposedVerdict, x.Count, x.ImpliedService, change.gap)
		}
	}
	c.ok("register", "set", project, "--applicant", "mia@kite.example")
	f = c.run(project)

	_, shown, _ := ask(t, c.data, "findings", "show", f.Key)
	for _, want := range []string{"Who it probably was (inferred, not logged)\n  - " + f.ActorInferred.Candidates[0].UID + " > 99 %\n",
		"  - none of those whom any log names < 1 %\n", "Proposed verdict: expected, application_gap\n  - ", "yagura findings drafts " + f.Key} {
		if !strings.Contains(shown, want) {
			t.Errorf("show lacks %q:\n%s", want, shown)
		}
	}

	var d api.Drafts
	c.json(&d, "findings", "drafts", f.Key)
	if len(d.Messages) != 2 || d.Register == nil || d.Register.Adds[0] != service || d.Policy == nil || !strings.Contains(d.Policy.Text, "- "+service) {
		t.Fatalf("drafts: %+v", d)
	}
	for _, m := range d.Messages {
		for _, want := range []string{project, service, "23", d.Register.Before.Applicant, "notebooks.googleapis.com"} {
			if !strings.Contains(m.To+m.Subject+m.Body, want) {
				t.Errorf("the message in %s lacks %s: %s", m.Language, want, m.Body)
			}
		}
	}

	c.ok("findings", "triage", f.Key, "--status", "resolved", "--verdict", "expected", "--reason", "application_gap")
	if f = c.run(project); len(f.ExplainedBy) > 0 {
		t.Error("it is explained before the register changed")
	}
	c.ok("register", "set", project, "--add", service, "--note", "forgotten")
	f = c.run(project)
	if len(f.ExplainedBy) != 1 || f.ExplainedBy[0].Kind != "register" || f.Count != 23 {
		t.Errorf("explained by %+v, counts %d", f.ExplainedBy, f.Count)
	}
	var history api.RegisterHistory
	c.json(&history, "register", "history", project)
	if len(history.Changes) < 2 || history.Changes[0].Added[0] != service || history.Changes[0].Note != "forgotten" {
		t.Errorf("history: %+v", history)
	}
	c.ok("register", "set", project, "--without", service)
	if f = c.run(project); len(f.ExplainedBy) > 0 {
		t.Error("it is explained when the register does not cover it any more")
	}
}

// sheet is a file of a register with a row.
func (c *commands) sheet(row string) string {
	c.Helper()
	return filepath.Join(c.folder(row), registerFolder, "sheet.csv")
}

// folder has the folder of such a register.
func (c *commands) folder(row string) string {
	c.Helper()
	dir := c.TempDir()
	if err := os.Mkdir(filepath.Join(dir, registerFolder), 0o700); err != nil {
		c.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, registerFolder, "sheet.csv"), []byte("project,owner,services\n"+row+"\n"), 0o600); err != nil {
		c.Fatal(err)
	}
	return dir
}

// run is the finding of the run of refusals in a project.
func (c *commands) run(project string) api.Finding {
	c.Helper()
	var found api.Findings
	c.json(&found, "findings", "list", "--kind", "anomaly.denials", "--account", project)
	if len(found.Findings) != 1 {
		c.Fatalf("%d runs of refusals in %s", len(found.Findings), project)
	}
	return found.Findings[0]
}

// register is a command of the register that ends with a code and says something.
func (c *commands) register(code int, want string, args ...string) {
	c.Helper()
	got, out, errs := ask(c.T, c.data, append([]string{"register"}, args...)...)
	if got != code || !strings.Contains(out+errs, want) {
		c.Errorf("%v: code %d, want %d, said\n%s%s\nwant %q", args, got, code, out, errs, want)
	}
}

// TestRegister: the commands of the register, and what they refuse.
func TestRegister(t *testing.T) {
	c := &commands{t, t.TempDir()}
	f := c.register
	sheet := filepath.Join(t.TempDir(), "sheet.csv")
	if err := os.WriteFile(sheet, []byte("project,owner,services\nkite-ml,ml,notebooks.googleapis.com\nkite-web,,run.googleapis.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f(exitFailed, "holds no data yet", "list")
	f(exitFailed, "line 3: project kite-web: neither applicant nor owner", "import", sheet) // which makes the data directory
	f(exitDone, "compute.googleapis.com", "list")                                           // needed by notebooks
	f(exitDone, "2026-12-31", "set", "kite-ml", "--add", "compute.googleapis.com@..2026-12-31", "--format", "json")
	f(exitDone, "compute.googleapis.com@..2026-12-31 notebooks.googleapis.com", "export")
	f(exitDone, "What policies allow is not known", "compare", "kite-ml")
	list, settings := filepath.Join(t.TempDir(), "allowed.csv"), filepath.Join(t.TempDir(), "yagura.yml")
	for path, text := range map[string]string{list: "project,services\n*,notebooks.googleapis.com\n", settings: "register:\n  allowed: " + list + "\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f(exitDone, "not_allowed", "compare", "kite-ml", "--config", settings)
	f(exitDone, "The configuration lists 1 service as allowed.", "compare", "kite-ml", "--config", settings)
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	f(exitUsage, "register.allowed: ", "compare", "kite-ml", "--config", settings)
	f(exitUsage, "neither applicant nor owner", "set", "kite-ops", "--purpose", "ops")
	f(exitUsage, "is no day", "set", "kite-ml", "--add", "run.googleapis.com@soon..")
	f(exitUsage, "--applied tomorrow", "set", "kite-ml", "--applied", "tomorrow")
	f(exitFailed, "not in the register", "show", "kite-ops")
	f(exitDone, "", "remove", "kite-ml", "--note", "gone")
	f(exitFailed, "none of that id", "remove", "kite-ml")
	f(exitDone, "gone", "history", "kite-ml")
	f(exitFailed, `names "colour"`, "import", func() string {
		path := filepath.Join(t.TempDir(), "wrong.csv")
		if err := os.WriteFile(path, []byte("project,colour\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}())
}

// TestFollowedRegisters: a register beside logs that are followed is imported when
// it rests, once, and again when it changed; what is wrong with it is told once.
func TestFollowedRegisters(t *testing.T) {
	dir := t.TempDir()
	var told strings.Builder
	p := &program{world: world{now: time.Now, stderr: &told}, clock: time.Now, cfg: config.Default(), dir: filepath.Join(dir, "data")}
	r, err := p.write(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := &commands{T: t}
	logs := c.folder("kite-ml,ml,notebooks.googleapis.com")
	sheet := filepath.Join(logs, registerFolder, "sheet.csv")
	f := &registerFiles{p: p, paths: []string{filepath.Join(filepath.Dir(logs), "*")}}
	look := func(want int, why string) {
		t.Helper()
		if got := f.look(t.Context(), r); len(got) != want {
			t.Errorf("%s: %+v is imported, want %d", why, got, want)
		}
	}
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(sheet, []byte("project,owner,services\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	look(0, "it may be written still")
	look(1, "it rests")
	look(0, "it was imported")
	put("kite-ml,ml,notebooks.googleapis.com compute.googleapis.com\nkite-web,,run.googleapis.com\n")
	look(0, "it changed")
	look(1, "it rests again")
	if e, _, err := r.registered(t.Context(), "kite-ml"); err != nil || len(e.Services) != 2 {
		t.Errorf("the entry is %+v, %v", e, err)
	}
	if n := strings.Count(told.String(), "line 3: project kite-web: neither applicant nor owner"); n != 1 {
		t.Errorf("what is wrong is told %d times: %s", n, told.String())
	}
	put("kite-ml,ml,notebooks.googleapis.com\n")
	look(0, "it is as before")
	look(0, "these bytes were imported before")
	if err := os.WriteFile(sheet, []byte("project,services,colour\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		look(0, "it is none")
	}
	if n := strings.Count(told.String(), "colour"); n != 1 {
		t.Errorf("that it is none is told %d times: %s", n, told.String())
	}
	if err := os.RemoveAll(logs); err != nil {
		t.Fatal(err)
	}
	look(0, "it is gone")
}
