package lint_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
	"github.com/yagura-sec/yagura/sigma/lint"
)

const good = `title: Trail stopped
id: 1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11
status: test
level: high
date: 2026-03-02
tags: [attack.defense-impairment, attack.t1685.002, cve.2026-12345]
logsource: {product: aws, service: cloudtrail}
detection:
  stop: {eventName: StopLogging}
  _unused_by_them: {a: 1}
  condition: stop and not _unused_by_them
own_key: {anything: true}
`

func TestRun(t *testing.T) {
	f := func(change, to string, want ...string) {
		t.Helper()
		if change != "" && !strings.Contains(good, change) {
			t.Fatalf("%q is not in the rule", change)
		}
		docs, refused := sigma.Parse("r.yml", []byte(strings.Replace(good, change, to, 1)))
		var got []string
		for _, p := range lint.Run(docs, refused, ir.Options{}) {
			got = append(got, p.String())
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("with %q the problems are\n%s\nwant\n%s", to, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	f("", "")
	f("title: Trail stopped\n", "", "r.yml:1:1: error: title is missing (refused)")
	f("Trail stopped", "''", "r.yml:1:1: error: title is empty (title)")
	f("id: 1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11\n", "", "r.yml:1:1: warning: id is missing: findings are told apart by it (id)")
	f("2c11", "2c1", `r.yml:2:1: error: id "1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c1" is no UUID (id)`)
	f("level: high", "level: urgent", `r.yml:4:1: error: level "urgent" is none of informational, low, medium, high, critical (level)`)
	f("level: high\n", "", "r.yml:1:1: warning: level is missing: it counts as medium (level)")
	f("status: test", "status: fine", `r.yml:3:1: error: status "fine" is none of stable, test, experimental, deprecated, unsupported (status)`)
	f("status: test", "status: deprecated", "r.yml:3:1: warning: rule is deprecated by its own word (status)")
	f("2026-03-02", "02.03.2026", `r.yml:5:1: warning: date "02.03.2026" is not written as YYYY-MM-DD (date)`)
	f("attack.t1685.002", "attack.t168", `r.yml:6:1: error: tag "attack.t168" names neither a technique (attack.t1098.001) nor a tactic (attack.persistence), a group or software (tag)`)
	f("attack.t1685.002", "attack.ds0005, attack.g0016, attack.ta0112, attack.defense_evasion")
	f("cve.2026-12345", "Some Tag", `r.yml:6:1: error: tag "Some Tag" is not of the form namespace.name in lower case (tag)`)
	f(" and not _unused_by_them", "", `r.yml:10:3: warning: search "_unused_by_them" is not used by the condition (unused)`)
	f("stop and not _unused_by_them", "stop and not stop and _unused_by_them", "r.yml:8:1: error: rule can never match: the condition contradicts itself (never)")
	f("stop and not _unused_by_them", "stop or not stop or _unused_by_them", "r.yml:8:1: error: rule matches every event (always)")
	f("{eventName: StopLogging}", "{eventName|contains|all: StopLogging}", "r.yml:9:10: warning: eventName|contains|all: all with a single value does nothing (all)")
	f("{eventName: StopLogging}", "{eventName: [StopLogging, null]}", "r.yml:9:35: warning: eventName: null in a list is not allowed by the specification: give it a search of its own (null)")
	f("{eventName: StopLogging}", "{eventName: [x, x]}", `r.yml:9:25: warning: eventName: value "x" is given twice (repeated)`)
	f("stop and", "stop andd", `r.yml:11:19: error: condition: unexpected "andd": expected "and", "or" or the end of the condition (refused)`)
	f("level: high", "level: high\nrelated: [{id: 1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c12, type: cousin}]",
		`r.yml:5:11: error: related: type "cousin" is none of derived, obsolete, merged, renamed, similar (related)`)
	f("own_key: {anything: true}\n", "---\ntitle: f\nlogsource: {product: aws}\nfilter:\n  rules: any\n  s: {a: 2}\n  condition: s\n",
		`r.yml:18:14: warning: filter is joined to rules with "and" as it is written: to exclude, begin the condition with "not" (filter)`)
}

func TestOwnRules(t *testing.T) {
	docs, refused := sigma.LoadPath(filepath.Join("..", "..", "rules", "aws"))
	for _, p := range lint.Run(docs, refused, ir.Options{}) {
		t.Error(p)
	}
}
