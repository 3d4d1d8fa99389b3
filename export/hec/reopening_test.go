package hec

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/export"
	"github.com/yagura-sec/yagura/export/memory"
	"github.com/yagura-sec/yagura/mask"
)

// board is where decisions come back.
type board []decision.Change

// reopen brings a decision back for the nth time, by so many items.
func (b *board) reopen(id, items string) {
	t, err := decision.ParseTrigger("items:111122223333:AWS::EC2::Subnet>" + items)
	if err != nil {
		panic(err) // of our own words
	}
	before := decision.Decision{ID: id, Title: "Record subnets daily", Verdict: decision.Deferred, Reason: "root said so", Owner: "root", Triggers: []decision.Trigger{t}, Version: 2 * len(*b)}
	after := before.Copy()
	after.Version++
	after.Reopened = []decision.Reopening{{Trigger: t, Value: "612000", At: noon}}
	*b = append(*b, decision.Change{ID: id, At: noon, By: "yagura", Action: "reopen", Before: &before, After: &after},
		decision.Change{ID: id, At: noon, By: "ann", Action: "change", Before: &after, After: &before})
}

func (b *board) reopened(_ context.Context, since time.Time, m *mask.Masker) iter.Seq2[export.Reopening, error] {
	return func(yield func(export.Reopening, error) bool) {
		for i := range *b {
			var text func(string) string
			if m != nil {
				text = m.Document((*b)[i].After.People(), nil).Text
			}
			if r, ok := export.NewReopening(&(*b)[i], text); ok && !r.At.Before(since) && !yield(r, nil) {
				return
			}
		}
	}
}

// TestReopened: a decision that comes back is told of once, not again after a
// restart, and again when it comes back again.
func TestReopened(t *testing.T) {
	c, d, b, box := &collector{}, &desk{}, &board{}, &memory.Outbox{}
	url := serve(t, c)
	d.put("a")
	b.reopen("dec-1", "600000")
	run := func(until func(*Output) bool) {
		t.Helper()
		o := output(t, url, d, box, func(c *Config) {
			c.Reopened, c.Options.Index, c.Options.SourceType = b.reopened, "security", "corp:finding"
		})
		if err := runs(t, o, func() bool { return until(o) }); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	run(func(o *Output) bool { return o.Stats().Sent == 2 })
	d.put("b") // what is sent after a restart shows that a round was made
	run(func(o *Output) bool { return o.Stats().Sent == 1 })
	b.reopen("dec-1", "700000")
	run(func(o *Output) bool { return o.Stats().Sent == 1 })
	if got := c.ids(); got != "a dec-1 b dec-1" {
		t.Fatalf("%s arrived", got)
	}
	e := c.got[1]
	if e.SourceType != "yagura:decision" || e.Index != "security" || e.Time != "1772366400.000" || e.Event.Finding != nil || e.Event.Revision == c.got[3].Event.Revision {
		t.Errorf("the event is %+v", e)
	}
	text, err := json.Marshal(e.Event.Decision)
	want := `{"id":"dec-1","title":"Record subnets daily","verdict":"deferred","reason":"root said so","owner":"root","accounts":["111122223333"],"version":1,"at":"2026-03-01T12:00:00Z",` +
		`"reopened":[{"trigger":"items:111122223333:AWS::EC2::Subnet\u003e600000","value":"612000","text":"On 2026-03-01 the number of configuration items of AWS::EC2::Subnet in 111122223333 in 30 days was 612,000, above 600,000."}]}`
	if err != nil || string(text) != want {
		t.Errorf("it tells %s, %v; want %s", text, err, want)
	}
}

// TestReopenedWhileDown: what came back while the server was down is told of when it
// is there again, also where somebody has answered it meanwhile.
func TestReopenedWhileDown(t *testing.T) {
	c, d, b, box := &collector{}, &desk{}, &board{}, &memory.Outbox{}
	c.answer = func(request int, _ []export.HECEvent) (int, string) {
		if request < 3 {
			return http.StatusServiceUnavailable, `{"text":"Server is busy","code":9}`
		}
		return http.StatusOK, `{"text":"Success","code":0}`
	}
	b.reopen("dec-1", "600000")
	o := output(t, serve(t, c), d, box, func(c *Config) { c.Reopened = b.reopened })
	for range 2 {
		if err := runs(t, o, func() bool { return false }); err == nil || !strings.Contains(err.Error(), "busy") {
			t.Errorf("Run says %v", err)
		}
	}
	if err := runs(t, o, func() bool { return o.Stats().Sent == 1 }); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := c.ids(); got != "dec-1" {
		t.Errorf("%s arrived", got)
	}
}

// TestReopenedMasked: an output under aliases names nobody here either.
func TestReopenedMasked(t *testing.T) {
	c, d, b, box := &collector{}, &desk{}, &board{}, &memory.Outbox{}
	m, err := mask.New([]byte("a key that only tests have"))
	if err != nil {
		t.Fatal(err)
	}
	b.reopen("dec-1", "600000")
	o := output(t, serve(t, c), d, box, func(c *Config) { c.Reopened, c.Options.Mask = b.reopened, m })
	if err := runs(t, o, func() bool { return o.Stats().Sent == 1 }); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	text, err := json.Marshal(c.got)
	if err != nil || strings.Contains(string(text), "111122223333") || strings.Contains(string(text), "root") || !strings.Contains(string(text), m.Person("root")) {
		t.Errorf("%v: it tells %s", err, text)
	}
}
