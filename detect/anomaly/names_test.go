package anomaly

import (
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
)

const secretBase = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"

// TestForms: a secret is one, named with its random characters or without.
func TestForms(t *testing.T) {
	f := func(a, b string, same bool) {
		t.Helper()
		for _, order := range [][2]string{{a, b}, {b, a}} {
			n := newNames()
			if got := n.secret(order[0]) == n.secret(order[1]); got != same {
				t.Errorf("%s and %s are the same: %v", order[0], order[1], got)
			}
		}
	}
	f(secretBase+"prod/db-aB3x9Z", secretBase+"prod/db", true)
	f(secretBase+"prod/db-aB3x9Z", secretBase+"prod/db-aB3x9Z", true)
	f(secretBase+"prod/db-master", secretBase+"prod/db", false)
	f(secretBase+"prod/db-202601", secretBase+"prod/db", false)
	f(secretBase+"prod/db-aB3x9Z", secretBase+"prod/mq-aB3x9Z", false)
	f("arn:aws:ssm:eu-west-1:111122223333:parameter/db-aB3x9Z", "arn:aws:ssm:eu-west-1:111122223333:parameter/db", false)
}

func TestSecretOf(t *testing.T) {
	f := func(uid, name, family, region string, key bool) {
		t.Helper()
		n := newNames()
		n.secret(uid)
		if g := n.Secrets[0]; g.Name != name || g.Family != family || g.Region != region || g.Key != key || g.UID != uid || g.Account != "111122223333" {
			t.Errorf("%+v", g)
		}
	}
	f(secretBase+"prod/payments/db-aB3x9Z", "prod/payments/db", "111122223333 prod/payments", "eu-west-1", false)
	f(secretBase+"payments-db-aB3x9Z", "payments-db", "111122223333 payments", "eu-west-1", false)
	f("arn:aws:ssm:us-east-1:111122223333:parameter/prod/payments/db", "/prod/payments/db", "111122223333 /prod/payments", "us-east-1", false)
	f("arn:aws:ssm:us-east-1:111122223333:parameter/payments-db", "payments-db", "111122223333 payments", "us-east-1", false)
	key := "arn:aws:kms:us-east-1:111122223333:key/0a1b-2c"
	f(key, "0a1b-2c", key, "us-east-1", true)
}

// TestCut: names and replicas of later hours are forgotten, others stay.
func TestCut(t *testing.T) {
	n := newNames()
	a := n.secret(secretBase + "a")
	n.actor("x")
	n.replicated(a, "us-west-2", start)
	to := n.count(start.Add(time.Hour))
	n.secret(secretBase + "b")
	n.actor("y")
	n.account("1")
	n.replicated(a, "us-east-1", start.Add(2*time.Hour))
	n.cut(to)
	if len(n.Secrets) != 1 || len(n.Actors) != 1 || len(n.Accounts) != 0 || len(n.Secrets[a].Replicas) != 1 {
		t.Errorf("%+v", n.Names)
	}
	if i := n.secret(secretBase + "c"); i != 1 || n.actor("y") != 1 {
		t.Error("numbers are not given again")
	}
}

func TestNetworkOf(t *testing.T) {
	f := func(e event.Event, want string) {
		t.Helper()
		if got := networkOf(&e); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	f(event.Event{SrcIP: "203.0.113.77"}, "203.0.113.0/24")
	f(event.Event{SrcIP: "::ffff:203.0.113.77"}, "203.0.113.0/24")
	f(event.Event{SrcIP: "2001:db8:1:2::7"}, "2001:db8:1::/48")
	f(event.Event{SrcIP: "10.4.0.9"}, "private")
	f(event.Event{SrcIP: "10.4.0.9", SrcVPCE: "vpce-0123"}, "vpce-0123")
	f(event.Event{SrcHost: "athena.amazonaws.com"}, "athena.amazonaws.com")
	f(event.Event{}, "")
}

// TestMarks: hours are marked that would be judged otherwise, which are all that
// usage counts into.
func TestMarks(t *testing.T) {
	f := func(e event.Event, want ...int) {
		t.Helper()
		k := newKept()
		k.mark(t, []event.Event{e})
		if len(k.marks) != len(want) {
			t.Errorf("%s %s: %v, want hours %v", e.APIOperation, e.Time, k.marks, want)
		}
		for _, h := range want {
			if !k.marks[start.Add(time.Duration(h)*time.Hour)] {
				t.Errorf("%s %s: %v, want hours %v", e.APIOperation, e.Time, k.marks, want)
			}
		}
	}
	w := newWorld(1)
	read := w.base(start.Add(90*time.Minute), "secretsmanager", "GetSecretValue")
	f(read, 1)
	read.Time = start.Add(2*time.Hour + time.Minute)
	f(read, 1, 2)
	read.Time = start.Add(3*time.Hour - time.Minute)
	f(read, 2, 3)
	read.Twin = true
	f(read)
	list := w.base(start.Add(time.Hour), "ec2", "DescribeInstances")
	f(list, 1)
	list.Category = event.Insight
	f(list)
	f(w.base(start.Add(time.Hour), "ecs", "UpdateService"), 1)
	f(w.base(start.Add(time.Hour), "signin", "ConsoleLogin"), 1)
}
