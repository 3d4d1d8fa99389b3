package rule_test

import (
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/sigma"
)

// TestFilterOnCorrelation: that such a filter does nothing is told.
func TestFilterOnCorrelation(t *testing.T) {
	f := func(rules, want string) {
		t.Helper()
		docs, refused := sigma.Parse("r.yml", []byte(`title: Swept
name: swept
correlation: {type: event_count, rules: [read], group-by: [actor_uid], timespan: 5m, condition: {gte: 3}}
---
title: Read
name: read
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: GetSecretValue}, condition: s}
---
title: Not the robot
logsource: {product: aws, service: cloudtrail}
filter: {rules: [`+rules+`], robot: {userAgent: robot}, condition: not robot}
`))
		if len(refused) > 0 {
			t.Fatal(refused)
		}
		_, refused = rule.New(docs, rule.Options{})
		var got []string
		for _, e := range refused {
			got = append(got, e.Error())
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("with a filter for %s is refused %q, want %q", rules, got, want)
		}
	}
	f("read", "")
	f("read, swept", "r.yml:12:1: filter names correlation swept, and does nothing to it; filters take the rules it rests on: read")
}
