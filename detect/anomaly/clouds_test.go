package anomaly

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// cloud is what the same history is told with by another provider.
type cloud struct {
	format, provider, account, service, read string
	secret                                   func(name string) string
	actor                                    func(role string) string
	people                                   bool // a person is a principal, not a session of a role
}

var clouds = map[string]cloud{
	"aws": {"aws.cloudtrail", "AWS", "111122223333", "secretsmanager.amazonaws.com", "GetSecretValue",
		func(name string) string {
			return "arn:aws:secretsmanager:eu-west-1:111122223333:secret:" + name + "-aB3x9Z"
		},
		func(role string) string { return "arn:aws:iam::111122223333:role/" + role }, false},
	"azure": {"azure.keyvault", "Azure", "11112222-3333-4444-8555-666677778888", "vault.azure.net", "SecretGet",
		func(name string) string {
			return "/subscriptions/11112222-3333-4444-8555-666677778888/resourcegroups/shop/providers/microsoft.keyvault/vaults/shop/secrets/" + name
		},
		func(role string) string { return role }, true},
}

// month is a month of an application's secrets, with a day of trouble in it.
type month struct {
	cloud
	rnd    *rand.Rand
	events []event.Event
}

func (h *month) read(at time.Time, secret, who string, caller event.Caller, outcome event.Outcome) {
	var uid event.UID
	binary.BigEndian.PutUint64(uid[:], uint64(len(h.events)+1))
	e := event.Event{
		Time: at.UTC(), UID: uid, Outcome: outcome, Format: h.format, CloudProvider: h.provider, AccountUID: h.account, Region: "eu-west-1",
		APIService: h.service, APIOperation: h.cloud.read, ReadOnly: true, Category: event.Data, SrcIP: "203.0.113.7",
		ActorType: event.ActorRole, ActorUID: h.actor(who), ActorName: who, Caller: caller, CallerConfidence: 0.95, ResourceUID: h.secret(secret),
	}
	if strings.Contains(who, "@") {
		e.ActorType, e.ActorUID, e.ActorSession = event.ActorRole, h.actor("AWSReservedSSO_Dev"), who
		if h.people {
			e.ActorType, e.ActorUID, e.ActorSession = event.ActorUser, who, "0c0ffee0-1111-4222-8333-444455556666"
		}
	}
	if outcome == event.Denied {
		e.StatusCode = "Forbidden"
	}
	e.ResourceUIDs = []string{e.ResourceUID}
	h.events = append(h.events, e)
}

const historyDays = 36

// tell tells the history: a function reads its three secrets every half hour, people
// read one of their own in working hours, and on the 34th day there is trouble.
func (h *month) tell() {
	for day := range historyDays {
		at := start.AddDate(0, 0, day)
		for half := range 48 {
			burst := at.Add(time.Duration(half)*30*time.Minute + time.Duration(h.rnd.IntN(300))*time.Second)
			for i, s := range []string{"pay-db", "pay-mq", "pay-api"} {
				h.read(burst.Add(time.Duration(i)*time.Second), s, "pay-fn", event.CallerLambda, event.Success)
			}
		}
		if at.Weekday() != time.Saturday && at.Weekday() != time.Sunday {
			for range 3 {
				h.read(at.Add(9*time.Hour+time.Duration(h.rnd.IntN(8*3600))*time.Second), "team-tool", "mei.tanaka@example.com", event.CallerPersonCLI, event.Success)
			}
		}
	}
	bad := start.AddDate(0, 0, 33) // a Saturday
	h.read(bad.Add(10*time.Hour+41*time.Minute), "pay-db", "web", event.CallerEC2, event.Success)
	h.read(bad.Add(16*time.Hour+20*time.Minute), "pay-api", "jun.sato@example.com", event.CallerConsole, event.Success)
	h.read(bad.Add(3*time.Hour+12*time.Minute), "team-tool", "mei.tanaka@example.com", event.CallerPersonCLI, event.Success)
	for i := range 400 {
		h.read(bad.Add(14*time.Hour+time.Duration(i)*8*time.Second), "pay-mq", "pay-fn", event.CallerLambda, event.Success)
	}
	for i := range 40 {
		h.read(bad.Add(18*time.Hour+time.Duration(i)*10*time.Second), fmt.Sprintf("other-%d", i%20), "ci", event.CallerCI, event.Denied)
	}
	h.read(bad.Add(20*time.Hour+10*time.Minute), "pay-mq", "pay-fn", event.CallerLambda, event.Success)
	slices.SortStableFunc(h.events, func(a, b event.Event) int { return a.Time.Compare(b.Time) })
}

// signsIn are the signs that the hunter sees in the history, by the thing and person
// they are about.
func signsIn(t *testing.T, c cloud) map[string]bool {
	t.Helper()
	h := &month{cloud: c, rnd: rand.New(rand.NewPCG(7, 7))}
	h.tell()
	l := &lakeOf{events: h.events}
	o := l.options()
	o.Signs = func() []watch.Sign { return Signs(SignOptions{}) }
	end := start.AddDate(0, 0, historyDays)
	said, err := New(o).Hunt(t.Context(), Name, start, end, end)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for i := range said.Occurrences {
		x := &said.Occurrences[i]
		if x.Anomaly != nil {
			out[strings.TrimSpace(x.Since.Format("Jan 2")+" "+x.Anomaly.Sign+" "+x.Anomaly.Person)] = true
		}
	}
	return out
}

// TestClouds: the signs that hold for the secrets of AWS hold for those of other
// clouds, where their use is logged.
func TestClouds(t *testing.T) {
	want := signsIn(t, clouds["aws"])
	for _, sign := range []string{
		finding.SignCaller, finding.SignView + " jun.sato@example.com", finding.SignFrequency, finding.SignFailures, finding.SignTime + " mei.tanaka@example.com",
	} {
		if !want["Apr 4 "+sign] {
			t.Errorf("AWS: no sign %q on the day of trouble: %v", sign, slices.Sorted(maps.Keys(want)))
		}
	}
	for name, c := range clouds {
		if got := signsIn(t, c); !maps.Equal(got, want) {
			t.Errorf("%s: %v\nAWS: %v", name, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
	}
}
