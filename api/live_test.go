package api

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
)

// stream reads the events of a live stream.
type stream struct {
	t     *testing.T
	lines chan string // closed at its end
	close func()
}

func (x *house) listen(srv *httptest.Server, b *browser) *stream {
	x.t.Helper()
	ctx, cancel := context.WithCancel(x.t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", srv.URL+"/api/live", nil)
	if err != nil {
		x.t.Fatal(err)
	}
	r.Host = "localhost:8484"
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	resp, err := srv.Client().Do(r)
	if err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		x.t.Fatal(resp, err)
	}
	s := &stream{x.t, make(chan string, 10_000), cancel}
	go func() {
		defer close(s.lines)
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if text := lines.Text(); text != "" {
				s.lines <- text
			}
		}
	}()
	s.want(": listening")
	return s
}

func (s *stream) want(text string) {
	s.t.Helper()
	select {
	case got, ok := <-s.lines:
		if got != text || !ok {
			s.t.Errorf("heard %q, want %q", got, text)
		}
	case <-time.After(10 * time.Second):
		s.t.Errorf("heard nothing, want %q", text)
	}
}

func (s *stream) ends(why string) {
	s.t.Helper()
	for {
		select {
		case got, ok := <-s.lines:
			if !ok {
				return
			}
			s.t.Errorf("%s, and goes on: %q", why, got)
		case <-time.After(10 * time.Second):
			s.t.Fatalf("%s, and goes on", why)
		}
	}
}

func TestLive(t *testing.T) {
	x := newHouse(t, Config{})
	x.add("alice", people.Viewer)
	x.add("bob", people.Viewer, mine)
	srv := httptest.NewServer(x.h)
	defer srv.Close()
	alice, bob := x.signedIn("alice"), x.signedIn("bob")
	a, b := x.listen(srv, alice), x.listen(srv, bob)
	x.rooms.Live.Finding(LiveFinding{Key: "k1", Title: say.Plain("<b>\nevent: x"), Change: "new", Account: theirs})
	x.rooms.Live.Finding(LiveFinding{Key: "k2", Change: "new", Account: mine})
	x.rooms.Live.Ledger()
	a.want("event: finding")
	a.want(`data: {"key":"k1","priority":0,"title":"\u003cb\u003e\nevent: x","severity":"","change":"new","account":"` + theirs + `"}`)
	for _, s := range []*stream{a, b} {
		s.want("event: finding")
		s.want(`data: {"key":"k2","priority":0,"title":"","severity":"","change":"new","account":"` + mine + `"}`)
		s.want("event: ledger")
		s.want("data: {}")
	}
	// Of another role, other accounts, or signed out: it ends at once.
	accounts := []string{mine, theirs}
	if _, err := x.door.ChangeUser(t.Context(), people.LocalOwner(), "bob", people.UserChange{Accounts: &accounts}, nil); err != nil {
		t.Fatal(err)
	}
	b.ends("bob may see other accounts")
	alice.want(204, "POST", "/api/signout", "")
	a.ends("alice signed out")
	// One who leaves is forgotten.
	carol := x.signedIn("bob")
	c := x.listen(srv, carol)
	c.close()
	for end := time.Now().Add(10 * time.Second); x.rooms.Live.Listened(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("who has left is still told")
		}
	}
}

// TestLiveBounds: a user's oldest stream makes room, and who is slow is told.
func TestLiveBounds(t *testing.T) {
	l := &Live{}
	var ended []int
	var all []*listener
	for i := range liveUser + 2 {
		_, x, ok := l.join(t.Context(), people.Who{User: "alice"})
		if !ok {
			t.Fatal("there is no room")
		}
		end := x.end
		x.end = func() { end(); ended = append(ended, i) }
		all = append(all, x)
	}
	if want := []int{0, 1, 0}; !slices.Equal(slices.Sorted(slices.Values(ended)), slices.Sorted(slices.Values(want))) {
		t.Errorf("%v ended", ended)
	}
	for range liveQueue {
		l.Ledger()
	}
	if l.lost(all[5]) {
		t.Error("who has heard all is told that something was missed")
	}
	l.Ledger()
	if !l.lost(all[5]) || l.lost(all[5]) {
		t.Error("who is slow is told once")
	}
	for range liveAll {
		l.join(t.Context(), people.Who{User: fmt.Sprint(len(l.next))})
	}
	if _, _, ok := l.join(t.Context(), people.Who{User: "late"}); ok || len(l.next) != liveAll {
		t.Errorf("%d listen", len(l.next))
	}
}
