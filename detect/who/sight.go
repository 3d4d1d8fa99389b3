package who

import (
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
)

const (
	// bin is the piece of time in which somebody is at something or is not.
	bin = 10 * time.Minute
	// near is how close to an attempt a page has to be opened, before it or after.
	near = 2 * time.Minute
)

// sight is when each person was at the provider's console, and in the project.
type sight struct {
	pages   map[*person]*presence // of the project, as far as the proxy sees them
	console map[*person]*presence // any
	project map[*person]*presence // calls in the project
	// open is the share of the console's lines of which the proxy sees the page: it
	// inspects what is encrypted.
	open float64
	// bins are how many pieces of time outside the bursts have lines, or calls.
	pageBins, callBins int
}

// presence is when somebody was at something.
type presence struct {
	bursts map[int]moment // the likeliest of each burst
	bins   map[int64]bool // outside the bursts
}

// moment is what shows that somebody was there.
type moment struct {
	at    time.Time
	share float64 // how likely it was they, and not somebody else at the device
	e     *event.Event
}

func (s *scene) see() *sight {
	v := &sight{pages: map[*person]*presence{}, console: map[*person]*presence{}, project: map[*person]*presence{}}
	pageBins, callBins, opened := map[int64]bool{}, map[int64]bool{}, 0
	for i := range s.pages {
		e := &s.pages[i]
		if path(e.URL) {
			opened++
		}
		b := s.burstAt(e.Time, near)
		if b < 0 {
			pageBins[binOf(e.Time)] = true
		}
		for p, share := range s.devices.behind(e) {
			put(v.console, p, b, moment{e.Time, share, e})
			if s.ofProject(e.URL) {
				put(v.pages, p, b, moment{e.Time, share, e})
			}
		}
	}
	for i := range s.project {
		e := &s.project[i]
		b := s.burstAt(e.Time, bin/2)
		if b < 0 {
			callBins[binOf(e.Time)] = true
		}
		if p := s.people.of(e.ActorUID); p != nil {
			put(v.project, p, b, moment{e.Time, 1, e})
		}
	}
	v.pageBins, v.callBins = len(pageBins), len(callBins)
	if len(s.pages) > 0 {
		v.open = float64(opened) / float64(len(s.pages))
	}
	return v
}

func put(to map[*person]*presence, p *person, burst int, m moment) {
	x := to[p]
	if x == nil {
		x = &presence{bursts: map[int]moment{}, bins: map[int64]bool{}}
		to[p] = x
	}
	if burst < 0 {
		x.bins[binOf(m.at)] = true
		return
	}
	if old, ok := x.bursts[burst]; !ok || m.share > old.share {
		x.bursts[burst] = m
	}
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
