package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		_, err = Parse(name, text)
		if strings.HasSuffix(name, ".good.yaml") {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		line, _, _ := strings.Cut(string(text), "\n")
		want := strings.TrimPrefix(line, "# ")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

func TestValues(t *testing.T) {
	text, err := os.ReadFile("testdata/full.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse("full", text)
	if err != nil {
		t.Fatal(err)
	}
	if c.Retention != (Retention{Duration(36 * time.Hour), 500 << 30}) || c.Lake.FreeSpaceFloor != 1<<30 || c.SQL.Bytes != 4096 {
		t.Errorf("%+v", c)
	}
	if c.Sources[0].Type != "file" {
		t.Errorf("%+v", c.Sources)
	}
	var into struct {
		Type   string   `yaml:"type"`
		Paths  []string `yaml:"paths"`
		Follow bool     `yaml:"follow"`
	}
	if err := c.Sources[0].Decode(&into); err != nil || !into.Follow || !reflect.DeepEqual(into.Paths, []string{"/var/log/cloudtrail"}) {
		t.Errorf("%+v, %v", into, err)
	}
	var less struct {
		Type string `yaml:"type"`
	}
	if err := c.Sources[0].Decode(&less); err == nil || !strings.HasPrefix(err.Error(), "full:10:5: unknown key") {
		t.Errorf("a source's unknown key gives %v", err)
	}
}

func TestSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("s3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(k string) string { return map[string]string{"A": "from env"}[k] }
	f := func(ref Secret, want, wantErr string) {
		t.Helper()
		got, err := ref.Reveal(env)
		if got != want || (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
			t.Errorf("%s: %q, %v", ref, got, err)
		}
	}
	f("", "", "")
	f("env:A", "from env", "")
	f("env:B", "", "env:B is not set")
	f(Secret("file:"+file), "s3", "")
	f("file:/nowhere", "", "no such file")
}

func TestParseBytes(t *testing.T) {
	f := func(in string, want int64, ok bool) {
		t.Helper()
		if got, err := ParseBytes(in); got != want || (err == nil) != ok {
			t.Errorf("ParseBytes(%q) = %d, %v", in, got, err)
		}
	}
	f("0", 0, true)
	f("4096", 4096, true)
	f("512MB", 512<<20, true)
	f("1 GiB", 1<<30, true)
	f("2t", 2<<40, true)
	f("", 0, false)
	f("-1", 0, false)
	f("1.5GB", 0, false)
	f("99999999999TB", 0, false)
}
