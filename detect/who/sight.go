package who

import (
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
)

// sight is when each person was at the provider's console, and in the project.
type sight struct {
	pages map[*person]*glimpses
	calls map[*person]*presence
	// minutes are how long the proxy saw anybody at the console, beside attempts.
	minutes float64
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
	named int            // of hits, those of a page of the project
	other int            // lines beside attempts
}

// presence is in which bursts, and bins outside them, somebody was there.
type presence struct {
	bursts map[int]moment
	bins   map[int64]bool
}

// moment is what shows that somebody was there.
type moment struct {
	share float64 // how likely it was they, and not somebody else at the device
	named bool    // it is a page of the project
	e     *event.Event
}

func (s *scene) see() *sight {
	v := &sight{pages: map[*person]*glimpses{}, calls: map[*person]*presence{}}
	opened, minutes := 0, map[int64]bool{}
	for i := range s.pages {
		e := &s.pages[i]
		ofProject, open := s.ofProject(e.URL), path(e.URL)
		if open {
			opened++
		}
		if open && !ofProject {
			continue // of something else
		}
		attempts := s.attemptsAt(e.Time)
		if len(attempts) == 0 {
			minutes[binOf(e.Time)] = true
		}
		for p, share := range s.devices.behind(e) {
			v.glimpse(p, attempts, moment{share, ofProject, e})
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
			v.call(p, b, moment{1, true, e})
		}
	}
	v.minutes, v.bins = float64(len(minutes))*bin.Minutes(), len(bins)
	if len(s.pages) > 0 {
		v.open = float64(opened) / float64(len(s.pages))
	}
	return v
}

func (v *sight) glimpse(p *person, attempts []int, m moment) {
	g := v.pages[p]
	if g == nil {
		g = &glimpses{hits: map[int]moment{}}
		v.pages[p] = g
	}
	if len(attempts) == 0 {
		g.other++
	}
	for _, k := range attempts {
		old, there := g.hits[k]
		if m.named && !(there && old.named) {
			g.named++
		}
		if !there || m.share > old.share || m.share == old.share && m.named && !old.named {
			m.named = m.named || old.named
			g.hits[k] = m
		}
	}
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

// attemptsAt are the attempts that a page opened at a time may belong to.
func (s *scene) attemptsAt(t time.Time) (out []int) {
	for i := range s.run.Attempts {
		if d := s.run.Attempts[i].Time.Sub(t); d <= leads && d >= -follows {
			out = append(out, i)
		}
	}
	return out
}

func binOf(t time.Time) int64 { return t.Unix() / int64(bin/time.Second) }

// burstAt is the burst that has an attempt so near to a time; -1: none.
func (s *scene) burstAt(t time.Time, within time.Duration) int {
	for i := range s.bursts {
		b := &s.bursts[i]
		if t.Before(b.since.Add(-within)) || t.After(b.until.Add(within)) {
			continue
		}
		for k := range b.attempts {
			if d := b.attempts[k].Time.Sub(t); d <= within && d >= -within {
				return i
			}
		}
	}
	return -1
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
