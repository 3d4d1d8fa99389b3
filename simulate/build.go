package simulate

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// builder makes a world from chance.
type builder struct {
	c     Config
	rng   *rand.Rand
	w     *estate.World
	end   time.Time
	taken map[string]bool // names
	crew  map[*estate.Account][]*estate.Person
}

const (
	home   = "ap-northeast-1"
	global = "us-east-1" // where calls of IAM, STS and sign-in are recorded
	abroad = "eu-west-1"
)

type zone struct{ name, country, home, office string }

// zones of teams; their offices' addresses lie in networks for documentation.
var zones = []zone{
	{"Asia/Tokyo", "JP", home, "203.0.113.20"},
	{"Europe/Berlin", "DE", "eu-central-1", "198.18.255.20"},
	{"America/New_York", "US", "us-east-2", "192.0.2.20"},
}

var (
	systems      = []string{"orders", "billing", "catalogue", "search", "media", "reports", "identity", "mail", "logistics", "pricing", "support", "loyalty"}
	domains      = append(slices.Clone(systems), "payments", "checkout", "stock", "returns", "fraud", "booking", "tax", "exchange", "cards", "rating", "feeds", "exports", "imports", "audit", "chat", "push", "maps", "routing", "fleet", "claims", "quotes", "documents", "photos", "video", "ranking", "adverts", "crm", "leads", "events", "tickets", "seats", "wallet", "coupons", "forecast", "sensors", "contracts")
	accountNames = []string{"build", "prod-shop", "prod-pay", "prod-data", "staging", "dev-shop", "dev-pay", "shared-network", "log-archive", "security", "sandbox", "backup"}
	teamNames    = []string{"storefront", "payments", "data-platform", "fulfilment", "accounts", "growth", "insights", "mobile", "partners", "risk", "platform", "back-office"}
	whats        = []string{"db", "api-key", "mq", "smtp", "signing", "oauth", "cache", "webhook", "sftp", "token"}
	parts        = []string{"api", "worker", "web", "sync", "cron", "ingest", "export"}
	spareRegions = []string{"ap-northeast-3", "us-west-2", "eu-west-1", "ap-southeast-1", "eu-north-1"}
	given        = []string{"kei", "rin", "sora", "aoi", "haru", "yuki", "nao", "mio", "ren", "jun", "lena", "jonas", "mia", "felix", "ida", "paul", "nora", "emil", "klara", "max", "ava", "noah", "ella", "liam", "ruth", "owen", "iris", "cole", "tess", "dean"}
	names        = []string{"sato", "suzuki", "takahashi", "tanaka", "ito", "watanabe", "yamamoto", "nakamura", "kobayashi", "kato", "yoshida", "yamada", "brandt", "vogel", "keller", "lorenz", "winter", "seidel", "marsh", "ellis", "porter", "hayes", "doyle", "finch"}
)

const domain = "hoshino.example"

func newRand(seed int64, stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), 0x59616775726121+stream))
}

func newBuilder(c Config) *builder {
	b := &builder{c: c, rng: newRand(c.Seed, 0), taken: map[string]bool{}, crew: map[*estate.Account][]*estate.Person{}}
	b.end = c.Start.AddDate(0, 0, c.Days)
	b.w = &estate.World{
		Seed: c.Seed, Size: c.Size, Family: c.Family, Start: c.Start, End: b.end, TroubleAt: c.troubleAt(), Rates: rates(),
		Name: fmt.Sprintf("%s-%s-%d", c.Size, c.Family, c.Seed), Org: "o-" + letters(b.rng, 10),
	}
	return b
}

// world builds everything, what later things need first.
func (b *builder) world() *estate.World {
	b.accounts()
	b.teams()
	b.people()
	own := int(math.Round(sharePerson * float64(b.c.Secrets)))
	if b.c.Secrets-own < 1 || b.c.sample {
		own = 0
	}
	if b.c.sample {
		b.evenly()
	}
	for len(b.w.Secrets) < b.c.Secrets-own {
		b.app(b.c.Secrets - own - len(b.w.Secrets))
	}
	b.staff()
	for range own {
		b.personSecret()
	}
	b.changes()
	b.pipelines()
	b.rotation()
	return b.w
}

func chance(rng *rand.Rand, p float64) bool { return rng.Float64() < p }

func one[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

func logNormal(rng *rand.Rand, median, sigma float64) float64 {
	return median * math.Exp(sigma*rng.NormFloat64())
}

func letters(rng *rand.Rand, n int) string {
	return drawn(rng, n, "abcdefghijklmnopqrstuvwxyz0123456789")
}
func hexes(rng *rand.Rand, n int) string { return drawn(rng, n, "0123456789abcdef") }
func mixedLetters(rng *rand.Rand, n int) string {
	return drawn(rng, n, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
}

func drawn(rng *rand.Rand, n int, set string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = set[rng.IntN(len(set))]
	}
	return string(b)
}

func (b *builder) accounts() {
	for i := range b.c.Accounts {
		a := &estate.Account{
			ID: accountID(i), Index: i, Name: accountNames[i%len(accountNames)], Home: home,
			NAT: fmt.Sprintf("198.18.%d.%d", i%250, 10+i/250), Network: fmt.Sprintf("10.%d", i%250), VPCE: "vpce-" + hexes(b.rng, 17),
		}
		switch prefix, _, _ := strings.Cut(a.Name, "-"); prefix {
		case "prod":
			a.OU = "prod"
		case "staging", "dev", "build":
			a.OU = "non-prod"
		case "sandbox":
			a.OU = "sandbox"
		default:
			a.OU = "security"
		}
		if n := i / len(accountNames); n > 0 {
			a.Name = fmt.Sprintf("%s-%d", a.Name, n+1)
		}
		if !b.c.sample {
			a.Home = zones[[]int{0, 0, 1, 0, 2}[b.rng.IntN(5)]].home
		}
		a.Regions = []string{a.Home}
		spare := slices.Clone(spareRegions)
		b.rng.Shuffle(len(spare), func(i, k int) { spare[i], spare[k] = spare[k], spare[i] })
		a.DR = spare[0]
		a.Regions = append(a.Regions, spare[1:1+b.rng.IntN(3)]...)
		if b.c.sample {
			a.Regions = a.Regions[:1]
			if i%4 == 1 {
				a.Regions, a.DR = append(a.Regions, abroad), "us-west-2"
			}
		}
		b.w.Accounts = append(b.w.Accounts, a)
	}
}

func (b *builder) teams() {
	for i, name := range teamNames {
		z := zones[[]int{0, 1, 0, 2}[i%4]]
		if b.c.sample {
			z = zones[0]
		}
		b.w.Teams = append(b.w.Teams, &estate.Team{Name: name, Zone: z.name, Country: z.country})
	}
}

func (b *builder) people() {
	n := min(max(4*b.c.Accounts, 8), 2000)
	for i := range n {
		team := b.w.Teams[i%len(b.w.Teams)]
		p := &estate.Person{Team: team, Zone: team.Zone}
		first, last := one(b.rng, given), one(b.rng, names)
		p.Email = first + "." + last + "@" + domain
		for k := 2; b.taken[p.Email]; k++ {
			p.Email = fmt.Sprintf("%s.%s%d@%s", first, last, k, domain)
		}
		b.taken[p.Email] = true
		p.Name = strings.ToUpper(first[:1]) + first[1:] + " " + strings.ToUpper(last[:1]) + last[1:]
		p.Begins = math.Round(4*min(max(9+0.9*b.rng.NormFloat64(), 6), 12)) / 4
		p.Ends = p.Begins + 8.5 + math.Round(4*b.rng.Float64())/4
		for _, z := range zones {
			if z.name == team.Zone {
				p.Office = z.office
			}
		}
		p.Home = fmt.Sprintf("198.19.%d.%d", i%250, 5+i/250)
		p.Device = fmt.Sprintf("LT-%04d", 1000+i)
		if days := float64(b.c.Days); days > 3 && !b.c.sample {
			switch u := b.rng.Float64(); {
			case u < shareJoining:
				p.Joined = b.within(0.1, 0.9)
			case u < shareJoining+shareLeaving:
				p.Left = b.within(0.3, 0.95)
			}
		}
		team.People = append(team.People, p)
		b.w.People = append(b.w.People, p)
	}
	// The first of each team, by turns, is on call for a week.
	monday := b.c.Start.AddDate(0, 0, -(int(b.c.Start.Weekday())+6)%7).Truncate(24 * time.Hour)
	for _, t := range b.w.Teams {
		for week := 0; ; week++ {
			from := monday.AddDate(0, 0, 7*week)
			if !from.Before(b.end) || len(t.People) == 0 {
				break
			}
			p := t.People[week%len(t.People)]
			if here(p, from) && here(p, from.AddDate(0, 0, 7)) {
				p.Duty = append(p.Duty, estate.Shift{From: from, To: from.AddDate(0, 0, 7)})
			}
		}
	}
}

// within is a whole minute between two parts of the logs, on a working hour.
func (b *builder) within(from, to float64) time.Time {
	d := from + (to-from)*b.rng.Float64()
	day := b.c.Start.AddDate(0, 0, int(d*float64(b.c.Days)))
	return day.Add(time.Duration(1+b.rng.IntN(8))*time.Hour + time.Duration(b.rng.IntN(60))*time.Minute)
}

// here tells whether the person works for the organisation at t.
func here(p *estate.Person, t time.Time) bool {
	return (p.Joined.IsZero() || !t.Before(p.Joined)) && (p.Left.IsZero() || t.Before(p.Left))
}

// evenly gives each account its part of all secrets.
func (b *builder) evenly() {
	for _, a := range b.w.Accounts {
		for left := b.c.Secrets / b.c.Accounts; left > 0; {
			n := min(2+b.rng.IntN(3), left)
			b.appIn(a, n, time.Time{})
			left -= n
		}
	}
}

// app makes an application with at most limit secrets and what reads them.
func (b *builder) app(limit int) {
	var fit []*estate.Account
	weight := func(a *estate.Account) int {
		return map[string]int{"prod": 6, "non-prod": 4, "sandbox": 1, "security": 1}[a.OU]
	}
	for _, a := range b.w.Accounts {
		for range weight(a) {
			fit = append(fit, a)
		}
	}
	b.appIn(one(b.rng, fit), min(1+b.rng.IntN(6), limit), time.Time{})
}

func (b *builder) appIn(a *estate.Account, secrets int, from time.Time) {
	name := one(b.rng, domains)
	for k := 2; b.taken[a.ID+name]; k++ {
		name = fmt.Sprintf("%s-%d", strings.TrimRight(name, "-0123456789"), k)
	}
	b.taken[a.ID+name] = true
	app := &estate.App{Name: name, Account: a, Team: b.teamOf(a)}
	app.Team.Apps = append(app.Team.Apps, app)
	b.w.Apps = append(b.w.Apps, app)
	region := a.Home
	if len(a.Regions) > 1 && chance(b.rng, 0.15) {
		region = a.Regions[1+b.rng.IntN(len(a.Regions)-1)]
	}
	app.Together = secrets >= 3 && chance(b.rng, shareTogether)
	key := b.key(a, region)
	for i := range secrets {
		b.secret(app, region, key, i, from)
	}
	class := b.class()
	n := 1 + b.rng.IntN(3)
	other := class
	if n > 1 && chance(b.rng, shareMixed) {
		other = b.class()
	}
	for i := range n {
		c := class
		if i == n-1 {
			c = other
		}
		b.workload(app, region, c, i, from)
	}
	b.readings(app)
}

// teamOf is a team whose office is where the account is, mostly.
func (b *builder) teamOf(a *estate.Account) *estate.Team {
	if chance(b.rng, 0.8) {
		var near []*estate.Team
		for _, t := range b.w.Teams {
			for _, z := range zones {
				if z.name == t.Zone && z.home == a.Home {
					near = append(near, t)
				}
			}
		}
		if len(near) > 0 {
			return one(b.rng, near)
		}
	}
	return one(b.rng, b.w.Teams)
}

func (b *builder) class() estate.Class {
	u := b.rng.Float64() * (shareLambda + shareECS + shareEC2 + shareEKS + shareCI)
	switch {
	case u < shareLambda:
		return estate.Lambda
	case u < shareLambda+shareECS:
		return estate.ECS
	case u < shareLambda+shareECS+shareEC2:
		return estate.EC2
	case u < shareLambda+shareECS+shareEC2+shareEKS:
		return estate.EKS
	}
	return estate.CI
}

func (b *builder) key(a *estate.Account, region string) string {
	return fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", region, a.ID, uuid(b.rng))
}

func environment(a *estate.Account) string {
	switch a.OU {
	case "prod":
		return "prod"
	case "non-prod":
		return "dev"
	}
	return a.OU
}

func (b *builder) secret(app *estate.App, region, key string, i int, from time.Time) *estate.Secret {
	a := app.Account
	s := &estate.Secret{Account: a, Region: region, App: app, Key: key, Created: from}
	what := whats[(i+len(app.Name))%len(whats)]
	s.Name = environment(a) + "/" + app.Name + "/" + what
	for k := 2; b.taken[a.ID+s.Name]; k++ {
		s.Name = fmt.Sprintf("%s/%s/%s-%d", environment(a), app.Name, what, k)
	}
	b.taken[a.ID+s.Name] = true
	switch u := b.rng.Float64(); {
	case b.c.sample:
		b.named(s)
	case u < shareKey && !app.Together:
		s.Sort, s.ARN, s.Key = estate.SortKey, b.key(a, region), ""
		s.Name = "alias/" + strings.ReplaceAll(s.Name, "/", "-")
	case u < shareKey+shareParameter:
		s.Sort, s.Name = estate.SortParameter, "/"+s.Name
		s.ARN = "arn:aws:ssm:" + region + ":" + a.ID + ":parameter" + s.Name
	default:
		b.named(s)
	}
	app.Secrets = append(app.Secrets, s)
	b.w.Secrets = append(b.w.Secrets, s)
	return s
}

// named makes s a secret of Secrets Manager.
func (b *builder) named(s *estate.Secret) {
	s.Sort = estate.SortSecret
	s.ARN = "arn:aws:secretsmanager:" + s.Region + ":" + s.Account.ID + ":secret:" + s.Name
	suffix := mixedLetters(b.rng, 6)
	if !chance(b.rng, shareByName) {
		s.ARN += "-" + suffix
	}
	if chance(b.rng, shareReplicated) && s.Created.IsZero() {
		s.Replicas = []string{s.Account.DR}
	}
}

func (b *builder) workload(app *estate.App, region string, c estate.Class, i int, from time.Time) *estate.Workload {
	a := app.Account
	name := app.Name + "-" + parts[(i+len(app.Name))%len(parts)]
	if c == estate.CI {
		name = app.Name + "-pipeline"
	}
	for k := 2; b.taken[a.ID+"role/"+name]; k++ {
		name = fmt.Sprintf("%s-%d", strings.TrimRight(name, "-0123456789"), k)
	}
	b.taken[a.ID+"role/"+name] = true
	wl := &estate.Workload{Name: name, Class: c, Account: a, Region: region, App: app, From: from}
	suffix := map[estate.Class]string{estate.Lambda: "-role", estate.ECS: "-task", estate.EC2: "-instance", estate.EKS: "-pod", estate.CI: ""}[c]
	wl.Role = "arn:aws:iam::" + a.ID + ":role/" + name + suffix
	wl.IMDSv1 = c == estate.EC2 && chance(b.rng, shareIMDSv1)
	wl.Internal = c != estate.CI && chance(b.rng, shareEndpoint)
	app.Workloads = append(app.Workloads, wl)
	b.w.Workloads = append(b.w.Workloads, wl)
	return wl
}

// readings decides who reads what of an application, and how often.
func (b *builder) readings(app *estate.App) {
	if app.Together {
		for _, wl := range app.Workloads {
			like := b.reading(wl, nil, b.rate()/float64(len(app.Workloads)))
			if like.Rhythm == estate.Office || like.Rhythm == estate.Flat || like.Rhythm == estate.Monthly {
				like.Rate = min(like.Rate, 40)
			}
			for _, s := range app.Secrets {
				r := like
				r.Secret = s
				wl.Reads = append(wl.Reads, &r)
			}
		}
		return
	}
	for i, s := range app.Secrets {
		rate, left := b.rate(), 1.0
		first := i % len(app.Workloads)
		for k := range app.Workloads {
			wl := app.Workloads[(first+k)%len(app.Workloads)]
			if k > 0 && !chance(b.rng, 0.4) {
				continue
			}
			share := left
			if k < len(app.Workloads)-1 {
				share = left * (0.5 + 0.4*b.rng.Float64())
			}
			left -= share
			r := b.reading(wl, s, rate*share)
			wl.Reads = append(wl.Reads, &r)
		}
	}
	// A program that reads nothing is none of ours.
	for _, wl := range app.Workloads {
		if len(wl.Reads) == 0 {
			r := b.reading(wl, one(b.rng, app.Secrets), b.rate()/2)
			wl.Reads = append(wl.Reads, &r)
		}
	}
}

// rate is in calls of a busy hour.
func (b *builder) rate() float64 {
	if b.c.sample { // no single secret is to fill it
		return b.c.scale * logNormal(b.rng, 2*rateMedian, 0.6)
	}
	return b.c.scale * min(logNormal(b.rng, rateMedian, rateSigma), rateMax)
}

func (b *builder) reading(wl *estate.Workload, s *estate.Secret, rate float64) estate.Reading {
	r := estate.Reading{Workload: wl, Secret: s, Rate: rate}
	switch u := b.rng.Float64(); {
	case u < shareOffice:
		r.Rhythm = estate.Office
	case u < shareOffice+shareFlat:
		r.Rhythm = estate.Flat
	case u < shareOffice+shareFlat+shareBatch:
		r.Rhythm = estate.Batch
	case u < shareOffice+shareFlat+shareBatch+shareWeekly:
		r.Rhythm = estate.Weekly
	default:
		r.Rhythm = estate.Monthly
	}
	switch r.Rhythm {
	case estate.Batch, estate.Weekly:
		r.Minute, r.Weekday = b.rng.IntN(24*60), b.rng.IntN(7)
		if chance(b.rng, 0.5) {
			r.Minute -= r.Minute % 15
		}
		r.Rate = max(1, min(math.Round(r.Rate), batchMax))
		return r
	}
	switch u := b.rng.Float64(); {
	case u < shareGrowing:
		r.Growth = growthMax * (2*b.rng.Float64() - 1)
	case u < shareGrowing+shareStepping:
		r.StepAt = b.within(0.1, 0.95)
		r.Step = math.Exp(math.Ln2 * (2*b.rng.Float64() - 1))
	}
	return r
}

// staff gives people what they may use: the accounts of their team's
// applications, and some more; every account has a few.
func (b *builder) staff() {
	for _, p := range b.w.People {
		seen := map[*estate.Account]bool{}
		var mine []*estate.Account
		for _, app := range p.Team.Apps {
			if !seen[app.Account] {
				seen[app.Account] = true
				mine = append(mine, app.Account)
			}
		}
		b.rng.Shuffle(len(mine), func(i, k int) { mine[i], mine[k] = mine[k], mine[i] })
		for _, a := range mine[:min(len(mine), 5)] {
			b.allow(p, a)
		}
		if len(mine) == 0 || chance(b.rng, 0.15) {
			b.allow(p, one(b.rng, b.w.Accounts))
		}
	}
	for _, a := range b.w.Accounts {
		for len(b.crew[a]) < min(3, len(b.w.People)) {
			b.allow(one(b.rng, b.w.People), a)
		}
	}
}

// allow gives a person one of the account's permission sets.
func (b *builder) allow(p *estate.Person, a *estate.Account) {
	for _, s := range p.Sets {
		if s.Account == a {
			return
		}
	}
	set := []string{"Developer", "Developer", "ReadOnly", "Operator"}[b.rng.IntN(4)]
	p.Sets = append(p.Sets, estate.PermissionSet{Account: a, Role: roleOfSet(a, set)})
	b.crew[a] = append(b.crew[a], p)
}

// roleOfSet is the role that Identity Center makes for a permission set; its
// name ends in digits that follow from both.
func roleOfSet(a *estate.Account, set string) string {
	h := mix(mix(uint64(a.Index)+1) ^ textHash(set))
	return fmt.Sprintf("arn:aws:iam::%s:role/aws-reserved/sso.amazonaws.com/%s/AWSReservedSSO_%s_%016x", a.ID, home, set, h)
}

// personSecret makes a secret that people read every day themselves.
func (b *builder) personSecret() {
	p := one(b.rng, b.w.People)
	for range 20 {
		if len(p.Sets) > 0 && p.Joined.IsZero() && p.Left.IsZero() {
			break
		}
		p = one(b.rng, b.w.People)
	}
	a := one(b.rng, p.Sets).Account
	s := &estate.Secret{Account: a, Region: a.Home, Owner: p, Person: true, Readers: []*estate.Person{p}}
	first, _, _ := strings.Cut(p.Email, "@")
	s.Name = "people/" + first + "/" + one(b.rng, whats)
	for k := 2; b.taken[a.ID+s.Name]; k++ {
		s.Name = fmt.Sprintf("people/%s/%s-%d", first, one(b.rng, whats), k)
	}
	b.taken[a.ID+s.Name] = true
	s.Key = b.key(a, a.Home)
	b.named(s)
	for range b.rng.IntN(3) {
		other := one(b.rng, p.Team.People)
		if !slices.Contains(s.Readers, other) && other.Joined.IsZero() && other.Left.IsZero() {
			b.allow(other, a)
			s.Readers = append(s.Readers, other)
		}
	}
	b.w.Secrets = append(b.w.Secrets, s)
}

// changes are what becomes of secrets within the logs.
func (b *builder) changes() {
	if b.c.Days < 4 || b.c.sample {
		return
	}
	for _, s := range slices.Clone(b.w.Secrets) {
		if s.App == nil || s.App.Together || s.Sort == estate.SortKey {
			continue
		}
		switch u := b.rng.Float64(); {
		case u < shareCreated:
			s.Created = b.within(0.1, 0.9)
			s.Replicas = nil
		case u < shareCreated+shareDeleted && len(s.App.Secrets) > 1:
			s.Deleted = b.within(0.3, 0.95)
		case u < shareCreated+shareDeleted+shareRenamed:
			b.rename(s)
		}
	}
	for day := newAppEvery / 2; day < b.c.Days; day += newAppEvery {
		at := b.c.Start.AddDate(0, 0, day).Add(time.Duration(1+b.rng.IntN(8))*time.Hour + time.Duration(b.rng.IntN(60))*time.Minute)
		b.appIn(one(b.rng, b.w.Accounts), 3+b.rng.IntN(4), at)
	}
}

// rename makes a secret that takes the place of another: a copy under another
// name, read by the same programs from then on.
func (b *builder) rename(old *estate.Secret) {
	at := b.within(0.2, 0.9)
	s := b.secret(old.App, old.Region, old.Key, b.rng.IntN(len(whats)), at)
	old.Deleted = at
	for _, wl := range old.App.Workloads {
		for _, r := range slices.Clone(wl.Reads) {
			if r.Secret == old {
				next := *r
				next.Secret = s
				wl.Reads = append(wl.Reads, &next)
			}
		}
	}
}

// pipelines gives every account its pipeline, and one of them a broken role.
func (b *builder) pipelines() {
	for _, a := range b.w.Accounts {
		b.w.Workloads = append(b.w.Workloads, &estate.Workload{Name: "ci-deploy", Class: estate.CI, Account: a, Region: a.Home, Role: "arn:aws:iam::" + a.ID + ":role/ci-deploy"})
	}
	a := one(b.rng, b.w.Accounts)
	b.w.Workloads = append(b.w.Workloads, &estate.Workload{Name: misconfiguredName, Class: estate.CI, Account: a, Region: a.Home, Role: "arn:aws:iam::" + a.ID + ":role/" + misconfiguredName})
}

const (
	misconfiguredName = "ci-inventory" // denied day and night: nobody mends it
	rotationName      = "secrets-rotation"
)

// rotation has a function of the account renew some secrets.
func (b *builder) rotation() {
	turns := map[string]*estate.Workload{}
	for _, s := range b.w.Secrets {
		if s.Sort != estate.SortSecret || s.App == nil || s.App.Together || b.c.sample || !chance(b.rng, shareRotated) {
			continue
		}
		s.Rotates = []int{7, 7, 30}[b.rng.IntN(3)]
		at := s.Account.ID + s.Region
		wl := turns[at]
		if wl == nil {
			wl = &estate.Workload{Name: rotationName, Class: estate.Lambda, Account: s.Account, Region: s.Region, Role: "arn:aws:iam::" + s.Account.ID + ":role/" + rotationName + "-" + s.Region}
			turns[at] = wl
			b.w.Workloads = append(b.w.Workloads, wl)
		}
	}
}

func uuid(rng *rand.Rand) string { return string(appendUUID(nil, rng.Uint64(), rng.Uint64())) }

func appendUUID(b []byte, hi, lo uint64) []byte {
	const set = "0123456789abcdef"
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

// mix spreads the bits of x (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// textHash is FNV-1a: the same everywhere.
func textHash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// byTime sorts what has a time, keeping the order of what has the same.
func byTime[T any](list []T, at func(*T) int64) {
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Compare(at(&a), at(&b)) })
}
