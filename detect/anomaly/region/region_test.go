package region_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/region"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/detect/anomaly/watchtest"
	"github.com/yagura-sec/yagura/finding"
)

// estate is 40 days: pay is used at home, shop in two regions; the account works
// in us-east-1 too, was in us-west-2 long ago, and never elsewhere.
func estate() *watchtest.History {
	h := watchtest.New("2026-03-02")
	h.Every(40, "0-23 lambda pay-charge reads prod/pay/db x6 from private")
	h.Every(40, "0-23 lambda pay-refund reads prod/pay/mq x6 from private")
	h.Every(40, "0-23 ecs shop-web reads prod/shop/db x6 from 203.0.113.0/24")
	h.Every(40, "0-23 ecs shop-web reads prod/shop/cache x6 from 203.0.113.0/24")
	h.Every(40, "0-23 ecs shop-web-east reads prod/shop/db x6 at us-east-1 from 203.0.113.0/24")
	h.Every(40, "0-23 ec2 444455556666/report reads prod/feed/db x2 from 198.51.100.0/24")
	h.Every(40, "9-17 console AWSReservedSSO_Dev calls ec2 at us-east-1 by ann")
	h.On(1, "9 console AWSReservedSSO_Dev calls ec2 at us-west-2 by ann")
	h.On(3, "9 console AWSReservedSSO_Dev calls ec2 at us-west-2 by ann")
	h.Every(40, "0-23 lambda pay-charge reads key/mrk-pay x2 from private")
	h.Every(40, "0-23 lambda pay-charge reads key/1234 x2 from private")
	return h
}

func judged(o region.Options, lines ...string) (*watchtest.History, []watch.Alarm) {
	h := estate()
	h.Day(40)
	for _, l := range lines {
		h.On(40, l)
	}
	s := region.New(o)
	h.Learn(s, 0, 40)
	return h, h.Judge(s, 40)
}

const alert = 4.0

func TestFires(t *testing.T) {
	f := func(class string, unseen bool, lines ...string) {
		t.Helper()
		_, got := judged(region.Options{}, lines...)
		if len(got) != 1 {
			t.Errorf("%q: %d alarms, want 1: %+v", lines, len(got), got)
			return
		}
		a := &got[0]
		if a.Sign != finding.SignRegion || a.Class != class || a.Score < alert || !a.Mature || len(a.Context) > 0 {
			t.Errorf("%q: %+v", lines, a)
		}
		told := a.Tell()
		if told.Title.String() == "" || len(told.Reasons) < 2 || len(told.Next) == 0 || len(told.Attack) == 0 || len(a.Where.Secrets) == 0 ||
			unseen != strings.Contains(fmt.Sprint(told.Unseen), "no record of") {
			t.Errorf("%q: told %+v", lines, told)
		}
		t.Log(told.Title, "\n", told.Reasons[0].Text, "\n", told.Reasons[1].Text, a.Score)
	}
	// A region that nobody uses, by the usual reader, a stranger, a person.
	f("region", true, "10:41 lambda pay-charge reads prod/pay/db at eu-south-1 from private")
	f("region", true, "10:41 ec2 stranger reads prod/pay/db at eu-south-1")
	f("region", true, "10:41 person_cli AWSReservedSSO_Dev reads prod/pay/db at eu-south-1 by ann")
	// A region that the account left a month ago.
	f("region", false, "10:41 lambda pay-charge reads prod/pay/db at us-west-2 from private")
	// One that the account uses, by a stranger; the replica's, by a stranger.
	f("region", false, "10:41 ec2 stranger reads prod/pay/db at us-east-1")
	f("region", false, "10:41 ec2 stranger reads prod/shop/db at us-east-1")
	f("region", false, "10:41 person_cli AWSReservedSSO_Dev reads prod/shop/db at us-east-1 by ann")
	// The secret is asked for where it is not.
	f("region", true, "10:41 ec2 stranger reads prod/pay/db at eu-south-1 ends not_found")
	// Something was built there, but by a person; or for others.
	f("region", true, "9:00 console AWSReservedSSO_Dev build vpc/x at eu-south-1", "10:41 lambda pay-charge reads prod/pay/db at eu-south-1 from private")
	f("region", true, "9:00 ci deployer build vpc/x at eu-south-1", "10:41 ec2 stranger reads prod/pay/db at eu-south-1")
	// A key.
	f("region", true, "10:41 lambda pay-charge reads key/mrk-pay at eu-south-1 from private")
	// The home is right, the network is not: abroad, or another account's.
	f("region/network", false, "10:41 ecs shop-web reads prod/shop/db from 192.0.2.0/24")
	f("region/network", false, "10:41 lambda pay-charge reads prod/pay/db from 198.51.100.0/24")
}

func TestQuiet(t *testing.T) {
	f := func(lines ...string) {
		t.Helper()
		_, got := judged(region.Options{}, lines...)
		for i := range got {
			if a := &got[i]; a.Score >= alert && a.Mature && len(a.Context) == 0 {
				t.Errorf("%q: %+v, score %.1f", lines, a.Tell().Reasons, a.Score)
			}
		}
	}
	f("10:41 lambda pay-charge reads prod/pay/db from private")
	f("10:41 ecs shop-web-east reads prod/shop/db at us-east-1 from 203.0.113.0/24")
	f("10:41 ecs shop-web-east reads prod/shop/cache at us-east-1 from 203.0.113.0/24") // the family's second region
	f("10:41 lambda pay-charge reads prod/pay/db op DescribeSecret at eu-south-1")
	f("10:41 aws_service config reads prod/pay/db at eu-south-1")
	f("10:41 ec2 stranger reads key/1234 at eu-south-1")               // a key of one region
	f("10:41 ecs shop-web reads prod/shop/db from private")            // moved inside
	f("10:41 lambda pay-charge reads prod/pay/db from 203.0.113.0/24") // a network of the account
	f("10:41 lambda newcomer reads prod/pay/db from 192.0.2.0/24")     // nothing is known of it: caller's
}

func TestExplained(t *testing.T) {
	f := func(id string, alarms int, lines ...string) {
		t.Helper()
		_, got := judged(region.Options{}, lines...)
		if len(got) != alarms {
			t.Errorf("%q: %d alarms, want %d", lines, len(got), alarms)
		}
		for i := range got {
			if len(got[i].Context) != 1 || got[i].Context[0].ID != id {
				t.Errorf("%q: %+v", lines, got[i])
				continue
			}
			t.Log(got[i].Context[0].Text, got[i].Score)
		}
	}
	// A test of the plan for disasters.
	f("moved", 2, "8:00 ci deployer build vpc/dr at eu-south-1 service ec2", "8:10 ci deployer build service/pay at eu-south-1 service ecs",
		"10:41 lambda pay-charge reads prod/pay/db at eu-south-1 from private", "10:41 lambda pay-refund reads prod/pay/mq at eu-south-1 from private")
	f("replica", 1, "8:00 ci deployer replicate prod/pay/db at eu-south-1", "10:41 lambda pay-charge reads prod/pay/db at eu-south-1 from private")
	// The account's way out changes for all.
	f("egress", 3, "10:41 lambda pay-charge reads prod/pay/db from 192.0.2.0/24", "10:41 lambda pay-refund reads prod/pay/mq from 192.0.2.0/24",
		"10:41 ecs shop-web reads prod/shop/db from 192.0.2.0/24")
}

// A replica that Names tells of is declared, for usual readers only.
func TestReplica(t *testing.T) {
	h := estate()
	h.On(40, "10:41 lambda pay-charge reads prod/pay/db at eu-north-1 from private")
	h.On(40, "10:41 ec2 stranger reads prod/pay/db at eu-north-1")
	h.Names().Secrets[h.Secret("prod/pay/db")].Replicas = map[string]time.Time{"eu-north-1": h.Day(20).Start}
	s := region.New(region.Options{})
	h.Learn(s, 0, 40)
	got := h.Judge(s, 40)
	if len(got) != 2 || len(got[0].Context) != 1 || len(got[1].Context) != 0 || got[1].Score < alert {
		t.Errorf("%+v", got)
	}
}

// The same secret under another region's name is the same secret.
func TestOtherName(t *testing.T) {
	h := estate()
	h.Secret("prod/pay/db@eu-south-1", watchtest.Account, "eu-south-1")
	h.On(40, "10:41 ec2 stranger reads prod/pay/db@eu-south-1")
	s := region.New(region.Options{})
	h.Learn(s, 0, 40)
	got := h.Judge(s, 40)
	if len(got) != 1 || got[0].Score < alert || got[0].Region != "eu-south-1" || !got[0].Mature {
		t.Errorf("%+v", got)
	}
}

// What comes again is usual after three days.
func TestSettles(t *testing.T) {
	h := estate()
	h.Between(40, 50, "10:41 lambda pay-charge reads prod/pay/db at eu-south-1 from 192.0.2.0/24")
	s := region.New(region.Options{})
	h.Learn(s, 0, 40)
	for d := 40; d < 50; d++ {
		got := h.Judge(s, d)
		strong := 0
		for i := range got {
			if got[i].Score >= alert {
				strong++
			}
		}
		if want := map[bool]int{true: 2}[d == 40]; strong != want || d > 44 && len(got) > 0 {
			t.Errorf("day %d: %d strong of %d, want %d", d, strong, len(got), want)
		}
		s.Learn(h.Day(d))
	}
	if n := s.Bytes(); n <= 0 || n > 12000 {
		t.Errorf("%d bytes", n)
	}
}

// A clone learns on its own, and judging changes nothing.
func TestClone(t *testing.T) {
	h := estate()
	for d := 40; d < 46; d++ {
		h.On(d, "10:41 lambda pay-charge reads prod/pay/db at eu-south-1 from private")
	}
	s := region.New(region.Options{})
	h.Learn(s, 0, 40)
	c := s.Clone()
	h.Learn(c, 40, 46)
	one, two := h.Judge(s, 40), h.Judge(s, 40)
	if len(one) != 1 || len(two) != 1 || one[0].Score != two[0].Score {
		t.Errorf("%+v, %+v", one, two)
	}
	h.On(46, "10:41 lambda pay-charge reads prod/pay/db at eu-south-1 from private")
	if got := h.Judge(c, 46); len(got) != 0 {
		t.Errorf("the clone did not learn: %+v", got)
	}
}

// A program of many networks is judged by its own habit: one that keeps to them by
// a new one, one that shows new ones all the time by none.
func TestManyNetworks(t *testing.T) {
	f := func(steady bool) (float64, string) {
		h := watchtest.New("2026-03-02")
		for d := range 40 {
			for i := range 12 {
				h.On(d, fmt.Sprintf("%d lambda pay reads prod/pay/db x3 from 198.51.%d.0/24", i, i))
			}
			if !steady {
				h.On(d, fmt.Sprintf("13 lambda pay reads prod/pay/db from 203.0.%d.0/24", d))
			}
		}
		h.On(40, "14:10 lambda pay reads prod/pay/db from 192.0.2.0/24")
		s := region.New(region.Options{})
		h.Learn(s, 0, 40)
		got := h.Judge(s, 40)
		if len(got) == 0 {
			return 0, ""
		}
		return got[0].Score, fmt.Sprint(got[0].Tell().Unseen)
	}
	if x, said := f(true); x < 3.5 || !strings.Contains(said, "more than 8 networks") {
		t.Errorf("of 12 networks, always the same: %.1f, %s", x, said)
	}
	if x, _ := f(false); x >= 2 {
		t.Errorf("of another network every day: %.1f", x)
	}
}

// Of a program that calls from elsewhere it is told in which region, and until when.
func TestNetworkAbroad(t *testing.T) {
	_, got := judged(region.Options{}, "10:41 ecs shop-web reads prod/shop/db at us-east-1 from 192.0.2.0/24", "10:55 ecs shop-web reads prod/shop/db at us-east-1 from 192.0.2.0/24")
	i := slices.IndexFunc(got, func(a watch.Alarm) bool { return a.Class == "region/network" })
	if i < 0 || got[i].Region != "us-east-1" || got[i].Last.Format("15:04") != "10:55" {
		t.Fatalf("%+v", got)
	}
	if told := got[i].Tell(); !slices.ContainsFunc(told.Reasons, func(r finding.Reason) bool { return strings.Contains(r.Text.String(), "in us-east-1") }) {
		t.Errorf("%+v", told.Reasons)
	}
}
