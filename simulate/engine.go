package simulate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// engine lets a world live and hands its calls to delivery.
type engine struct {
	c        Config
	w        *estate.World
	rng      *rand.Rand // of what is decided one after the other
	late     *rand.Rand // of delivery
	accounts []*account
	byID     map[string]*account
	programs []*program
	byWork   map[*estate.Workload]*program
	secrets  map[*estate.Secret]*secret
	humans   []*human
	byPerson map[*estate.Person]*human
	clocks   []*clock
	table    [4096]uint16 // Zipf over operations of programs: an even draw from it
	desk     [4096]uint16 // and of people
	plan     *planned
	agenda   []task // of the day, in order of time
	told     []scene

	next      uint64 // the next call's id
	from, end int64  // of the logs
	hour      int64  // the one being made
	scopeFrom int64
	gap       gap
	sum       Summary
	d         *delivery
	seconds   []int64
}

// gap is a time in which an account delivered nothing; it comes afterwards.
type gap struct {
	account  *account
	from, to int64
}

// account is an account at work.
type account struct {
	*estate.Account
	steady    bool    // as much by night as by day
	busy      float64 // share of the sample organisation's load
	credit    float64 // records owed
	byClass   [classes][]*session
	programs  []*program
	pipeline  *program
	renewer   map[string]*program // that rotates secrets, by region
	names     map[string][]string // of secrets that are there all the time, by region
	keys      []string            // KMS key ARNs, of the home region
	keysIn    map[string][]string // by region
	buckets   []string
	tables    []string
	functions []string
	queues    []string
	clock     *clock
	streams   map[string]*stream
	order     []*stream // in order of making
	main      *stream
}

func newEngine(c Config, w *estate.World) *engine {
	e := &engine{
		c: c, w: w, rng: newRand(c.Seed, 1), late: newRand(c.Seed, 2), byID: map[string]*account{}, byWork: map[*estate.Workload]*program{},
		secrets: map[*estate.Secret]*secret{}, byPerson: map[*estate.Person]*human{},
		next: mix(uint64(c.Seed)) >> 2, from: w.Start.Unix(), end: w.End.Unix(),
	}
	e.scopeFrom = e.from
	if !c.sample {
		e.scopeFrom += int64(c.Days) * 86400 / 5
	}
	e.sum = Summary{Organisation: w.Org, Start: w.Start, End: w.End}
	for _, a := range w.Accounts {
		e.accounts = append(e.accounts, e.newAccount(a))
		e.sum.Accounts = append(e.sum.Accounts, a.ID)
	}
	for _, s := range w.Secrets {
		t := newSecret(s, e.byID[s.Account.ID])
		e.secrets[s] = t
		if t.from == 0 && t.until == 0 && s.Sort == estate.SortSecret {
			t.account.names[s.Region] = append(t.account.names[s.Region], s.Name)
		}
	}
	for _, wl := range w.Workloads {
		e.addProgram(wl)
	}
	for _, p := range w.People {
		e.addHuman(p)
	}
	fillTable(&e.table, programs|1<<ci|1<<service|1<<static)
	fillTable(&e.desk, people)
	if !c.sample && c.Days >= 4 {
		day := e.from + int64(1+e.rng.IntN(max(1, c.Days/2)))*86400
		from := day + int64(e.rng.IntN(18))*3600
		e.gap = gap{e.accounts[e.rng.IntN(len(e.accounts))], from, from + gapHours*3600}
	}
	return e
}

func (e *engine) newAccount(n *estate.Account) *account {
	a := &account{Account: n, busy: 1 / (1 + 0.3*float64(n.Index%len(accountNames))), renewer: map[string]*program{}, streams: map[string]*stream{}, names: map[string][]string{}}
	e.byID[n.ID] = a
	a.steady = strings.HasPrefix(n.Name, "shared-network")
	a.clock = e.clock(zones[0].name)
	for _, z := range zones {
		if z.home == n.Home {
			a.clock = e.clock(z.name)
		}
	}
	for range 4 {
		a.keys = append(a.keys, fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", n.Home, n.ID, uuid(e.rng)))
	}
	a.keysIn = map[string][]string{n.Home: a.keys}
	for _, region := range n.Regions {
		if region == n.Home {
			continue
		}
		for _, k := range a.keys { // calls in a region know its own keys only
			h := textHash(region + k)
			a.keysIn[region] = append(a.keysIn[region], fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", region, n.ID, appendUUID(nil, h, mix(h))))
		}
	}
	for k := range 6 {
		sys := systems[(n.Index+k)%len(systems)]
		a.buckets = append(a.buckets, "hoshino-"+a.Name+"-"+sys)
		a.tables = append(a.tables, sys+"-items")
		a.functions = append(a.functions, sys+"-worker")
		a.queues = append(a.queues, sys+"-jobs")
	}
	a.main = a.stream(n.Home)
	e.infrastructure(a)
	return a
}

// infrastructure is what runs in every account and reads no secret.
func (e *engine) infrastructure(a *account) {
	role := func(c estate.Class, name, suffix string, n int) {
		wl := &estate.Workload{Name: name, Role: "arn:aws:iam::" + a.ID + ":role/" + name + suffix, Class: c, Account: a.Account, Region: a.Home, Internal: n%2 == 0}
		p := e.newProgram(wl)
		a.byClass[p.who.class] = append(a.byClass[p.who.class], p.live...)
	}
	for i, fn := range a.functions {
		role(estate.Lambda, fn, "-role", i)
	}
	for i := range 2 {
		role(estate.ECS, systems[(a.Index+i)%len(systems)]+"-agent", "-task", i)
	}
	role(estate.EC2, "web-tier", "", 0)
	role(estate.EKS, "eks-"+systems[a.Index%len(systems)], "", 1)
	for _, host := range []string{"cloudtrail", "config", "autoscaling", "delivery.logs", "lambda", "ecs-tasks", "securityhub", "backup"} {
		host += ".amazonaws.com"
		s := newPrincipal(service, host, traits{}).session("", host, host)
		a.byClass[service] = append(a.byClass[service], s)
	}
	user := newPrincipal(static, "arn:aws:iam::"+a.ID+":user/report-export", traits{})
	a.byClass[static] = append(a.byClass[static], user.session("", "192.0.2.77", agentStatic))
}

func (e *engine) addProgram(wl *estate.Workload) {
	p := e.newProgram(wl)
	e.programs, e.byWork[wl] = append(e.programs, p), p
	a := p.account
	a.programs = append(a.programs, p)
	switch {
	case wl.App != nil:
		e.addFlows(p)
		if chance(e.rng, deniedPrincipals) {
			p.deniedRate = e.c.scale * deniedMax * math.Pow(100, -e.rng.Float64()) // from 2 an hour down to one in two days
		}
	case wl.Name == misconfiguredName:
		p.deniedRate = misconfigured * e.c.scale
	case wl.Class == estate.CI:
		a.pipeline = p
		a.byClass[ci] = append(a.byClass[ci], p.live...)
	case strings.HasPrefix(wl.Name, rotationName):
		a.renewer[wl.Region] = p
	}
	p.deniedOp = &refused[mix(p.who.hash)%uint64(len(refused))]
}

// refused is what programs ask for in vain.
var refused = []operation{
	{"s3", "GetBucketTagging", programs, true, false, false, "", bucket},
	{"kms", "DescribeKey", programs, true, false, false, "", describeKey},
	{"ec2", "DescribeInstances", programs, true, false, false, "", describe},
	{"cloudwatch", "PutMetricData", programs, false, false, false, "", nil},
	{"iam", "GetRole", programs, true, false, true, "", role},
	{"dynamodb", "DescribeTable", programs, true, false, false, "2012-08-10", item},
}

// fillTable draws operations by Zipf's law: rank r has weight 1/r.
func fillTable(table *[4096]uint16, by class) {
	var total float64
	for r := range operations {
		if operations[r].by&by != 0 {
			total += 1 / math.Pow(float64(r+1), 1.02)
		}
	}
	var at, sum float64
	for r := range operations {
		if operations[r].by&by == 0 {
			continue
		}
		sum += 1 / math.Pow(float64(r+1), 1.02)
		for ; at < sum/total*float64(len(table)) && int(at) < len(table); at++ {
			table[int(at)] = uint16(r)
		}
	}
}

// run goes through the hours.
func (e *engine) run(ctx context.Context) error {
	if e.c.Story {
		e.writeScript()
	}
	for e.hour = e.from; e.hour < e.end; e.hour += 3600 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if e.c.Progress != nil {
			e.c.Progress(time.Unix(e.hour, 0).UTC())
		}
		for _, c := range e.clocks {
			c.set(e.hour)
		}
		if e.hour%86400 == 0 || e.hour == e.from {
			e.newDay()
		}
		e.perform()
		for _, p := range e.programs {
			e.work(p)
		}
		for _, h := range e.humans {
			e.atWork(h)
		}
		e.asPlanned()
		for _, a := range e.accounts {
			e.background(a)
		}
		for at := e.hour + e.d.step; at <= e.hour+3600; at += e.d.step {
			if err := e.d.slot(at); err != nil {
				return err
			}
		}
	}
	return e.d.finish(e.end)
}

// perform does what is on the day's agenda for this hour, and the story.
func (e *engine) perform() {
	for len(e.agenda) > 0 && e.agenda[0].at < e.hour+3600 {
		e.agenda[0].do()
		e.agenda = e.agenda[1:]
	}
	for len(e.told) > 0 && e.told[0].at < e.hour+3600 {
		e.told[0].play()
		e.told = e.told[1:]
	}
}

func (a *account) stream(region string) *stream {
	s := a.streams[region]
	if s == nil {
		s = &stream{account: a, region: region}
		a.streams[region] = s
		a.order = append(a.order, s)
	}
	return s
}

func (e *engine) silent(a *account, at int64) bool {
	s := &e.sum.Silent
	return a.ID == s.Account && at >= s.From.Unix() && at < s.To.Unix()
}

func (e *engine) newID() uint64 {
	e.next++
	return e.next &^ foreignBit
}

// emit takes a call up for delivery. It is told when, and perhaps twice. What
// is outside the logs' time is not seen by anybody.
func (e *engine) emit(c call) {
	if c.at < e.from || c.at >= e.end || e.silent(c.in.account, c.at) {
		return
	}
	if c.id == 0 {
		c.id = e.newID()
	}
	c.due = c.at + max(20, int64(delayMedian*math.Exp(delaySigma*e.late.NormFloat64())))
	if g := &e.gap; g.account == c.in.account && c.due >= g.from && c.due < g.to {
		c.due = g.to + int64(e.late.IntN(600))
	}
	if e.late.Float64() < shareAgain {
		c.mark |= isAgain
	}
	c.in.account.credit--
	c.in.pending = append(c.in.pending, c)
}

// read lets a session read a secret, with the record of the key's use beside
// it. It says the ids of the records.
func (e *engine) read(c call, label *estate.Label) {
	s := c.secret
	c.id = e.newID()
	if c.op == nil {
		c.op = s.op
	}
	if c.who.account != s.Account.ID && c.who.account != "" {
		e.across(c, s.account, label)
		return
	}
	e.note(label, &c)
	e.emit(c)
	e.twinOf(c, label)
}

func (e *engine) twinOf(c call, label *estate.Label) {
	if c.mark&isWrong != 0 || c.more != nil && c.more.errCode != "" || c.secret.Sort == estate.SortKey || e.rng.Float64() >= shareTwin {
		return
	}
	t := c
	t.id, t.mark, t.op, t.more = e.newID(), c.mark|isTwin, &decryptOp, nil
	t.mark &^= isInternal | isShared // it is in the log of the key only
	t.at += int64(e.rng.IntN(2))
	e.note(label, &t)
	e.emit(t)
}

// across is a call from one account into another: both have a record.
func (e *engine) across(c call, to *account, label *estate.Label) {
	region := c.in.region
	c.mark |= isShared
	if from := e.byID[c.who.account]; from != nil {
		first := c
		first.in, first.other = from.stream(region), to
		e.note(label, &first)
		e.emit(first)
	}
	c.in, c.other = to.stream(region), e.byID[c.who.account]
	if c.other == nil {
		c.other = to // nobody of ours
	}
	c.id |= foreignBit
	c.mark |= isForeign
	e.note(label, &c)
	e.emit(c)
	if c.secret != nil {
		c.id &^= foreignBit
		e.twinOf(c, label)
	}
}

// note tells a label of a record that is its doing.
func (e *engine) note(l *estate.Label, c *call) {
	if l != nil && len(l.Events) < 1000 && c.at >= e.from && c.at < e.end {
		l.Events = append(l.Events, eventID(c.id))
	}
}

// background is an account's other work.
func (e *engine) background(a *account) {
	if e.c.records > 0 {
		if e.silent(a, e.hour) {
			return
		}
		a.credit += e.d.perHour * a.load(e.hour)
		for tries := 2 * int(a.credit); a.credit >= 1 && tries > 0; tries-- {
			e.everyday(a, e.hour+int64(e.rng.IntN(3600)))
		}
		return
	}
	a.credit = 0
	for range poisson(e.rng, backgroundCalls*a.clock.busy()) {
		e.everyday(a, e.hour+int64(e.rng.IntN(3600)))
	}
}

// load is how busy an account of the sample organisation is in an hour.
func (a *account) load(hour int64) float64 {
	if a.steady {
		return a.busy * 0.7
	}
	local := time.Unix(hour, 0).UTC().Add(9 * time.Hour)
	h := local.Hour()
	weekend := local.Weekday() == time.Saturday || local.Weekday() == time.Sunday
	switch {
	case !weekend && h >= 9 && h < 19:
		return a.busy
	case !weekend && h >= 7 && h < 22:
		return a.busy * 0.6
	}
	return a.busy * 0.35
}

// everyday lets something ordinary happen that is not about a secret.
func (e *engine) everyday(a *account, at int64) {
	op := &operations[e.table[e.rng.IntN(len(e.table))]]
	who := e.caller(a, op.by)
	if who == nil {
		return
	}
	c := call{at: at, who: who, op: op, in: a.main}
	switch {
	case op.global:
		c.in = a.stream(global)
	case len(a.Regions) > 1 && e.rng.IntN(25) == 0:
		c.in = a.stream(a.Regions[1+e.rng.IntN(len(a.Regions)-1)])
	}
	if who.class != service && e.rng.IntN(64) == 0 {
		c.mark |= someError(e.rng)
	}
	if op.source == "kms" && who.class != service && e.rng.IntN(20) == 0 {
		c.mark |= isInternal
	}
	if who.class == ci && op.name == "AssumeRole" && c.mark&isWrong == 0 && e.rng.IntN(4) == 0 {
		if to := e.accounts[e.rng.IntN(len(e.accounts))]; to != a {
			c.id = e.newID()
			e.across(c, to, nil)
			return
		}
	}
	e.emit(c)
}

func someError(rng *rand.Rand) marks {
	switch k := rng.IntN(10); {
	case k < 4:
		return isThrottled
	case k < 7:
		return isMissing
	}
	return isDenied
}

// caller picks one of those in the account that do such things: mostly a
// service where services do them.
func (e *engine) caller(a *account, by class) *session {
	if by&(1<<service) != 0 && e.rng.IntN(5) < 3 {
		return one(e.rng, a.byClass[service])
	}
	var fit [classes]class
	n := 0
	for c := class(0); c < classes; c++ {
		if by&(1<<c) != 0 && len(a.byClass[c]) > 0 {
			fit[n] = c
			n++
		}
	}
	if n == 0 {
		return nil
	}
	all := a.byClass[fit[e.rng.IntN(n)]]
	// Some work far more than others.
	return all[e.rng.IntN(1+e.rng.IntN(len(all)))]
}

// clock is the time of day in a zone, of one hour.
type clock struct {
	name, country string
	loc           *time.Location
	hour          int
	weekday       time.Weekday
	day           int  // of the year
	work          bool // a workday
	monthEnd      bool
}

func (e *engine) clock(name string) *clock {
	for _, c := range e.clocks {
		if c.name == name {
			return c
		}
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic(err) // the zones are in the program
	}
	c := &clock{name: name, loc: loc}
	for _, z := range zones {
		if z.name == name {
			c.country = z.country
		}
	}
	c.set(e.from)
	e.clocks = append(e.clocks, c)
	return c
}

func (c *clock) set(hour int64) {
	t := time.Unix(hour, 0).In(c.loc)
	c.hour, c.weekday = t.Hour(), t.Weekday()
	if day := t.YearDay() + 1000*t.Year(); day != c.day {
		c.day = day
		c.work = estate.Workday(c.country, t)
		c.monthEnd = t.AddDate(0, 0, 2).Day() <= 3
	}
}

// at is the clock of another hour.
func (c *clock) at(hour int64) *clock {
	other := clock{name: c.name, country: c.country, loc: c.loc}
	other.set(hour)
	return &other
}

// office is how busy an hour of a workday is, with a dip at lunch.
var office = [24]float64{.12, .12, .12, .12, .12, .12, .12, .16, .4, .8, 1, 1, .6, 1, 1, 1, 1, 1, .7, .5, .35, .25, .15, .12}

// busy is how much offices have to do.
func (c *clock) busy() float64 {
	switch {
	case c.work:
		return office[c.hour]
	case c.hour >= 8 && c.hour < 21:
		return 0.16
	}
	return 0.11
}

// gamma draws from the gamma distribution of mean k (Marsaglia and Tsang).
func gamma(rng *rand.Rand, k float64) float64 {
	if k < 1 {
		return gamma(rng, k+1) * math.Pow(rng.Float64(), 1/k)
	}
	d := k - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := rng.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		u := rng.Float64()
		if u < 1-0.0331*x*x*x*x || math.Log(u) < 0.5*x*x+d*(1-v+math.Log(v)) {
			return d * v
		}
	}
}

// poisson draws a count, in portions so that the exponential stays in range.
func poisson(rng *rand.Rand, mean float64) int {
	n := 0
	for mean > 0 {
		part := min(mean, 30)
		mean -= part
		limit, p := math.Exp(-part), rng.Float64()
		for p > limit {
			n++
			p *= rng.Float64()
		}
	}
	return n
}

// task is something on the day's agenda.
type task struct {
	at int64
	do func()
}

// newDay fills the agenda.
func (e *engine) newDay() {
	e.today()
	slices.SortStableFunc(e.agenda, func(a, b task) int { return int(min(1, max(-1, a.at-b.at))) })
}
