package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
)

// LiveFinding tells that something became of a finding.
type LiveFinding struct {
	Key      string   `json:"key"`
	Priority int      `json:"priority"`
	Title    say.Text `json:"title"`
	Severity string   `json:"severity"`
	Change   string   `json:"change" enum:"new,changed,decided"`
	Account  string   `json:"account"`
}

// ViewNews gives what became of f as it is told.
func ViewNews(f *finding.Finding, change string) LiveFinding {
	return LiveFinding{Key: f.Key, Priority: f.Priority, Title: titled(f), Severity: string(f.Severity), Change: change, Account: f.Account}
}

// Bounds of live streams. Whoever reads too slowly is told that something was
// missed and asks for all of it again; the oldest stream of a user who has too
// many ends, so that a browser that was left behind keeps nobody out.
const (
	liveQueue   = 64
	liveUser    = 8
	liveAll     = 500
	liveBeat    = 15 * time.Second
	liveSendMax = 10 * time.Second // to a reader that takes nothing
)

// Live carries news to those who listen. The zero Live has no listener.
type Live struct {
	// RuleWords gives words of rules in other languages, as Console's does.
	RuleWords say.RuleWords

	mu   sync.Mutex // guards the two below
	next []*listener
	over bool
}

type listener struct {
	who    people.Who
	says   say.Language
	news   chan []byte
	missed bool // guarded by Live.mu
	end    context.CancelFunc
}

// Listened tells whether anybody does: news that nobody hears need not be
// gathered.
func (l *Live) Listened() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.next) > 0
}

// Finding tells of a finding, to those who may see it.
func (l *Live) Finding(f LiveFinding) {
	l.tell("finding", f, func(w people.Who) bool { return w.Sees(f.Account) })
}

// Ledger tells that the account of the log has moved on.
func (l *Live) Ledger() { l.tell("ledger", struct{}{}, everybody) }

// Missed tells that there is more news than is told one by one.
func (l *Live) Missed() { l.tell("missed", struct{}{}, everybody) }

// Rules tells that rules have changed.
func (l *Live) Rules() { l.tell("rules", struct{}{}, everybody) }

func everybody(people.Who) bool { return true }

// tell never waits.
func (l *Live) tell(event string, data any, may func(people.Who) bool) {
	texts := map[say.Language][]byte{}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, x := range l.next {
		if !may(x.who) {
			continue
		}
		text := texts[x.says]
		if text == nil {
			text = frame(event, say.In(x.says, data, l.RuleWords))
			texts[x.says] = text
		}
		select {
		case x.news <- text:
		default:
			x.missed = true
		}
	}
}

// frame is an event in the form of server-sent events.
func frame(event string, data any) []byte {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // of our own types
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", event, text)
}

// End ends every stream, and lets nobody listen any more: a server that is to
// stop waits for the answers that it is giving.
func (l *Live) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	for _, x := range l.next {
		x.end()
	}
}

// join makes a listener, which ends when ctx does; false: there are too
// many, or it is over.
func (l *Live) join(ctx context.Context, w people.Who) (context.Context, *listener, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || len(l.next) >= liveAll {
		return ctx, nil, false
	}
	mine := 0
	for i := len(l.next) - 1; i >= 0; i-- { // the latest first
		if l.next[i].who.User == w.User {
			if mine++; mine >= liveUser {
				l.next[i].end()
			}
		}
	}
	ctx, end := context.WithCancel(ctx)
	x := &listener{who: w, says: language(ctx), news: make(chan []byte, liveQueue), end: end}
	l.next = append(l.next, x)
	return ctx, x, true
}

func (l *Live) leave(x *listener) {
	x.end()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.next {
		if l.next[i] == x {
			l.next = append(l.next[:i:i], l.next[i+1:]...)
			return
		}
	}
}

// lost tells once that x has missed something.
func (l *Live) lost(x *listener) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := x.missed
	x.missed = false
	return was
}

func live(a huma.API, rooms Rooms) {
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "live", Method: http.MethodGet, Path: "/api/live", Summary: "What is new, as it happens",
		Description: "Server-sent events: finding (LiveFinding), ledger {}, rules {}, and missed {} when the reader was too slow and is to ask anew for what it shows. " +
			"A comment comes every 15 seconds. It ends when the caller signs out or may less than before.",
		Responses: map[string]*huma.Response{"200": {
			Description: "events", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: a.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[LiveFinding](), true, "LiveFinding")}},
		}},
	})), func(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
		w := who(ctx)
		ctx, x, ok := rooms.Live.join(ctx, w)
		if !ok {
			return nil, huma.Error503ServiceUnavailable("too many are listening: ask again later")
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			defer rooms.Live.leave(x)
			hc.SetHeader("Content-Type", "text/event-stream")
			hc.SetHeader("X-Accel-Buffering", "no") // of proxies that would wait for more
			rooms.stream(ctx, hc, x)
		}}, nil
	})
}

// stream writes to one listener until it ends, or may not listen any more.
func (r Rooms) stream(ctx context.Context, hc huma.Context, x *listener) {
	out, ok := hc.BodyWriter().(http.ResponseWriter)
	if !ok {
		return
	}
	again := make(chan struct{}, 1) // may x still listen?
	forget := r.People.OnEnd(func() {
		select {
		case again <- struct{}{}:
		default:
		}
	})
	defer forget()
	control := http.NewResponseController(out)
	send := func(text []byte) bool {
		// A recorder of tests has no deadlines.
		_ = control.SetWriteDeadline(time.Now().Add(liveSendMax))
		_, err := out.Write(text)
		return err == nil && control.Flush() == nil
	}
	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	for ok := send([]byte(": listening\n\n")); ok; {
		var text []byte
		select {
		case <-ctx.Done():
			return
		case text = <-x.news:
		case <-beat.C:
			text = []byte(": \n\n")
			ok = r.People.Still(ctx, x.who)
		case <-again:
			ok = r.People.Still(ctx, x.who)
		}
		if r.Live.lost(x) {
			text = bytes.Join([][]byte{text, frame("missed", struct{}{})}, nil)
		}
		ok = ok && (len(text) == 0 || send(text))
	}
}
