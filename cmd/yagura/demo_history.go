package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/simulate"
	"github.com/yagura-sec/yagura/triage"
	"github.com/yagura-sec/yagura/triage/calendar"
)

// demoHistory is what the demo's team did in the weeks of its logs. A name of an
// account in braces stands for its id.
//
//go:embed demo_history.yaml
var demoHistory string

// history is a team and its deeds.
type history struct {
	People []colleague `yaml:"people"`
	Deeds  []deed      `yaml:"deeds"`
}

// colleague is one of the team.
type colleague struct {
	Name     string `yaml:"name"`
	FullName string `yaml:"full_name"`
	Role     string `yaml:"role"`
	Zone     string `yaml:"zone"` // in which working hours are
}

// deed is something that one of the team does: a request of the API at a time; a
// link for a team, which registers windows by it; or decisions about findings, each
// some time after the finding was last seen.
type deed struct {
	By string    `yaml:"by"`
	At time.Time `yaml:"at"`

	Post string         `yaml:"post"` // path
	Put  string         `yaml:"put"`
	Body map[string]any `yaml:"body"`
	Text string         `yaml:"text"` // a calendar, instead of a body

	Link    map[string]any   `yaml:"link"`
	Windows []map[string]any `yaml:"windows"` // registered a day later

	Findings string         `yaml:"findings"` // in the language of scopes
	Skip     int            `yaml:"skip"`     // of them, the earliest first
	Take     int            `yaml:"take"`     // 0: all others
	After    [2]span        `yaml:"after"`    // between these two
	Early    bool           `yaml:"early"`    // after it was first seen, not last
	OnCall   bool           `yaml:"on_call"`  // not only in working hours
	Decision map[string]any `yaml:"decision"`
	Regret   span           `yaml:"regret"` // the decision is taken back so much later; 0: never
}

// span is a length of time as time.ParseDuration reads it.
type span time.Duration

func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*s = span(d)
	return err
}

// readHistory gives the history with ids for the names of accounts.
func readHistory(text string, world simulate.Config) (h history, err error) {
	var names []string
	for _, a := range world.Estate().Accounts {
		names = append(names, "{"+a.Name+"}", a.ID)
	}
	read := yaml.NewDecoder(strings.NewReader(strings.NewReplacer(names...).Replace(text)))
	read.KnownFields(true)
	return h, read.Decode(&h)
}

// request is one thing that somebody asks of the API.
type request struct {
	at           time.Time
	by           string
	method, path string
	body         any // a string is a calendar
	then         func(answer []byte) ([]request, error)
}

// live lets the team do what the history says, each thing at its time: it asks the
// API, as the console would, with a clock that is set to each time in turn.
func (p *program) live(ctx context.Context, r *rooms, made simulate.Summary) (err error) {
	h, err := readHistory(demoHistory, demoWorld)
	if err != nil {
		return fmt.Errorf("history of the demo: %w", err)
	}
	t := &team{
		findings: r.triage, until: made.End,
		zones: map[string]*time.Location{}, jars: map[string]*http.Client{}, signed: map[string]time.Time{},
	}
	now, clock := p.now, p.clock
	defer func() { p.now, p.clock = now, clock }()
	p.now = func() time.Time { return t.now }
	p.clock = p.now
	if t.door, err = p.door(r); err != nil {
		return err
	}
	stop, err := p.openFor(t, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if err := t.join(ctx, h.People, made.Start); err != nil {
		return err
	}
	var all []request
	for i := range h.Deeds {
		asked, err := t.requests(ctx, &h.Deeds[i])
		if err != nil {
			return fmt.Errorf("history of the demo, deed %d: %w", i+1, err)
		}
		all = append(all, asked...)
	}
	return t.ask(ctx, all)
}

// openFor serves the API to the team, at an address that nobody knows.
func (p *program) openFor(t *team, r *rooms) (stop func() error, err error) {
	key, err := p.linkKey()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t.base = "http://" + l.Addr().String()
	handler := api.New(api.Config{Version: version, Hosts: []string{"127.0.0.1"}}, api.Rooms{
		Findings: r.triage, Select: r.lake.Select, People: t.door, Live: &api.Live{}, Metrics: http.NotFoundHandler(), Pages: http.NotFoundHandler(), Now: p.now, Failed: func(err error) { p.warn("%v", err) },
		Triage: api.Triage{Store: r.triage, Expand: calendar.Expand, ReadWindows: readWindows, LinkKey: key},
	})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	return func() error {
		err := server.Close()
		if served := <-done; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}, nil
}

// team asks the API as its people.
type team struct {
	findings triage.Reader // to choose among
	door     *people.Door
	base     string
	now      time.Time
	until    time.Time // nothing is done from then on
	zones    map[string]*time.Location
	jars     map[string]*http.Client // with the cookies of each
	signed   map[string]time.Time    // when each signed in
}

// join adds the people, when the logs begin.
func (t *team) join(ctx context.Context, all []colleague, at time.Time) error {
	t.now = at
	for _, c := range all {
		zone, err := time.LoadLocation(c.Zone)
		if err != nil {
			return err
		}
		t.zones[c.Name] = zone
		if _, err := t.door.AddUser(ctx, people.LocalOwner(), people.NewUser{Name: c.Name, FullName: c.FullName, Role: people.Role(c.Role)}); err != nil {
			return err
		}
	}
	return nil
}

// requests are what a deed comes to.
func (t *team) requests(ctx context.Context, d *deed) ([]request, error) {
	switch {
	case d.Post != "" && d.Text != "":
		return []request{{at: d.At, by: d.By, method: http.MethodPost, path: d.Post, body: d.Text}}, nil
	case d.Post != "":
		return []request{{at: d.At, by: d.By, method: http.MethodPost, path: d.Post, body: d.Body}}, nil
	case d.Put != "":
		return []request{{at: d.At, by: d.By, method: http.MethodPut, path: d.Put, body: d.Body}}, nil
	case d.Link != nil:
		return []request{{at: d.At, by: d.By, method: http.MethodPost, path: "/api/window-links", body: d.Link, then: d.registered}}, nil
	}
	return t.decisions(ctx, d)
}

// registered are the windows that a team registers by the link of the answer.
func (d *deed) registered(answer []byte) (out []request, err error) {
	var made api.WindowLink
	if err := json.Unmarshal(answer, &made); err != nil {
		return nil, err
	}
	_, link, _ := strings.Cut(made.URL, "#link=")
	for _, w := range d.Windows {
		out = append(out, request{at: d.At.Add(24 * time.Hour), method: http.MethodPost, path: "/api/register/" + url.PathEscape(link), body: w})
	}
	return out, nil
}

// decisions are a deed's decisions about the findings that it chooses.
func (t *team) decisions(ctx context.Context, d *deed) (out []request, err error) {
	scope, err := finding.ParseScope(d.Findings)
	if err != nil {
		return nil, err
	}
	found, _, err := t.findings.List(ctx, triage.Filter{Scope: scope, Demoted: true})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b finding.Finding) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(a.Key, b.Key))
	})
	found = found[min(d.Skip, len(found)):]
	if d.Take > 0 {
		found = found[:min(d.Take, len(found))]
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no finding is %s", d.Findings)
	}
	for i := range found {
		f := &found[i]
		at := t.when(d, f)
		if !at.Before(t.until) {
			continue // it is still to be done
		}
		asked := request{at: at, by: d.By, method: http.MethodPost, path: "/api/decisions", body: map[string]any{"keys": []string{f.Key}, "decision": d.Decision}}
		if d.Regret > 0 {
			asked.then = d.takenBack(at)
		}
		out = append(out, asked)
	}
	return out, nil
}

// takenBack takes the decision of the answer back.
func (d *deed) takenBack(at time.Time) func(answer []byte) ([]request, error) {
	return func(answer []byte) ([]request, error) {
		var done api.BulkDone
		if err := json.Unmarshal(answer, &done); err != nil {
			return nil, err
		}
		return []request{{at: at.Add(time.Duration(d.Regret)), by: d.By, method: http.MethodPost, path: "/api/decisions/undo", body: map[string]any{"group": done.Group}}}, nil
	}
}

// when is the time of a decision: a while after the finding, in working hours
// unless somebody is on call. The same finding is decided at the same time in every
// demo.
func (t *team) when(d *deed, f *finding.Finding) time.Time {
	h := sha256.Sum256([]byte(f.Key + d.By))
	chance := float64(binary.BigEndian.Uint32(h[:])) / (1 << 32)
	lo, hi := time.Duration(d.After[0]), time.Duration(d.After[1])
	at := f.LastSeen
	if d.Early {
		at = f.FirstSeen
	}
	at = at.Add(lo + time.Duration(chance*float64(hi-lo))).Truncate(time.Second)
	if d.OnCall {
		return at
	}
	return working(at, t.zones[d.By], time.Duration(chance*float64(90*time.Minute)).Truncate(time.Second))
}

// working is t, or where nobody works then, some time after the next morning's
// nine o'clock.
func working(t time.Time, zone *time.Location, late time.Duration) time.Time {
	l := t.In(zone)
	for {
		weekend := l.Weekday() == time.Saturday || l.Weekday() == time.Sunday
		switch {
		case !weekend && l.Hour() >= 9 && l.Hour() < 18:
			return l.UTC()
		case !weekend && l.Hour() < 9:
			return time.Date(l.Year(), l.Month(), l.Day(), 9, 0, 0, 0, zone).Add(late).UTC()
		}
		l = time.Date(l.Year(), l.Month(), l.Day()+1, 0, 0, 0, 0, zone)
	}
}

// ask asks everything in order of time, and what follows from it.
func (t *team) ask(ctx context.Context, all []request) error {
	for len(all) > 0 {
		slices.SortStableFunc(all, func(a, b request) int { return a.at.Compare(b.at) })
		q := all[0]
		all = all[1:]
		answer, err := t.send(ctx, q)
		if err != nil {
			return fmt.Errorf("history of the demo: %w", err)
		}
		if q.then == nil {
			continue
		}
		more, err := q.then(answer)
		if err != nil {
			return fmt.Errorf("history of the demo: after %s: %w", q.path, err)
		}
		all = append(all, more...)
	}
	return nil
}

// send asks one thing at its time and gives the answer.
func (t *team) send(ctx context.Context, q request) ([]byte, error) {
	client, err := t.client(ctx, q.by, q.at)
	if err != nil {
		return nil, err
	}
	t.now = q.at
	return t.exchange(ctx, client, q)
}

// client is a browser of that person, who is signed in. Nobody in particular has
// one, too: whoever holds a link.
func (t *team) client(ctx context.Context, who string, at time.Time) (*http.Client, error) {
	if who == "" {
		return http.DefaultClient, nil
	}
	since, before := t.signed[who]
	if before && !at.Before(since) && at.Sub(since) < signedFor {
		return t.jars[who], nil
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	t.now = at
	secret, _, err := t.door.NewLink(ctx, people.LocalOwner(), people.LinkSignIn, who)
	if err != nil {
		return nil, err
	}
	c := &http.Client{Jar: jar}
	if _, err := t.exchange(ctx, c, request{method: http.MethodPost, path: "/api/signin/link", body: map[string]any{"link": secret}}); err != nil {
		return nil, err
	}
	t.jars[who], t.signed[who] = c, at
	return c, nil
}

// signedFor is how long a session of the team lasts: less than the least that one
// may.
const signedFor = 8 * time.Hour

// exchange sends a request as the console does.
func (t *team) exchange(ctx context.Context, c *http.Client, q request) ([]byte, error) {
	kind, body := "application/json", []byte(nil)
	switch b := q.body.(type) {
	case nil:
	case string:
		kind, body = "text/calendar", []byte(b)
	default:
		var err error
		if body, err = json.Marshal(b); err != nil {
			return nil, err
		}
	}
	asked, err := http.NewRequestWithContext(ctx, q.method, t.base+q.path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	asked.Header.Set("Content-Type", kind)
	asked.Header.Set("Origin", t.base)
	asked.Header.Set("X-Yagura", "1")
	answer, err := c.Do(asked)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 {
		err = fmt.Errorf("%s %s of %s is answered %s: %s", q.method, q.path, q.by, answer.Status, bytes.TrimSpace(text))
	}
	return text, err
}
