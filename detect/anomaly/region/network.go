package region

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/instant"
	"github.com/yagura-sec/yagura/say"
)

// How near a network is to what is usual for a program.
const (
	netAgain     = iota // it called from there once, or lately
	netAccount          // other programs of its account do
	netPrivate          // an address within a network of our own
	netShared           // programs of several accounts do
	netElsewhere        // programs of another account do
	netEndpoint         // an endpoint that nobody uses yet
	netOutside          // an address from which nothing ever called
	nearNetworks
)

// How often each is believed to come of itself before it is learned.
var netKinds = []novelty.Kind{
	{Name: "again", Usual: 5e-3},
	{Name: "of the account", Usual: 2e-3},
	{Name: "private", Usual: 2e-3},
	{Name: "of several accounts", Usual: 5e-4},
	{Name: "of another account", Usual: 1.5e-5},
	{Name: "new endpoint", Usual: 2e-4},
	{Name: "outside", Usual: 1.5e-5},
}

// classNetwork is the class of alarms on networks.
const classNetwork = "region/network"

func (s *Sign) netKind(names *watch.Names, actor int32, name string, id uint64) uint8 {
	if n := s.nets[actor]; n != nil && n.find(id) != nil {
		return netAgain
	}
	if o, ok := s.origins[id]; ok && !s.o.NoPeers {
		switch {
		case name == "private":
			return netPrivate
		case names.Actors[o.actor].Account == names.Actors[actor].Account:
			return netAccount
		case o.several:
			return netShared
		}
		return netElsewhere
	}
	switch {
	case name == "private":
		return netPrivate
	case strings.HasPrefix(name, "vpce-"):
		return netEndpoint
	case strings.HasSuffix(name, ".amazonaws.com"), strings.HasSuffix(name, ".aws.internal"):
		return netAgain // a service's name is no place
	}
	return netOutside
}

// moved is a program that calls from where it never did.
type moved struct {
	net
	network string
	kind    uint8
	score   float64
	caller  event.Caller
	secrets []int32
	count   int64
	first   time.Time
}

func (s *Sign) judgeNetworks(day *watch.Day, i int, h *watch.Hour) []watch.Alarm {
	var list []moved
	for j := range h.Sources {
		x := &h.Sources[j]
		if x.Network == "" || !novelty.Program(x.Caller) {
			continue
		}
		id := net{x.Actor, xxhash.Sum64String(x.Network)}
		n := s.nets[x.Actor]
		if n == nil || s.seen.nets[id] {
			continue
		}
		if w := n.find(id.id); w != nil && w.Usual() {
			continue
		}
		if k := slices.IndexFunc(list, func(m moved) bool { return m.net == id }); k >= 0 {
			m := &list[k]
			m.count, m.first = m.count+int64(x.Count), instant.Earlier(m.first, x.First)
			if x.Secret >= 0 && !slices.Contains(m.secrets, x.Secret) {
				m.secrets = append(m.secrets, x.Secret)
			}
			continue
		}
		m := moved{net: id, network: x.Network, caller: x.Caller, kind: s.netKind(day.Names, x.Actor, x.Network, id.id), count: int64(x.Count), first: x.First}
		if x.Secret >= 0 {
			m.secrets = []int32{x.Secret}
		}
		p := s.outside.P(int(m.kind))
		if !s.o.NoShrinkage {
			// Programs that often change their network go on to: believed, not
			// learned, to be in proportion to how many they have.
			p *= float64(max(1, min(len(n.list), networksMany)))
		}
		p = max(p, n.own())
		if m.score = novelty.Score(p); m.score >= watch.Floor {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b moved) int { return cmp.Or(cmp.Compare(a.actor, b.actor), cmp.Compare(a.id, b.id)) })
	var all []watch.Alarm
	for k := range list {
		all = append(all, s.movedAlarm(day, i, list, k))
	}
	return all
}

func (s *Sign) movedAlarm(day *watch.Day, i int, list []moved, k int) watch.Alarm {
	m, names := list[k], day.Names
	n := s.nets[m.actor]
	today := novelty.DayOf(day.Start)
	a := watch.Alarm{
		Sign: finding.SignRegion, Class: classNetwork, Secret: -1, Actor: m.actor, Account: -1, Caller: m.caller, Score: m.score, Trials: 1,
		First: m.first, Last: m.first, Count: m.count, Severity: finding.Medium, Days: int(n.days), Calls: int64(n.calls), Mature: n.mature(today),
		Where: watch.Where{Actor: names.Actors[m.actor].UID, Caller: m.caller, Operations: novelty.Reads},
	}
	if m.kind == netOutside || m.kind == netElsewhere {
		a.Severity = finding.High
	}
	slices.Sort(m.secrets)
	if len(m.secrets) == 1 {
		a.Secret = m.secrets[0]
	} else {
		a.Secrets = m.secrets
	}
	for _, x := range m.secrets {
		a.Where.Secrets = append(a.Where.Secrets, names.Secrets[x].UID)
		a.Account = s.accountOf(names, x)
	}
	a.Region, a.Last = calledIn(day.Hours[i], names, &m)
	together := 0
	for j := range list {
		if list[j].id == m.id && names.Actors[list[j].actor].Account == names.Actors[m.actor].Account {
			together++
		}
	}
	for id := range s.seen.nets {
		if id.id == m.id && id.actor != m.actor && names.Actors[id.actor].Account == names.Actors[m.actor].Account {
			together++
		}
	}
	if !s.o.NoContext && together >= 3 {
		a.Context = append(a.Context, finding.Explanation{Kind: "context", ID: "egress",
			Text: say.T("network.egress", say.Values{"n": together, "account": names.Actors[m.actor].Account, "network": m.network})})
	}
	a.Tell = func() watch.Told { return s.tellMoved(day, i, &m) }
	return a
}

// calledIn is the region in which the program used the secrets in the hour, one
// that is not their home before others, and when it did so last. Sources do not
// tell: it is by usage.
func calledIn(h *watch.Hour, names *watch.Names, m *moved) (region string, last time.Time) {
	last = m.first
	away := false
	for i := range h.Uses {
		u := &h.Uses[i]
		if u.Actor != m.actor || u.Caller != m.caller || !slices.Contains(m.secrets, u.Secret) || !novelty.Value(u.Operation) || u.Last.Before(m.first) {
			continue
		}
		last = instant.Later(last, u.Last)
		if out := names.Secrets[u.Secret].Away(u.Region); u.Region != "" && (region == "" || out && !away) {
			region, away = u.Region, out
		}
	}
	return region, last
}

func (s *Sign) tellMoved(day *watch.Day, i int, m *moved) watch.Told {
	names, n := day.Names, s.nets[m.actor]
	who := &names.Actors[m.actor]
	var what []string
	for _, x := range m.secrets {
		what = append(what, names.Secrets[x].Name)
	}
	told := watch.Told{
		Title: say.T("network.title", say.Values{"who": who.Name, "network": m.network}),
		Reasons: []finding.Reason{{Kind: "network", Observed: say.Plain(m.network),
			Text: say.T("network.sentence", say.Values{
				"days": int(novelty.DayOf(day.Start)) - int(n.first), "calls": n.calls, "who": who.Name, "networks": howMany(len(n.list)),
				"at": m.first.UTC(), "secrets": some(what), "network": m.network,
			})}},
		Attack: []string{"T1552.005", "T1078.004", "T1555.006"},
		Next: []string{
			watch.Search(m.first.Add(-time.Hour), m.first.Add(time.Hour), watch.ByActor(who.UID)),
			novelty.Show(who),
		},
		Unseen: []say.Text{say.T("network.unseen", say.Values{"since": novelty.DateOf(n.first)})},
	}
	if len(n.list) > networksMany {
		told.Unseen = append(told.Unseen, say.T("network.unseen.many", say.Values{"n": networksMany}))
	}
	if region, _ := calledIn(day.Hours[i], names, m); region != "" && !slices.ContainsFunc(m.secrets, func(x int32) bool { return !names.Secrets[x].Away(region) }) {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "region", Observed: say.Plain(region), Text: say.T("network.region", say.Values{"region": region})})
	}
	switch m.kind {
	case netOutside:
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "origin", Text: say.T("network.outside", say.Values{"network": m.network})})
	case netElsewhere:
		there := names.Actors[s.origins[m.id].actor].Account
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "origin", Text: say.T("network.elsewhere", say.Values{"account": there, "network": m.network, "own": who.Account})})
	}
	return told
}

// some names up to three things.
func some(list []string) say.Text {
	switch len(list) {
	case 0:
		return say.T("secrets", nil)
	case 1, 2, 3:
		return say.T("secrets.names", say.Values{"secrets": list})
	}
	return say.T("secrets.names.more", say.Values{"secrets": list[:2], "n": len(list) - 2})
}

// howMany networks, in words.
func howMany(n int) say.Text {
	if n == 1 {
		return say.T("network.one", nil)
	}
	return say.T("network.several", say.Values{"n": n})
}
