package about

import (
	"fmt"
	"testing"

	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/sigma"
)

func TestItemWords(t *testing.T) {
	f := func(want, ja, field string, modifiers []string, values ...string) {
		t.Helper()
		item := sigma.Item{Field: field, Modifiers: modifiers}
		for _, v := range values {
			item.Values = append(item.Values, sigma.Value{Text: v})
		}
		if got := itemWords(item); got.String() != want || got.In(say.Japanese) != ja {
			t.Errorf("%q, %q, want %q, %q", got, got.In(say.Japanese), want, ja)
		}
	}
	f("eventName is StopLogging or DeleteTrail", "eventName が StopLogging または DeleteTrail", "eventName", nil, "StopLogging", "DeleteTrail")
	f("userAgent contains a and b", "userAgent が a、b を含む", "userAgent", []string{"contains", "all"}, "a", "b")
	f("any value is x", "いずれかの値が x", "", nil, "x")
	f("sourceIPAddress is in 10.0.0.0/8", "sourceIPAddress が 10.0.0.0/8 の範囲内", "sourceIPAddress", []string{"cidr"}, "10.0.0.0/8")
	var many []string
	for i := range 15 {
		many = append(many, fmt.Sprint(i))
	}
	f("n is 0 or 1 or 2 or 3 or 4 or 5 or 6 or 7 or 8 or 9 or 10 or 11 or 3 more",
		"n が 0 または 1 または 2 または 3 または 4 または 5 または 6 または 7 または 8 または 9 または 10 または 11 他 3 件", "n", nil, many...)
	if got := itemWords(sigma.Item{Field: "errorCode", Values: []sigma.Value{{Kind: sigma.Null}}}); got.String() != "errorCode is nothing" || got.In(say.Japanese) != "errorCode が null" {
		t.Errorf("%q, %q", got, got.In(say.Japanese))
	}
}

func TestRuleWords(t *testing.T) {
	docs, refused := sigma.Parse("words.yml", []byte(`title: One
id: 0b5f2a8e-0000-4000-8000-000000000001
name: one
logsource: {product: aws, service: cloudtrail}
detection:
  stopped:
    eventName: [StopLogging, DeleteTrail]
    errorCode: null
  ours:
    - userAgent|startswith: terraform
    - userAgent|contains: deploy
  condition: stopped and not ours
---
title: Often
id: 0b5f2a8e-0000-4000-8000-000000000002
correlation:
  type: value_count
  rules: [one]
  group-by: [account, region]
  timespan: 10m
  condition: {field: userName, gte: 5}
`))
	if len(refused) > 0 || len(docs.Rules) != 1 || len(docs.Correlations) != 1 {
		t.Fatalf("%+v, %v", docs, refused)
	}
	f := func(said say.Text, want, ja string) {
		t.Helper()
		if said.String() != want || said.In(say.Japanese) != ja {
			t.Errorf("it says\n%s\n%s\nwant\n%s\n%s", said, said.In(say.Japanese), want, ja)
		}
		if kept := say.Kept(said.String(), said.Made()); kept.In(say.Japanese) != ja {
			t.Errorf("kept it says\n%s", kept.In(say.Japanese))
		}
	}
	f(RuleWords(docs.Rules[0]), `Records of aws/cloudtrail for which: stopped and not ours

stopped:
  eventName is StopLogging or DeleteTrail
  errorCode is nothing

ours:
  userAgent begins with terraform
  or
  userAgent contains deploy`, `aws/cloudtrail の記録のうち、次の条件に合うもの: stopped and not ours

stopped:
  eventName が StopLogging または DeleteTrail
  errorCode が null

ours:
  userAgent が terraform で始まる
  または
  userAgent が deploy を含む`)
	f(CorrelationWords(docs.Correlations[0]), "value count of one within 10m, each for the same account, region is at least 5 (different values of userName)",
		"one の値の種類数、10m 以内、account、region ごと、5 以上(userName の異なる値)")
}
