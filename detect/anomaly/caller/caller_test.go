package caller_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/detect/anomaly/caller"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/detect/anomaly/watchtest"
	"github.com/yagura-sec/yagura/finding"
)

// estate is 40 days of everyday work: three applications, two of Lambda and one
// of ECS, and a person's own secret.
func estate() *watchtest.History {
	h := watchtest.New("2026-03-02")
	h.Every(40, "0-23 lambda pay-charge reads prod/pay/db x6")
	h.Every(40, "0-23 lambda pay-charge reads prod/pay/api-key x2")
	h.Every(40, "0-23 lambda pay-refund reads prod/pay/mq x2")
	h.Every(40, "0-23 ecs shop-web reads prod/shop/db x9")
	h.Every(40, "0-23 ecs shop-web reads prod/shop/cache x1")
	h.Every(40, "8-18 ec2 web-tier reads prod/legacy/db x4")
	h.Every(40, "0-23 lambda pay-charge reads key/pay-master x3")
	h.Every(40, "0-23 ecs 444455556666/reports reads prod/shared/feed x2")
	h.Every(40, "0-23 lambda feeder reads prod/shared/feed x2")
	h.Every(40, "9-17 person_cli AWSReservedSSO_Dev reads dev/tools/token by ann@example.com")
	h.Between(36, 40, "9-17 console AWSReservedSSO_Dev calls ec2 by new@example.com")
	return h
}

// judged is what the sign says of day 40, which holds the lines, after 40 days.
func judged(o caller.Options, lines ...string) (*watchtest.History, []watch.Alarm) {
	h := estate()
	for _, l := range lines {
		h.On(40, l)
	}
	s := caller.New(o)
	h.Learn(s, 0, 40)
	return h, h.Judge(s, 40)
}

// alert is the score at which one alarm in ten days and 1,000 secrets is due to
// chance.
const alert = 4.0

func TestFires(t *testing.T) {
	f := func(secret, technique string, lines ...string) {
		t.Helper()
		h, got := judged(caller.Options{}, lines...)
		if len(got) != 1 {
			t.Errorf("%q: %d alarms, want 1", lines, len(got))
			return
		}
		a := &got[0]
		if a.Sign != finding.SignCaller || a.Score < alert || !a.Mature || len(a.Context) > 0 || a.Trials != 1 {
			t.Errorf("%q: score %.1f mature %v context %v", lines, a.Score, a.Mature, a.Context)
		}
		if a.Secret != h.Secret(secret) && (len(a.Secrets) == 0 || a.Secrets[0] != h.Secret(secret)) {
			t.Errorf("%q: secret %d %v, want %s", lines, a.Secret, a.Secrets, secret)
		}
		told := a.Tell()
		if told.Title.String() == "" || len(told.Reasons) < 2 || len(told.Next) == 0 || !strings.Contains(strings.Join(told.Attack, " "), technique) || len(told.Unseen) == 0 {
			t.Errorf("%q: told %+v", lines, told)
		}
		t.Log(told.Title, "\n", told.Reasons[0].Text, "\n", told.Reasons[1].Text, math.Round(10*a.Score)/10)
	}
	// A Lambda secret from EC2: a role of another application, a new one, its own.
	f("prod/pay/db", "T1555.006", "10:41 ec2 web-tier reads prod/pay/db")
	f("prod/pay/db", "T1555.006", "10:41 ec2 bastion reads prod/pay/db")
	f("prod/pay/db", "T1552.005", "10:41 ec2 pay-charge reads prod/pay/db x3")
	// A role of another account that never read here, as the usual kind of caller.
	f("prod/shop/db", "T1078.004", "10:41 ecs 777788889999/shop-web reads prod/shop/db")
	// From a laptop, with the program's credentials and with the person's own.
	f("prod/pay/db", "T1078.004", "10:41 person_cli pay-charge reads prod/pay/db")
	f("prod/pay/db", "T1078.004", "10:41 person_cli AWSReservedSSO_Dev reads prod/pay/db by ann@example.com")
	// A session whose name nobody bore, and which did something else that morning.
	f("prod/pay/db", "T1078.004", "9:00 console AWSReservedSSO_Dev calls ec2 by somebody@example.com", "10:41 person_cli AWSReservedSSO_Dev reads prod/pay/db by somebody@example.com")
	// A static key.
	f("prod/shop/db", "T1078.004", "10:41 static_key ci-uploader reads prod/shop/db")
	// A key.
	f("key/pay-master", "T1078.004", "10:41 ec2 web-tier reads key/pay-master x4")
	// Something was built beforehand, but for something else, or by a person.
	f("prod/pay/db", "T1555.006", "9:00 ci deployer build role/shop-worker service iam", "10:41 ec2 bastion reads prod/pay/db")
	f("prod/pay/db", "T1555.006", "9:00 console AWSReservedSSO_Dev build role/bastion service iam", "10:41 ec2 bastion reads prod/pay/db")
}

func TestQuiet(t *testing.T) {
	f := func(lines ...string) {
		t.Helper()
		_, got := judged(caller.Options{}, lines...)
		for i := range got {
			if a := &got[i]; a.Score >= alert && a.Mature && len(a.Context) == 0 {
				t.Errorf("%q: %s, score %.1f", lines, a.Tell().Reasons[0].Text, a.Score)
			}
		}
	}
	f("10:41 lambda pay-charge reads prod/pay/db x400")                            // the usual one
	f("10:41 console AWSReservedSSO_Dev reads prod/pay/db by ann@example.com")     // view's
	f("10:41 ec2 web-tier reads prod/pay/db op DescribeSecret")                    // gives nothing out
	f("10:41 ec2 web-tier reads prod/pay/db ends denied")                          // failures'
	f("10:41 aws_service config reads key/pay-master")                             // on somebody's behalf
	f("10:41 ec2 web-tier reads prod/pay/db at us-east-1")                         // region's
	f("10:41 lambda pay-charge reads prod/pay/mq")                                 // reads the rest of the family
	f("10:41 lambda pay-settle reads prod/pay/db")                                 // a new program of the same application
	f("10:41 ecs shop-web-green reads prod/shop/db")                               // a role renamed
	f("10:41 person_cli AWSReservedSSO_Dev reads dev/tools/token by bo@elsewhere") // a colleague
	f("10:41 lambda stranger reads prod/new/secret")                               // a secret without any past
}

func TestExplained(t *testing.T) {
	f := func(id string, lines ...string) {
		t.Helper()
		_, got := judged(caller.Options{}, lines...)
		if len(got) != 1 || len(got[0].Context) != 1 || got[0].Context[0].ID != id || got[0].Context[0].Text.String() == "" {
			t.Errorf("%q: %+v", lines, got)
		}
		for i := range got {
			t.Log(got[i].Context, got[i].Score)
		}
		if _, got = judged(caller.Options{NoContext: true}, lines...); len(got) != 1 || len(got[0].Context) != 0 {
			t.Errorf("without context, %q: %+v", lines, got)
		}
	}
	// Lambda to ECS, the task's role built by CI; its service, with the role's name.
	f("built", "9:00 ci deployer build role/pay-charge-task service iam", "10:41 ecs pay-charge-task reads prod/pay/db")
	f("built", "9:00 ci deployer build service/pay-charge service ecs", "10:41 ecs pay-charge-task reads prod/pay/db")
	f("built", "9:00 ci deployer deploy function/ledger-sync service lambda", "10:41 lambda ledger-sync reads prod/shop/db")
	f("newcomer", "10:41 person_cli AWSReservedSSO_Dev reads prod/pay/db by new@example.com")
	f("rotation", "10:40 lambda rotator reads prod/shop/db", "10:41 lambda rotator rotate prod/shop/db")
}

// What comes again becomes usual after three days; what does not is remembered.
func TestSettles(t *testing.T) {
	h := estate()
	h.Between(40, 50, "10:41 ec2 web-tier reads prod/pay/db")
	h.Between(40, 50, "0-23 lambda pay-charge reads prod/pay/db x6")
	s := caller.New(caller.Options{})
	h.Learn(s, 0, 40)
	f := func(day int, want bool) {
		t.Helper()
		got := h.Judge(s, day)
		if strong := len(got) == 1 && got[0].Score >= alert; strong != want {
			t.Errorf("day %d: %+v", day, got)
		}
		if day > 44 && len(got) > 0 {
			t.Errorf("day %d: not usual yet: %+v", day, got)
		}
		s.Learn(h.Day(day))
	}
	f(40, true)
	for d := 41; d < 50; d++ {
		f(d, false)
	}
}

// Too little is known of a secret in its first week, and with few calls.
func TestImmature(t *testing.T) {
	h := watchtest.New("2026-03-02")
	h.Every(5, "0-23 lambda pay-charge reads prod/pay/db x6")
	h.Every(20, "9 lambda monthly reads prod/books/db")
	s := caller.New(caller.Options{})
	h.On(5, "10 ec2 web-tier reads prod/pay/db")
	h.Learn(s, 0, 5)
	if got := h.Judge(s, 5); len(got) != 1 || got[0].Mature || got[0].Score < alert {
		t.Errorf("after 5 days: %+v", got)
	}
	h.Learn(s, 5, 20)
	h.On(20, "10 ec2 web-tier reads prod/books/db")
	if got := h.Judge(s, 20); len(got) != 1 || got[0].Mature {
		t.Errorf("after 20 calls: %+v", got)
	}
}

// Several secrets in an hour are one alarm, the same again in the day is none.
func TestOneAlarm(t *testing.T) {
	h, got := judged(caller.Options{}, "10:41 ec2 web-tier reads prod/pay/db", "10:42 ec2 web-tier reads prod/pay/mq",
		"10:43 ec2 web-tier reads prod/shop/db", "15 ec2 web-tier reads prod/shop/db")
	if len(got) != 1 || len(got[0].Secrets) != 3 || got[0].Secret != -1 || got[0].Count != 3 || len(got[0].Where.Secrets) != 3 {
		t.Fatalf("%+v", got)
	}
	if told := got[0].Tell(); !strings.Contains(told.Title.String(), "and 2 more") {
		t.Error(told.Title)
	}
	_ = h
}

// What was read elsewhere, which region judges, is judged here once it is read at
// home.
func TestAtHome(t *testing.T) {
	_, got := judged(caller.Options{}, "8 ec2 web-tier reads prod/pay/db at us-east-1", "10:41 ec2 web-tier reads prod/pay/db")
	if len(got) != 1 || got[0].First.Hour() != 10 {
		t.Errorf("%+v", got)
	}
}

// Without peers a program of the same application is as good as any.
func TestAblations(t *testing.T) {
	score := func(o caller.Options, line string) float64 {
		_, got := judged(o, line)
		if len(got) != 1 {
			t.Fatalf("%q: %d alarms", line, len(got))
		}
		return got[0].Score
	}
	const kin = "10:41 lambda pay-charge-two reads prod/pay/mq"
	if with, without := score(caller.Options{}, kin), score(caller.Options{NoPeers: true}, kin); with >= without {
		t.Errorf("a namesake scores %.2f with peers, %.2f without", with, without)
	}
}

// An hour that is looked at again because a record came late is judged anew, and
// so are those after it.
func TestLate(t *testing.T) {
	h := estate()
	h.On(40, "15 ec2 web-tier reads prod/pay/db")
	s := caller.New(caller.Options{})
	h.Learn(s, 0, 40)
	if got := h.Judge(s, 40); len(got) != 1 || got[0].First.Hour() != 15 {
		t.Fatalf("%+v", got)
	}
	again := *h.Day(40).Hours[10]
	h.Day(40).Hours[10] = &again
	h.On(40, "10 ec2 web-tier reads prod/pay/db")
	if got := s.Judge(h.Day(40), 15); len(got) != 0 {
		t.Errorf("judged alone, hour 15 says again what hour 10 said: %+v", got)
	}
	if got := s.Judge(h.Day(40), 10); len(got) != 1 || got[0].First.Hour() != 10 {
		t.Errorf("%+v", got)
	}
	if got := h.Judge(s, 40); len(got) != 1 || got[0].First.Hour() != 10 {
		t.Errorf("%+v", got)
	}
}

// Where new readers come every week, one more is less striking.
func TestLeaning(t *testing.T) {
	h := estate()
	for d := 10; d < 40; d += 3 {
		for k := range 6 {
			h.On(d+min(k, 5), "11 ecs job-"+string(rune('a'+d))+" reads prod/shop/db")
		}
	}
	h.Between(40, 41, "0-23 lambda pay-charge reads prod/pay/db x6")
	h.On(40, "10 ecs tool reads prod/shop/db")
	h.On(40, "10 ecs tool-two reads prod/shop/cache")
	s := caller.New(caller.Options{})
	h.Learn(s, 0, 40)
	got := h.Judge(s, 40)
	if len(got) != 1 && len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	if len(got) == 2 && got[0].Score >= got[1].Score {
		t.Errorf("the secret with many newcomers scores %.2f, the other %.2f", got[0].Score, got[1].Score)
	}
}

// A clone learns on its own, and judging changes nothing.
func TestClone(t *testing.T) {
	h := estate()
	h.On(40, "10 ec2 web-tier reads prod/pay/db")
	s := caller.New(caller.Options{})
	h.Learn(s, 0, 40)
	c := s.Clone()
	for d := 40; d < 46; d++ {
		h.On(d, "11 ec2 web-tier reads prod/pay/db")
	}
	h.Learn(c, 40, 46)
	one, two := h.Judge(s, 40), h.Judge(s, 40)
	if len(one) != 1 || len(two) != 1 || one[0].Score != two[0].Score {
		t.Errorf("%+v, then %+v", one, two)
	}
	h.On(46, "10 ec2 web-tier reads prod/pay/db")
	if got := h.Judge(c, 46); len(got) != 0 {
		t.Errorf("the clone did not learn: %+v", got)
	}
	if n := s.Bytes(); n <= 0 || n > 10_000 {
		t.Errorf("%d bytes for %d secrets", n, len(h.Names().Secrets))
	}
}

// A secret of more callers than are kept goes on being judged, by kind of caller
// and account; once they are forgotten, by role again. A row of strangers makes no
// crowd.
func TestCrowded(t *testing.T) {
	score := func(readers, quiet int, line string) (float64, string) {
		h := watchtest.New("2026-03-02")
		h.Every(40+quiet, "0-23 lambda main reads prod/pay/db x6")
		h.Every(40+quiet, "0-23 ecs shop-web reads prod/shop/db x6")
		for i := range readers {
			h.Every(40, fmt.Sprintf("11 lambda reader%d reads prod/pay/db", i))
		}
		h.On(40+quiet, line)
		s := caller.New(caller.Options{})
		h.Learn(s, 0, 40+quiet)
		top, unseen := 0.0, ""
		for _, a := range h.Judge(s, 40+quiet) {
			top, unseen = max(top, a.Score), fmt.Sprint(append(a.Tell().Unseen, a.Tell().Reasons[1].Text))
		}
		return top, unseen
	}
	const program, instance, abroad = "12:10 lambda stranger reads prod/pay/db", "12:10 ec2 stranger reads prod/pay/db", "12:10 lambda 444455556666/stranger reads prod/pay/db"
	if x, _ := score(40, 0, program); x != 0 {
		t.Errorf("a stranger among 41 of its kind and account: %.1f", x)
	}
	for _, line := range []string{instance, abroad} {
		if x, said := score(40, 0, line); x < alert || !strings.Contains(said, "more callers than") {
			t.Errorf("%q among 41 callers: %.1f, %s", line, x, said)
		}
	}
	// 180 days after the last of them it is known one by one who reads it.
	if x, said := score(40, 185, program); x < 2 || strings.Contains(said, "more callers than") {
		t.Errorf("after the others are forgotten: %.1f, %s", x, said)
	}
	// 30 roles that came on one day do not hide the next.
	h := estate()
	for i := range 30 {
		h.On(39, fmt.Sprintf("11 lambda probe%d reads prod/pay/db", i))
	}
	h.On(40, "12:10 lambda 444455556666/stranger reads prod/pay/db")
	h.On(40, "12:10 ec2 stranger reads prod/pay/db")
	s := caller.New(caller.Options{})
	h.Learn(s, 0, 40)
	got := h.Judge(s, 40)
	if len(got) != 2 || got[0].Score < alert || got[1].Score < alert {
		t.Errorf("after 30 strangers: %+v", got)
	}
}
