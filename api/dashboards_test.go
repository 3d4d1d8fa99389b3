package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/dashboard"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/lake/memory"
	"github.com/yagura-sec/yagura/people"
)

const denialsFile = `
id: denials
version: 3
title: {en: Refusals, ja: 拒否}
log: {name: {en: Audit logs, ja: 監査ログ}, filter: 'format:gcp.audit'}
parameters: [{name: account, title: {en: Project, ja: プロジェクト}, query: denials}]
filter: 'outcome:denied account:$account'
by: [account_uid]
`

const silentFile = `
id: silent
version: 1
title: {en: Nothing, ja: なし}
log: {name: {en: Vault logs, ja: ボールトのログ}, filter: 'format:azure.keyvault'}
by: [account_uid]
`

const sqlFile = `
id: asked
version: 1
title: {en: Asked, ja: 質問}
log: {name: {en: Audit logs, ja: 監査ログ}, filter: 'format:gcp.audit'}
sql: select 1
`

const boardFile = `
id: cloud
version: 2
title: {en: Cloud, ja: クラウド}
description: {en: What is refused., ja: 拒否されたもの。}
span: 24h
parameters: [{name: account, title: {en: Project, ja: プロジェクト}, query: denials}]
panels:
  - {id: table, query: denials}
  - {id: time, query: denials, show: timeline}
  - {id: vault, query: silent, show: bars}
  - {id: sql, query: asked}
`

// board gives the rooms a dashboard over a lake in memory.
func board(t *testing.T, r *Rooms) {
	t.Helper()
	var queries []*dashboard.Query
	for _, text := range []string{denialsFile, silentFile, sqlFile} {
		q, err := dashboard.ParseQuery("q.yml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		queries = append(queries, q)
	}
	d, wrong := dashboard.ParseDashboard("d.yml", []byte(boardFile))
	if wrong != nil {
		t.Fatal(wrong)
	}
	book, refused := dashboard.NewBook(queries, []*dashboard.Dashboard{d})
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	store := &memory.Store{}
	b := event.Batch{Spans: []event.Span{{Object: "o", Version: "1", Records: 5, Final: true}}}
	for i, account := range []string{mine, theirs, theirs, mine, theirs} {
		e := event.Event{UID: event.UID{9, 15: byte(i)}, Time: noon.Add(-time.Duration(i+1) * time.Hour), Format: "gcp.audit", AccountUID: account, Outcome: event.Denied, Object: "o", Position: int64(i), Raw: []byte("{}")}
		b.Events = append(b.Events, e)
	}
	if _, err := store.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	engine := dashboard.Engine{Sum: store.Sum, SQL: func(_ context.Context, _ string, _ map[string]any, accounts []string) (dashboard.Table, error) {
		if len(accounts) > 0 {
			return dashboard.Table{Columns: []string{"within"}, Rows: [][]any{{strings.Join(accounts, ",")}}}, nil
		}
		return dashboard.Table{}, &lake.SQLError{Kind: lake.SQLLimit, Msg: "it was too much"}
	}}
	r.Console.Dashboards = func() *dashboard.Book { return book }
	r.Console.Panel = func(ctx context.Context, d *dashboard.Dashboard, p *dashboard.Panel, ask dashboard.Ask) (dashboard.Answer, error) {
		return engine.Ask(ctx, book, d, p, ask)
	}
	r.Console.Choices = func(ctx context.Context, d *dashboard.Dashboard, of string, ask dashboard.Ask) ([]string, error) {
		return engine.Choices(ctx, book, d, of, ask)
	}
}

func TestDashboards(t *testing.T) {
	r := rooms(t)
	h := New(Config{Version: "test", Token: "secret", Hosts: []string{"localhost"}}, r)
	if code, _, _ := ask(t, h, "GET", "/api/dashboards", ""); code != 501 {
		t.Errorf("without dashboards: %d", code)
	}
	board(t, &r)
	h = New(Config{Version: "test", Token: "secret", Hosts: []string{"localhost"}}, r)
	get := func(path string, want int, change ...func(*http.Request)) string {
		t.Helper()
		code, _, body := ask(t, h, "GET", path, "", change...)
		if code != want {
			t.Errorf("%s: %d %s", path, code, body)
		}
		return body
	}
	if body := get("/api/dashboards", 200, func(r *http.Request) { r.Header.Set("Accept-Language", "ja") }); !strings.Contains(body, "クラウド") || !strings.Contains(body, `"title":"拒否"`) {
		t.Errorf("in Japanese: %s", body)
	}
	var a BoardAnswer
	if err := json.Unmarshal([]byte(get("/api/dashboards/cloud", 200)), &a); err != nil {
		t.Fatal(err)
	}
	table, over, vault, sql := a.Panels[0], a.Panels[1], a.Panels[2], a.Panels[3]
	if rows, err := json.Marshal(table.Answer.Rows); err != nil || string(rows) != `[["`+theirs+`",3],["`+mine+`",2]]` {
		t.Errorf("the table: %s", rows)
	}
	if table.Answer.Search != "format:gcp.audit outcome:denied twin:false" || table.Answer.Keys[0] != "account_uid" {
		t.Errorf("to drill: %q %v", table.Answer.Search, table.Answer.Keys)
	}
	if len(over.Answer.Series) != 2 || over.Answer.Series[0].Total != 3 || over.Answer.Width != 3600 {
		t.Errorf("over time: %+v", over.Answer)
	}
	if vault.Answer.State != dashboard.NoLog || vault.Answer.Log.Name != "Vault logs" || len(vault.Answer.Rows) != 0 {
		t.Errorf("without a log: %+v", vault.Answer)
	}
	if sql.Answer != nil || sql.Problem != "it was too much" {
		t.Errorf("a statement that was cut off: %+v", sql)
	}
	if body := get("/api/dashboards/cloud?panel=table&param=account="+mine, 200); strings.Contains(body, theirs) || !strings.Contains(body, mine) || strings.Contains(body, "vault") {
		t.Errorf("of one project: %s", body)
	}
	if body := get("/api/dashboards/cloud/choices?of=account", 200); !strings.Contains(body, `"values":["`+theirs+`","`+mine+`"]`) {
		t.Errorf("choices: %s", body)
	}
	get("/api/dashboards/nosuch", 404)
	get("/api/dashboards/cloud?panel=nosuch", 422)
	get("/api/dashboards/cloud?param=account", 422)
	get("/api/dashboards/cloud?param=nosuch=1", 422)
	get("/api/dashboards/cloud?since=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z", 422)
	get("/api/dashboards/cloud/choices?of=nosuch", 422)
	if body := get("/api/search/query?q=outcome:denied", 200); !strings.Contains(body, "filter: outcome:denied") {
		t.Errorf("a query to save: %s", body)
	}
	get("/api/search/query?q=time:2026", 422)
}

// TestDashboardsLimited: who is limited to an account is told of that alone, by
// filters and by SQL.
func TestDashboardsLimited(t *testing.T) {
	x := newHouse(t, Config{})
	board(t, &x.rooms)
	x.h = New(Config{Version: "test", Token: "secret", Hosts: []string{"localhost"}}, x.rooms)
	x.add("alice", people.Viewer, mine)
	alice := x.signedIn("alice")
	for _, path := range []string{"/api/dashboards/cloud", "/api/dashboards/cloud?param=account=" + theirs, "/api/dashboards/cloud/choices?of=account"} {
		text := alice.want(200, "GET", path, "")
		if strings.Contains(strings.ReplaceAll(text, `"search":"account_uid:`+mine+` account_uid:`+theirs, ""), `"`+theirs+`"`) {
			t.Errorf("%s tells of another account: %s", path, text)
		}
	}
	if text := alice.want(200, "GET", "/api/dashboards/cloud", ""); !strings.Contains(text, `"rows":[["`+mine+`",2]]`) || !strings.Contains(text, `"rows":[["`+mine+`"]]`) {
		t.Errorf("what is hers: %s", text)
	}
}
