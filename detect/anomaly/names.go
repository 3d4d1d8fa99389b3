package anomaly

import (
	"maps"
	"net/netip"
	"strings"
	"time"
	"unsafe"

	"github.com/yagura-sec/yagura/detect/anomaly/table"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/usage"
)

// of tells whether the resource is such a thing: a record may name others beside.
func (t thing) of(uid string) bool {
	if t == 0 || uid == "" || uid == usage.Other {
		return false
	}
	if h, ok := usage.HeldIn(uid); ok {
		return (t == aKey) == (h.Kind == "key")
	}
	p, ok := parseARN(uid)
	if !ok {
		return !strings.HasPrefix(uid, "/") // another provider's name, but no vault's
	}
	switch t {
	case aSecret:
		return p.service == "secretsmanager"
	case aParameter:
		return p.service == "ssm" && strings.HasPrefix(p.rest, "parameter")
	}
	return p.service == "kms"
}

// arn is an ARN in its parts.
type arn struct{ service, region, account, rest string }

func parseARN(s string) (p arn, ok bool) {
	rest, ok := strings.CutPrefix(s, "arn:")
	if !ok {
		return p, false
	}
	for i, to := range [...]*string{nil, &p.service, &p.region, &p.account} {
		part, after, found := strings.Cut(rest, ":")
		if !found {
			return p, false
		}
		if i > 0 {
			*to = part
		}
		rest = after
	}
	p.rest = rest
	return p, true
}

// canonical is a name under which the forms of one secret meet: Secrets Manager
// adds a hyphen and six random characters to a name, which requests may leave
// out.
func canonical(uid string) string {
	if !strings.Contains(uid, ":secretsmanager:") || !randomSuffix(uid) {
		return uid
	}
	return uid[:len(uid)-7]
}

// randomSuffix tells the random characters from a name's last word. Six lower
// case letters or six digits are taken to be a word: drawn by chance they are so
// once in 190 times, and then the two forms of the name count as two secrets.
func randomSuffix(s string) bool {
	if len(s) < 8 || s[len(s)-7] != '-' {
		return false
	}
	lower, upper, digits := 0, 0, 0
	for _, c := range []byte(s[len(s)-6:]) {
		switch {
		case 'a' <= c && c <= 'z':
			lower++
		case 'A' <= c && c <= 'Z':
			upper++
		case '0' <= c && c <= '9':
			digits++
		default:
			return false
		}
	}
	return lower < 6 && digits < 6
}

// names gives watch.Names their numbers.
type names struct {
	watch.Names
	secrets  table.Index // by Canonical name
	actors   table.Index // by UID
	families table.Index // the first secret of each
	accounts map[string]int32
}

// Most names are given by those who own what is named, but anyone may ask for
// secrets that are not there. What comes after so many has one name together:
// usage.Other.
const (
	maxSecrets  = 500_000
	maxActors   = 500_000
	maxAccounts = 50_000
)

// full tells whether some have one name together.
func (n *names) full() bool {
	return len(n.Secrets) >= maxSecrets-1 || len(n.Actors) >= maxActors-1 || len(n.Accounts) >= maxAccounts-1
}

// size in memory, about: account, region and name of a secret and of an actor are
// parts of their UID, and a family has one text.
func (n *names) size() int {
	total := cap(n.Secrets)*int(unsafe.Sizeof(watch.Secret{})) + cap(n.Actors)*int(unsafe.Sizeof(watch.Actor{})) +
		n.secrets.Bytes() + n.actors.Bytes() + n.families.Bytes() + 80*len(n.accounts)
	for i := range n.Secrets {
		s := &n.Secrets[i]
		total += len(s.UID) + 100*len(s.Replicas)
		if s.Family != s.UID && n.familyOf(s.Family) == int32(i) {
			total += len(s.Family)
		}
	}
	for i := range n.Actors {
		total += len(n.Actors[i].UID)
	}
	return total
}

func newNames() *names { return &names{accounts: map[string]int32{}} }

// secret is the number of a secret, which is given one at its first sight.
func (n *names) secret(uid string) int32 {
	if i := n.known(uid); i >= 0 {
		return i
	}
	name := canonical(uid)
	if len(n.Secrets) >= maxSecrets-1 && uid != usage.Other {
		return n.secret(usage.Other)
	}
	i := int32(len(n.Secrets))
	s := secretOf(uid, name)
	if first := n.familyOf(s.Family); first >= 0 {
		s.Family = n.Secrets[first].Family
	}
	n.Secrets = table.Append(n.Secrets, s)
	n.secrets.Add(i, n.hashSecret)
	if n.familyOf(s.Family) < 0 {
		n.families.Add(i, n.hashFamily)
	}
	return i
}

func (n *names) hashSecret(i int32) uint64 { return table.Hash(canonical(n.Secrets[i].UID)) }
func (n *names) hashFamily(i int32) uint64 { return table.Hash(n.Secrets[i].Family) }
func (n *names) hashActor(i int32) uint64  { return table.Hash(n.Actors[i].UID) }

// familyOf is the first secret of a family, or -1.
func (n *names) familyOf(family string) int32 {
	return n.families.Find(table.Hash(family), func(i int32) bool { return n.Secrets[i].Family == family })
}

// known is the number of a secret that has one, else -1. A name that could have
// random characters may be a whole one without.
func (n *names) known(uid string) int32 {
	for name := uid; ; {
		if i := n.secrets.Find(table.Hash(name), func(i int32) bool { return canonical(n.Secrets[i].UID) == name }); i >= 0 {
			return i
		}
		short := canonical(name)
		if short == name || name != uid {
			return -1
		}
		name = short
	}
}

func secretOf(uid, name string) watch.Secret {
	s := watch.Secret{UID: uid, Name: name}
	if h, ok := usage.HeldIn(uid); ok {
		s.Account, s.Region, s.Name, s.Key = h.Account, h.Region, h.Name, h.Kind == "key"
		s.Family = h.Container + " " + family(h.Name[strings.LastIndexByte(h.Name, '/')+1:])
		if s.Key {
			s.Family = uid
		}
		return s
	}
	p, ok := parseARN(name)
	if !ok {
		s.Family = uid
		return s
	}
	s.Account, s.Region, s.Name = p.account, p.region, p.rest
	switch p.service {
	case "secretsmanager":
		s.Name = strings.TrimPrefix(p.rest, "secret:")
	case "ssm":
		s.Name = strings.TrimPrefix(p.rest, "parameter")
		if strings.Count(s.Name, "/") == 1 {
			s.Name = s.Name[1:] // "parameter/x" is the ARN of "x"
		}
	case "kms":
		s.Key = true
		s.Name = strings.TrimPrefix(p.rest, "key/")
	}
	s.Family = p.account + " " + family(s.Name)
	if s.Key {
		s.Family = uid // a key's name says nothing
	}
	return s
}

// family is what a name has in common with those of secrets that belong with it:
// all up to the last slash, else the first part before a hyphen.
func family(name string) string {
	if at := strings.LastIndexByte(name, '/'); at > 0 {
		return name[:at]
	}
	head, _, _ := strings.Cut(strings.TrimPrefix(name, "/"), "-")
	return head
}

func (n *names) actor(uid string) int32 {
	if i := n.actors.Find(table.Hash(uid), func(i int32) bool { return n.Actors[i].UID == uid }); i >= 0 {
		return i
	}
	if len(n.Actors) >= maxActors-1 && uid != usage.Other {
		return n.actor(usage.Other)
	}
	i := int32(len(n.Actors))
	a := watch.Actor{UID: uid, Name: uid}
	if p, ok := parseARN(uid); ok {
		a.Account = p.account
		a.Name = p.rest[strings.LastIndexByte(p.rest, '/')+1:]
	} else if name, project, ok := serviceAccount(uid); ok {
		a.Name, a.Account = name, project
	}
	n.Actors = table.Append(n.Actors, a)
	n.actors.Add(i, n.hashActor)
	return i
}

func (n *names) account(id string) int32 {
	if i, ok := n.accounts[id]; ok {
		return i
	}
	if len(n.Accounts) >= maxAccounts-1 && id != usage.Other {
		return n.account(usage.Other)
	}
	i := int32(len(n.Accounts))
	n.Accounts = append(n.Accounts, id)
	n.accounts[id] = i
	return i
}

// replicated notes that a secret is replicated to a region from then on.
func (n *names) replicated(secret int32, region string, at time.Time) {
	s := &n.Secrets[secret]
	if _, had := s.Replicas[region]; had || region == "" {
		return
	}
	if s.Replicas == nil {
		s.Replicas = map[string]time.Time{}
	}
	s.Replicas[region] = at
}

// count is how many names there are.
type count struct {
	secrets, actors, accounts int
	at                        time.Time // replicas from then on are later
}

func (n *names) count(at time.Time) count {
	return count{len(n.Secrets), len(n.Actors), len(n.Accounts), at}
}

// cut takes away what was named since.
func (n *names) cut(to count) {
	// Of a name that is cut the text goes too.
	clear(n.Secrets[to.secrets:])
	clear(n.Actors[to.actors:])
	n.Secrets, n.Actors, n.Accounts = n.Secrets[:to.secrets], n.Actors[:to.actors], n.Accounts[:to.accounts]
	n.index()
	for i := range n.Secrets {
		for region, at := range n.Secrets[i].Replicas {
			if !at.Before(to.at) {
				delete(n.Secrets[i].Replicas, region)
			}
		}
	}
}

// index makes the indices anew.
func (n *names) index() {
	n.secrets.Reset(len(n.Secrets), n.hashSecret)
	n.actors.Reset(len(n.Actors), n.hashActor)
	n.families.Reset(0, n.hashFamily)
	for i := range n.Secrets {
		if n.familyOf(n.Secrets[i].Family) < 0 {
			n.families.Add(int32(i), n.hashFamily)
		}
	}
	maps.DeleteFunc(n.accounts, func(_ string, i int32) bool { return int(i) >= len(n.Accounts) })
}

// networkOf names where a call came from.
func networkOf(e *event.Event) string {
	switch {
	case e.SrcVPCE != "":
		return e.SrcVPCE
	case e.SrcHost != "":
		return e.SrcHost
	}
	ip, err := netip.ParseAddr(e.SrcIP)
	switch {
	case err != nil:
		return e.SrcIP
	case ip.IsPrivate(), ip.IsLoopback(), ip.IsLinkLocalUnicast():
		return "private"
	}
	bits := 48
	if ip = ip.Unmap(); ip.Is4() {
		bits = 24
	}
	p, err := ip.WithZone("").Prefix(bits)
	if err != nil {
		return e.SrcIP
	}
	return p.String()
}

// personOf names who stands behind the call of a person.
func personOf(e *event.Event) string {
	switch {
	case !watch.Person(e.Caller):
		return ""
	case strings.Contains(e.ActorUID, "@") && !strings.HasPrefix(e.ActorUID, "arn:"):
		return e.ActorUID // where people are principals themselves
	case e.ActorSession != "":
		return e.ActorSession
	}
	return e.ActorName
}
