package view_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/detect/anomaly/view"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/detect/anomaly/watchtest"
	"github.com/yagura-sec/yagura/finding"
)

// estate is 40 days in which programs read secrets and people go about theirs:
// ann looks after shop and opens its secrets, bob never opens any, cat opens the
// team's own, dee opens one of each application in turn.
func estate() *watchtest.History {
	h := watchtest.New("2026-03-02")
	for _, name := range []string{"prod/pay/db", "prod/pay/mq", "prod/shop/db", "prod/shop/cache", "prod/mail/smtp"} {
		h.Every(40, "0-23 lambda worker reads "+name+" x6")
	}
	for d := range 40 {
		if wd := h.Day(d).Start.Weekday(); wd == 0 || wd == 6 {
			continue
		}
		h.On(d, "9-17 console AWSReservedSSO_Dev calls ec2 x3 by bob")
		h.On(d, "9-17 console AWSReservedSSO_Dev calls ec2 x3 by ann")
		h.On(d, "10 console AWSReservedSSO_Shop reads prod/shop/db by ann")
		h.On(d, "9-17 console AWSReservedSSO_Shop calls ec2 by eve")
		h.On(d, "11 console AWSReservedSSO_Dev reads dev/notes by cat")
		h.On(d, "9-17 console AWSReservedSSO_Ops calls ec2 by dee")
	}
	for d, name := range []string{"prod/pay/db", "prod/pay/mq", "prod/shop/db", "prod/shop/cache"} {
		h.On(16+2*d, "11 console AWSReservedSSO_Ops reads "+name+" by dee")
	}
	return h
}

func judged(o view.Options, lines ...string) (*watchtest.History, []watch.Alarm) {
	h := estate()
	h.Day(40)
	for _, l := range lines {
		h.On(40, l) // a Saturday
		h.On(42, l) // a Monday
	}
	s := view.New(o)
	h.Learn(s, 0, 40)
	return h, h.Judge(s, 42)
}

const alert = 4.0

func TestFires(t *testing.T) {
	f := func(secret, person string, lines ...string) {
		t.Helper()
		h, got := judged(view.Options{}, lines...)
		if len(got) != 1 {
			t.Errorf("%q: %d alarms, want 1", lines, len(got))
			return
		}
		a := &got[0]
		if a.Sign != finding.SignView || a.Score < alert || !a.Mature || len(a.Context) > 0 || a.Person != person || a.Secret != h.Secret(secret) && a.Secret != -1 {
			t.Errorf("%q: %+v", lines, a)
		}
		told := a.Tell()
		if told.Title.String() == "" || len(told.Reasons) < 2 || len(told.Next) == 0 || len(told.Attack) == 0 || len(told.Series) == 0 || len(a.Where.Secrets) == 0 {
			t.Errorf("%q: told %+v", lines, told)
		}
		t.Log(told.Title, "\n", told.Reasons[0].Text, "\n", told.Reasons[1].Text, a.Score)
	}
	f("prod/pay/db", "bob", "10:41 console AWSReservedSSO_Dev reads prod/pay/db by bob")
	f("prod/pay/db", "cat", "10:41 console AWSReservedSSO_Dev reads prod/pay/db by cat") // opens only what people own
	f("prod/pay/db", "bob", "3:41 console AWSReservedSSO_Dev reads prod/pay/db by bob")
	f("prod/shop/cache", "zed", "10:41 console BreakGlass reads prod/shop/cache by zed")
	f("prod/pay/db", "bob", "10:41 console AWSReservedSSO_Dev reads prod/pay/db by bob", "10:42 console AWSReservedSSO_Dev reads prod/pay/mq by bob",
		"10:44 console AWSReservedSSO_Dev reads prod/mail/smtp by bob")
}

func TestQuiet(t *testing.T) {
	f := func(lines ...string) {
		t.Helper()
		_, got := judged(view.Options{}, lines...)
		for i := range got {
			if a := &got[i]; a.Score >= alert && a.Mature && len(a.Context) == 0 {
				t.Errorf("%q: %s, score %.1f", lines, a.Tell().Reasons[1].Text, a.Score)
			}
		}
	}
	f("10:41 console AWSReservedSSO_Shop reads prod/shop/db by ann")                                                             // does so every day
	f("10:41 console AWSReservedSSO_Shop reads prod/shop/cache by ann")                                                          // knows the family
	f("10:41 console AWSReservedSSO_Shop reads prod/shop/db by eve")                                                             // a colleague of hers
	f("10:41 console AWSReservedSSO_Shop reads prod/shop/cache by eve")                                                          // likewise
	f("10:41 console AWSReservedSSO_Ops reads prod/mail/smtp by dee")                                                            // opens one now and then
	f("10:41 console AWSReservedSSO_Dev reads dev/notes by bob")                                                                 // no application's
	f("10:41 console AWSReservedSSO_Dev reads prod/pay/db by bob ends denied")                                                   // failures'
	f("10:41 person_cli AWSReservedSSO_Dev reads prod/pay/db by bob")                                                            // caller's
	f("10:41 console AWSReservedSSO_Dev reads prod/pay/db by bob op ListSecrets")                                                // gives nothing out
	f("10:41 lambda worker reads prod/pay/db")                                                                                   // no person
	f("10:39 console AWSReservedSSO_Dev rotate prod/pay/db by bob", "10:41 console AWSReservedSSO_Dev reads prod/pay/db by bob") // changes its value
}

// Outside hours, for emergencies and of a stranger to secrets, a view is more
// striking; of somebody who opens them, less.
func TestOrder(t *testing.T) {
	score := func(line string) float64 {
		_, got := judged(view.Options{}, line)
		if len(got) != 1 {
			t.Fatalf("%q: %d alarms", line, len(got))
		}
		return got[0].Score
	}
	night, day := score("3:41 console AWSReservedSSO_Dev reads prod/pay/db by bob"), score("10:41 console AWSReservedSSO_Dev reads prod/pay/db by bob")
	emergency := score("10:41 console BreakGlass reads prod/pay/db by bob")
	if night <= day || emergency <= day {
		t.Errorf("at night %.2f, by day %.2f, with an emergency role %.2f", night, day, emergency)
	}
	// Somebody who opens one now and then is as good as expected to.
	if _, got := judged(view.Options{}, "10:41 console AWSReservedSSO_Ops reads prod/mail/smtp by dee"); len(got) > 0 && got[0].Score >= day-1 {
		t.Errorf("by somebody who opens secrets %.2f, who does not %.2f", got[0].Score, day)
	}
}

// A role that hundreds use is no team: that one of them opens a secret every day
// says nothing about the others.
func TestRoleOfMany(t *testing.T) {
	score := func(colleagues int) float64 {
		h := estate()
		for i := range colleagues {
			h.Between(1, 5, "9 console AWSReservedSSO_Shop calls ec2 by person"+strconv.Itoa(i))
		}
		h.On(42, "10:41 console AWSReservedSSO_Shop reads prod/shop/db by eve")
		s := view.New(view.Options{})
		h.Learn(s, 0, 40)
		got := h.Judge(s, 42)
		if len(got) != 1 {
			t.Fatalf("%d alarms", len(got))
		}
		return got[0].Score
	}
	if few, many := score(2), score(60); few >= many || many < alert {
		t.Errorf("in a role of a few %.2f, of many %.2f", few, many)
	}
}

// Where events are not held the principal stands for the person.
func TestWithoutEvents(t *testing.T) {
	h, _ := judged(view.Options{}, "10:41 console AWSReservedSSO_New reads prod/pay/db by bob")
	h.Day(42).Hours[10].People = nil
	s := view.New(view.Options{})
	h.Learn(s, 0, 40)
	got := h.Judge(s, 42)
	if len(got) != 1 || got[0].Person != "" || got[0].Actor != h.Actor("AWSReservedSSO_New") || !strings.Contains(fmt.Sprint(got[0].Tell().Unseen), "not held") {
		t.Errorf("%+v", got)
	}
}

// A secret counts as an application's after 30 calls, and is judged after 14 days.
func TestImmature(t *testing.T) {
	h := watchtest.New("2026-03-02")
	h.Every(9, "0-23 lambda worker reads prod/pay/db x6")
	h.Every(20, "9 lambda worker reads prod/books/db")
	h.On(9, "10 console AWSReservedSSO_Dev reads prod/pay/db by bob")
	h.On(9, "10 console AWSReservedSSO_Dev reads prod/books/db by bob")
	s := view.New(view.Options{})
	h.Learn(s, 0, 9)
	if got := h.Judge(s, 9); len(got) != 1 || got[0].Mature || got[0].Secret != h.Secret("prod/pay/db") {
		t.Errorf("%+v", got)
	}
}

func TestCloneAndAgain(t *testing.T) {
	h, _ := judged(view.Options{}, "10:41 console AWSReservedSSO_Dev reads prod/pay/db by bob", "15:00 console AWSReservedSSO_Dev reads prod/pay/db by bob")
	s := view.New(view.Options{})
	h.Learn(s, 0, 40)
	c := s.Clone()
	for d := 43; d < 50; d++ {
		h.On(d, "10:41 console AWSReservedSSO_Dev reads prod/pay/db by bob")
		h.On(d, "0-23 lambda worker reads prod/pay/db x6")
	}
	h.Learn(c, 40, 49)
	one, two, three := h.Judge(s, 42), h.Judge(s, 42), h.Judge(c, 49)
	if len(one) != 1 || len(two) != 1 || one[0].Score != two[0].Score {
		t.Errorf("judged twice: %+v, %+v", one, two)
	}
	if len(three) != 0 {
		t.Errorf("the clone did not learn: %+v", three)
	}
	if n := s.Bytes(); n <= 0 || n > 8000 {
		t.Errorf("%d bytes", n)
	}
}

// What a person read is told once, whatever operations and regions it took, and of
// each region what was read there.
func TestReadOnce(t *testing.T) {
	f := func(count int64, region string, last string, lines ...string) {
		t.Helper()
		h, _ := judged(view.Options{}, lines...)
		s := view.New(view.Options{})
		h.Learn(s, 0, 40)
		got := h.Judge(s, 42)
		if len(got) != 1 || got[0].Count != count || got[0].Region != region || got[0].Last.Format("15:04") != last {
			t.Errorf("%q: %+v", lines, got)
		}
	}
	read := func(when, rest string) string {
		return when + " console AWSReservedSSO_Dev reads prod/pay/db by bob " + rest
	}
	f(1, watchtest.Region, "10:41", read("10:41", ""))
	f(2, watchtest.Region, "10:41", read("10:41", "op GetSecretValue"), read("10:41", "op BatchGetSecretValue"))
	f(2, watchtest.Region, "10:41", read("10:41", "at "+watchtest.Region), read("10:41", "at us-east-1"))
	// A failed look elsewhere, an hour's end later, is none.
	f(1, watchtest.Region, "10:41", read("10:41", ""), read("10:59", "at us-east-1 ends denied"))
}

// A name of a session that nobody bore explains nothing by itself: some days of
// ordinary work before do.
func TestNewcomer(t *testing.T) {
	f := func(want bool, days int, line string) {
		t.Helper()
		h := estate()
		h.Between(42-days, 42, "9-12 console AWSReservedSSO_Dev calls ec2 by new")
		h.Between(42-days, 42, "9-12 console AWSReservedSSO_Shop calls ec2 by new")
		h.On(42, line)
		s := view.New(view.Options{})
		h.Learn(s, 0, 42)
		got := h.Judge(s, 42)
		if len(got) != 1 || want != (len(got[0].Context) == 1 && got[0].Context[0].ID == "newcomer") || !want && got[0].Score < alert {
			t.Errorf("%d days before %q: %+v", days, line, got)
		}
	}
	f(false, 0, "10:41 console AWSReservedSSO_Dev reads prod/pay/db by new")
	f(false, 1, "10:41 console AWSReservedSSO_Dev reads prod/pay/db by new")
	f(true, 4, "10:41 console AWSReservedSSO_Dev reads prod/pay/db by new")
}

// Names of sessions that are new each time are forgotten, those of people at work
// are not, nor what they do.
func TestPassing(t *testing.T) {
	h := estate()
	s := view.New(view.Options{})
	h.Learn(s, 0, 40)
	before := s.Bytes()
	for d := 40; d < 100; d++ {
		for i := range 20 {
			h.On(d, fmt.Sprintf("%d person_cli AWSReservedSSO_Dev reads dev/notes by run-%d-%d", 9+i%8, d, i))
		}
		h.On(d, "0-23 lambda worker reads prod/pay/db x6")
		h.On(d, "0-23 lambda worker reads prod/shop/db x6")
		h.On(d, "9-17 console AWSReservedSSO_Dev calls ec2 x3 by bob")
		h.On(d, "10 console AWSReservedSSO_Shop reads prod/shop/db by ann")
	}
	h.On(100, "10:41 console AWSReservedSSO_Dev reads prod/pay/db by bob")
	h.On(100, "10:43 console AWSReservedSSO_Shop reads prod/shop/db by ann")
	h.Learn(s, 40, 100)
	if n := s.Bytes() - before; n > 16*20*400 {
		t.Errorf("1,200 names of 60 days take %d bytes more", n)
	}
	got := h.Judge(s, 100)
	if len(got) != 1 || got[0].Person != "bob" || got[0].Score < alert || !strings.Contains(got[0].Tell().Reasons[1].Text.String(), "bob was at work on") {
		t.Errorf("%+v", got)
	}
}

// One look teaches nothing for three days: who comes again within them is as new as
// before, but for there being so many days. Of a change, only the person's own
// accounts for a look.
func TestSecondLook(t *testing.T) {
	h := estate()
	h.On(37, "10:41 console AWSReservedSSO_Dev reads prod/pay/db by bob")
	h.On(38, "12:20 console AWSReservedSSO_Dev reads prod/pay/db by bob")
	s := view.New(view.Options{})
	h.Learn(s, 0, 37)
	first := h.Judge(s, 37)
	h.Learn(s, 37, 38)
	second := h.Judge(s, 38)
	if len(first) != 1 || len(second) != 1 || second[0].Score < first[0].Score-0.6 || second[0].Score >= first[0].Score {
		t.Errorf("first %+v, second %+v", first, second)
	}
	f := func(contexts int, writer string) {
		t.Helper()
		_, got := judged(view.Options{}, "10:39 console AWSReservedSSO_Dev rotate prod/pay/db by "+writer, "10:41 console AWSReservedSSO_Dev reads prod/pay/db by bob")
		if len(got) != 1 || len(got[0].Context) != contexts {
			t.Errorf("changed by %s: %+v", writer, got)
		}
	}
	f(1, "bob")
	f(0, "ann")
}
