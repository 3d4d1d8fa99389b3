package config_test

import (
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/config"
)

// TestLines: settings are shown as they hold, and no secret is.
func TestLines(t *testing.T) {
	c, err := config.Parse("x.yml", []byte(`
listen: 127.0.0.1:9000
server:
  token: env:TOKEN
sources:
  - type: file
    paths: [/logs/a, "/logs/b c"]
  - type: receive
    name: falco
    tokens: ["file:/run/falco"]
    password: hunter2
retention:
  events: 400d
`))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]config.Line{}
	for _, l := range c.Lines() {
		if strings.Contains(l.Value, "hunter2") || strings.Contains(l.Value, "\n") {
			t.Errorf("%s shows %q", l.Key, l.Value)
		}
		got[l.Key] = l
	}
	f := func(key, value string, byDefault bool) {
		t.Helper()
		if l := got[key]; l.Value != value || l.Default != byDefault {
			t.Errorf("%s is %q, by default %v; want %q, %v", key, l.Value, l.Default, value, byDefault)
		}
	}
	f("listen", "127.0.0.1:9000", false)
	f("server.token", "env:TOKEN", false)
	f("server.wait", "250ms", true)
	f("sources[0].paths", `[/logs/a, "/logs/b c"]`, false)
	f("sources[1].tokens", `["file:/run/falco"]`, false)
	f("sources[1].password", "(not shown)", false)
	f("retention.events", "400d", false)
	f("retention.size", "0", true)
	f("lake.query_memory", "1GB", true)
	f("sql.timeout", "1m", true)
	f("rules.builtin", "true", true)
}
