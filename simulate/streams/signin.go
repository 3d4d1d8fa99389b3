package streams

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
	"github.com/yagura-sec/yagura/simulate/logs"
)

// KindSignIn is the kind of labels that tell of attempts to sign in.
const KindSignIn = "sign_in"

// signIn is somebody who signs in, or tries.
type signIn struct {
	at      time.Time
	person  *estate.Person
	ip      string
	code    int
	app     int
	foreign string // country and city, where it is not the person's
	id      string
	agent   string // browser; empty: the person's
	legacy  bool   // an old protocol, as phones and mail programs use
}

// Error codes of Entra ID.
const (
	wrongPassword = 50126
	needsMFA      = 50076
	locked        = 50053
)

var reasons = map[int]string{
	0:             "Other.",
	wrongPassword: "Error validating credentials due to invalid username or password.",
	needsMFA:      "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource.",
	locked:        "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
}

var apps = []struct{ name, id string }{
	{"AWS IAM Identity Center (successor to AWS Single Sign-On)", "5e1ac2b4-7d3f-4a60-9c1e-27b0d4f8a913"},
	{"Google Cloud / G Suite Connector by Microsoft", "c2f7a0d6-19e3-4b58-8f4d-6a35e9b1c740"},
	{"Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000"},
	{"Microsoft Teams", "1fec8e78-bce4-4aaf-ab1b-5451cc387264"},
}

// A record of the category SignInLogs, as far as we write it.
type signInRecord struct {
	Time       string     `json:"time"`
	ResourceID string     `json:"resourceId"`
	Operation  string     `json:"operationName"`
	Version    string     `json:"operationVersion"`
	Category   string     `json:"category"`
	Tenant     string     `json:"tenantId"`
	Type       string     `json:"resultType"`
	Signature  string     `json:"resultSignature"`
	Reason     string     `json:"resultDescription,omitempty"`
	Duration   int        `json:"durationMs"`
	IP         string     `json:"callerIpAddress"`
	Correlate  string     `json:"correlationId"`
	Identity   string     `json:"identity"`
	Level      int        `json:"Level"`
	Location   string     `json:"location"`
	Properties properties `json:"properties"`
}

type properties struct {
	ID         string         `json:"id"`
	Created    string         `json:"createdDateTime"`
	Name       string         `json:"userDisplayName"`
	User       string         `json:"userPrincipalName"`
	UserID     string         `json:"userId"`
	AppID      string         `json:"appId"`
	App        string         `json:"appDisplayName"`
	IP         string         `json:"ipAddress"`
	Status     signInStatus   `json:"status"`
	Client     string         `json:"clientAppUsed"`
	Agent      string         `json:"userAgent,omitempty"`
	Device     device         `json:"deviceDetail"`
	Location   signInLocation `json:"location"`
	Correlate  string         `json:"correlationId"`
	Access     string         `json:"conditionalAccessStatus"`
	Request    string         `json:"originalRequestId"`
	Inter      bool           `json:"isInteractive"`
	Issuer     string         `json:"tokenIssuerType"`
	Risk       string         `json:"riskState"`
	RiskLevel  string         `json:"riskLevelDuringSignIn"`
	Factors    string         `json:"authenticationRequirement"`
	ResourceID string         `json:"resourceId"`
	Resource   string         `json:"resourceDisplayName"`
}

type signInStatus struct {
	Code   int    `json:"errorCode"`
	Reason string `json:"failureReason,omitempty"`
	More   string `json:"additionalDetails,omitempty"`
}

type device struct {
	ID      string `json:"deviceId"`
	Name    string `json:"displayName,omitempty"`
	System  string `json:"operatingSystem"`
	Browser string `json:"browser"`
	Managed bool   `json:"isManaged"`
	Comply  bool   `json:"isCompliant"`
}

type signInLocation struct {
	City    string `json:"city"`
	Country string `json:"countryOrRegion"`
}

var cities = map[string]string{"JP": "Tokyo", "DE": "Berlin", "US": "New York"}

// elsewhere is where nobody of ours is.
var elsewhere = []signInLocation{{"Kyiv", "UA"}, {"Sao Paulo", "BR"}, {"Hanoi", "VN"}, {"Lagos", "NG"}, {"Bucharest", "RO"}}

func (s *scene) tenant() string { return logs.UUID(s.chance("tenant")) }

// record is the record of x.
func (s *scene) record(x signIn, rng *rand.Rand) signInRecord {
	m, tenant := logs.MachineOf(x.person.Device), s.tenant()
	stamp := x.at.UTC().Format("2006-01-02T15:04:05.0000000Z")
	where := signInLocation{cities[x.person.Team.Country], x.person.Team.Country}
	dev := device{logs.UUID(s.chance("device", x.person.Device)), x.person.Device, map[string]string{"MACOSX": "MacOs", "LINUX": "Linux", "WINDOWS": "Windows10"}[m.OS], "Chrome", true, true}
	client, agent := "Browser", m.Browser
	if x.foreign != "" {
		for _, e := range elsewhere {
			if e.Country == x.foreign {
				where = e
			}
		}
		dev = device{System: "Linux", Browser: "Python Requests 2.32"}
		agent = x.agent
	}
	if x.legacy {
		client, agent, dev = "IMAP4", "", device{System: "Ios"}
	}
	id := x.id
	if id == "" {
		id = logs.UUID(rng)
	}
	factors := "singleFactorAuthentication"
	if x.code == needsMFA {
		factors = "multiFactorAuthentication"
	}
	reason := reasons[x.code]
	r := signInRecord{
		Time: stamp, ResourceID: "/tenants/" + tenant + "/providers/Microsoft.aadiam", Operation: "Sign-in activity", Version: "1.0", Category: "SignInLogs",
		Tenant: tenant, Type: strconv.Itoa(x.code), Signature: map[bool]string{true: "SUCCESS", false: "FAILURE"}[x.code == 0], IP: x.ip, Correlate: logs.UUID(rng),
		Identity: x.person.Name, Level: 4, Location: where.Country,
		Properties: properties{
			ID: id, Created: stamp, Name: x.person.Name, User: x.person.Email, UserID: logs.UUID(s.chance("user", x.person.Email)),
			AppID: apps[x.app].id, App: apps[x.app].name, IP: x.ip, Client: client, Agent: agent, Device: dev, Location: where,
			Status: signInStatus{Code: x.code}, Access: map[bool]string{true: "success", false: "notApplied"}[x.code == 0],
			Request: id, Inter: true, Issuer: "AzureAD", Risk: "none", RiskLevel: "none", Factors: factors, ResourceID: apps[x.app].id, Resource: apps[x.app].name,
		},
	}
	r.Properties.Correlate = r.Correlate
	if x.code != 0 {
		r.Reason, r.Properties.Status.Reason = reason, reason
	}
	return r
}

func writeSignIns(ctx context.Context, dir string, s *scene) error {
	out := s.daily(dir, "signins/2006-01-02.jsonl.gz")
	for _, i := range s.signInTrouble() {
		if !s.wanted[i.label.ID] {
			continue
		}
		rng := s.chance("idp", i.label.ID)
		for _, x := range i.signs {
			if err := out.AddJSON(x.at, s.record(x, rng)); err != nil {
				return err
			}
		}
	}
	var today time.Time
	return out.Finish(s.shifts(ctx, "idp", func(d *shift) error {
		for _, x := range s.everyday(d) {
			if err := out.AddJSON(x.at, s.record(x, d.rng)); err != nil {
				return err
			}
		}
		return nil
	}, func(until time.Time) error {
		if day := until.Truncate(24 * time.Hour); day.After(today) && day.Before(s.w.End) && len(s.w.People) > 0 {
			today = day
			rng := s.chance("idp aliens", day.Unix())
			for range poisson(rng, failuresAlien*float64(len(s.w.People))/100) {
				x := signIn{at: day.AddDate(0, 0, 1).Add(time.Duration(rng.Float64() * float64(24*time.Hour))).Truncate(time.Millisecond), person: one(rng, s.w.People), code: wrongPassword, app: 2, foreign: one(rng, elsewhere).Country, agent: "python-requests/2.32.5"}
				x.ip = fmt.Sprintf("198.51.100.%d", 1+rng.IntN(254))
				if err := out.AddJSON(x.at, s.record(x, rng)); err != nil {
					return err
				}
			}
		}
		return out.Flush(until)
	}))
}

// everyday is how a person signs in on a day at work: in the morning first.
func (s *scene) everyday(d *shift) []signIn {
	var out []signIn
	for i := range max(1, poisson(d.rng, signInsPerDay)) {
		at := d.moment()
		if i == 0 {
			at = d.from.Add(time.Duration(d.rng.IntN(600)) * time.Second)
		}
		x := signIn{at: at, person: d.person, ip: d.address, app: d.rng.IntN(len(apps))}
		if d.rng.Float64() < shareMistyped {
			before := x
			before.at, before.code = at.Add(-time.Duration(8+d.rng.IntN(25))*time.Second), wrongPassword
			out = append(out, before)
		}
		if d.rng.Float64() < shareMFA {
			before := x
			before.at, before.code = at.Add(-time.Duration(4+d.rng.IntN(9))*time.Second), needsMFA
			out = append(out, before)
		}
		out = append(out, x)
	}
	return out
}

// signInTrouble plans a spray of passwords over many people from one address,
// and beside it what looks like one: an old password in somebody's phone, and a
// day on which an office changed passwords.
func (s *scene) signInTrouble() []*incident {
	var there []*estate.Person
	for _, p := range s.w.People {
		if p.Joined.IsZero() && p.Left.IsZero() {
			there = append(there, p)
		}
	}
	span := s.w.End.Sub(s.w.TroubleAt)
	if len(there) < 2 || span < 12*time.Hour {
		return nil
	}
	rng := s.chance("idp trouble")
	spray := &incident{label: &estate.Label{ID: "signin-trouble-001", Kind: KindSignIn, Difficulty: 1, Sort: "spray"}}
	start := s.w.TroubleAt.Add(time.Duration((0.1 + 0.6*rng.Float64()) * float64(span))).Truncate(time.Minute)
	ip, from := fmt.Sprintf("198.51.100.%d", 1+rng.IntN(254)), one(rng, elsewhere).Country
	targets := slices.Clone(there)
	rng.Shuffle(len(targets), func(i, k int) { targets[i], targets[k] = targets[k], targets[i] })
	targets = targets[:min(len(targets), max(int(spraySmall), len(targets)*2/3), int(sprayMost))]
	for i, p := range targets {
		at := start.Add(time.Duration(i) * 40 * time.Minute / time.Duration(len(targets))).Truncate(time.Millisecond)
		spray.signs = append(spray.signs, signIn{at: at, person: p, ip: ip, code: wrongPassword, app: 2, foreign: from, agent: "python-requests/2.32.5"})
	}
	phone := &incident{
		label:  &estate.Label{ID: "signin-harmless-001", Kind: KindSignIn, Difficulty: 1, Benign: true, Sort: "old password in a phone", Why: "the password was changed, the phone's mail program goes on with the old one"},
		window: &finding.Window{ID: "change-signin-harmless-001", Sort: "change", Ticket: "CHG-40903"},
	}
	owner := one(rng, there)
	begin := s.w.TroubleAt.Add(time.Duration(0.5 * rng.Float64() * float64(span))).Truncate(time.Minute)
	for i := range 24 {
		phone.signs = append(phone.signs, signIn{at: begin.Add(time.Duration(i)*15*time.Minute + time.Duration(rng.IntN(20))*time.Second), person: owner, ip: owner.Home, code: wrongPassword, app: 2, legacy: true})
	}
	phone.label.Person, phone.label.Known = owner.Email, true
	phone.window.Title, phone.window.People, phone.window.Kinds = owner.Name+" changes the password", []string{owner.Email}, []string{KindSignIn}
	spray.label.LookAlike, phone.label.LookAlike = phone.label.ID, spray.label.ID
	for _, i := range []*incident{spray, phone} {
		l := i.label
		for k := range i.signs {
			i.signs[k].id = logs.UUID(rng)
			l.Events = append(l.Events, i.signs[k].id)
		}
		l.Start, l.End = i.signs[0].at, i.signs[len(i.signs)-1].at.Add(time.Millisecond)
	}
	phone.window.Start, phone.window.End = phone.label.Start.Truncate(time.Hour), phone.label.End.Truncate(time.Hour).Add(time.Hour)
	return []*incident{spray, phone}
}
