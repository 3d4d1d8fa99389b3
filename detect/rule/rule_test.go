package rule_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/yagura-sec/yagura/detect/detecttest"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

const stopped = `title: Trail stopped
id: 1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11
status: test
logsource: {product: aws, service: cloudtrail}
detection:
  stop: {eventSource: cloudtrail.amazonaws.com, eventName: StopLogging}
  failed: {errorCode|contains: [Denied, Unauthorized]}
  condition: stop and not failed
falsepositives: [A trail being replaced]
tags: [attack.defense-impairment, attack.t1562.008]
level: high
yagura:
  confidence: 0.9
  next:
    - 'aws cloudtrail start-logging --region {region} --name {resource}'
    - 'aws cloudtrail lookup-events --lookup-attributes AttributeKey=Username,AttributeValue={actor}'
    - 'yagura search ''actor_uid:{actor} account_uid:{account}'''
`

const described = `title: Trails described
id: 5b0c8c3e-8c07-4f83-a9f1-4a0d9d0f6a22
logsource: {product: aws}
detection:
  sel: {eventName: DescribeTrails}
  condition: sel
`

func detector(t *testing.T, rules ...string) *rule.Detector {
	t.Helper()
	files := fstest.MapFS{}
	for i, text := range rules {
		files[fmt.Sprintf("%d.yml", i)] = &fstest.MapFile{Data: []byte(text)}
	}
	d, refused := rule.Load([]rule.Tree{{FS: files, Shown: "rules"}}, nil, rule.Options{})
	for _, e := range refused {
		t.Fatal(e)
	}
	return d
}

func call(n int, name, session, resource string) event.Event {
	raw, _ := json.Marshal(map[string]any{"eventSource": "cloudtrail.amazonaws.com", "eventName": name, "userIdentity": map[string]any{"type": "AssumedRole"}})
	return event.Event{
		Time: time.Date(2026, 3, 2, 23, 59, n, 0, time.UTC), UID: event.HashUID(fmt.Sprint(n)), Format: "aws.cloudtrail", APIService: "cloudtrail.amazonaws.com",
		AccountUID: "111122223333", Region: "us-east-1", APIOperation: name,
		ActorType: event.ActorRole, ActorUID: "arn:aws:iam::111122223333:role/ops/admin", ActorName: "admin", ActorSession: session,
		SrcIP: "203.0.113.7", ResourceUID: resource, Raw: raw,
	}
}

const trail = "arn:aws:cloudtrail:us-east-1:111122223333:trail/org-trail"

func judge(t *testing.T, d *rule.Detector, events ...event.Event) finding.Judged {
	t.Helper()
	j, err := d.Judge(t.Context(), event.BatchID{1}, events)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestJudge(t *testing.T) {
	d := detector(t, stopped, described)
	j := judge(t, d,
		call(2, "StopLogging", "tanaka", trail), call(1, "StopLogging", "suzuki", trail),
		call(70, "DescribeTrails", "tanaka", ""), call(3, "StartLogging", "tanaka", trail),
		event.Event{Format: "splunk.hec", Time: time.Unix(0, 0), Raw: []byte(`{"eventName":"StopLogging"}`)})
	if len(j.Occurrences) != 2 {
		t.Fatalf("%d occurrences, want 2", len(j.Occurrences))
	}
	o := j.Occurrences[0]
	if o.Rule != "1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11" {
		o = j.Occurrences[1]
	}
	if o.Count != 2 || o.Severity != finding.High || o.Confidence != 0.9 || o.Batch != (event.BatchID{1}) ||
		o.FirstSeen.Second() != 1 || o.LastSeen.Second() != 2 || o.Evidence.Len() != 2 ||
		o.Key != finding.Key("rule", o.Rule, "111122223333", "arn:aws:iam::111122223333:role/ops/admin", trail) {
		t.Errorf("occurrence is %+v", o)
	}
	if got := o.Attack; !reflect.DeepEqual(got, []finding.Attack{
		{ID: "TA0112", Name: "Defense Impairment", Version: "19"}, {ID: "T1685.002", Name: "Disable or Modify Cloud Log", Version: "19"},
	}) {
		t.Errorf("attack is %+v", got)
	}
	next := []string{
		"aws cloudtrail start-logging --region us-east-1 --name org-trail",
		"aws cloudtrail lookup-events --lookup-attributes AttributeKey=Username,AttributeValue=tanaka",
		`yagura search 'actor_uid:arn:aws:iam::111122223333:role/ops/admin account_uid:111122223333'`,
	}
	if !reflect.DeepEqual(o.Next, next) {
		t.Errorf("next steps are %q", o.Next)
	}
	wantMatches := []finding.MatchCount{
		{Rule: o.Rule, LogSource: "aws/cloudtrail", Day: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), Matches: 2},
		{Rule: "5b0c8c3e-8c07-4f83-a9f1-4a0d9d0f6a22", LogSource: "aws/cloudtrail", Day: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC), Matches: 1},
	}
	if !reflect.DeepEqual(j.Matches, wantMatches) {
		t.Errorf("matches are %+v", j.Matches)
	}
	wantSources := []finding.SourceCount{
		{LogSource: "aws/cloudtrail", Day: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), Events: 3},
		{LogSource: "aws/cloudtrail", Day: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC), Events: 1},
	}
	if !reflect.DeepEqual(j.Sources, wantSources) {
		t.Errorf("sources are %+v", j.Sources)
	}
}

func TestReasons(t *testing.T) {
	d := detector(t, stopped)
	o := judge(t, d, call(1, "StopLogging", "tanaka", trail)).Occurrences[0]
	want := []string{
		`match: StopLogging on org-trail by role admin from 203.0.113.7: eventName is "StopLogging" |  | `,
		`field: eventSource is "cloudtrail.amazonaws.com" | cloudtrail.amazonaws.com | eventSource: cloudtrail.amazonaws.com`,
		`field: eventName is "StopLogging" | StopLogging | eventName: StopLogging`,
		`exclusion: errorCode is absent |  | not errorCode|contains: Denied or Unauthorized`,
	}
	var got []string
	for _, r := range o.Reasons {
		got = append(got, fmt.Sprintf("%s: %s | %s | %s", r.Kind, r.Text, r.Observed, r.Expected))
		if !slices.Equal(r.Evidence, []event.UID{event.HashUID("1")}) {
			t.Errorf("evidence of %q is %v", r.Text, r.Evidence)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("reasons are\n%q\nwant\n%q", got, want)
	}
	if ja := o.Reasons[0].Text.In(say.Japanese); ja != `StopLogging(対象: org-trail)、実行者: ロール admin、接続元: 203.0.113.7 — eventName = "StopLogging"` {
		t.Errorf("in Japanese it says %s", ja)
	}
	e := call(1, "StopLogging", "tanaka", trail)
	e.Message = "role admin stopped trail org-trail"
	if got := judge(t, d, e).Occurrences[0].Reasons[0].Text.String(); !strings.HasPrefix(got, "role admin stopped trail org-trail: eventName is") {
		t.Errorf("with a message the sentence is %q", got)
	}
}

func TestContract(t *testing.T) {
	d := detector(t, stopped, described)
	var events []event.Event
	for i := range 200 {
		name := []string{"StopLogging", "DescribeTrails", "StartLogging"}[i%3]
		events = append(events, call(i, name, fmt.Sprint("s", i%5), fmt.Sprint("arn:aws:cloudtrail:us-east-1:111122223333:trail/", i%4)))
	}
	detecttest.Test(t, d, events)
	together := slices.Clone(events)
	for i := range together { // so that only uids tell them apart
		together[i].Time = together[i/50].Time
		together[i].ResourceUID = trail
		together[i].Message = fmt.Sprint("call ", i)
	}
	detecttest.Test(t, d, together)
	if n := len(judge(t, d, events...).Occurrences); n != 16 { // two days
		t.Errorf("%d occurrences, want 16", n)
	}
}

// TestOneInstant: of events of one second the finding tells of the same one,
// whatever batches they come in and in whatever order.
func TestOneInstant(t *testing.T) {
	d := detector(t, stopped)
	var events []event.Event
	for n := range 12 {
		e := call(n, "StopLogging", fmt.Sprint("s", n), trail)
		e.Time, e.Message = call(7, "", "", "").Time, fmt.Sprint("call ", n)
		events = append(events, e)
	}
	rng := rand.New(rand.NewPCG(1, 5))
	var want finding.Finding
	for n := range 12 {
		var all []finding.Occurrence
		for _, some := range slices.Collect(slices.Chunk(events, n+1)) {
			j, err := d.Judge(t.Context(), event.BatchID{byte(rng.Int()), byte(len(all))}, some)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, j.Occurrences...)
		}
		f := finding.Fold(all)
		if n == 0 {
			want = f
		}
		if !reflect.DeepEqual(f, want) || !strings.HasPrefix(f.Reasons[0].Text.String(), "latest of 12 events: call ") {
			t.Errorf("in batches of %d the finding is\n%+v, want\n%+v", n+1, f, want)
		}
		rng.Shuffle(len(events), func(i, k int) { events[i], events[k] = events[k], events[i] })
	}
}

func TestDefaults(t *testing.T) {
	d := detector(t, described)
	e := call(1, "DescribeTrails", "tanaka", "")
	e.ActorUID = ""
	o := judge(t, d, e).Occurrences[0]
	if o.Severity != finding.Medium || o.Confidence != 0.4 || o.Actor != "203.0.113.7" {
		t.Errorf("severity %s, confidence %v, actor %s", o.Severity, o.Confidence, o.Actor)
	}
	if last := o.Reasons[len(o.Reasons)-1]; last.Kind != "actor" || last.Text.String() != "No principal is named: the actor is the address 203.0.113.7" {
		t.Errorf("of the actor it says %+v", last)
	}
	e.Raw = []byte(`{"eventName":`)
	if j := judge(t, d, e); len(j.Occurrences) != 0 || d.Unjudged() != 1 {
		t.Errorf("a record that is no JSON gives %d occurrences, %d counted", len(j.Occurrences), d.Unjudged())
	}
}

func TestLoadRefuses(t *testing.T) {
	files := fstest.MapFS{
		"a.yml": {Data: []byte(stopped)},
		"b.yml": {Data: []byte(stopped)},
		"c.yml": {Data: []byte(strings.Replace(described, "logsource", "status: deprecated\nlogsource", 1))},
		"d.yml": {Data: []byte("title: [")},
	}
	d, refused := rule.Load([]rule.Tree{{FS: files, Shown: "builtin"}}, []string{t.TempDir() + "/absent"}, rule.Options{})
	var got []string
	for _, e := range refused {
		got = append(got, fmt.Sprintf("%s:%d", e.File[strings.LastIndexByte(e.File, '/')+1:], e.Line))
	}
	if d.Len() != 1 || strings.Join(got, " ") != "d.yml:1 absent:1 c.yml:3 b.yml:2" {
		t.Errorf("%d rules, refused %v", d.Len(), refused)
	}
}

// Names in logs are chosen by whoever made the call, and people paste commands.
func TestNextStepsAreSafeToPaste(t *testing.T) {
	d := detector(t, stopped)
	e := call(1, "StopLogging", "x'; rm -rf ~; '", "arn:aws:cloudtrail:us-east-1:111122223333:trail/a b$(id)\n")
	e.ActorUID = `a' "b`
	want := []string{
		"aws cloudtrail start-logging --region us-east-1 --name 'a b$(id)�'",
		`aws cloudtrail lookup-events --lookup-attributes AttributeKey=Username,AttributeValue='x'\''; rm -rf ~; '\'''`,
		`yagura search 'actor_uid:"a'\'' \"b" account_uid:111122223333'`,
	}
	if got := judge(t, d, e).Occurrences[0].Next; !reflect.DeepEqual(got, want) {
		t.Errorf("next steps are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	e = event.Event{Time: e.Time, Format: e.Format, Raw: e.Raw}
	if got := judge(t, d, e).Occurrences[0].Next[0]; got != "aws cloudtrail start-logging --region REGION --name RESOURCE" {
		t.Errorf("of an event that says nothing: %s", got)
	}
}

// TestMarks: base rules of correlations mark hours instead of judging, unless a
// correlation wants their findings too.
func TestMarks(t *testing.T) {
	const base = `title: Trails described
name: %s
logsource: {product: aws}
detection:
  sel: {eventName: %s}
  condition: sel
`
	const correlation = `title: Often
name: %s
correlation:
  type: event_count
  rules: [%s]
  timespan: 90m
  condition: {gte: 2}
  generate: %v
`
	d := detector(t,
		fmt.Sprintf(base, "quiet", "DescribeTrails"), fmt.Sprintf(correlation, "often", "quiet", false),
		fmt.Sprintf(base, "loud", "StopLogging"), fmt.Sprintf(correlation, "loudly", "loud", true))
	var seen []string
	d.Watch(func(batch event.BatchID, events []event.Event, hits []rule.BaseHit) {
		for _, h := range hits {
			seen = append(seen, fmt.Sprint(events[h.Event].APIOperation, " ", d.Set().Rule(h.Rule).Name))
		}
	})
	j := judge(t, d, call(2, "DescribeTrails", "tanaka", ""), call(3, "StopLogging", "tanaka", trail), call(70, "DescribeTrails", "tanaka", ""))
	if len(j.Occurrences) != 1 || j.Occurrences[0].Rule != "loud" || len(j.Matches) != 1 {
		t.Errorf("judged %+v, matches %+v", j.Occurrences, j.Matches)
	}
	var marks []string
	for _, m := range j.Marks {
		marks = append(marks, m.Hunter+" "+m.Hour.Format("02T15"))
	}
	// 23:59:02 and 00:00:10 reach from 22:29:02 to 01:30:10.
	if want := []string{
		"sigma/loudly 02T22", "sigma/loudly 02T23", "sigma/loudly 03T00", "sigma/loudly 03T01",
		"sigma/often 02T22", "sigma/often 02T23", "sigma/often 03T00", "sigma/often 03T01",
	}; !reflect.DeepEqual(marks, want) {
		t.Errorf("marks are %q, want %q", marks, want)
	}
	if want := []string{"DescribeTrails quiet", "StopLogging loud", "DescribeTrails quiet"}; !reflect.DeepEqual(seen, want) {
		t.Errorf("seen %q, want %q", seen, want)
	}

	// A correlation that cannot be used does not let its base rules loose.
	files := fstest.MapFS{
		"a.yml": {Data: []byte(fmt.Sprintf(base, "quiet", "DescribeTrails"))},
		"b.yml": {Data: []byte(strings.Replace(fmt.Sprintf(correlation, "often", "quiet", false), "quiet]", "quiet, nowhere]", 1))},
	}
	d, refused := rule.Load([]rule.Tree{{FS: files, Shown: "rules"}}, nil, rule.Options{})
	j = judge(t, d, call(2, "DescribeTrails", "tanaka", ""))
	if len(refused) != 1 || len(j.Occurrences) != 0 || len(j.Marks) != 0 {
		t.Errorf("refused %v, judged %+v", refused, j)
	}
}
