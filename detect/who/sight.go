package who

import (
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
)

const (
	// bin is the piece of time in which somebody is at something or is not.
	bin = 10 * time.Minute
	// A page that belongs to an attempt is opened within leads before its refusal
	// is logged, or within follows after it.
	leads, follows = time.Minute, 10 * time.Second
	// prompt is within which the console shows that something was refused.
	prompt = 8 * time.Second
	// beside is how far around a burst somebody is taken to be busy with it.
	beside = 3 * time.Minute
)

// sight is when each person was at the provider's console, and in the project.
type sight struct {
	pages map[*person]*glimpses
	calls map[*person]*presence
	// busy is how long the bursts are, with what lies beside them.
	busy time.Duration
	// telling: somebody has a telling page open at an attempt.
	telling bool
	// bins are how many pieces of time outside the bursts have calls.
	bins int
	// open is the share of the console's lines of which the proxy sees the page: it
	// inspects what is encrypted.
	open float64
}

// glimpses are a person's lines of the proxy that may belong to the attempts: of
// the project's pages, or of a host of which the page is not seen.
type glimpses struct {
	hits  map[int]moment // the likeliest of each attempt
	lines int            // around the bursts
}

// presence is in which bursts, and bins outside them, somebody was there.
type presence struct {
	bursts map[int]moment
	bins   map[int64]bool
}

// moment is what shows that somebody was there.
type moment struct {
	share   float64 // how likely it was they, and not somebody else at the device
	named   bool    // a page of the project was open
	telling bool    // a telling one
	prompt  bool    // one was opened as soon as the attempt was refused
	e       *event.Event
}

func (s *scene) see() *sight {
	v := &sight{pages: map[*person]*glimpses{}, calls: map[*person]*presence{}}
	opened := 0
	for i := range s.pages {
		e := &s.pages[i]
		ofProject, open := s.ofProject(e.URL), path(e.URL)
		if open {
			opened++
		}
		if open && !ofProject {
			continue // of something else
		}
		if s.burstAt(e.Time, beside) < 0 {
			continue
		}
		attempt := s.attemptAt(e.Time)
		m := moment{named: ofProject, telling: ofProject && s.tells(e.URL), prompt: attempt >= 0 && s.promptly(attempt, e.Time), e: e}
		for p, share := range s.devices.behind(e) {
			m.share = share
			v.glimpse(p, attempt, m)
			v.telling = v.telling || attempt >= 0 && m.telling
		}
	}
	bins := map[int64]bool{}
	for i := range s.project {
		e := &s.project[i]
		b := s.burstAt(e.Time, bin/2)
		if b < 0 {
			bins[binOf(e.Time)] = true
		}
		if p := s.people.of(e.ActorUID); p != nil {
			v.call(p, b, moment{share: 1, named: true, e: e})
		}
	}
	v.bins = len(bins)
	for i := range s.bursts {
		v.busy += s.bursts[i].until.Sub(s.bursts[i].since) + 2*beside
	}
	if len(s.pages) > 0 {
		v.open = float64(opened) / float64(len(s.pages))
	}
	return v
}

func (v *sight) glimpse(p *person, attempt int, m moment) {
	g := v.pages[p]
	if g == nil {
		g = &glimpses{hits: map[int]moment{}}
		v.pages[p] = g
	}
	g.lines++
	if attempt < 0 {
		return
	}
	old, there := g.hits[attempt]
	if !there || m.share > old.share || m.share == old.share && m.rank() > old.rank() {
		old.share, old.e = m.share, m.e
	}
	old.named, old.telling, old.prompt = old.named || m.named, old.telling || m.telling, old.prompt || m.prompt
	g.hits[attempt] = old
}

// rank is how much a moment tells.
func (m *moment) rank() int {
	n := 0
	for i, is := range []bool{m.prompt, m.named, m.telling} {
		if is {
			n += 1 << i
		}
	}
	return n
}

// tells tells whether a page is one on which what was refused is asked for.
func (s *scene) tells(url string) bool {
	return slices.ContainsFunc(s.run.Telling, func(part string) bool { return strings.Contains(url, part) })
}

// promptly tells whether a time is just after an attempt.
func (s *scene) promptly(attempt int, t time.Time) bool {
	d := t.Sub(s.run.Attempts[attempt].Time)
	return d >= 0 && d <= prompt
}

func (v *sight) call(p *person, burst int, m moment) {
	x := v.calls[p]
	if x == nil {
		x = &presence{bursts: map[int]moment{}, bins: map[int64]bool{}}
		v.calls[p] = x
	}
	if burst < 0 {
		x.bins[binOf(m.e.Time)] = true
		return
	}
	if _, there := x.bursts[burst]; !there {
		x.bursts[burst] = m
	}
}

// attemptAt is the attempt that a page opened at a time belongs to: the one just
// made, else the next; -1: none.
func (s *scene) attemptAt(t time.Time) int {
	all := s.run.Attempts
	i := sort.Search(len(all), func(i int) bool { return !all[i].Time.Before(t.Add(-follows)) })
	if i < len(all) && all[i].Time.Sub(t) <= leads {
		return i
	}
	return -1
}

func binOf(t time.Time) int64 { return t.Unix() / int64(bin/time.Second) }

// burstAt is the burst that goes on at a time, or so shortly before or after it;
// -1: none.
func (s *scene) burstAt(t time.Time, within time.Duration) int {
	return slices.IndexFunc(s.bursts, func(b burst) bool { return !t.Before(b.since.Add(-within)) && !t.After(b.until.Add(within)) })
}

// path tells whether a line names more than host and port.
func path(url string) bool {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return false
	}
	_, behind, _ := strings.Cut(rest, "/")
	return behind != ""
}

// ofProject tells whether an address names the project, as a word of its own.
func (s *scene) ofProject(url string) bool {
	for rest := url; s.run.Project != ""; {
		i := strings.Index(rest, s.run.Project)
		if i < 0 {
			return false
		}
		end := i + len(s.run.Project)
		if (i == 0 || !wordy(rest[i-1])) && (end == len(rest) || !wordy(rest[end])) {
			return true
		}
		rest = rest[end:]
	}
	return false
}

func wordy(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}
