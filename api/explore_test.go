package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/lake/memory"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
	"github.com/yagura-sec/yagura/usage"
	"github.com/yagura-sec/yagura/usage/secrets"
)

const (
	mySecret    = "arn:aws:secretsmanager:eu-west-1:" + mine + ":secret:orders/db-aB3xY9"
	theirSecret = "arn:aws:secretsmanager:eu-west-1:" + theirs + ":secret:told of theirs-aB3xY9"
)

// explored are events of two accounts that use secrets: every hour of two days one
// read, and now and then a hostile name.
func explored() (out []event.Event) {
	for i := range 48 {
		account, secret := mine, mySecret
		if i%3 == 2 {
			account, secret = theirs, theirSecret
		}
		e := event.Event{
			UID: event.UID{1, byte(i)}, Time: noon.Add(time.Duration(i-48)*time.Hour + 7*time.Minute), AccountUID: account, CloudProvider: "AWS",
			Region: "eu-west-1", APIService: "secretsmanager.amazonaws.com", APIOperation: "GetSecretValue", Outcome: event.Success,
			ActorType: event.ActorRole, ActorUID: "arn:aws:iam::" + account + ":role/orders", ActorName: "orders", Caller: event.CallerECS,
			ResourceUID: secret, ResourceUIDs: []string{secret}, UserAgent: `<img src=x onerror="alert(1)">`, Object: "o", Position: int64(i),
			Raw: []byte(fmt.Sprintf(`{"n":%d}`, i)), Format: "aws.cloudtrail",
		}
		if i%10 == 0 {
			e.Outcome = event.Denied
		}
		out = append(out, e)
	}
	return out
}

// exploring gives a house whose console has all that it may ask.
func exploring(t *testing.T) *house {
	t.Helper()
	x := newHouse(t, Config{})
	events := explored()
	store := &memory.Store{Now: func() time.Time { return noon }}
	if _, err := store.Append(t.Context(), event.Batch{Events: events, Spans: []event.Span{{Object: "o", Version: "v", Records: int64(len(events))}}}); err != nil {
		t.Fatal(err)
	}
	table := secrets.NewTable(0)
	byDay, heard := map[time.Time][]usage.Row{}, map[time.Time]map[string]uint32{}
	for _, r := range usage.Sum(events, 1000) {
		day := r.Hour.Truncate(24 * time.Hour)
		if heard[day] == nil {
			heard[day] = map[string]uint32{}
		}
		heard[day][r.AccountUID] |= 1 << r.Hour.Hour()
		if r.ResourceUID != "" {
			byDay[day] = append(byDay[day], r)
		}
	}
	for day := range heard {
		table.Replace(day, byDay[day], heard[day])
	}
	x.rooms.Select = store.Select
	x.rooms.Console = Console{
		Histogram: func(ctx context.Context, q query.Query, n int) (lake.Histogram, error) {
			return store.Histogram(ctx, q, n, 0)
		},
		Values: func(ctx context.Context, q query.Query, fields []string, most int) (lake.FieldValues, error) {
			return store.Values(ctx, q, fields, most, 0)
		},
		Draft: func(_ query.Expr, text string) ([]byte, error) {
			if strings.HasPrefix(text, "caller") {
				return nil, errors.New("a rule sees the record alone")
			}
			return []byte("title: " + text), nil
		},
		Complete: func(_ context.Context, _, prefix string, accounts []string, _ int) ([]string, error) {
			if len(accounts) > 0 {
				return accounts, nil
			}
			return []string{prefix + "x"}, nil
		},
		SQL: func(_ context.Context, text string) (lake.SQLRows, error) {
			if !strings.HasPrefix(text, "select") {
				return nil, &lake.SQLError{Kind: lake.SQLRefused, Msg: "only SELECT"}
			}
			return &sqlRows{rows: [][]any{{int64(48), "a"}, {nil, `<b>`}}}, nil
		},
		Secrets: func(context.Context) (KnownSecrets, error) {
			return KnownSecrets{Book: table.Book(), Findings: map[string]int{mySecret: 2}}, nil
		},
		SecretUse: func(_ context.Context, name string) (secrets.Use, bool, error) {
			u, ok := table.Use(name)
			return u, ok, nil
		},
		Rules: func(context.Context) ([]Rule, error) {
			return []Rule{{ID: "r1", Title: say.OfRule("r1", "One"), Level: "high", Kind: "rule", Attack: []string{"T1552.005"}, Findings: 3, Open: 1, Cases: RuleCases{Passed: 4}}}, nil
		},
		Rule: func(_ context.Context, id string) (RuleDetail, error) {
			if id != "r1" {
				return RuleDetail{}, fmt.Errorf("rule %q: %w", id, triage.ErrUnknown)
			}
			return RuleDetail{Rule: Rule{ID: "r1", Title: say.OfRule("r1", "One"), Kind: "rule", Findings: 3}, Text: "title: One"}, nil
		},
		Coverage: func(context.Context) (Coverage, error) {
			return Coverage{Version: "19", Tactics: []CoverageTactic{{ID: "TA0006", Name: "Credential Access", Techniques: []CoverageTechnique{
				{ID: "T1552.005", State: "fired", Rules: []string{"r1"}, Findings: 3}}}}}, nil
		},
		Formats: func(context.Context) (ledger.ByFormat, error) {
			return ledger.ByFormat{Formats: []ledger.FormatAccount{{FormatRecords: ledger.FormatRecords{Format: "okta.system", Read: 3, Stored: 2, Quarantined: 1}, Objects: 1, Reasons: []ledger.ReasonCount{{Reason: say.Plain("no time, at byte …"), Records: 1}}}}, Aside: 2}, nil
		},
		Days: func(_ context.Context, days int) (ledger.Matrix, error) {
			return ledger.MakeMatrix(&ledger.Report{Incomplete: []ledger.Object{{Name: "a.json"}}, Coverage: []ledger.DayRecords{{Account: mine, Day: "2026-02-27", Records: 5}, {Account: mine, Day: "2026-03-01", Records: 6}, {Account: theirs, Day: "2026-02-28", Records: 7}}}, days, noon)
		},
		Sources: func(context.Context) ([]SourceState, error) {
			return []SourceState{{Name: "0:file", Type: "file", State: "running", Setting: []Setting{{Key: "paths", Value: "[/secret/place]"}}}}, nil
		},
		Settings: func(context.Context) (Settings, error) {
			return Settings{Version: "test", Data: "/data", All: []Setting{{Key: "server.token", Value: "env:TOKEN"}}}, nil
		},
		AccountName: func(account string) string { return "name of " + account },
	}
	x.h = New(Config{Version: "test", Token: "secret", Hosts: []string{"localhost"}}, x.rooms)
	return x
}

// sqlRows is an answer of an engine.
type sqlRows struct {
	rows [][]any
	at   int
}

func (r *sqlRows) Columns() []lake.SQLColumn {
	return []lake.SQLColumn{{Name: "n", Type: "BIGINT"}, {Name: "t", Type: "VARCHAR"}}
}
func (r *sqlRows) Next() bool        { r.at++; return r.at <= len(r.rows) }
func (r *sqlRows) Row() []any        { return r.rows[r.at-1] }
func (r *sqlRows) Err() error        { return nil }
func (r *sqlRows) Truncated() string { return "" }
func (r *sqlRows) Close() error      { return nil }

// exploreAsks are the questions whose answers are golden.
var exploreAsks = []string{
	"/api/search/histogram?buckets=8",
	"/api/search/histogram?q=outcome:denied&since=2026-02-28T00:00:00Z&until=2026-03-01T00:00:00Z&buckets=4",
	"/api/search/fields?fields=account,outcome,user_agent&most=2",
	"/api/search/fields?q=outcome:denied&fields=resource",
	"/api/search/complete?field=operation&prefix=Get",
	"/api/secrets",
	"/api/secrets?q=orders&sort=name&limit=1",
	"/api/secrets?kind=key",
	"/api/secrets?account=" + theirs,
	"/api/secrets?limit=1&sort=calls&cursor=at1",
	"/api/secrets/detail?resource=" + url.QueryEscape(mySecret),
	"/api/rules",
	"/api/rules/r1",
	"/api/rules/coverage",
	"/api/ledger/matrix?days=4",
	"/api/ledger/formats",
	"/api/sources",
	"/api/settings",
}

// TestExploreAnswers holds the answers to the golden files: of who sees all, and of
// who is limited to an account.
func TestExploreAnswers(t *testing.T) {
	x := exploring(t)
	x.add("admin", people.Admin)
	x.add("alice", people.Viewer, mine)
	for _, who := range []string{"admin", "alice"} {
		b := x.signedIn(who)
		var got bytes.Buffer
		for _, path := range exploreAsks {
			r := b.ask("GET", path, "")
			var body bytes.Buffer
			if _, err := body.ReadFrom(r.Body); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&got, "GET %s\n%d ", path, r.StatusCode)
			if err := json.Indent(&got, body.Bytes(), "", " "); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			got.WriteString("\n")
			// What is asked for stands in the question, not in the answer.
			if answer := body.String(); who == "alice" && (strings.Contains(answer, theirs) || strings.Contains(answer, "told of theirs")) {
				t.Errorf("GET %s tells alice of another account: %s", path, answer)
			}
		}
		golden.Check(t, "testdata/explore-"+who+".golden", got.Bytes())
	}
}

// TestExploreFigures holds what is told of a secret against the events themselves.
func TestExploreFigures(t *testing.T) {
	x := exploring(t)
	x.add("admin", people.Admin)
	var d SecretDetail
	if err := json.Unmarshal([]byte(x.signedIn("admin").want(200, "GET", exploreAsks[10], "")), &d); err != nil {
		t.Fatal(err)
	}
	var calls, failures int64
	heat := map[[2]int]int64{}
	hours := map[time.Time]bool{}
	for _, e := range explored() {
		if e.AccountUID == mine {
			hours[e.Time.Truncate(time.Hour)] = true
		}
		if e.ResourceUID != mySecret {
			continue
		}
		calls++
		if e.Outcome != event.Success {
			failures++
		}
		heat[[2]int{int(e.Time.Weekday()), e.Time.Hour()}]++
	}
	if d.Calls != calls || d.Failures != failures || d.Findings != 2 {
		t.Errorf("%d calls, %d failures, %d findings; want %d, %d, 2", d.Calls, d.Failures, d.Findings, calls, failures)
	}
	for _, h := range d.Heat {
		if want := heat[[2]int{h.Weekday, h.Hour}]; h.Calls != want {
			t.Errorf("weekday %d, hour %d: %d calls, want %d", h.Weekday, h.Hour, h.Calls, want)
		}
	}
	if len(d.Heat) != len(heat) {
		t.Errorf("the heat map has %d cells, want %d", len(d.Heat), len(heat))
	}
	known, unknown := 0, 0
	for _, k := range d.HeatKnown {
		known, unknown = known+k.Known, unknown+k.Unknown
	}
	// Every third hour only the other account was heard of.
	if known != len(hours) || unknown != 16 || d.UnknownHours != 16 {
		t.Errorf("%d hours are known and %d, %d unknown; want %d and 16", known, unknown, d.UnknownHours, len(hours))
	}
}

// TestExploreRefusals: what is wrong is told, and SQL is not for those who are
// limited to accounts.
func TestExploreRefusals(t *testing.T) {
	x := exploring(t)
	x.add("admin", people.Admin)
	x.add("carol", people.Analyst)
	x.add("alice", people.Analyst, mine)
	admin, carol, alice := x.signedIn("admin"), x.signedIn("carol"), x.signedIn("alice")
	f := func(b *browser, status int, method, path, body, text string) {
		t.Helper()
		if got := b.want(status, method, path, body); !strings.Contains(got, text) {
			t.Errorf("%s %s: %s; want %q in it", method, path, got, text)
		}
	}
	f(admin, 422, "GET", "/api/search/histogram?q=nosuch:x", "", "nosuch")
	f(admin, 422, "GET", "/api/search/histogram?buckets=0", "", "buckets")
	f(admin, 422, "GET", "/api/search/fields?fields=raw", "", "raw")
	f(admin, 422, "GET", "/api/search/fields?fields=nosuch", "", "nosuch")
	f(admin, 422, "GET", "/api/search/complete", "", "field")
	f(admin, 422, "GET", "/api/search/complete?field=nosuch", "", "nosuch")
	f(admin, 422, "GET", "/api/secrets?kind=password", "", "kind")
	f(admin, 422, "GET", "/api/secrets?sort=value", "", "sort")
	f(admin, 422, "GET", "/api/secrets?cursor=x", "", "not one that this list gave")
	f(admin, 422, "GET", "/api/secrets?cursor=at-1", "", "not one that this list gave")
	f(admin, 404, "GET", "/api/secrets/detail?resource=x", "", "no record names")
	f(admin, 404, "GET", "/api/rules/r2", "", "r2")
	f(admin, 422, "GET", "/api/ledger/matrix?days=100000", "", "days")
	f(alice, 404, "GET", "/api/secrets/detail?resource="+url.QueryEscape(theirSecret), "", "no record names")
	f(alice, 200, "GET", "/api/search/rule?q=operation:x", "", `{"rule":"title: operation:x"}`)
	f(alice, 422, "GET", "/api/search/rule?q=caller:lambda", "", "record alone")
	f(alice, 422, "GET", "/api/search/rule?q=nosuch:x", "", "nosuch")
	f(alice, 422, "GET", "/api/search/rule", "", "q")
	f(alice, 200, "GET", "/api/columns", "", `"usage":[{"name":"hour","type":"time",`)
	f(carol, 200, "POST", "/api/sql", `{"query":"select 1"}`, `"rows":[[48,"a"],[null,`)
	f(carol, 422, "POST", "/api/sql", `{"query":"drop table events"}`, "only SELECT")
	f(carol, 422, "POST", "/api/sql", `{"query":""}`, "query")
	f(alice, 403, "POST", "/api/sql", `{"query":"select 1"}`, "limited")
	f(carol, 403, "GET", "/api/settings", "", "admin")
	if text := carol.want(200, "GET", "/api/sources", ""); strings.Contains(text, "/secret/place") {
		t.Errorf("sources tell who is no admin of paths: %s", text)
	}
	f(admin, 200, "GET", "/api/sources", "", "/secret/place")
}

// TestAbsent: what the rooms of a server do not have is said.
func TestAbsent(t *testing.T) {
	x := newHouse(t, Config{})
	x.add("admin", people.Admin)
	b := x.signedIn("admin")
	for _, path := range exploreAsks {
		if text := b.want(501, "GET", path, ""); !strings.Contains(text, "does not keep") {
			t.Errorf("%s: %s", path, text)
		}
	}
}

// TestSecretPages: pages put together are the list, in every order.
func TestSecretPages(t *testing.T) {
	x := exploring(t)
	x.add("admin", people.Admin)
	b := x.signedIn("admin")
	for _, sort := range []string{"name", "-name", "findings", "-calls", "last_use", "-first_seen", "actors", "quiet_days", "failures"} {
		var all []string
		cursor := ""
		for range 5 {
			var page Secrets
			if err := json.Unmarshal([]byte(b.want(200, "GET", "/api/secrets?limit=1&sort="+sort+"&cursor="+cursor, "")), &page); err != nil {
				t.Fatal(err)
			}
			for _, s := range page.Secrets {
				all = append(all, s.Resource)
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if slices.Sort(all); !slices.Equal(all, []string{mySecret, theirSecret}) {
			t.Errorf("sorted by %s, pages give %v", sort, all)
		}
	}
}
