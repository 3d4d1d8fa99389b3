package streams

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/logs"
)

// program is what people start that an analyst may ask about.
type program struct{ name, command, parent string }

var programs = []program{
	{"aws", "aws sts get-caller-identity --profile %s", "zsh"},
	{"aws", "aws sso login --profile %s", "zsh"},
	{"gcloud", "gcloud config configurations activate %s", "zsh"},
	{"terraform", "terraform plan -var-file=%s.tfvars", "bash"},
	{"git", "git fetch origin %s", "code"},
	{"kubectl", "kubectl --context %s get pods", "zsh"},
	{"ssh", "ssh bastion.%s.hoshino.example", "zsh"},
	{"docker", "docker compose -p %s up -d", "zsh"},
}

// hosts that people's browsers go to, and how much comes back.
var hosts = []struct {
	name string
	size int
}{
	{"login.microsoftonline.com", 9_000}, {"teams.microsoft.com", 40_000}, {"outlook.office.com", 60_000}, {"github.com", 90_000},
	{"signin.aws.amazon.com", 12_000}, {"%r.console.aws.amazon.com", 150_000}, {"d-9067a1b2c3.awsapps.com", 20_000},
	{"console.cloud.google.com", 180_000}, {"wiki.hoshino.example", 30_000}, {"registry.npmjs.org", 400_000}, {"pkg.go.dev", 25_000},
	{"news.example", 80_000}, {"video.example", 2_000_000}, {"stackoverflow.com", 45_000},
}

func writeEndpoint(ctx context.Context, dir string, s *scene) error {
	proxy := s.daily(dir, "proxy/access.log-20060102.gz")
	edr := s.daily(dir, "edr/2006-01-02.jsonl.gz")
	leased := s.daily(dir, "dhcp/dhcp.2006-01-02.log.gz")
	all := []*logs.Log{proxy, edr, leased}
	customer := logs.Drawn(s.chance("edr"), 32, logs.Hexes)
	err := s.shifts(ctx, "endpoint", func(d *shift) error {
		if err := d.leases(leased); err != nil {
			return err
		}
		if err := d.sensor(edr, customer); err != nil {
			return err
		}
		d.browse(proxy)
		return nil
	}, func(until time.Time) error {
		for _, l := range all {
			if err := l.Flush(until); err != nil {
				return err
			}
		}
		return nil
	})
	for _, l := range all {
		if e := l.Finish(err); err == nil {
			err = e
		}
	}
	return err
}

// leases are those of the device in the office: at work it asks once, and once
// more when half of the time is over.
func (d *shift) leases(out *logs.Log) error {
	if d.home {
		return nil
	}
	m := logs.MachineOf(d.person.Device)
	address := lease(d.number, d.date)
	for i, at := range []time.Time{d.from.Add(-2 * time.Minute), d.from.Add(leaseHours / 2 * time.Hour)} {
		r := logs.Lease{
			At: float64(at.UnixMicro()) / 1e6, UIDs: []string{"C" + logs.Drawn(d.rng, 17, logs.Letters)}, Client: address, Server: "172.20.64.1", MAC: m.MAC,
			Host: d.person.Device, Domain: "hoshino.example", Asked: address, Assigned: address, Lease: leaseHours * 3600,
			Messages: []string{"REQUEST", "ACK"}, Duration: 0.0002 + 0.0001*float64(d.rng.IntN(9)),
		}
		if i == 0 {
			r.Messages = []string{"DISCOVER", "OFFER", "REQUEST", "ACK"}
		}
		if err := out.AddJSON(at, r); err != nil {
			return err
		}
	}
	return nil
}

// sensor tells of the logon, of some programs and of the logoff.
func (d *shift) sensor(out *logs.Log, customer string) error {
	m := logs.MachineOf(d.person.Device)
	user, _, _ := strings.Cut(d.person.Email, "@")
	record := func(event string, at time.Time) logs.Sensor {
		name := event + map[string]string{"Mac": "MacV", "Win": "V", "Lin": "LinV"}[m.Platform] + "8"
		return logs.Sensor{
			Event: event, Name: name, ID: logs.UUID(d.rng), Agent: fmt.Sprintf("%08x%08x%08x%08x", m.Host, m.Host*2654435761, m.Host^0x5bd1e995, m.Host*40503), Customer: customer,
			PublicIP: d.address, Platform: m.Platform, Computer: d.person.Device, At: strconv.FormatInt(at.UnixMilli()+int64(d.rng.IntN(3000)), 10), Context: logs.Seconds(at),
			User: user, Principal: d.person.Email,
		}
	}
	on := record("UserLogon", d.from)
	on.LogonType, on.LogonTime, on.LocalIP = "2", logs.Seconds(d.from), d.local()
	off := record("UserLogoff", d.to)
	off.LogonType, off.LogonTime, off.LogoffAt = "2", logs.Seconds(d.from), logs.Seconds(d.to)
	if err := out.AddJSON(d.from, on); err != nil {
		return err
	}
	for range poisson(d.rng, processes) {
		at, p := d.moment(), programs[d.rng.IntN(len(programs))]
		r := record("ProcessRollup2", at)
		r.Image, r.Parent = "/usr/local/bin/"+p.name, p.parent
		if m.Platform == "Win" {
			r.Image, r.Parent = `\Device\HarddiskVolume3\Program Files\`+p.name+`\`+p.name+".exe", "pwsh.exe"
		}
		account := d.person.Team.Name
		if n := len(d.person.Sets); n > 0 {
			account = d.person.Sets[d.rng.IntN(n)].Account.Name
		}
		r.Command, r.Started, r.Process = fmt.Sprintf(p.command, account), logs.Seconds(at), strconv.Itoa(1000+d.rng.IntN(60000))
		r.SHA256 = digest(m.Platform + p.name)
		if err := out.AddJSON(at, r); err != nil {
			return err
		}
	}
	return out.AddJSON(d.to, off)
}

// browse is what the proxy sees, in the format of squid's access.log.
func (d *shift) browse(out *logs.Log) {
	region := "us-east-1"
	if n := len(d.person.Sets); n > 0 {
		region = d.person.Sets[0].Account.Home
	}
	client := d.local()
	if d.home {
		client = d.address // the proxy is reached over the internet
	}
	for range poisson(d.rng, proxyRequests) {
		at, h := d.moment(), hosts[d.rng.IntN(len(hosts))]
		host := strings.ReplaceAll(h.name, "%r", region)
		took, size := 30+d.rng.IntN(4000), 1+d.rng.IntN(2*h.size)
		result, via := "TCP_TUNNEL/200", fmt.Sprintf("HIER_DIRECT/198.51.100.%d", 1+len(host)*7%250)
		if d.rng.IntN(60) == 0 {
			result, via, size = "TCP_DENIED/403", "HIER_NONE/-", 3900
		}
		line := logs.Proxy{At: at, Took: took, Client: client, Result: result, Size: size, Method: "CONNECT", Target: host + ":443", User: d.person.Email, Via: via, Type: "-"}
		out.Add(at, line.Line())
	}
}
