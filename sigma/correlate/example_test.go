package correlate_test

import (
	"fmt"
	"time"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/correlate"
	"github.com/yagura-sec/yagura/sigma/match"
)

const exampleRules = `
title: Signed in after being denied five times
correlation:
  type: temporal_ordered
  rules: [denied_often, signed_in]
  group-by: [user]
  timespan: 10m
---
title: Denied five times
name: denied_often
correlation:
  type: event_count
  rules: [denied]
  group-by: [user]
  timespan: 5m
  condition: {gte: 5}
---
title: Denied
name: denied
logsource: {product: portal}
detection:
  s: {action: SignIn, result: denied}
  condition: s
---
title: Signed in
name: signed_in
logsource: {product: portal}
detection:
  s: {action: SignIn, result: ok}
  condition: s
`

// Records are matched, what base rules hit is fed, and firings come back.
func Example() {
	docs, _ := sigma.Parse("portal.yml", []byte(exampleRules))
	set, _ := match.Compile(docs.Rules, match.Options{})
	plan, refused := correlate.Compile(docs.Correlations, docs.Rules, correlate.Options{})
	for _, e := range refused {
		fmt.Println(e)
	}
	sc := set.NewScratch()
	engine := correlate.New(plan, correlate.EngineOptions{Lateness: time.Minute})
	start := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	handle := func(firings []*correlate.Firing) {
		for _, f := range firings {
			if f.Correlation.Findings && !f.Continues() {
				fmt.Printf("%s %q: %s\n", f.At.Format(time.TimeOnly), f.Group, f.Correlation.Title)
			}
		}
	}
	for i, result := range []string{"denied", "denied", "denied", "denied", "denied", "ok"} {
		record := fmt.Appendf(nil, `{"action":"SignIn","result":%q,"user":"ann"}`, result)
		at := start.Add(time.Duration(i) * 20 * time.Second)
		hits, _ := set.MatchJSON(sc, record, match.Source{Product: "portal"})
		for _, i := range hits {
			if base := plan.Base(set.Rule(i)); base != nil {
				hit, _ := base.Hit(at, fmt.Sprint(at), record, nil)
				handle(engine.Feed(hit))
			}
		}
	}
	handle(engine.Close())
	// Output:
	// 12:01:40 ["ann"]: Signed in after being denied five times
}
