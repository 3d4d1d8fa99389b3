package denied

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/logs"
)

// tunnelNet is the first half of the addresses of those who come by VPN.
const tunnelNet = "10.60"

// inside is the address of a device as the proxy sees it: within the office's
// network, of the tunnel, or at home the public one. Each day deals them anew, so
// that who had an address yesterday tells nothing of today. Of each two second
// devices of an office one comes when the other has gone, and gets its address.
func (w *world) inside(p *person, d *device, day time.Time) string {
	if p.office == nil {
		return p.home
	}
	n := p.number
	if d.second {
		n = len(w.people) + w.pairOf(p)/2
	}
	net, places := p.office.net, 2*len(w.people)
	if p.tunnel {
		net = tunnelNet
	}
	k := w.chance("addresses", net, day.Unix()).Perm(places)[n]
	return fmt.Sprintf("%s.%d.%d", net, 4+k/100, 20+k%100)
}

// pairOf is the place of a person's second device among those of the office.
func (w *world) pairOf(p *person) int {
	n := 0
	for _, x := range w.people[:p.number] {
		if x.office == p.office && x.tunnel == p.tunnel && len(x.devices) > 1 {
			n++
		}
	}
	return n
}

// there is when a device is on: a second one until noon, or after it.
func (s *shift) there(d *device) (from, to time.Time) {
	y, m, day := s.from.In(s.p.zone).Date()
	noon := time.Date(y, m, day, 12, 20, 0, 0, s.p.zone)
	switch {
	case !d.second || s.p.office == nil:
		return s.from, s.to
	case s.w.pairOf(s.p)%2 == 0:
		return s.from, noon
	}
	return noon.Add(30 * time.Minute), s.to
}

// attend writes what a device does on a day: its lease, who is at it, and what
// they start.
func (s *shift) attend(d *device, inside string) {
	from, to := s.there(d)
	s.w.lease(s.rng, s.p, d, inside, from, to)
	local := inside
	if s.p.office == nil {
		local = fmt.Sprintf("192.168.%d.%d", d.machine.Host%4, 20+d.machine.Host/4%200)
	}
	s.sensed(d, local, "UserLogon", from)
	for range 2 + s.rng.IntN(4) { // locked, and opened again
		s.sensed(d, local, "UserLogon", from.Add(time.Duration(s.rng.Float64()*float64(to.Sub(from)))))
	}
	n := s.w.count(s.rng, processes, 2)
	if d.second {
		n = n/6 + 1
	}
	for range n {
		s.process(d, local, from.Add(time.Duration(s.rng.Float64()*float64(to.Sub(from)))), one(s.rng, commands))
	}
	s.sensed(d, local, "UserLogoff", to)
}

// leaseTime is how long an address is given for.
const leaseTime = 8 * time.Hour

// lease is that a device is given an address, and asks again at half the time.
func (w *world) lease(rng *rand.Rand, p *person, d *device, inside string, from, to time.Time) {
	if p.office == nil {
		return
	}
	mac, server := d.machine.MAC, p.office.net+".4.1"
	if p.tunnel {
		mac, server = "02:50:"+mac[6:], tunnelNet+".4.1" // of the tunnel's adapter
	}
	for i, at := range []time.Time{from.Add(-90 * time.Second), from.Add(leaseTime / 2)} {
		if at.After(to) {
			break
		}
		r := logs.Lease{
			At: float64(at.UnixMicro()) / 1e6, UIDs: []string{"C" + logs.Drawn(rng, 17, logs.Letters)}, Client: inside, Server: server, MAC: mac,
			Host: d.name, Domain: w.domain, Asked: inside, Assigned: inside, Lease: leaseTime.Seconds(), Messages: []string{"REQUEST", "ACK"},
			Duration: 0.0002 + 0.0001*float64(rng.IntN(9)),
		}
		if i == 0 {
			r.Messages = []string{"DISCOVER", "OFFER", "REQUEST", "ACK"}
		}
		w.addJSON(leased, at, r)
	}
}

func (w *world) addJSON(log string, at time.Time, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		w.interruptions = err
		return
	}
	w.add(log, at, text)
}

// record is what all records of the sensor have. Its times are those of the
// device's clock; the line stands where the sensor's cloud received it.
func (s *shift) record(d *device, local, event string, at time.Time) logs.Sensor {
	m := d.machine
	r := logs.Sensor{
		Event: event, Name: event + map[string]string{"Mac": "MacV8", "Win": "V8", "Lin": "LinV8"}[m.Platform], ID: logs.UUID(s.rng),
		Agent: fmt.Sprintf("%08x%08x%08x%08x", m.Host, m.Host*2654435761, m.Host^0x5bd1e995, m.Host*40503), Customer: "c0ffee00c0ffee00c0ffee00c0ffee00",
		PublicIP: s.p.address(), Platform: m.Platform, Computer: strings.ToUpper(d.name), At: strconv.FormatInt(at.UnixMilli()+int64(s.rng.IntN(3000)), 10),
		Context: logs.Seconds(at.Add(d.skew)), LocalIP: local, User: s.p.user,
	}
	if s.w.story.drawn.Identity == byEmail {
		r.Principal = s.p.email
	} else {
		r.LogonDomain = "HOSHINO"
	}
	return r
}

// sensed is a logon or logoff.
func (s *shift) sensed(d *device, local, event string, at time.Time) {
	r := s.record(d, local, event, at)
	r.LogonType, r.LogonTime = "2", r.Context
	if event == "UserLogoff" {
		r.LogoffAt = r.Context
	}
	s.w.addJSON(sensed, at, r)
}

// labs are machines that several people use, one after the other.
func (w *world) labs(day time.Time) {
	rng := w.chance("labs", day.Unix())
	for n := range sharedMachines {
		d, inside := lab(n), w.labAddress(n)
		first := one(rng, w.people[:behind])
		at, to := w.hours(first, day)
		w.lease(rng, w.people[0], &d, inside, at, to)
		for at.Before(to) {
			p := one(rng, w.people[:behind])
			until := at.Add(time.Duration(20+rng.IntN(80)) * time.Minute)
			if !p.tunnel && !w.away(p, day) {
				s := &shift{w: w, p: p, from: at, to: until, inside: []string{inside}, rng: rng}
				s.sensed(&d, inside, "UserLogon", at)
				for range w.count(rng, processes/10, 1) {
					s.process(&d, inside, s.moment(), one(rng, commands))
				}
				s.browse(proxyLines / 12)
				s.sensed(&d, inside, "UserLogoff", until)
			}
			at = until.Add(time.Duration(5+rng.IntN(40)) * time.Minute)
		}
	}
}

// lab is a machine that several people use.
func lab(n int) device {
	d := device{name: fmt.Sprintf("hsn-lab-%02d", n+1)}
	d.machine = logs.MachineOf(d.name)
	d.machine.Browser = fleet[d.machine.Platform]
	return d
}

func (w *world) labAddress(n int) string { return fmt.Sprintf("%s.3.%d", w.offices[0].net, 10+n) }

// command is what people start.
type command struct{ name, line, parent string }

var commands = []command{
	{"chrome", "chrome --type=renderer --lang=ja", "chrome"}, {"chrome", "chrome --type=utility --lang=ja", "chrome"},
	{"git", "git fetch origin main", "code"}, {"code", "code --reuse-window .", "zsh"}, {"gcloud", "gcloud auth list", "zsh"},
	{"bq", "bq ls --format=prettyjson", "zsh"}, {"terraform", "terraform plan -var-file=dev.tfvars", "bash"}, {"python3", "python3 -m pytest -q", "zsh"},
	{"slack", "slack --type=renderer", "slack"}, {"zoom", "zoom --url=zoommtg", "chrome"}, {"docker", "docker compose up -d", "zsh"},
}

func (s *shift) process(d *device, local string, at time.Time, c command) {
	r := s.record(d, local, "ProcessRollup2", at)
	r.Image, r.Parent = "/usr/local/bin/"+c.name, c.parent
	if d.machine.Platform == "Win" {
		r.Image, r.Parent = `\Device\HarddiskVolume3\Program Files\`+c.name+`\`+c.name+".exe", "explorer.exe"
	}
	r.Command, r.Started, r.Process = c.line, r.Context, strconv.Itoa(1000+s.rng.IntN(60000))
	s.w.addJSON(sensed, at, r)
}

// sites that people's browsers go to, how much comes back, and pages there.
var sites = []struct {
	host  string
	size  int
	pages []string
}{
	{"mail.google.com", 60_000, []string{"/mail/u/0/", "/sync/u/0/i/s?hl=ja&c=4"}},
	{"docs.google.com", 90_000, []string{"/document/d/1a2b/edit", "/spreadsheets/d/9z8y/edit"}},
	{"meet.google.com", 200_000, []string{"/abc-defg-hij"}},
	{"github.com", 90_000, []string{"/hoshino/kite/pulls", "/hoshino/river/actions"}},
	{"wiki.hoshino.example", 30_000, []string{"/pages/onboarding", "/pages/roadmap"}},
	{"pypi.org", 25_000, []string{"/simple/numpy/", "/simple/pandas/"}},
	{"stackoverflow.com", 45_000, []string{"/questions/11227809"}},
	{"news.example", 80_000, []string{"/", "/sport"}},
	{"slack.com", 20_000, []string{"/api/client.counts"}},
	{"cloud.google.com", 70_000, []string{"/storage/docs", "/bigquery/docs"}},
}

// consolePages are pages of the console by service; the project comes behind.
var consolePages = map[string]string{
	"storage.googleapis.com": "/storage/browser", "bigquery.googleapis.com": "/bigquery", "pubsub.googleapis.com": "/cloudpubsub/topic/list",
	"compute.googleapis.com": "/compute/instances", "aiplatform.googleapis.com": "/vertex-ai/dashboard", "run.googleapis.com": "/run",
	"cloudsql.googleapis.com": "/sql/instances", "logging.googleapis.com": "/logs/query", "monitoring.googleapis.com": "/monitoring",
	"cloudresourcemanager.googleapis.com": "/home/dashboard", "iam.googleapis.com": "/iam-admin/serviceaccounts", "serviceusage.googleapis.com": "/apis/dashboard",
}

// console is the host of Google Cloud's console.
const console = "console.cloud.google.com"

// browse is what the proxy sees of a day on which a person opens so many pages.
func (s *shift) browse(lines float64) {
	for range s.w.count(s.rng, lines, 3) {
		at := s.moment()
		if len(s.p.projects) > 0 && s.rng.IntN(12) == 0 {
			p := one(s.rng, s.p.projects)
			s.visit(at, "GET", console, consolePages[one(s.rng, p.services)]+"?project="+p.id, 180_000)
			continue
		}
		site := sites[s.rng.IntN(len(sites))]
		s.visit(at, "GET", site.host, one(s.rng, site.pages), site.size)
	}
}

// visit is a line of the proxy: of the page where the proxy opens the
// connection, else of the host alone.
func (s *shift) visit(at time.Time, method, host, page string, size int) {
	line := logs.Proxy{
		At: at, Took: 30 + s.rng.IntN(3000), Client: s.inside[0], Size: 1 + s.rng.IntN(2*size), User: "-", Via: fmt.Sprintf("HIER_DIRECT/192.0.2.%d", 100+len(host)*7%100),
		Result: "TCP_TUNNEL/200", Method: "CONNECT", Target: host + ":443", Type: "-",
	}
	if len(s.inside) > 1 && s.rng.IntN(10) == 0 {
		if from, to := s.there(&s.p.devices[1]); at.After(from) && at.Before(to) {
			line.Client = s.inside[1]
		}
	}
	if s.rng.Float64() < s.w.story.drawn.Inspected {
		line.Method, line.Target, line.Result, line.Type = method, "https://"+host+page, "TCP_MISS/200", "text/html"
	}
	if s.w.story.drawn.ProxyUsers {
		line.User = s.p.email
	}
	if s.rng.IntN(120) == 0 {
		line.Result, line.Via, line.Size = "TCP_DENIED/403", "HIER_NONE/-", 3900
	}
	s.w.add(proxied, at, line.Line())
}
