package configcost

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/yagura-sec/yagura/simulate/logs"
)

// Regions of the world: all work is done in the first.
const (
	home   = "ap-northeast-1"
	global = "us-east-1" // where calls of global services are recorded
)

// account is one of the six.
type account struct {
	id, name string
	governed bool    // by Control Tower
	size     float64 // of its ordinary bill, beside the others
	recorder string  // name of its configuration recorder
	ids      map[string]string
}

// unique is the id of a role of the account, which stands before a session's name.
func (a *account) unique(w *world, role string) string {
	if a.ids[role] == "" {
		a.ids[role] = "AROA" + strings.ToUpper(logs.Drawn(w.chance("role", a.id, role), 17, "abcdefghijklmnopqrstuvwxyz234567"))
	}
	return a.ids[role]
}

// person works in some accounts, by single sign-on.
type person struct {
	name, email string
	address     string
	accounts    []*account
}

// cast is who and what there is.
type cast struct {
	company, org, bucket string
	accounts             []*account

	management, archive, audit *account // of the landing zone
	churn                      *account // where interfaces come and go
	network                    *account // owns the shared network
	legacy                     *account

	firewall *account // administers Firewall Manager
	people   []*person

	cluster, service string // that restarts
	others           []string
	functions        []string
	vpcs             []string
	subnets          []string // of the shared network
	zones            []string
	groups           []string // security groups of churn
	tower            bool     // there is a Control Tower
}

var (
	companies = []string{"hoshino", "minato", "kaede", "aoba", "shirase", "tsubame", "wakaba", "yamabuki"}
	products  = []string{"shop", "orders", "payments", "ledger", "media", "search", "claims", "fleet"}
	workers   = []string{"worker", "consumer", "sync", "indexer", "mailer", "importer", "relay", "renderer"}
	given     = []string{"mei", "ren", "yui", "kenji", "tomas", "ines", "haru", "sora", "lena", "akira", "noor", "oskar", "mina", "jun", "elif", "paolo"}
	family    = []string{"hara", "oda", "mori", "lindt", "silva", "kudo", "abe", "novak", "seki", "berg", "ito", "ferri"}
)

// casting draws who and what there is.
func (w *world) casting(rng *rand.Rand) cast {
	c := cast{company: one(rng, companies), tower: w.Variant != NoControlTower}
	c.org = "o-" + logs.Drawn(rng, 10, logs.Letters)
	c.bucket = "aws-controltower-logs-" + logs.Drawn(rng, 12, logs.Digits) + "-" + home
	product := one(rng, products)
	add := func(name string, size float64, governed bool) *account {
		a := &account{id: logs.Drawn(rng, 1, "123456789") + logs.Drawn(rng, 11, logs.Digits), name: name, size: size, governed: governed && c.tower, recorder: "default", ids: map[string]string{}}
		if a.governed && w.Variant != IntegrationOff {
			a.recorder = towerRecorder
		}
		if n := len(c.accounts); len(w.Accounts) > 0 {
			a.id, a.name = w.Accounts[n].ID, w.Accounts[n].Name
		}
		c.accounts = append(c.accounts, a)
		return a
	}
	c.management = add(c.company+"-management", 0.4, true)
	c.archive = add("log-archive", 0.3, true)
	c.audit = add("audit", 0.3, true)
	c.churn = add(product+"-"+one(rng, []string{"prod", "production", "live"}), 6+4*rng.Float64(), true)
	c.network = add(one(rng, []string{"network", "network-hub", "shared-network"}), 1.5+rng.Float64(), false)
	c.legacy = add(one(rng, []string{"legacy", "warehouse", "intranet"}), 1+2*rng.Float64(), false)
	c.firewall = c.legacy
	if w.Variant == FirewallManager {
		c.firewall = c.network
	}
	c.cluster = product + "-" + one(rng, []string{"cluster", "fargate", "main"})
	c.service = product + "-" + one(rng, workers)
	if w.Variant == Schedule {
		c.service = product + "-" + one(rng, []string{"minutely", "poller", "ticker"})
	}
	for _, name := range []string{"web", "api", "admin", "gateway", "reports"} {
		c.others = append(c.others, product+"-"+name)
	}
	for _, name := range []string{"resize", "notify", "webhook", "archive"} {
		c.functions = append(c.functions, product+"-"+name)
	}
	hex := func(kind string) string { return kind + "-0" + logs.Drawn(rng, 16, logs.Hexes) }
	for range 3 {
		c.vpcs = append(c.vpcs, hex("vpc"))
	}
	for i := range 24 {
		c.subnets = append(c.subnets, hex("subnet"))
		c.zones = append(c.zones, home+string("acd"[i%3]))
	}
	for range 40 {
		c.groups = append(c.groups, hex("sg"))
	}
	c.people = c.staff(rng)
	return c
}

// staff are the people: most work in the account of the story.
func (c *cast) staff(rng *rand.Rand) (out []*person) {
	first := rng.Perm(len(given))
	last := rng.Perm(len(family))
	for i := range 12 {
		p := &person{name: given[first[i]] + "." + family[last[i]], address: fmt.Sprintf("203.0.113.%d", 20+i)}
		p.email = p.name + "@" + c.company + ".example"
		switch {
		case i < 2:
			p.accounts = c.accounts
		case i < 4:
			p.accounts = []*account{c.network, c.legacy}
		default:
			p.accounts = []*account{c.churn, one(rng, []*account{c.churn, c.legacy})}
		}
		out = append(out, p)
	}
	return out
}

// Names that Control Tower gives.
const (
	towerRecorder = "aws-controltower-BaselineConfigRecorder"
	towerTrail    = "aws-controltower-BaselineCloudTrail"
	towerRole     = "AWSControlTowerExecution"
	towerChannel  = "aws-controltower-BaselineConfigDeliveryChannel"
)
