package lint_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
	"github.com/yagura-sec/yagura/sigma/lint"
	"github.com/yagura-sec/yagura/sigma/match"
	"github.com/yagura-sec/yagura/sigma/pipeline"
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
  _unused_by_them: {userAgent: a}
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
	f("attack.t1685.002", "attack.ds0005, attack.g0016, attack.ta0112, attack.stealth")
	f("attack.t1685.002", "attack.bogus", `r.yml:6:1: warning: tag "attack.bogus" names no tactic of version 19 of ATT&CK, such as attack.persistence, and no technique, group or software either (attack)`)
	f("attack.t1685.002", "attack.ta9999", `r.yml:6:1: warning: tag "attack.ta9999" names no tactic of version 19 of ATT&CK, such as attack.persistence, and no technique, group or software either (attack)`)
	f("attack.t1685.002", "attack.s0154, attack.command_and_control", `r.yml:6:1: warning: tag "attack.command_and_control" is out of date: in version 19 of ATT&CK it is attack.command-and-control (attack)`)
	f("attack.t1685.002", "attack.t1562.008", `r.yml:6:1: warning: tag "attack.t1562.008" is out of date: in version 19 of ATT&CK it is attack.t1685.002 (attack)`)
	f("attack.t1685.002", "attack.defense_evasion", `r.yml:6:1: warning: tag "attack.defense_evasion" is out of date: in version 19 of ATT&CK it is attack.stealth or attack.defense-impairment (attack)`)
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
}

// What values say of each other counts too, where it holds of every record.
func TestConstant(t *testing.T) {
	f := func(detection, want string) {
		t.Helper()
		docs, refused := sigma.Parse("r.yml", []byte("title: t\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  "+strings.ReplaceAll(detection, "\n", "\n  ")+"\n"))
		var got []string
		for _, p := range lint.Run(docs, refused, ir.Options{}) {
			if p.Check == "never" || p.Check == "always" || p.Check == "refused" {
				got = append(got, p.Check)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s\nis %q, want %q", detection, got, want)
		}
	}
	f("a: {eventName: x}\nb: {eventName: y}\ncondition: a and b", "never")
	f("a: {eventName: x}\nb: {eventName: X}\ncondition: a and b", "")
	f("a: {eventName: x}\nb: {eventName|cased: y}\ncondition: a and b", "")   // folded and not: nothing is said
	f("a: {resources.ARN: x}\nb: {resources.ARN: y}\ncondition: a and b", "") // an array may hold both
	f("a: {requestParameters.x: x}\nb: {requestParameters.x: y}\ncondition: a and b", "")
	f("a: {eventName: Stop}\nb: {eventName|startswith: Start}\ncondition: a and b", "never")
	f("a: {eventName|startswith: Get}\nb: {eventName|startswith: Put}\ncondition: a and b", "never")
	f("a: {eventName|startswith: Get}\nb: {eventName|startswith: GetSecret}\ncondition: a and b", "")
	f("a: {eventName|contains: Get}\nb: {eventName|contains: Put}\ncondition: a and b", "")
	f("a: {errorCode: null}\nb: {errorCode: AccessDenied}\ncondition: a and b", "never")
	f("a: {requestParameters.x: null}\nb: {requestParameters.x: y}\ncondition: a and b", "")
	// The filter takes all away that the selection lets in, whatever the field.
	f("a: {requestParameters.x: admin-role}\nb: {requestParameters.x|contains: admin}\ncondition: a and not b", "never")
	f("a: {requestParameters.x|contains: admin}\nb: {requestParameters.x: admin-role}\ncondition: a and not b", "")
	f("a: {requestParameters.x|endswith: -role}\nb: {requestParameters.x|exists: true}\ncondition: a and not b", "never")
	f("a: {requestParameters.x: y}\nb: {requestParameters.x|exists: false}\ncondition: not a or not b", "always")
	f("a: {eventName: x}\nb: {eventName: y}\ncondition: not a or not b", "always")
}

func TestFields(t *testing.T) {
	var aliases ir.Aliases
	f := func(source, field, want string) {
		t.Helper()
		docs, refused := sigma.Parse("r.yml", []byte("title: t\nlogsource: {"+source+"}\ndetection:\n  a: {"+field+": x}\n  condition: a\n"))
		got := ""
		for _, p := range lint.Run(docs, refused, ir.Options{Aliases: aliases}) {
			if p.Check == "field" {
				got = p.Reason
			}
		}
		if got != want {
			t.Errorf("of %s is said %q, want %q", field, got, want)
		}
	}
	cloudtrail := "product: aws, service: cloudtrail"
	f(cloudtrail, "eventName", "")
	f(cloudtrail, "requestParameters", "")
	f(cloudtrail, "userIdentity", "")
	f(cloudtrail, "requestParameters.a.b.c", "")
	f(cloudtrail, "userIdentity.sessionContext.sessionIssuer.type|cased", "")
	f(cloudtrail, "eventname", `records of aws/cloudtrail have no field "eventname": is "eventName" meant?`)
	f(cloudtrail, "userName", `records of aws/cloudtrail have no field "userName": is "userIdentity.userName" meant?`)
	f(cloudtrail, "requestParameter.bucketName", `records of aws/cloudtrail have no field "requestParameter.bucketName"`)
	f(cloudtrail, "awsRegoin", `records of aws/cloudtrail have no field "awsRegoin": is "awsRegion" meant?`)
	f(cloudtrail, "src_country", `records of aws/cloudtrail have no field "src_country"`)
	f(cloudtrail, "eventName.x", `records of aws/cloudtrail have no field "eventName.x": is "eventName" meant?`)
	f("product: windows", "Image", "")
	f("product: aws", "eventname", "") // which of its logs is not said
	aliases = ir.Aliases{{Product: "aws", Fields: map[string][]string{"eventname": {"eventName"}, "src_country": {"country"}}}}
	f(cloudtrail, "eventname", "")
	f(cloudtrail, "src_country", `records of aws/cloudtrail have no field "src_country"`)
}

// TestFieldsAfterPipelines: what has no field of a record's name may get one.
func TestFieldsAfterPipelines(t *testing.T) {
	docs, refused := sigma.Parse("r.yml", []byte(strings.NewReplacer(
		"eventName:", "event.action:", "requestParameters.secretId", "secret", "who: {read: userIdentity.arn}", "who: {read: user}",
	).Replace(correlated)+`---
title: Not by the robot
id: 57c37514-a5f1-461e-855b-847221d42753
logsource: {product: aws, service: cloudtrail}
filter:
  rules: [read]
  robot: {user: robot}
  condition: not robot
`))
	p, bad := pipeline.Parse("p.yml", []byte("name: p\npriority: 1\ntransformations:\n  - type: field_name_mapping\n    mapping: {event.action: eventName, secret: requestParameters.secretId, user: userIdentity.arn}\n"))
	if len(refused)+len(bad) > 0 {
		t.Fatal(refused, bad)
	}
	f := func(o ir.Options, want int) {
		t.Helper()
		n := 0
		for _, p := range lint.Check(docs, nil, lint.Options{Options: o, Columns: []string{"actor_uid"}}) {
			if p.Check == "field" {
				n++
			}
		}
		if n != want {
			t.Errorf("%d fields are said not to be there, want %d", n, want)
		}
	}
	f(ir.Options{}, 4)
	f(ir.Options{Pipelines: pipeline.Pipelines{p}}, 0)
}

const correlated = `title: Sweep
id: 57c37514-a5f1-461e-855b-847221d42752
name: sweep
status: test
level: low
correlation:
  type: value_count
  rules: [read]
  group-by: [actor_uid, who]
  aliases: {who: {read: userIdentity.arn}}
  timespan: 10m
  condition: {field: requestParameters.secretId, gte: 15}
---
title: Read
name: read
logsource: {product: aws, service: cloudtrail}
detection:
  s: {eventName: GetSecretValue}
  condition: s
`

func TestCorrelations(t *testing.T) {
	f := func(change, to string, o lint.Options, want ...string) {
		t.Helper()
		if !strings.Contains(correlated, change) {
			t.Fatalf("%q is not in the correlation", change)
		}
		docs, refused := sigma.Parse("c.yml", []byte(strings.Replace(correlated, change, to, 1)))
		var got []string
		for _, p := range lint.Check(docs, refused, o) {
			got = append(got, p.String())
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("with %q the problems are\n%s\nwant\n%s", to, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	columns := lint.Options{Columns: []string{"actor_uid"}}
	f("", "", columns)
	f("", "", lint.Options{}) // whether actor_uid is a column is not known
	f("[actor_uid", "[actor", columns, `c.yml:9:3: warning: of rule read: records of aws/cloudtrail have no field "actor" (field)`)
	f("userIdentity.arn", "userIdentity.ARN", columns, `c.yml:9:3: warning: of rule read: records of aws/cloudtrail have no field "userIdentity.ARN": is "userIdentity.arn" meant? (field)`)
	f("field: requestParameters.secretId", "field: secretId", columns, `c.yml:12:3: warning: of rule read: records of aws/cloudtrail have no field "secretId" (field)`)
	f("level: low\n", "", columns, "c.yml:1:1: warning: level is missing: it counts as medium (level)")
	f("status: test", "status: fine", columns, `c.yml:4:1: error: status "fine" is none of stable, test, experimental, deprecated, unsupported (status)`)
	f("rules: [read]", "rules: [reads]", columns, `c.yml:8:11: error: there is no rule with the id or name "reads" (refused)`,
		"c.yml:14:1: warning: id is missing: findings are told apart by it (id)", "c.yml:14:1: warning: level is missing: it counts as medium (level)", "c.yml:14:1: warning: status is missing (status)")
	first, second, _ := strings.Cut(correlated, "---\n")
	known, _ := sigma.Parse("known.yml", []byte(second))
	f(second, "", lint.Options{Columns: columns.Columns, Known: known})
	_ = first
}

const filtered = good + `---
title: Our deploys
logsource: {product: aws, service: cloudtrail}
filter:
  rules: [1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11]
  deploy: {userIdentity.arn|endswith: /deploy}
  condition: not deploy
yagura:
  reviewed: {1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11: "HASH"}
`

func TestFilters(t *testing.T) {
	docs, _ := sigma.Parse("r.yml", []byte(good))
	hash := docs.Rules[0].Hash()
	f := func(change, to string, want ...string) {
		t.Helper()
		if !strings.Contains(filtered, change) {
			t.Fatalf("%q is not in the filter", change)
		}
		text := strings.Replace(strings.Replace(filtered, change, to, 1), "HASH", hash, 1)
		docs, refused := sigma.Parse("r.yml", []byte(text))
		var got []string
		for _, p := range lint.Run(docs, refused, ir.Options{}) {
			got = append(got, p.String())
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("with %q the problems are\n%s\nwant\n%s", to, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	id := "1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11"
	f("", "")
	f("not deploy", "not 1 of dep*")
	f("not deploy", "deploy", `r.yml:19:14: warning: filter is joined to rules with "and" as it is written, so rules match only what it matches: to exclude, begin the condition with "not" (filter)`)
	f("rules: ["+id+"]", "rules: ["+id+", other-rule]", `r.yml:16:1: warning: filter names rule "other-rule", which is not there (filter)`)
	f("service: cloudtrail}\nfilter", "service: vpcflow}\nfilter", `r.yml:16:1: warning: filter names rule "`+id+`", but its log source aws/vpcflow is not that of the rule, aws/cloudtrail (filter)`,
		`r.yml:20:1: warning: reviewed names rule "`+id+`", which the filter does not touch (reviewed)`)
	f("service: cloudtrail}\nfilter:\n  rules: ["+id+"]", "service: vpcflow}\nfilter:\n  rules: any", "r.yml:16:1: warning: filter touches no rule: none has the log source aws/vpcflow (filter)",
		`r.yml:20:1: warning: reviewed names rule "`+id+`", which the filter does not touch (reviewed)`)
	f("userIdentity.arn|", "userIdentity.Arn|", `r.yml:18:12: warning: records of aws/cloudtrail have no field "userIdentity.Arn": is "userIdentity.arn" meant? (field)`)
	f("StopLogging}", "[StopLogging, DeleteTrail]}", `r.yml:20:1: warning: rule "`+id+`" has changed since the filter was reviewed: its hash was `+hash+` and is `+changed(t)+`; see whether the filter still fits, then note the new one (reviewed)`)
	f("title: Trail stopped", "title: The trail was stopped") // what it matches is the same
	f(`"HASH"`, "1", `r.yml:20:1: warning: reviewed has no text as the hash of rule "`+id+`": write it in quotes (reviewed)`)
}

// TestFilterOnCorrelation: a filter narrows rules, and does nothing to a correlation.
func TestFilterOnCorrelation(t *testing.T) {
	f := func(rules, want string) {
		t.Helper()
		docs, _ := sigma.Parse("r.yml", []byte(correlated+"---\ntitle: Deploy\nlogsource: {product: aws, service: cloudtrail}\nfilter:\n  rules: ["+rules+"]\n  deploy: {userAgent: deploy}\n  condition: not deploy\n"))
		got := ""
		for _, p := range lint.Check(docs, nil, lint.Options{}) {
			if p.Check == "filter" {
				got += p.Reason
			}
		}
		if got != want {
			t.Errorf("of a filter for %s is said %q, want %q", rules, got, want)
		}
	}
	f("read", "")
	f("sweep", "filter names correlation sweep, and does nothing to it; filters take the rules it rests on: read")
}

func changed(t *testing.T) string {
	t.Helper()
	docs, refused := sigma.Parse("r.yml", []byte(strings.Replace(good, "StopLogging}", "[StopLogging, DeleteTrail]}", 1)))
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	return docs.Rules[0].Hash()
}

func TestStored(t *testing.T) {
	cloudtrail := match.Source{Product: "aws", Service: "cloudtrail"}
	var o ir.Options
	f := func(detection string, want string, records ...string) {
		t.Helper()
		docs, refused := sigma.Parse("r.yml", []byte("title: t\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  "+strings.ReplaceAll(detection, "\n", "\n  ")+"\n"))
		if len(refused) > 0 {
			t.Fatal(refused)
		}
		program, refused := ir.Compile(docs.Rules, o)
		survey := lint.NewSurvey(program, cloudtrail)
		for _, r := range records {
			survey.Add([]byte(r))
		}
		got := ""
		for _, p := range lint.Check(docs, refused, lint.Options{Options: o, Stored: []lint.Stored{survey.Stored()}}) {
			if p.Check == "dead" || p.Check == "unseen" {
				got = p.Check + ": " + p.Reason
			}
		}
		if got != want {
			t.Errorf("%s\nsays %q, want %q", detection, got, want)
		}
	}
	const rule = "a: {eventName: x}\nb: {errorCode: y}\n"
	f(rule+"condition: a and b", "") // nothing is stored, nothing is said
	f(rule+"condition: a and b", "dead: rule cannot match: errorCode never occurs in 2 stored records of aws/cloudtrail", `{"eventName":"z"}`, `{"eventName":"x","errorCode":null}`)
	f(rule+"condition: a and b", "", `{"eventName":"z"}`, `{"eventName":"x","errorCode":"z"}`)
	f(rule+"condition: a or b", "unseen: errorCode never occurs in 1 stored records of aws/cloudtrail", `{"eventName":"z"}`)
	f(rule+"condition: a and not b", "unseen: errorCode never occurs in 1 stored records of aws/cloudtrail", `{"eventName":"z"}`)
	f("a: {eventName: x, errorCode: null}\ncondition: a", "unseen: errorCode never occurs in 1 stored records of aws/cloudtrail", `{"eventName":"z"}`)
	f("a: {errorCode|exists: true}\ncondition: a", "unseen: errorCode never occurs in 1 stored records of aws/cloudtrail", `{"eventName":"z"}`)
	f("a: {requestParameters.keySet.items.keyName: x}\ncondition: a", "", `{"requestParameters":{"keySet":{"items":[{"keyName":"y"}]}}}`)
	f("a: {requestParameters|contains: x}\ncondition: a", "", `{"requestParameters":{"z":1}}`)
	f(rule+"condition: 2 of them", "dead: rule cannot match: errorCode never occurs in 1 stored records of aws/cloudtrail", `{"eventName":"z"}`, `no json`)
	// Under whatever name a field occurs.
	o.Aliases = ir.Aliases{{Product: "aws", Fields: map[string][]string{"errorCode": {"error.code"}}}}
	f(rule+"condition: a and b", "", `{"eventName":"z","error":{"code":"y"}}`)
	f(rule+"condition: a and b", "dead: rule cannot match: errorCode never occurs in 1 stored records of aws/cloudtrail", `{"eventName":"z","error":{}}`)
	if lint.NewSurvey(&ir.Program{}, cloudtrail) != nil {
		t.Error("there is a survey although no rule asks")
	}
}

func TestOwnRules(t *testing.T) {
	docs, refused := sigma.LoadPath(filepath.Join("..", "..", "rules", "aws"))
	for _, p := range lint.Run(docs, refused, ir.Options{}) {
		t.Error(p)
	}
}

// An id that a rule of elsewhere has, of whatever kind, is taken.
func TestTakenIDs(t *testing.T) {
	known, _ := sigma.Parse("builtin/aws/trail.yml", []byte(good))
	f := func(file, text string, want ...string) {
		t.Helper()
		docs, refused := sigma.Parse(file, []byte(text))
		var got []string
		for _, p := range lint.Check(docs, refused, lint.Options{Known: known}) {
			if p.Severity == lint.Error {
				got = append(got, p.String())
			}
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s has the problems\n%s\nwant\n%s", file, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	const id = "1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11"
	f("mine/own.yml", good, `mine/own.yml:2:1: error: id `+id+` is that of the rule "Trail stopped" too, builtin/aws/trail.yml:1: one of them is refused (duplicate)`)
	f("rules/aws/trail.yml", good) // the same rule, from where it is built in
	f("mine/own.yml", strings.Replace(good, "2c11", "2c12", 1))
	f("mine/own.yml", strings.Replace(correlated, "57c37514-a5f1-461e-855b-847221d42752", id, 1),
		`mine/own.yml:2:1: error: id `+id+` is that of the rule "Trail stopped" too, builtin/aws/trail.yml:1: one of them is refused (duplicate)`)
	// In the paths themselves, across kinds.
	known = sigma.Documents{}
	f("c.yml", strings.Replace(correlated, "name: read\n", "name: read\nid: 57c37514-a5f1-461e-855b-847221d42752\n", 1),
		`c.yml:2:1: error: id 57c37514-a5f1-461e-855b-847221d42752 is that of the rule "Read", c.yml:14 already: every rule and every correlation has its own (refused)`)
}

// What a correlation says in vain, or not as meant.
func TestCorrelationsInVain(t *testing.T) {
	f := func(change, to string, want ...string) {
		t.Helper()
		docs, refused := sigma.Parse("c.yml", []byte(strings.Replace(correlated, change, to, 1)))
		var got []string
		for _, p := range lint.Check(docs, refused, lint.Options{}) {
			got = append(got, p.String())
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("with %q the problems are\n%s\nwant\n%s", to, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	f("timespan: 10m", "timespan: 10M", "c.yml:11:3: warning: timespan 10M is months: minutes are 10m (timespan)")
	f("[actor_uid, who]", "[actor_uid]", `c.yml:10:13: warning: alias "who" is named neither by group-by nor by the condition (unused)`)
	f("group-by: [actor_uid, who]\n  aliases: {who:", "group-by: [actor_uid]\n  aliases: {requestParameters.secretId:")
}

// Parts of dates have bounds.
func TestDates(t *testing.T) {
	f := func(detection string, want ...string) {
		t.Helper()
		docs, refused := sigma.Parse("r.yml", []byte("title: t\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  s: {"+detection+"}\n  t: {eventName: x}\n  condition: s and t\n"))
		var got []string
		for _, p := range lint.Run(docs, refused, ir.Options{}) {
			if p.Check == "value" || p.Check == "never" || p.Check == "always" || p.Check == "refused" {
				got = append(got, p.Check+": "+p.Reason)
			}
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: %q, want %q", detection, got, want)
		}
	}
	f("eventTime|hour|gt: 22")
	f("eventTime|week|lte: 52")
	f("eventTime|day|gte: 1", "value: eventTime|day|gte: 1 holds of every date: day goes from 1 to 31")
	f("eventTime|minute|lt: 60", "value: eventTime|minute|lt: 60 holds of every date: minute goes from 0 to 59")
	f("eventTime|hour|gt: 23", "refused: eventTime|hour|gt: hour is never greater than 23: it goes from 0 to 23")
	f("eventTime|hour: 24", "refused: eventTime|hour: hour is never 24: it goes from 0 to 23")
}
