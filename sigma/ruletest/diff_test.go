package ruletest_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/yagura-sec/yagura/sigma/ruletest"
)

// differs runs one case that goes otherwise than it says and gives its diff.
func differs(t *testing.T, detection, fires, event string) string {
	t.Helper()
	rule := "title: t\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  " +
		strings.ReplaceAll(strings.TrimSpace(detection), "\n", "\n  ") + "\n"
	files := fstest.MapFS{"t.yml": {Data: []byte(rule)}, "t.cases.yml": {Data: []byte(
		"cases:\n- {name: x, fires: " + fires + ", event: '" + event + "'}\n")}}
	got := ruletest.Test(files, "", ruletest.Options{})
	if got.Failed != 1 {
		t.Fatalf("%d cases failed: %+v", got.Failed, got.Failures)
	}
	return got.Failures[0].Diff
}

func TestDiff(t *testing.T) {
	f := func(detection, fires, event, want string) {
		t.Helper()
		if got := differs(t, detection, fires, event); got != strings.TrimPrefix(want, "\n") {
			t.Errorf("the difference is\n%swant\n%s", got, strings.TrimPrefix(want, "\n"))
		}
	}
	// What keeps it from firing is marked; of a list the nearest is named.
	f(`
stop:
  eventSource: cloudtrail.amazonaws.com
  eventName: [DeleteTrail, StopLogging, PutEventSelectors, UpdateTrail, CreateTrail]
known: {userAgent|startswith: aws-internal}
condition: stop and not known`, "true",
		`{"eventSource":"cloudtrail.amazon.com","eventName":"StopLoging","userAgent":"x\ny"}`, `
  no   all of
  no     stop
> no       eventSource             cloudtrail.amazon.com  wanted cloudtrail.amazonaws.com (3 letters off)
> no       eventName               StopLoging             wanted StopLogging (1 letter off); or DeleteTrail, PutEventSelectors, UpdateTrail and 1 more
  yes    not
  no       known
  no         userAgent|startswith  x\ny                   wanted aws-internal
`)
	// The same the other way round: what makes it fire.
	f(`
stop: {eventName: [DeleteTrail, StopLogging]}
known: {userAgent|startswith: aws-internal}
condition: stop and not known`, "false", `{"eventName":"StopLogging"}`, `
  yes  all of
  yes    stop
> yes      eventName               StopLogging  as wanted
  yes    not
  no       known
> no         userAgent|startswith  (absent)     wanted aws-internal
`)
	f("s:\n  a|contains|all: [one, two]\n  b|cased: Up\n  c|gte: 5\n  d: null\n  e: ''\ncondition: s", "true",
		`{"a":"one","b":"up","c":"x","d":1,"e":" "}`, `
  no   s
  yes    a|contains|all  one  as wanted
> no     a|contains|all  one  wanted two
> no     b|cased         up   wanted Up (differs in case only)
> no     c|gte           x    wanted 5 (of another type)
> no     d               1    wanted null (it is there)
> no     e                    wanted ""
`)
	f("words: [evil, bad]\nother: {a: [b, c]}\ncondition: words or 1 of o*", "true", `{"a":"x"}`, `
  no   any of
  no     words
> no       keyword  (nowhere)  wanted evil
> no       keyword  (nowhere)  wanted bad
  no     other
> no       a        x          wanted b; or c
`)
	f("a: {n: 1}\nb: {m: 1}\ncondition: 2 of them", "false", `{"n":1,"m":"1"}`, `
  yes  some of
  yes    a
> yes      n  1  as wanted
  yes    b
> yes      m  1  as wanted
`)
}
