package novelty_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/detect/anomaly/watchtest"
	"github.com/yagura-sec/yagura/event"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9+0.01*math.Abs(b) }

func TestRates(t *testing.T) {
	r := novelty.NewRates(1000, []novelty.Kind{{Name: "rare", Usual: 1e-5}, {Name: "common", Usual: 1e-3}})
	if !near(r.P(0), 1e-5) || !near(r.P(1), 1.01e-3) || !near(r.All(), 1.01e-3) {
		t.Errorf("at first %g, %g, %g", r.P(0), r.P(1), r.All())
	}
	// Where the rare kind comes every day and the common one never, neither is striking.
	c := r.Clone()
	for range 400 {
		r.Seen(0, 1)
		r.Day(100)
	}
	if rare, common := r.Rate(0), r.Rate(1); rare < 0.008 || rare > 0.01 || common > 2e-4 || r.P(0) < 0.008 || r.P(1) < r.P(0) {
		t.Errorf("learned %g and %g", rare, common)
	}
	if !near(c.Rate(0), 1e-5) {
		t.Errorf("the clone learned too: %g", c.Rate(0))
	}
	// Half is forgotten after 60 days in which nothing could be seen.
	before := r.Learned(0)
	for range 60 {
		r.Day(0)
	}
	if !near(r.Learned(0), before/2) {
		t.Errorf("of %g %g are left", before, r.Learned(0))
	}
}

// What came once counts fully where such things are common, and hardly where they
// are as rare as trouble.
func TestOnce(t *testing.T) {
	r := novelty.NewRates(1000, []novelty.Kind{{Name: "rare", Usual: 1e-7}, {Name: "common", Usual: 1e-2}})
	r.Once(0, 1)
	r.Once(1, 1)
	if rare, common := r.Learned(0), r.Learned(1); rare > 0.01 || rare <= 0 || common < 0.99 || common > 1 {
		t.Errorf("counted %g and %g", rare, common)
	}
	// Where it comes again and again it was no trouble, or too much of it to tell.
	for range 1000 {
		r.Once(0, 1)
	}
	if r.Learned(0) < 500 {
		t.Errorf("of 1,000 %g were counted", r.Learned(0))
	}
}

// Repetitions are no novelties of their own.
func TestAll(t *testing.T) {
	r := novelty.NewRates(1000, []novelty.Kind{{Name: "again", Usual: 1, Repeat: true}, {Name: "new", Usual: 0.1}})
	if !near(r.All(), 0.1) {
		t.Errorf("in all %g", r.All())
	}
}

func TestLeaning(t *testing.T) {
	f := func(seen, expected, want float64) {
		t.Helper()
		if got := novelty.Leaning(seen, expected); !near(got, want) {
			t.Errorf("Leaning(%g, %g) = %g, want %g", seen, expected, got, want)
		}
	}
	f(0, 0, 1)
	f(0, 0.5, 0.5)
	f(5, 0.5, 5.5)
	f(1, 1, 1)
}

func TestScore(t *testing.T) {
	f := func(p, want float64) {
		t.Helper()
		if got := novelty.Score(p); !near(got, want) {
			t.Errorf("Score(%g) = %g, want %g", p, got, want)
		}
	}
	f(1, 0)
	f(2, 0)
	f(1e-4, 4)
	f(1e-300, 12)
	f(0, 12)
}

func TestAlike(t *testing.T) {
	f := func(a, b string, want bool) {
		t.Helper()
		if got := novelty.Alike(novelty.Words(a), novelty.Words(b)); got != want {
			t.Errorf("%q and %q: %v (%v, %v)", a, b, got, novelty.Words(a), novelty.Words(b))
		}
	}
	f("pay-charge", "pay-charge-task", true)
	f("payments-worker-role", "prod/payments", true)
	f("prod-payments-lambda", "prod-ledger-lambda", false) // what they share says nothing
	f("web-tier", "payments", false)
	f("", "", false)
	f("lambda-role-v2", "ecs-task-role", false)
	f("checkout-search-mailer", "prod/mailer", true)
	f("a-b-c", "a-b-c", false)
}

// A word in the names of the readers of many applications says nothing, one of an
// application in several environments does.
func TestVocabulary(t *testing.T) {
	var v novelty.Vocabulary
	for _, app := range []string{"payments", "orders", "ledger", "mailer", "search"} {
		v.Take(app+"-keeper", "prod/"+app)
		v.Take(app+"-keeper", "dev/"+app)
		v.Take("payments-reader", "dev/payments")
	}
	c := v.Clone()
	if got := c.Words("payments-keeper"); len(got) != 1 || got[0] != "payments" {
		t.Errorf("words %v", got)
	}
	if v.Bytes() == 0 || novelty.Alike(v.Words("orders-keeper"), v.Words("ledger-keeper")) {
		t.Error("a word of everybody makes them alike")
	}
}

func TestClass(t *testing.T) {
	for _, c := range []event.Caller{event.CallerLambda, event.CallerECS, event.CallerEC2, event.CallerEKS, event.CallerCI, event.CallerConsole,
		event.CallerPersonCLI, event.CallerAWSService, event.CallerStaticKey, event.CallerUnknown} {
		if n := novelty.Class(c); n > 15 || novelty.CallerOf(n) != c || novelty.A(c).String() == "" || novelty.Kinds(c).String() == "" {
			t.Errorf("%s is %d, which is %s", c, n, novelty.CallerOf(n))
		}
	}
	if novelty.CallerOf(novelty.Class("robot")) != event.CallerUnknown {
		t.Error("a new word for a caller is not unknown")
	}
}

func TestHomes(t *testing.T) {
	h := watchtest.New("2026-03-02")
	home, other := h.Secret("pay/db"), h.Secret("pay/mq")
	var s novelty.Homes
	s.Take(h.Names())
	copied := h.Secret("pay/db@us-east-1", watchtest.Account, "us-east-1")
	key := h.Secret("key/1234", watchtest.Account, "us-east-1")
	f := func(n, want int32) {
		t.Helper()
		if got := s.Of(h.Names(), n); got != want {
			t.Errorf("of %d: %d, want %d", n, got, want)
		}
	}
	f(home, home)
	f(other, other)
	f(copied, home) // though it was not taken in yet
	f(key, key)
	c := s.Clone()
	s.Take(h.Names())
	f(copied, home)
	f(key, key)
	if c.Of(h.Names(), copied) != home || c.Bytes() >= s.Bytes() {
		t.Error("the clone was changed")
	}
}

func TestActs(t *testing.T) {
	h := watchtest.New("2026-03-02")
	h.On(0, "9:00 ci deployer build role/old")
	h.On(3, "9:00 ci deployer build role/new")
	h.On(3, "10:00 ci deployer build role/failed ends denied")
	h.On(3, "11:00 ci deployer create pay/db") // of no interest here
	h.On(4, "9:00 ci deployer build role/new")
	h.On(8, "9:00 ci deployer deploy service/new")
	h.On(8, "11:00 ci deployer deploy service/later")
	acts := novelty.NewActs(7, watch.ActBuild, watch.ActDeploy)
	for d := range 8 {
		acts.Learn(h.Day(d))
	}
	found := func(m *novelty.Acts, since time.Time) (names []string) {
		m.Find(h.Day(8), 10, h.AccountOf(watchtest.Account), since, func(a *watch.Act) bool {
			names = append(names, a.Resource)
			return true
		})
		return names
	}
	if got := found(&acts, h.Day(0).Start); len(got) != 2 || got[0] != "service/new" || got[1] != "role/new" {
		t.Errorf("found %v", got)
	}
	if got := found(&acts, h.Day(4).Start); len(got) != 2 {
		t.Errorf("built again on day 4: %v", got)
	}
	if got := found(&acts, h.Day(8).Start); len(got) != 1 {
		t.Errorf("since today: %v", got)
	}
	c := acts.Clone()
	for d := 8; d < 12; d++ {
		acts.Learn(h.Day(d))
	}
	if len(found(&c, h.Day(0).Start)) != 2 || acts.Bytes() == 0 {
		t.Error("the clone was changed")
	}
}

func TestPeople(t *testing.T) {
	h := watchtest.New("2026-03-02")
	for d := range 40 {
		h.On(d, "9 console AWSReservedSSO_Dev calls ec2 by ann")
	}
	h.On(30, "9 console AWSReservedSSO_Dev calls ec2 by bob")
	h.On(30, "9 console AWSReservedSSO_Odd calls ec2 by cat")
	h.Between(28, 31, "9 console AWSReservedSSO_Dev calls ec2 by eve")
	var p novelty.People
	for d := range 31 {
		p.Learn(h.Day(d))
	}
	f := func(name, role string, day int, own, any bool) {
		t.Helper()
		for _, known := range []bool{true, false} {
			want := map[bool]bool{true: own, false: any}[known]
			if since, ok := p.New(name, h.Actor(role), novelty.DayOf(h.Day(day).Start), known); ok != want || ok && name == "bob" && novelty.DateOf(since) != h.Day(30).Start {
				t.Errorf("%s as %s on day %d, of its own %v: %v since %v", name, role, day, known, ok, novelty.DateOf(since))
			}
		}
	}
	f("ann", "AWSReservedSSO_Dev", 31, false, false) // long there
	f("bob", "AWSReservedSSO_Dev", 31, true, false)  // since yesterday: what the role reads only
	f("bob", "AWSReservedSSO_Dev", 39, true, false)
	f("eve", "AWSReservedSSO_Dev", 31, true, true)      // at work for three days
	f("bob", "AWSReservedSSO_Dev", 41, false, false)    // not new any more
	f("cat", "AWSReservedSSO_Odd", 31, false, false)    // in a role as new as she
	f("mallory", "AWSReservedSSO_Dev", 31, true, false) // a name that nobody bore
	f("", "AWSReservedSSO_Dev", 31, false, false)
	if n := p.Of(h.Actor("AWSReservedSSO_Dev")); n != 3 {
		t.Errorf("%d people with the role", n)
	}
	// Names that pass are forgotten soon, others late; the role's own age stays.
	before := p.Bytes()
	for d := 31; d < 60; d++ {
		h.On(d, fmt.Sprintf("9 person_cli AWSReservedSSO_Dev calls ec2 by run-%d", d))
		p.Learn(h.Day(d))
	}
	if n := p.Of(h.Actor("AWSReservedSSO_Dev")); n != 2+16 || p.Bytes() > before+16*100 {
		t.Errorf("%d people with the role, %d bytes of %d before", n, p.Bytes(), before)
	}
	f("dan", "AWSReservedSSO_Dev", 60, true, false)
}

// Commands are those of the thing's own service.
func TestNext(t *testing.T) {
	f := func(uid string, key bool, want string) {
		t.Helper()
		got := strings.Join(novelty.Next(&watch.Secret{UID: uid, Region: "eu-west-1", Key: key}), "; ")
		if !strings.Contains(got, want) || !strings.Contains(got, "--region eu-west-1") {
			t.Errorf("%s: %s", uid, got)
		}
	}
	f("arn:aws:secretsmanager:eu-west-1:111122223333:secret:pay/db", false, "rotate-secret --secret-id arn:aws:secretsmanager:eu-west-1:111122223333:secret:pay/db ")
	f("arn:aws:ssm:eu-west-1:111122223333:parameter/pay/db", false, "put-parameter --overwrite --name /pay/db ")
	f("arn:aws:kms:eu-west-1:111122223333:key/1234", true, "get-key-policy --key-id arn:aws:kms:eu-west-1:111122223333:key/1234 ")
}

func TestOldest(t *testing.T) {
	of := map[string]novelty.Tenure{"a": {Last: 7}, "b": {Last: 3}, "c": {Last: 3}, "d": {Last: 9}}
	if got := novelty.Oldest(of, 2, strings.Compare); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("%v", got)
	}
	if got := novelty.Oldest(of, 4, strings.Compare); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestNextOfOtherClouds(t *testing.T) {
	f := func(uid string, key bool, want string) {
		t.Helper()
		if got := strings.Join(novelty.Next(&watch.Secret{UID: uid, Key: key}), "\n"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", uid, got, want)
		}
	}
	const vault = "/subscriptions/s-1/resourcegroups/shop/providers/microsoft.keyvault/vaults/v"
	f(vault+"/secrets/db", false, "az keyvault secret list-versions --vault-name v --name db\naz role assignment list --all --scope "+vault)
	f(vault+"/keys/release", true, "az keyvault key list-versions --vault-name v --name release\naz role assignment list --all --scope "+vault)
	f("/subscriptions/s-1/resourcegroups/shop/providers/microsoft.keyvault/managedhsms/h/keys/root", true,
		"az keyvault key show --hsm-name h --name root\naz keyvault role assignment list --hsm-name h")
	f("//secretmanager.googleapis.com/projects/p/secrets/db", false, "gcloud secrets versions list db --project p\ngcloud secrets get-iam-policy db --project p")
	f("//cloudkms.googleapis.com/projects/p/locations/global/keyRings/r/cryptoKeys/k", true,
		"gcloud kms keys describe k --keyring r --location global --project p\ngcloud kms keys get-iam-policy k --keyring r --location global --project p")
	for uid, want := range map[string]string{
		"arn:aws:iam::111122223333:role/api": "aws iam get-role --role-name api", "0c0ffee0-5555": "az ad sp show --id 0c0ffee0-5555",
		"api@p.iam.gserviceaccount.com": "gcloud iam service-accounts describe api@p.iam.gserviceaccount.com",
	} {
		if got := novelty.Show(&watch.Actor{UID: uid, Name: "api"}); got != want {
			t.Errorf("Show(%s) = %s, want %s", uid, got, want)
		}
	}
}
