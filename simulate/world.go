package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// world is everything that exists in the organisation.
type world struct {
	o        Organisation
	rng      *rand.Rand
	org      string
	accounts []*account
	script   []scene
	table    [4096]uint16 // Zipf over operations: an even draw from it
	d        draft        // the record being made, reused
	sum      Summary
}

type account struct {
	id, name  string
	index     int
	busy      float64 // share of the organisation's load
	steady    bool    // as much by night as by day
	credit    float64 // records owed to this slot
	byClass   [classes][]*principal
	secrets   []secret
	keys      []string // KMS key ARNs
	buckets   []string
	tables    []string
	functions []string
	queues    []string
	streams   map[string]*stream
	main      *stream // of the home region
}

type secret struct{ name, arn, key string }

func newWorld(o Organisation) *world {
	w := &world{o: o, rng: newRand(o.Seed, 0)}
	w.org = "o-" + w.letters(10)
	for i := range o.Accounts {
		w.accounts = append(w.accounts, w.newAccount(i))
	}
	w.named("shared-network").steady = true
	w.sum = Summary{Organisation: w.org, Start: o.Start}
	for _, a := range w.accounts {
		w.sum.Accounts = append(w.sum.Accounts, a.id)
	}
	w.fillTable()
	if !o.Plain {
		w.writeScript()
	}
	return w
}

func (w *world) newAccount(i int) *account {
	a := &account{index: i, id: fmt.Sprintf("%012d", 111122223333+i), busy: 1 / (1 + 0.3*float64(i%len(accountNames))), streams: map[string]*stream{}}
	a.name = accountNames[i%len(accountNames)]
	if n := i / len(accountNames); n > 0 {
		a.name = fmt.Sprintf("%s-%d", a.name, n+1)
	}
	for range 4 {
		a.keys = append(a.keys, fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", home, a.id, w.uuid()))
	}
	for n := range 8 {
		name := a.name + "/" + systems[(i+n)%len(systems)] + "-" + []string{"db", "api-key", "mq", "smtp"}[n%4]
		a.secrets = append(a.secrets, secret{name: name, arn: fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:%s-%s", home, a.id, name, w.letters(6)), key: a.keys[n%len(a.keys)]})
	}
	for n := range 6 {
		sys := systems[(i+n)%len(systems)]
		a.buckets = append(a.buckets, "hoshino-"+a.name+"-"+sys)
		a.tables = append(a.tables, sys+"-items")
		a.functions = append(a.functions, sys+"-worker")
		a.queues = append(a.queues, sys+"-jobs")
	}
	for _, region := range []string{home, global, abroad} {
		a.streams[region] = &stream{account: a, region: region}
	}
	a.main = a.streams[home]
	w.people(a)
	return a
}

// fillTable draws operations by Zipf's law: rank r has weight 1/r.
func (w *world) fillTable() {
	var total float64
	for r := range operations {
		total += 1 / math.Pow(float64(r+1), 1.02)
	}
	var at, sum float64
	for r := range operations {
		sum += 1 / math.Pow(float64(r+1), 1.02)
		for ; at < sum/total*float64(len(w.table)) && int(at) < len(w.table); at++ {
			w.table[int(at)] = uint16(r)
		}
	}
}

// everyday lets something ordinary happen in an account and says how many
// records that made.
func (w *world) everyday(a *account, second int64) int {
	op := &operations[w.table[w.rng.IntN(len(w.table))]]
	who := w.caller(a, op.by)
	d := w.begin(a, who, op, second)
	switch {
	case op.global:
		d.region = global
	case a.index%4 == 1 && w.rng.IntN(25) == 0:
		d.region = abroad
	}
	if op.fill != nil {
		op.fill(w, a, d)
	}
	if d.errCode == "" && w.rng.IntN(64) == 0 {
		w.fail(d, op)
	}
	w.put(a, d)
	made := 1
	if d.errCode != "" {
		return made
	}
	if d.secret != nil && w.rng.IntN(12) > 0 {
		w.twin(a, d)
		made++
	}
	if d.other != nil && !w.silent(d.other, time.Unix(second, 0)) {
		w.otherSide(d)
		made++
	}
	return made
}

// caller picks one of the account's principals that do such things: mostly a
// service where services do them.
func (w *world) caller(a *account, by class) *principal {
	if by&(1<<service) != 0 && w.rng.IntN(5) < 3 {
		return pick(w, a.byClass[service])
	}
	var fit [classes]class
	n := 0
	for c := class(0); c < classes; c++ {
		if by&(1<<c) != 0 && len(a.byClass[c]) > 0 {
			fit[n] = c
			n++
		}
	}
	all := a.byClass[fit[w.rng.IntN(n)]]
	// Some work far more than others.
	return all[w.rng.IntN(1+w.rng.IntN(len(all)))]
}

// fail makes the drafted call end in one of the usual errors.
func (w *world) fail(d *draft, op *operation) {
	switch k := w.rng.IntN(10); {
	case k < 4:
		d.errCode, d.errMsg = "ThrottlingException", "Rate exceeded"
	case k < 7:
		d.errCode, d.errMsg = "ResourceNotFoundException", "The requested resource was not found"
	case op.source == "ec2":
		d.errCode, d.errMsg = "Client.UnauthorizedOperation", "You are not authorized to perform this operation."
	default:
		d.errCode, d.errMsg = "AccessDenied", "User: "+d.who.arn+" is not authorized to perform: "+op.source+":"+op.name+" because no identity-based policy allows the action"
	}
	d.resp = d.resp[:0]
}

// twin is the key service's record of a call that the secret's service made on
// the caller's behalf.
func (w *world) twin(a *account, of *draft) {
	s, who, at, console, region := of.secret, of.who, of.at, of.console, of.region
	d := w.begin(a, who, &decryptOp, at+int64(w.rng.IntN(2)))
	d.region, d.console = region, console
	d.invokedBy = "secretsmanager.amazonaws.com"
	d.ip, d.agent, d.vpce = d.invokedBy, d.invokedBy, ""
	d.req = append(d.req, `{"encryptionContext":{"SecretARN":"`...)
	d.req = append(d.req, s.arn...)
	d.req = append(d.req, `","SecretVersionId":"`...)
	d.req = w.appendUUID(d.req)
	d.req = append(d.req, `"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}`...)
	d.resource(a.id, "AWS::KMS::Key", s.key)
	w.put(a, d)
}

// otherSide is the record of a call between accounts in the account that
// received it: another id, the same shared id, the caller by number only.
func (w *world) otherSide(d *draft) {
	b := d.other
	d.foreign = true
	d.recipient = b.id
	d.eventID = w.appendUUID(d.eventID[:0])
	w.putInto(b.stream(d.region), d)
}

func (a *account) stream(region string) *stream {
	if s := a.streams[region]; s != nil {
		return s
	}
	return a.main
}

func (w *world) put(a *account, d *draft) { w.putInto(a.stream(d.region), d) }

func (w *world) putInto(s *stream, d *draft) {
	s.add(d)
	if w.rng.IntN(100) == 0 {
		s.repeatLast()
	} else if w.rng.IntN(200) == 0 {
		s.delayLast()
	}
}

func (w *world) letters(n int) string {
	const set = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = set[w.rng.IntN(len(set))]
	}
	return string(b)
}

func (w *world) hex(n int) string {
	const set = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		b[i] = set[w.rng.IntN(len(set))]
	}
	return string(b)
}

func (w *world) uuid() string { return string(w.appendUUID(nil)) }

func (w *world) appendUUID(b []byte) []byte {
	const set = "0123456789abcdef"
	hi, lo := w.rng.Uint64(), w.rng.Uint64()
	hi = hi&^0xf000 | 0x4000
	lo = lo&^(3<<62) | 2<<62
	for i := 60; i >= 0; i -= 4 {
		if i == 28 || i == 12 {
			b = append(b, '-')
		}
		b = append(b, set[hi>>i&15])
	}
	for i := 60; i >= 0; i -= 4 {
		if i == 60 || i == 44 {
			b = append(b, '-')
		}
		b = append(b, set[lo>>i&15])
	}
	return b
}

func pick[T any](w *world, from []T) T { return from[w.rng.IntN(len(from))] }

// named finds an account by name; the last one where there is none.
func (w *world) named(name string) *account {
	if i := slices.IndexFunc(w.accounts, func(a *account) bool { return a.name == name }); i >= 0 {
		return w.accounts[i]
	}
	return w.accounts[len(w.accounts)-1]
}
