package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// record is a CloudTrail record whose event id ends in n.
func record(n int, extra string) string {
	return fmt.Sprintf(`{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLE",`+
		`"arn":"arn:aws:iam::111122223333:user/kei","accountId":"111122223333","userName":"kei"},`+
		`"eventTime":"2026-03-01T10:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"DescribeInstances",`+
		`"awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.8","userAgent":"aws-cli/2.15","requestParameters":null,`+
		`"responseElements":null,%s"eventID":"0a0a0a0a-0000-4000-8000-%012d","eventType":"AwsApiCall","recipientAccountId":"111122223333"}`, extra, n)
}

// packed is text as gzip.
func packed(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func records(from, n int) string {
	var all []string
	for i := range n {
		all = append(all, record(from+i, ""))
	}
	return `{"Records":[` + strings.Join(all, ",\n") + `]}`
}

// TestDamaged ingests a folder of which every file but one is broken in its own
// way: what is whole is stored, the rest is named with file and position.
func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	logs, data := filepath.Join(dir, "logs"), filepath.Join(dir, "data")
	put := func(name string, content []byte) {
		t.Helper()
		path := filepath.Join(logs, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("whole.json.gz", packed(t, []byte(records(0, 10))))
	cut := packed(t, []byte(records(100, 400)))
	put("truncated.json.gz", cut[:len(cut)/2])
	put("bomb.json.gz", packed(t, append([]byte(`{"Records":[`), bytes.Repeat([]byte(" "), 600<<20)...)))
	put("huge.jsonl", []byte(record(200, "")+"\n"+record(201, `"pad":"`+strings.Repeat("x", 100<<20)+`",`)+"\n"+record(202, "")+"\n"))
	put("utf8.jsonl", []byte(record(300, "")+"\n"+record(301, "\"pad\":\"\xff\xfe\",")+"\n"+record(302, "")+"\n"))
	put("types.jsonl", []byte(wrongTypes(400)))
	put("deep.jsonl", []byte(record(500, `"deep":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+",")+"\n"+record(501, "")+"\n"))
	put("time.jsonl", []byte(strings.Replace(record(600, ""), "2026-03-01", "1999-03-01", 1)+"\n"+strings.Replace(record(601, ""), "2026-03-01", "2126-03-01", 1)+"\n"+record(602, "")+"\n"))
	put("garbage.json.gz", []byte("\x1f\x8b\x08garbage that is no gzip stream at all"))
	put("empty.json", nil)
	put("notes.txt", []byte("A note that somebody left in the bucket.\n"))
	if err := os.Symlink(filepath.Join(logs, "gone"), filepath.Join(logs, "dangling.json")); err != nil {
		t.Fatal(err)
	}

	cmd := exec.Command(binary, "--data", data, "ingest", "--format", "json", logs)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 4 {
		t.Fatalf("ingest ends with %v: %s", err, errs.String())
	}
	var got struct {
		Read, Stored, Duplicate, Quarantined, Expired int64
		Failures                                      []struct{ Object, Reason string }
	}
	decode(t, out.Bytes(), &got)
	if got.Read != got.Stored+got.Duplicate+got.Quarantined+got.Expired {
		t.Errorf("the counts do not add up: %+v", got)
	}
	var account struct {
		Quarantine []struct {
			Object   string
			Position int64
			Reason   string
		}
		Incomplete []struct{ Name, Reason string }
	}
	decode(t, yagura(t, data, "ledger", "--format", "json"), &account)
	said := map[string]string{} // by file, all that is said of it
	for _, q := range account.Quarantine {
		said[filepath.Base(q.Object)] += fmt.Sprintf("record %d: %s; ", q.Position, q.Reason)
	}
	for _, o := range account.Incomplete {
		said[filepath.Base(o.Name)] += o.Reason + "; "
	}
	f := func(file string, words ...string) {
		t.Helper()
		for _, w := range words {
			if !strings.Contains(said[file], w) {
				t.Errorf("of %s is said %q; %q is missing", file, said[file], w)
			}
		}
		t.Logf("%s: %.200s", file, said[file])
	}
	f("truncated.json.gz", "truncated gzip")
	f("bomb.json.gz", "bomb")
	f("huge.jsonl", "record 1:")
	f("utf8.jsonl", "record 1:", "UTF-8")
	f("deep.jsonl", "record 0:", "deep")
	f("time.jsonl", "record 0:", "before 2006", "record 1:", "more than a day after")
	f("garbage.json.gz", "gzip")
	for _, file := range []string{"whole.json.gz", "empty.json", "types.jsonl"} {
		if said[file] != "" {
			t.Errorf("of %s is said %q", file, said[file])
		}
	}
	for _, n := range []int{0, 9, 100, 200, 202, 300, 302, 501, 602} {
		out := yagura(t, data, "search", "--count", "--format", "json", fmt.Sprintf("uid:0a0a0a0a-0000-4000-8000-%012d", n))
		if strings.TrimSpace(string(out)) != `{"count":1}` {
			t.Errorf("record %d is not stored: %s", n, out)
		}
	}
}

// wrongTypes is one record a line, each with a value of a wrong type in one
// field that is not needed to tell the event.
func wrongTypes(from int) string {
	var b strings.Builder
	for i, field := range []string{"userIdentity", "eventSource", "awsRegion", "sourceIPAddress", "userAgent", "requestParameters", "responseElements", "resources", "errorCode", "readOnly", "sharedEventID", "recipientAccountId", "tlsDetails"} {
		for j, value := range []string{"7", `"x"`, "[1,[2]]", `{"a":{"b":[]}}`, "true", "null"} {
			b.WriteString(record(from*100+i*10+j, fmt.Sprintf("%q:%s,", field, value)) + "\n")
		}
	}
	return b.String()
}

// TestFullDisk ingests onto a disk that fills up: a clear message, and after
// room was made everything is stored once.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "small")
	if err := os.Mkdir(data, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", data).CombinedOutput(); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", data).Run() }) // or it goes with the machine
	config := filepath.Join(dir, "no-floor.yaml")
	if err := os.WriteFile(config, []byte("lake: {free_space_floor: 1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	logs := filepath.Join(dir, "logs.jsonl")
	var b strings.Builder
	const n = 30_000
	random := rand.NewChaCha8([32]byte{1})
	noise := make([]byte, 300) // does not compress: 9 MB in all
	for i := range n {
		_, _ = random.Read(noise) // never fails
		fmt.Fprintln(&b, record(i, fmt.Sprintf(`"noise":"%x",`, noise)))
	}
	if err := os.WriteFile(logs, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	ingest := func(args ...string) (int, string) {
		cmd := exec.Command(binary, append([]string{"--data", data}, args...)...)
		out, _ := cmd.CombinedOutput() // the exit code is looked at
		return cmd.ProcessState.ExitCode(), string(out)
	}
	if code, out := ingest("ingest", logs); code != 4 || !strings.Contains(out, "below the floor") || !strings.Contains(out, "logs.jsonl from record") {
		t.Errorf("below the floor ingest exits with %d: %s", code, out)
	}
	code, out := ingest("--config", config, "ingest", logs)
	if code == 0 {
		t.Skipf("%d records fit on the small disk", n)
	}
	if code != 4 || !strings.Contains(out, "logs.jsonl from record") {
		t.Errorf("on a full disk ingest exits with %d: %s", code, out)
	}
	t.Logf("%s", out)
	text, _ := exec.Command(binary, "--data", data, "--config", config, "ingest", "--format", "json", logs).Output() // the exit code was looked at
	var part struct{ Read, Stored *int64 }
	if decode(t, text, &part); part.Read == nil || *part.Read != *part.Stored {
		t.Errorf("on a full disk ingest answers %s", text)
	}
	if out, err := exec.Command("mount", "-o", "remount,size=200m", data).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if code, out := ingest("--config", config, "ingest", logs); code != 0 {
		t.Errorf("with room again ingest exits with %d: %s", code, out)
	}
	var l struct{ Totals struct{ Read, Stored int64 } }
	decode(t, yagura(t, data, "ledger", "--format", "json"), &l)
	if l.Totals.Read != n || l.Totals.Stored != n {
		t.Errorf("%+v, want %d", l.Totals, n)
	}
}
