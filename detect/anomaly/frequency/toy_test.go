package frequency

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
)

// toy is a small organisation whose secrets are read by programs, without logs:
// what the tests of calibration and recall are made on.
type toy struct {
	rng     *rand.Rand
	bursts  bool // switching traffic with heavy tails instead of gamma-Poisson
	names   *watch.Names
	secrets []toySecret
	apps    []toyApp
	start   time.Time
	storms  bool
	drift   bool
	onUntil []int // by secret: hour until which it is ON
	factor  []float64
}

type toySecret struct {
	app    int
	rhythm string
	rate   float64
	k      float64
	minute int
	growth float64
	step   float64
	stepAt int
}

type toyApp struct {
	account int32
	actor   int32
	zone    int
	secrets []int32
	ci      int32
}

// newToy makes so many applications with four secrets each.
func newToy(seed uint64, apps int, bursts bool) *toy {
	t := &toy{
		rng: rand.New(rand.NewPCG(seed, 77)), bursts: bursts, names: &watch.Names{}, storms: true, drift: true,
		start: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC),
	}
	for a := range 12 {
		t.names.Accounts = append(t.names.Accounts, fmt.Sprintf("1111222233%02d", a))
	}
	for a := range apps {
		account := int32(a % 12)
		app := toyApp{account: account, zone: []int{9, 1, -8}[a%3]}
		app.actor = t.actor(fmt.Sprintf("app%03d-task", a), account)
		app.ci = t.actor(fmt.Sprintf("ci-%d", account), account)
		for i := range 4 {
			n := int32(len(t.names.Secrets))
			app.secrets = append(app.secrets, n)
			id := t.names.Accounts[account]
			t.names.Secrets = append(t.names.Secrets, watch.Secret{
				UID:     fmt.Sprintf("arn:aws:secretsmanager:eu-west-1:%s:secret:app%03d/s%d", id, a, i),
				Account: id, Region: "eu-west-1", Name: fmt.Sprintf("app%03d/s%d", a, i), Family: fmt.Sprintf("app%03d", a),
			})
			s := toySecret{app: a, rate: min(200, 3*math.Exp(1.6*t.rng.NormFloat64())), k: 12 * math.Exp(0.8*t.rng.NormFloat64()), minute: t.rng.IntN(1440)}
			switch u := t.rng.Float64(); {
			case u < 0.45:
				s.rhythm = "office"
			case u < 0.75:
				s.rhythm = "flat"
			case u < 0.87:
				s.rhythm, s.rate = "batch", min(30, s.rate*2)
			case u < 0.92:
				s.rhythm, s.rate = "weekly", min(30, s.rate*3)
			default:
				s.rhythm = "month_end"
			}
			if t.rng.Float64() < 0.2 {
				s.growth = 0.4*t.rng.Float64() - 0.2
			}
			if t.rng.Float64() < 0.1 {
				s.step, s.stepAt = 0.5*math.Pow(4, t.rng.Float64()), 7+t.rng.IntN(50)
			}
			t.secrets = append(t.secrets, s)
		}
		t.apps = append(t.apps, app)
	}
	t.onUntil = make([]int, len(t.secrets))
	t.factor = make([]float64, len(t.secrets))
	return t
}

func (t *toy) actor(name string, account int32) int32 {
	for i := range t.names.Actors {
		if t.names.Actors[i].Name == name {
			return int32(i)
		}
	}
	id := t.names.Accounts[account]
	t.names.Actors = append(t.names.Actors, watch.Actor{UID: "arn:aws:iam::" + id + ":role/" + name, Name: name, Account: id})
	return int32(len(t.names.Actors) - 1)
}

// mean is how many reads a secret is to have in an hour after the start.
func (t *toy) mean(s *toySecret, hour int) float64 {
	zone := t.apps[s.app].zone
	local := t.start.Add(time.Duration(hour+zone) * time.Hour)
	h := local.Hour()
	off := local.Weekday() == time.Saturday || local.Weekday() == time.Sunday
	m := s.rate
	switch s.rhythm {
	case "office":
		shape := math.Exp(-math.Pow(float64(h)-13.5, 2) / (2 * 9))
		if h == 12 {
			shape *= 0.7
		}
		if off {
			shape *= 0.15
		}
		m *= 0.05 + 0.95*shape
	case "batch":
		if h != s.minute/60 {
			return 0
		}
	case "weekly":
		if h != s.minute/60 || int(local.Weekday()) != s.minute%5+1 {
			return 0
		}
	case "month_end":
		m *= 0.4
		if local.Day() >= 30 || local.Day() == 1 {
			m *= 3
		}
	}
	if t.drift {
		m *= math.Pow(1+s.growth, float64(hour)/720)
		if s.step > 0 && hour >= 24*s.stepAt {
			m *= s.step
		}
	}
	return m
}

// draw is how many reads a mean comes to in an hour.
func (t *toy) draw(i, hour int, mean float64) int {
	s := &t.secrets[i]
	if mean <= 0 {
		return 0
	}
	if s.rhythm == "batch" || s.rhythm == "weekly" {
		return int(math.Round(mean))
	}
	if !t.bursts {
		return toyPoisson(t.rng, toyGamma(t.rng, s.k)*mean/s.k)
	}
	if hour >= t.onUntil[i] && t.rng.Float64() < 0.06/2 {
		t.onUntil[i] = hour + int(min(12, math.Pow(t.rng.Float64(), -1/1.8)))
		t.factor[i] = min(6, math.Pow(t.rng.Float64(), -1/1.8))
	}
	f := math.Exp(0.15 * t.rng.NormFloat64())
	if hour < t.onUntil[i] {
		f = t.factor[i]
	}
	return toyPoisson(t.rng, mean*f)
}

// burst adds reads to one hour of a secret by its own program.
type burst struct{ secret, hour, n int }

// day writes day d, with the bursts of it.
func (t *toy) day(d int, bursts []burst) *watch.Day {
	day := &watch.Day{Start: t.start.AddDate(0, 0, d), Names: t.names}
	counts := make([][24]int, len(t.secrets))
	for i := range t.secrets {
		for h := range 24 {
			counts[i][h] = t.draw(i, 24*d+h, t.mean(&t.secrets[i], 24*d+h))
		}
	}
	for h := range day.Hours {
		day.Hours[h] = &watch.Hour{Start: day.Start.Add(time.Duration(h) * time.Hour)}
		for a := range t.names.Accounts {
			day.Hours[h].Calls = append(day.Hours[h].Calls, watch.Calls{Account: int32(a), Count: 1})
		}
	}
	if t.storms {
		t.storm(day, d, counts)
	}
	for _, b := range bursts {
		if b.hour/24 == d {
			counts[b.secret][b.hour%24] += b.n
		}
	}
	for i := range counts {
		app := &t.apps[t.secrets[i].app]
		for h, n := range counts[i] {
			if n > 0 {
				at := day.Hours[h].Start
				day.Hours[h].Uses = append(day.Hours[h].Uses, watch.Use{
					Secret: int32(i), Actor: app.actor, Account: app.account, Caller: event.CallerECS, Operation: "GetSecretValue",
					Region: "eu-west-1", Outcome: event.Success, Count: int64(n), First: at.Add(time.Minute), Last: at.Add(59 * time.Minute),
				})
			}
		}
	}
	return day
}

// storm lets applications be deployed, as a team of five would, and scaled out.
func (t *toy) storm(day *watch.Day, d int, counts [][24]int) {
	for a := range t.apps {
		app := &t.apps[a]
		if wd := day.Start.Weekday(); wd != time.Saturday && wd != time.Sunday && t.rng.Float64() < 0.35/3 {
			h := (10 + t.rng.IntN(7) - app.zone + 24) % 24
			n := 4 + t.rng.IntN(41)
			for _, s := range app.secrets {
				counts[s][h] += n
			}
			if t.rng.Float64() < 0.85 {
				at := day.Hours[h].Start.Add(10 * time.Minute)
				day.Hours[h].Acts = append(day.Hours[h].Acts, watch.Act{Sort: watch.ActDeploy, Actor: app.ci, Account: app.account, Operation: "UpdateService", Service: "ecs.amazonaws.com", Secret: -1, Count: 1, First: at, Last: at, Outcome: event.Success})
			}
		}
		if a%2 == 0 && t.rng.Float64() < 0.5 {
			h, n := t.rng.IntN(24), 1+t.rng.IntN(4)
			for _, s := range app.secrets {
				counts[s][h] += n
			}
		}
	}
}

// troubled chooses n bursts that each are 3 times a busy hour and 10 more, or
// more, in the days from on; plain ones 5 times and 100 more.
func (t *toy) troubled(n, from, until int) []burst {
	var out []burst
	sizes := []int{40, 100, 300}
	for len(out) < n {
		b := burst{t.rng.IntN(len(t.secrets)), 24*from + t.rng.IntN(24*(until-from)), sizes[t.rng.IntN(3)]}
		s := &t.secrets[b.secret]
		if rate := s.rate; rate >= 1 && float64(b.n) >= 3*rate+10 && s.rhythm != "weekly" {
			out = append(out, b)
		}
	}
	return out
}

func toyGamma(rng *rand.Rand, k float64) float64 {
	if k < 1 {
		return toyGamma(rng, k+1) * math.Pow(rng.Float64(), 1/k)
	}
	d := k - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		z := rng.NormFloat64()
		v := math.Pow(1+c*z, 3)
		if v > 0 && math.Log(rng.Float64()) < z*z/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

func toyPoisson(rng *rand.Rand, mean float64) int {
	if mean > 200 {
		return int(max(0, math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())))
	}
	n, p := 0, math.Exp(-mean)
	for u, term := rng.Float64(), p; u > p && n < 2000; p += term {
		n++
		term *= mean / float64(n)
	}
	return n
}
