package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/internal/golden"
)

// little is a data directory with a little in it.
func little(t *testing.T) *commands {
	t.Helper()
	story := filepath.Join(t.TempDir(), "story")
	c := &commands{t, t.TempDir()}
	c.ok("simulate", "--story", "policy-denied", "--seed", "3", "--records", "8000", "--out", story)
	c.ok("ingest", filepath.Join(story, "logs"))
	return c
}

// TestDecisions walks through the life of a decision: deferred, asked about,
// answered, come back, decided again, summed up.
func TestDecisions(t *testing.T) {
	c := little(t)
	at := func(day string, args ...string) []string {
		return append(args, "--now", day+"T09:00:00Z", "--by", "ann")
	}
	var d ShownDecision
	c.json(&d, at("2026-01-15", "decision", "add", "--id", "dec-1", "--about", "daily recording of network interfaces", "--verdict", "deferred",
		"--reason", "the landing zone forbids it", "--owner", "platform", "--revisit", "2026-03-01", "--saving", "1,519.20 USD",
		"--when", "items:111122223333:AWS::EC2::NetworkInterface>600000", "--when", "findings:no-such-rule<1")...)
	if d.ID != "dec-1" || d.Owner != "platform" || d.Status != decision.Reopened || d.About[0].Kind != decision.Other || d.Saving.Month.String() != "1519.2" {
		t.Errorf("added %+v", d)
	}
	if d.Triggers[0].Unread.String() == "" || d.Triggers[1].Reading != "0" {
		t.Errorf("triggers %+v", d.Triggers)
	}
	c.ok(at("2026-01-15", "decision", "change", "dec-1", "--when", "items:111122223333:AWS::EC2::NetworkInterface>600000")...)
	c.ok(at("2026-01-16", "decision", "ask", "dec-1", "--vendor", "AWS", "--case", "170000000000001", "--question", "May the recorder be changed?")...)
	c.json(&d, at("2026-01-20", "decision", "answer", "dec-1", "--text", "No.\nNot in this version.")...)
	if d.Status != decision.Waiting || len(d.Asked) != 1 || d.Asked[0].Answers[0].Text != "No.\nNot in this version." || len(d.History) != 4 {
		t.Errorf("answered %+v", d)
	}
	status := func(day string, want decision.Status) {
		t.Helper()
		var all api.StandingDecisions
		c.json(&all, "decision", "list", "--now", day+"T09:00:00Z")
		if len(all.Decisions) != 1 || all.Decisions[0].Status != want {
			t.Errorf("on %s it stands as %+v", day, all.Decisions)
		}
	}
	status("2026-02-28", decision.Waiting)
	status("2026-03-01", decision.Reopened)
	// What only looks changes nothing; a hunt keeps it.
	var hunted AnomalyReport
	c.json(&hunted, "hunt", "--now", "2026-03-02T09:00:00Z")
	if hunted.Reopened != 1 {
		t.Errorf("a hunt reopens %d", hunted.Reopened)
	}
	c.json(&hunted, "hunt", "--now", "2026-03-02T10:00:00Z")
	if hunted.Reopened != 0 {
		t.Errorf("a hunt reopens %d once more", hunted.Reopened)
	}
	status("2026-02-28", decision.Reopened)
	golden.Check(t, "testdata/decision-show.golden", []byte(strings.ReplaceAll(c.ok("decision", "show", "dec-1", "--now", "2026-03-02T09:00:00Z"), " ("+whoever()+")", "")))
	c.json(&d, at("2026-03-16", "decision", "change", "dec-1", "--verdict", "taken", "--note", "landing zone 4.0 allows it")...)
	if d.Status != decision.Settled || d.Revisit != "" || d.History[0].Note != "landing zone 4.0 allows it" {
		t.Errorf("taken %+v", d)
	}
	var s api.StandingSummary
	c.json(&s, "decision", "summary", "--now", "2026-04-15T09:00:00Z")
	if len(s.Quarters) != 2 || s.Quarters[0].Found.String() != "1519.2" || s.Quarters[0].Done.String() != "1519.2" || s.Quarters[0].Lost.String() != "3038.4" || s.Known {
		t.Errorf("summary %+v", s)
	}
}

// whoever runs this test.
func whoever() string {
	return (&program{world: world{getenv: func(string) string { return "" }}}).whoami()
}

// TestDossierFiles: a decision is written down into a folder, and masked.
func TestDossierFiles(t *testing.T) {
	c := little(t)
	c.ok("decision", "add", "--id", "dec-1", "--about", "words of 111122223333", "--verdict", "deferred", "--reason", "later", "--owner", "dean.finch", "--revisit", "2027-03-01")
	out := filepath.Join(t.TempDir(), "dossier")
	c.ok("decision", "show", "dec-1", "--dossier", "ja", "--out", out)
	for _, name := range []string{"dossier-ja.md", "dossier-ja.html"} {
		text, err := os.ReadFile(filepath.Join(out, name))
		if err != nil || !strings.Contains(string(text), "再検討の条件") || !strings.Contains(string(text), "dean.finch") {
			t.Errorf("%s: %v: %s", name, err, text)
		}
	}
	if text := c.ok("decision", "show", "dec-1", "--dossier", "en", "--masked"); strings.Contains(text, "111122223333") || strings.Contains(text, "dean.finch") || strings.Contains(text, whoever()) || !strings.Contains(text, "## Decision") {
		t.Errorf("masked it says %s", text)
	}
}

// TestPictureFlags: what cannot be drawn is refused before anything is read.
func TestPictureFlags(t *testing.T) {
	c := little(t)
	f := func(says string, args ...string) {
		t.Helper()
		if code, _, errs := ask(t, c.data, args...); code != exitUsage || !strings.Contains(errs, says) {
			t.Errorf("%v exits with %d: %s; want %q", args, code, errs, says)
		}
	}
	f(".svg or .png", "cost", "shares", "--picture", "x.gif")
	f("en or ja", "cost", "advise", "--picture", "x.svg", "--picture-language", "fr")
	f("leave --by out", "cost", "shares", "--picture", "x.svg", "--by", "account")
	f("are of --dossier", "decision", "show", "dec-1", "--masked")
	c.ok("decision", "add", "--id", "dec-1", "--about", "words of somebody", "--verdict", "rejected", "--reason", "no")
	f("en or ja", "decision", "show", "dec-1", "--dossier", "fr")
	for _, name := range []string{"x.svg", "x.PNG"} {
		path := filepath.Join(t.TempDir(), name)
		c.ok("cost", "changes", "--account", "111122223333", "--picture", path, "--picture-language", "ja", "--picture-dark", "--masked")
		text, err := os.ReadFile(path)
		if err != nil || name == "x.svg" != strings.HasPrefix(string(text), "<svg ") || strings.Contains(string(text), "111122223333") {
			t.Errorf("%s: %v: %.100q", name, err, text)
		}
	}
}

func TestDecisionsRefused(t *testing.T) {
	c := little(t)
	f := func(says string, args ...string) {
		t.Helper()
		code, _, errs := ask(t, c.data, args...)
		if code == exitDone || !strings.Contains(errs, says) {
			t.Errorf("%v exits with %d: %s; want %q", args, code, errs, says)
		}
	}
	add := func(args ...string) []string {
		return append([]string{"decision", "add", "--about", "words of somebody", "--verdict", "deferred", "--reason", "later"}, args...)
	}
	f("it is forgotten", add()...)
	f("a day is needed", add("--revisit", "spring")...)
	f("--when", add("--when", "weather>3")...)
	f("no decimal number", add("--revisit", "2027-03-01", "--saving", "much USD")...)
	f("no decimal number", add("--revisit", "2027-03-01", "--saving", "1,5 USD")...)
	f("taken, deferred or rejected", append(add("--revisit", "2027-03-01"), "--verdict", "perhaps")...)
	f("none of that id", "decision", "show", "dec-none")
	f("none of that id", "decision", "change", "dec-none", "--verdict", "taken")
	f("no such finding", add("--revisit", "2027-03-01", "--about", "case:none")...)
	c.ok(add("--revisit", "2027-03-01", "--id", "dec-1")...)
	f("changed it meanwhile", add("--revisit", "2027-03-01", "--id", "dec-1")...)
	f("nothing was asked", "decision", "answer", "dec-1", "--text", "no")
	f("--status", "decision", "list", "--status", "open")
}
