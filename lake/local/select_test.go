package local

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
)

// expect is what Select must yield, by the definition.
func expect(evs []event.Event, q query.Query) []event.Event {
	var out []event.Event
	for i := range evs {
		if q.Matches(&evs[i]) {
			out = append(out, evs[i])
		}
	}
	slices.SortFunc(out, func(a, b event.Event) int {
		c := a.Time.Compare(b.Time)
		if c == 0 {
			c = bytes.Compare(a.UID[:], b.UID[:])
		}
		if !q.OldestFirst {
			c = -c
		}
		return c
	})
	if q.Limit > 0 && len(out) > q.Limit {
		out = out[:q.Limit]
	}
	return out
}

func collect(tb testing.TB, s *Store, q query.Query) []event.Event {
	tb.Helper()
	var out []event.Event
	for e, err := range s.Select(context.Background(), q) {
		if err != nil {
			tb.Fatalf("Select(%s): %v", query.String(q.Where), err)
		}
		out = append(out, e)
	}
	return out
}

func sameEvents(got, want []event.Event) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d events, want %d", len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			return fmt.Errorf("event %d is\n%+v, want\n%+v", i, got[i], want[i])
		}
	}
	return nil
}

func parse(tb testing.TB, text string) query.Expr {
	tb.Helper()
	e, err := query.Parse(text)
	if err != nil {
		tb.Fatalf("Parse(%q): %v", text, err)
	}
	return e
}

func TestSelect(t *testing.T) {
	evs := genEvents(7, 14_000, 4)
	s := openTest(t, t.TempDir(), Options{})
	fillAtRest(t, s, evs, 2_500)
	check := func(q query.Query) {
		t.Helper()
		want := expect(evs, q)
		if err := sameEvents(collect(t, s, q), want); err != nil {
			t.Errorf("Select(%q, %+v): %v", query.String(q.Where), q, err)
		}
		if n, err := s.Count(context.Background(), q); err != nil || n != int64(len(want)) {
			t.Errorf("Count(%q, %+v) = %d, %v; want %d", query.String(q.Where), q, n, err, len(want))
		}
	}
	shapes := []query.Query{
		{Limit: 7}, {OldestFirst: true}, {Since: genDay.Add(20 * time.Hour), Until: genDay.Add(50 * time.Hour)},
		{Limit: 6000, OldestFirst: true}, {Limit: 50, Until: genDay.Add(30 * time.Hour)},
	}
	next := 0
	f := func(text string) {
		t.Helper()
		q := shapes[next%len(shapes)]
		next++
		q.Where = parse(t, text)
		check(q)
	}
	check(query.Query{})
	for _, q := range shapes {
		check(q)
	}
	f(``)
	f(`operation:StopLogging`)
	f(`operation:GetObject`)
	f(`-operation:GetObject outcome:denied`)
	f(`uid:` + evs[99].UID.String())
	f(`uid:` + evs[99].UID.String() + ` -account:` + evs[99].AccountUID)
	f(`uid:00000000-0000-4000-8000-000000000000`)
	f(`uid:` + evs[99].UID.String()[:4] + `*`)
	f(`event_uid:shared-50`)
	f(`event_uid:` + evs[99].EventUID)
	f(`resource:arn:aws:s3:::bucket-70`)
	f(`resource:arn:aws:s3:::bucket-1 time:<2026-03-03`)
	f(`resource:arn:aws:s3:::absent`)
	f(`resource_uid:arn:aws:s3:::bucket-3`)
	f(`-resource:*`)
	f(`resource:*key`)
	f(`resource:~BUCKET-9`)
	f(`key:` + evs[5].ActorCredentialUID)
	f(`ip:` + evs[5].SrcIP)
	f(`ip:10.1.0.0/16`)
	f(`ip:10.1.16.0/20 or ip:10.2.3.128/25`)
	f(`-ip:0.0.0.0/0`)
	f(`ip:2001:db8:1::/48`)
	f(`-ip:2001:db8::/32 operation:StopLogging`)
	f(`raw.requestParameters.bucketName:bucket-3`)
	f(`raw.requestParameters.tags.k:a1 and raw.requestParameters.n:>17`)
	f(`-raw.requestParameters.empty:* operation:Stop*`)
	f(`stopLOGGING`)
	f(`"ROLE-007" 拒否`)
	f(`agent:~CAFÉ`)
	f(`agent:~Café`)
	f(`agent:~ik`)
	f(`agent:"Café İKſ/1"`)
	f(`agent:Caf?\ *`)
	f(`operation:*e?S*`)
	f(`role-03?*stop`)
	f(`caller_confidence:0.7 or caller_confidence:<0.3`)
	f(`mfa:yes read_only:false`)
	f(`position:[5 TO 9] severity:1 class:6003`)
	f(`time:2026-03-03T05`)
	f(`not (time:<2026-03-03 or time:>2026-03-04T12)`)
	f(`batch:00000000-0000-0000-0000-000000000000 status_code:*`)
	f(`not *`)
}

// randomExpr makes an expression over values that occur, and some that do not.
func randomExpr(r *rand.Rand, evs []event.Event, depth int) query.Expr {
	if depth > 0 {
		xs := func() (out []query.Expr) {
			for range 2 + r.IntN(2) {
				out = append(out, randomExpr(r, evs, depth-1))
			}
			return out
		}
		switch r.IntN(5) {
		case 0:
			return query.And{X: xs()}
		case 1:
			return query.Or{X: xs()}
		case 2:
			return query.Not{X: randomExpr(r, evs, depth-1)}
		}
	}
	cols := query.Columns()
	c := cols[r.IntN(len(cols))]
	v := c.Value(&evs[r.IntN(len(evs))])
	if list, ok := v.([]string); ok {
		v = ""
		if len(list) > 0 {
			v = list[r.IntN(len(list))]
		}
	}
	if raw, ok := v.([]byte); ok {
		v = string(raw)
	}
	switch v := v.(type) {
	case string:
		return randomText(r, c, v)
	case event.UID:
		if r.IntN(2) == 0 {
			return query.Like{Field: c.Name, Pattern: "*" + v.String()[:1+r.IntN(3)] + "*"}
		}
		return query.Eq{Field: c.Name, Value: v}
	case bool:
		return query.Eq{Field: c.Name, Value: v}
	}
	if r.IntN(3) == 0 {
		return query.Eq{Field: c.Name, Value: v}
	}
	return query.Cmp{Field: c.Name, Op: query.Op(r.IntN(4)), Value: v}
}

func randomText(r *rand.Rand, c query.Column, v string) query.Expr {
	runes := []rune(v)
	from, to := 0, 0
	if len(runes) > 0 {
		from = r.IntN(len(runes))
		to = from + 1 + r.IntN(min(len(runes)-from, 12))
	}
	part := query.Escape(string(runes[from:to]))
	if r.IntN(3) == 0 {
		part = strings.ToUpper(part)
	}
	if r.IntN(4) == 0 && part != "" {
		part = "?" + part + "*" + part[len(part)-1:]
	}
	switch r.IntN(6) {
	case 0:
		return query.Exists{Field: c.Name}
	case 1:
		return query.Like{Field: c.Name, Pattern: "*" + part + "*"}
	case 2:
		return query.Like{Field: c.Name, Pattern: query.Escape(string(runes[:from])) + "*"}
	case 3:
		if part != "" {
			return query.Has{Field: c.Name, Pattern: part}
		}
	case 4:
		if part != "" {
			return query.Word{Pattern: part}
		}
	}
	return query.Eq{Field: c.Name, Value: v}
}

// TestMatchAgreesWithSQL is the two evaluators against each other.
func TestMatchAgreesWithSQL(t *testing.T) {
	evs := genEvents(11, 1_500, 2)
	for i := range evs { // texts that are hard to fold, quote and match
		switch i % 40 {
		case 0:
			evs[i].StatusDetail = "Kelvin \u212a, İstanbul, ſ, ß, ΑΣ"
		case 1:
			evs[i].StatusDetail = `a*b?c\d'e"f%g_h`
		case 2:
			evs[i].StatusDetail = "line\nbreak\ttab\x01 end"
		case 3:
			evs[i].SrcIP = []string{"10.0.0.256", "010.1.1.1", "10.1.1.1 ", "::ffff:10.1.2.3", "AWS Internal"}[i/40%5]
		}
	}
	s := openTest(t, t.TempDir(), Options{})
	fillAtRest(t, s, evs, 1_000)
	n := 150
	if testing.Short() {
		n = 30
	}
	r := rand.New(rand.NewPCG(3, 3))
	for i := range n {
		e := randomExpr(r, evs, 1+i%3)
		q := query.Query{Where: e}
		if err := sameEvents(collect(t, s, q), expect(evs, q)); err != nil {
			t.Fatalf("%s: %v", query.String(e), err)
		}
	}
}

// TestSelectCancel: the context ends a query, with its reason.
func TestSelectCancel(t *testing.T) {
	evs := genEvents(7, 6_000, 2)
	s := openTest(t, t.TempDir(), Options{})
	fillAtRest(t, s, evs, 10_000)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	var got error
	for _, err := range s.Select(ctx, query.Query{}) {
		if n++; n == 10 {
			cancel()
		}
		got = err
	}
	if got == nil || ctx.Err() == nil || !strings.Contains(got.Error(), "context canceled") {
		t.Errorf("after %d events: %v", n, got)
	}
	for range s.Select(context.Background(), query.Query{}) {
		break // leaving early must not hold the connection
	}
	if n, err := s.Count(context.Background(), query.Query{Where: parse(t, `outcome:denied`)}); err != nil || n == 0 {
		t.Errorf("count after early ends: %d, %v", n, err)
	}
}

// FuzzMatchAgreesWithSQL takes any expression a person can write through both
// evaluators.
func FuzzMatchAgreesWithSQL(f *testing.F) {
	for _, s := range []string{`a b`, `not (operation:Get* or -b)`, `ip:10.0.0.0/9`, `time:[2026-03-02 TO 2026-03-03T05]`, `raw.requestParameters."n":>4`,
		`agent:~"c*é"`, `resource:(*key or arn*)`, `caller:(not lambda)`, `position:{1 TO *} or severity:>=3`, `uid:*a?b*`, `a\*b`, `ip:2001:db8::/33`, `agent:*\\*`} {
		f.Add(s)
	}
	evs := genEvents(13, 300, 2)
	for i := range evs {
		if i%3 == 0 {
			evs[i].StatusDetail = []string{`a*b?c\d'e"f%g_h`, "Kelvin \u212a, İ, ſ", "line\nbreak\x01", `[x](y){z}^$|+.`}[i/3%4]
		}
	}
	s := openTest(f, f.TempDir(), Options{})
	fillAtRest(f, s, evs, 1_000)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := query.Parse(text)
		if err != nil {
			return
		}
		q := query.Query{Where: e}
		if err := sameEvents(collect(t, s, q), expect(evs, q)); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
