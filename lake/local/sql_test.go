package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/usage"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == ChildArg {
		os.Exit(ChildMain(os.Stdin, os.Stdout))
	}
	if len(os.Args) > 2 && os.Args[1] == "sql-parent" {
		os.Exit(sqlParent(os.Args[2]))
	}
	os.Exit(m.Run())
}

// sqlStore has events and their usage.
func sqlStore(tb testing.TB, n int, opt Options) (*Store, []event.Event) {
	tb.Helper()
	evs := genEvents(5, n, 2)
	s := openTest(tb, tb.TempDir(), opt)
	fillAtRest(tb, s, evs, 4_000)
	rows := usage.Sum(slices.Clone(evs), usage.DefaultMax)
	var ch change
	for _, part := range byMonth(rows) {
		u, err := s.writeUsage(monthOf(part[0].Hour), part)
		if err != nil {
			tb.Fatal(err)
		}
		ch.addUsage = append(ch.addUsage, u)
	}
	if err := s.commit(context.Background(), &ch); err != nil {
		tb.Fatal(err)
	}
	return s, evs
}

type answerOf struct {
	columns   []lake.SQLColumn
	rows      [][]any
	truncated string
}

func ask(s *Store, text string, o lake.SQLOptions) (a answerOf, err error) {
	rows, err := s.SQL(context.Background(), text, o)
	if err != nil {
		return a, err
	}
	for rows.Next() {
		a.rows = append(a.rows, rows.Row())
	}
	a.columns, a.truncated = rows.Columns(), rows.Truncated()
	return a, errors.Join(rows.Err(), rows.Close())
}

// TestSQLWorks is what analysts write on an ordinary day.
func TestSQLWorks(t *testing.T) {
	s, evs := sqlStore(t, 6_000, Options{})
	f := func(text string, rows int, first string) {
		t.Helper()
		a, err := ask(s, text, lake.SQLOptions{})
		if err != nil {
			t.Errorf("%s:\n%v", text, err)
			return
		}
		if rows >= 0 && len(a.rows) != rows || rows < 0 && len(a.rows) == 0 {
			t.Errorf("%s: %d rows, want %d", text, len(a.rows), rows)
		}
		if first == "" {
			return
		}
		if got, err := json.Marshal(a.rows[0]); err != nil || string(got) != first {
			t.Errorf("%s: %s, %v; want %s", text, got, err, first)
		}
	}
	f(`select count(*) from events`, 1, `[6000]`)
	f(`SELECT count(*) AS n FROM main.events; -- all of them`, 1, `[6000]`)
	f(`select api_operation, count(*) n from events group by all order by n desc limit 3`, 3, "")
	f(`select api_operation, count(*) filter (where outcome = 'denied') d from events group by 1 having d > 0 order by d desc`, -1, "")
	f(`with denied as (select actor_uid, count(*) n from events where outcome = 'denied' group by 1) select * from denied order by n desc limit 5`, 5, "")
	f(`with recursive t(n) as (select 1 union all select n + 1 from t where n < 5) select sum(n) from t`, 1, `[15]`)
	f(`select actor_uid, time, lag(time) over (partition by actor_uid order by time) as before from events qualify row_number() over (partition by actor_uid order by time) = 2 limit 4`, 4, "")
	f(`select e.actor_uid, u.n from (select distinct actor_uid from events) e join (select actor_uid, sum("count") n from usage where resource_uid = '' group by 1) u using (actor_uid) order by all limit 2`, 2, "")
	f(`select sum("count") from usage where resource_uid = ''`, 1, `[6000]`)
	f(`select raw->>'$.requestParameters.bucketName' b, count(*) from events group by 1 order by 2 desc limit 2`, 2, "")
	f(`select raw->'$.requestParameters.tags' from events limit 1`, 1, "")
	f(`select json_extract_string(raw, '$.eventName') from events where json_valid(raw) limit 1`, 1, "")
	f(`select json_keys(raw) from events limit 1`, 1, "")
	f(`select e.uid, j.key from events e, json_each(e.raw) j limit 5`, 5, "")
	f(`values (1, 'a'), (2, 'b')`, 2, `[1,"a"]`)
	f(`select * from (values (1), (2), (3)) t(x) where x in (select 2)`, 1, `[2]`)
	f(`pivot events on outcome in ('success', 'denied') using count(*) group by region order by region`, 3, "")
	f(`unpivot (select 1 a, 2 b) on a, b into name n value v`, 2, `["a",1]`)
	f(`select r, count(*) from (select unnest(resource_uids) r from events) group by 1 order by 2 desc, 1 limit 3`, 3, "")
	f(`select x from events, unnest(resource_uids) as t(x) limit 2`, 2, "")
	f(`select time_bucket(interval '6 hours', time) b, count(*) from events group by 1 order by 1`, 8, "")
	f(`select strftime(time, '%Y-%m-%d') d, date_trunc('hour', time) h, hour(time) from events order by time limit 1`, 1, "")
	f(`select regexp_extract(actor_uid, 'role/(.*)', 1) from events where regexp_matches(user_agent, '(?i)boto') limit 1`, 1, "")
	f(`select list_transform(resource_uids, lambda x: upper(x)), len(resource_uids), resource_uids[1] from events where resource_uids <> [] limit 1`, 1, "")
	f(`select list_filter([1, 2, 3], lambda x: x > 1)`, 1, `[[2,3]]`)
	f(`select e.uid from events e asof join (select timestamp '2026-03-02 05:00:00' as t, 1 as k) x on e.time >= x.t limit 1`, 1, "")
	f(`select account_uid, approx_count_distinct(actor_uid), quantile_cont(caller_confidence, 0.5), arg_max(api_operation, time) from events group by 1 order by 1`, 6, "")
	f(`select case when read_only then 'r' else 'w' end k, string_agg(distinct region, ',' order by region) from events group by 1 order by 1`, 2, "")
	f(`select count(*) from events where uid = '`+evs[3].UID.String()+`'`, 1, `[1]`)
	f(`select uid, batch, event_uid from events where uid = '`+evs[3].UID.String()+`'`, 1, `["`+evs[3].UID.String()+`","00000000-0000-0000-0000-000000000000","`+evs[3].EventUID+`"]`)
	f(`select count(*) from events where time >= '2026-03-02' and time < '2026-03-02'::date + interval 1 day and src_ip like '10.%'`, 1, "")
	f(`select count(*) from events where "raw" ilike '%STOPLOGGING%'`, 1, "")
	f(`from events select region order by time limit 1`, 1, "")
	f(`describe events`, 50, `["time","TIMESTAMP","YES",null,null,null]`)
	f(`summarize select region, class_uid from events`, 2, "")
	f(`select * from events tablesample 100 rows`, 100, "")
	f(`select * from range(3)`, 3, `[0]`)
	f(`select 1 as a, 2 as a union all select 3, 4 order by 1 desc`, 2, `[3,4]`)
	f(`select * exclude (raw) from events limit 1`, 1, "")
	f(`select columns('actor_.*') from events limit 1`, 1, "")
	f(`select e1.uid from events e1 semi join events e2 on e1.uid = e2.uid and e2.outcome = 'denied' limit 1`, 1, "")
	f(`select exists(select 1 from usage where "count" > 0), not exists (from events where account_uid = '')`, 1, `[true,true]`)
	f(`select "first", "last", "count" from usage order by all limit 1`, 1, "")
	f(`select count(*) from events group by grouping sets ((region), ())`, 4, "")
	f(`select 'it''s', 'getenv(''HOME'')', $$ ; drop table x $$`, 1, "")
}

// TestSQLValues is how values come to Go and to JSON.
func TestSQLValues(t *testing.T) {
	s := openTest(t, t.TempDir(), Options{}) // without a single segment
	f := func(expr, typ, want string) {
		t.Helper()
		a, err := ask(s, "select "+expr+" as v", lake.SQLOptions{})
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			return
		}
		got, err := json.Marshal(a.rows[0][0])
		if err != nil || string(got) != want || a.columns[0] != (lake.SQLColumn{Name: "v", Type: typ}) {
			t.Errorf("%s: %s of %v, %v; want %s of %s", expr, got, a.columns[0], err, want, typ)
		}
	}
	f(`null`, "INTEGER", `null`)
	f(`true`, "BOOLEAN", `true`)
	f(`9223372036854775807`, "BIGINT", `9223372036854775807`)
	f(`170141183460469231731687303715884105727::hugeint`, "HUGEINT", `170141183460469231731687303715884105727`)
	f(`18446744073709551615::ubigint`, "UBIGINT", `18446744073709551615`)
	f(`(select sum(x) from range(3) t(x))`, "HUGEINT", `3`)
	f(`1.25`, "DECIMAL(3,2)", `1.25`)
	f(`0.1::double`, "DOUBLE", `0.1`)
	f(`0.1::float`, "FLOAT", `0.1`)
	f(`'NaN'::double`, "DOUBLE", `"NaN"`)
	f(`'-inf'::double`, "DOUBLE", `"-Infinity"`)
	f(`'<a> "q" \ 日本'`, "VARCHAR", `"\u003ca\u003e \"q\" \\ 日本"`)
	f(`'a' || chr(0) || chr(10) || chr(27)`, "VARCHAR", `"a\u0000\n\u001b"`)
	f(`timestamp '2026-03-02 01:02:03.000400'`, "TIMESTAMP", `"2026-03-02T01:02:03.0004Z"`)
	f(`timestamptz '2026-03-02 01:02:03+09'`, "TIMESTAMPTZ", `"2026-03-01T16:02:03Z"`)
	f(`date '2026-03-02'`, "DATE", `"2026-03-02"`)
	f(`time '01:02:03.5'`, "TIME", `"01:02:03.5"`)
	f(`interval '1 month 2 days 3 hours 4.5 seconds'`, "INTERVAL", `"P1M2DT3H4.5S"`)
	f(`'ee702af6-14be-453d-a20a-b2f24cd0f222'::uuid`, "UUID", `"ee702af6-14be-453d-a20a-b2f24cd0f222"`)
	f(`['ee702af6-14be-453d-a20a-b2f24cd0f222'::uuid]`, "UUID[]", `["ee702af6-14be-453d-a20a-b2f24cd0f222"]`)
	f(`[1, null, 3]`, "INTEGER[]", `[1,null,3]`)
	f(`['a']`, "VARCHAR[]", `["a"]`)
	f(`'\xAA\x01'::blob`, "BLOB", `"\\xaa01"`)
	f(`'{"n": 12345678901234567890, "s": "x"}'::json`, "JSON", `{"n":12345678901234567890,"s":"x"}`)
	f(`'null'::json`, "JSON", `null`)
	f(`null::json`, "JSON", `null`)
	a, err := ask(s, `select {'a': 1, 'b': ['x']}, map {'k': 2}`, lake.SQLOptions{})
	if got, _ := json.Marshal(a.rows); err != nil || string(got) != `[[{"a":1,"b":["x"]},{"k":2}]]` {
		t.Errorf("nested: %s, %v", got, err)
	}
	a, err = ask(s, `select * from events full join usage on true`, lake.SQLOptions{})
	if err != nil || len(a.columns) != 50+14 || len(a.rows) != 0 {
		t.Errorf("empty lake: %d columns, %d rows, %v", len(a.columns), len(a.rows), err)
	}
}

// TestSQLRefuses is everything that must not be answered.
func TestSQLRefuses(t *testing.T) {
	s, _ := sqlStore(t, 500, Options{})
	segs, err := s.live(time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	seg := segs[0].Path
	secret := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(secret, []byte("a,b\nhunter2,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := tree(t, s.dir)
	f := func(text string) {
		t.Helper()
		a, err := ask(s, text, lake.SQLOptions{})
		var se *lake.SQLError
		if err == nil {
			t.Errorf("%s: answered with %v", text, a.rows)
			return
		}
		if !errors.As(err, &se) || se.Kind == lake.SQLLimit {
			t.Errorf("%s: %T %v; want a refusal", text, err, err)
		}
		if strings.Contains(err.Error(), s.dir) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "query-") {
			t.Errorf("%s: the message tells too much: %v", text, err)
		}
	}
	for _, fn := range []string{"read_csv", "read_csv_auto", "read_text", "read_blob", "read_parquet", "parquet_scan", "read_json", "read_json_auto",
		"read_ndjson", "glob", "sniff_csv", "parquet_metadata", "parquet_schema", "parquet_file_metadata", "parquet_kv_metadata"} {
		f("select * from " + fn + "('" + secret + "')")
		f("select * from " + fn + "('" + seg + "')")
	}
	f(`select * from '` + secret + `'`)
	f(`select * from '` + seg + `'`)
	f(`select * from "` + seg + `"`)
	f(`select * from (with "` + seg + `" as (select 1) select 2) a, "` + seg + `"`)
	f(`select * from (with duckdb_settings as (select 1) select 2) a, duckdb_settings`)
	f(`select * from (with SQLite_Master as (select 1) select 2) a, sqlite_master`)
	f(`select (select max(content) from read_text('/etc/passwd'))`)
	f(`select * from events where uid in (select uid from read_parquet('` + seg + `'))`)
	f(`select * from (values (1)) t(x) order by (select count(*) from glob('/*'))`)
	f(`with a as materialized (select * from read_csv('/etc/passwd')) select 1`)
	f(`select filename from events`)
	f(`select file_row_number from events`)
	f(`select _body_hash from events`)
	f(`create table t as select 1`)
	f(`create macro getenv2(x) as x`)
	f(`create or replace view events as select 1`)
	f(`insert into events values (1)`)
	f(`update events set uid = null`)
	f(`delete from events`)
	f(`drop view events`)
	f(`truncate events`)
	f(`alter table events rename to x`)
	f(`copy events to '` + seg + `'`)
	f(`copy (select 1) to '/tmp/yagura-out.csv'`)
	f(`copy (select 1) to 'here.csv'`)
	f(`export database '/tmp/yagura-out'`)
	f(`import database '/tmp/yagura-out'`)
	f(`attach '` + filepath.Join(s.dir, "lake.db") + `' as l (type sqlite)`)
	f(`attach 'x.duckdb'`)
	f(`use memory`)
	f(`install httpfs`)
	f(`load parquet`)
	f(`set threads = 64`)
	f(`set memory_limit = '100GB'`)
	f(`set enable_external_access = true`)
	f(`reset lock_configuration`)
	f(`pragma database_list`)
	f(`pragma table_info('events')`)
	f(`pragma show_tables`)
	f(`call duckdb_settings()`)
	f(`call pragma_version()`)
	f(`checkpoint`)
	f(`begin`)
	f(`prepare q as select 1`)
	f(`execute q`)
	f(`explain select 1`)
	f(`explain analyze select * from events`)
	f(`vacuum`)
	f(`show tables`)
	f(`show all tables`)
	f(`show databases`)
	f(`describe`)
	f(`set variable x = 1`)
	f(`select 1; select 2`)
	f(`select 1; drop view events`)
	f(`select 1) ; drop view events; (select 1`)
	f(`select 1) t(c0), (select 2`)
	f(`/* */ ; ; select 1; select 1`)
	f(`select getenv('HOME')`)
	f(`select ('HOME').getenv()`)
	f(`select current_setting('temp_directory')`)
	f(`select main.current_setting('allowed_paths')`)
	f(`select system.main.current_setting('allowed_paths')`)
	f(`select current_database(), current_schema(), current_user(), version()`)
	f(`select * from duckdb_settings()`)
	f(`select * from duckdb_settings`)
	f(`select * from duckdb_secrets()`)
	f(`select * from duckdb_databases()`)
	f(`select * from duckdb_views()`)
	f(`select sql from duckdb_views`)
	f(`select * from duckdb_temporary_files()`)
	f(`select * from duckdb_memory()`)
	f(`select * from duckdb_external_file_cache()`)
	f(`select * from duckdb_functions()`)
	f(`select * from pragma_database_list()`)
	f(`select * from pragma_database_list`)
	f(`select * from pragma_version()`)
	f(`select * from pragma_user_agent()`)
	f(`select * from pragma_storage_info('events')`)
	f(`select * from information_schema.tables`)
	f(`select * from information_schema.views`)
	f(`select * from pg_catalog.pg_views`)
	f(`select * from pg_views`)
	f(`select * from sqlite_master`)
	f(`select * from memory.main.events`)
	f(`select * from system.information_schema.columns`)
	f(`select pg_get_viewdef(1)`)
	f(`select * from query('select * from duckdb_settings()')`)
	f(`select * from query_table('events')`)
	f(`select json_serialize_sql('select 1')`)
	f(`select * from json_execute_serialized_sql(json_serialize_sql('select 1'))`)
	f(`select json_serialize_plan('select * from events')`)
	f(`select * from test_all_types()`)
	f(`select * from sql_auto_complete('sel')`)
	f(`select * from which_secret('s3://x', 's3')`)
	f(`select * from add_parquet_key('k', 'v')`)
	f(`select nextval('s')`)
	f(`select getvariable('x')`)
	f(`select write_log('x')`)
	f(`select stats(1)`)
	f(`select $1`)
	f(`select ?`)
	f(`select`)
	f(``)
	f(`   -- nothing`)
	f(`selec 1`)
	f("select '\x00'")
	f(`select '` + strings.Repeat("x", 200_000) + `'`)
	f(`pivot events on outcome using count(*)`)
	f(`select absent_function(1)`)
	f(`select absent_column from events`)
	f(`select 1/'x'`)
	if after := tree(t, s.dir); !slices.Equal(before, after) {
		t.Errorf("the data directory has changed:\n%v\n%v", before, after)
	}
	if n, err := s.Count(context.Background(), everything); err != nil || n != 500 {
		t.Errorf("afterwards: %d events, %v", n, err)
	}
}

// refusedFunctions were reviewed and tell of the host, the catalog, the session
// or the settings, keep state, run other SQL, or are DuckDB's own internals.
var refusedFunctions = regexp.MustCompile(`^(__internal_.*|icu_.*|pg_.*|has_.*_privilege|inet_(client|server)_.*|(col|obj|shobj)_description` +
	`|current_(catalog|connection_id|database|query|query_id|role|schema|schemas|setting|transaction_id|user)|session_user|user|version` +
	`|getvariable|currval|nextval|txid_current|setseed|in_search_path|write_log|parse_duckdb_log_message|stats|vector_type|get_block_size` +
	`|json_(de)?serialize_(sql|plan)|can_cast_implicitly|cast_to_type|replace_type|remap_struct|constant_or_null|combine|finalize|create_sort_key` +
	`|format_pg_type|format_type|map_to_pg_oid)$`)

// TestSQLFunctionsAreReviewed fails when the linked DuckDB has a function that
// nobody has decided about.
func TestSQLFunctionsAreReviewed(t *testing.T) {
	s := openTest(t, t.TempDir(), Options{})
	db, err := s.duckdb()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(`SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate', 'macro')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	has := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		has[name] = true
		if sqlFunctions[name] == refusedFunctions.MatchString(name) {
			t.Errorf("%s is neither allowed nor refused, or both", name)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for name := range sqlFunctions {
		if !has[name] {
			t.Errorf("%s is allowed and does not exist", name)
		}
	}
}

// tree is the files below dir with their sizes, but those of SQLite's log.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "lake.db") {
			return err
		}
		info, err := d.Info()
		out = append(out, fmt.Sprint(path, info.Size(), info.ModTime()))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSQLExhaustion is what would take all the time, memory or disk there is.
func TestSQLExhaustion(t *testing.T) {
	if !limitAddressSpace || testing.Short() {
		t.Skip("a race or short test: without a limit on addresses, or time for those on time")
	}
	s, _ := sqlStore(t, 20_000, Options{SQL: SQLLimits{Spill: 64 << 20, Memory: 512 << 20}})
	f := func(text string) {
		t.Helper()
		start := time.Now()
		_, err := ask(s, text, lake.SQLOptions{Timeout: 3 * time.Second})
		text = text[:min(len(text), 200)]
		took := time.Since(start)
		var se *lake.SQLError
		if !errors.As(err, &se) || se.Kind == lake.SQLRefused {
			t.Errorf("%s: after %s: %v; want a limit", text, took, err)
		} else if se.Kind == lake.SQLInvalid {
			t.Logf("%s: %v", text, err)
		}
		if took > 8*time.Second {
			t.Errorf("%s: took %s", text, took)
		}
	}
	f(`select count(*) from events a, events b, events c where a.raw || b.raw < c.raw`)
	f(`select count(*) from range(1000000000000) t(x) where x % 7 = 3`)
	f(`select length(repeat('x', 2000000000))`)
	f(`select repeat(raw, 100000) from events`)
	f(`with recursive t as (select 1 a union all select a + 1 from t) select max(a) from t`)
	f(`with recursive t as (select 'x' a union all select a || a from t) select count(*) from t`)
	f(`select * from (select a.raw || b.raw as x from events a, events b limit 2000000) order by x desc`)
	f(`select string_agg(a.raw, '') from events a, range(1000)`)
	f(`select list(a.raw) from events a, range(1000)`)
	f(`select range(10000000000)`)
	f(`select len(list_transform(range(1000000000), lambda x: x * 2))`)
	f(`select count(*) from events e, range(10000) t(x) where (e.raw || x) like '%a%b%c%d%e%zz%'`)
	f(`select count(*) from events e, range(10000) t(x) where (e.raw || x) ilike '%zzz%'`)
	f(`select count(*) from events e, range(10000) t(x) where regexp_matches(e.raw || x, '(a|b|c)*(d|e)*x{1,200}zz')`)
	f(`select string_agg(raw, '') ilike '%zzz%' from events, range(10)`)
	f(`select count(distinct md5(a.raw || b.uid::varchar)) from events a, events b`)
	f(`select max(levenshtein(a.raw, b.raw)) from events a, events b`)
	f(`select lpad('x', 2000000000, 'y') || rpad('x', 2000000000, 'y')`)
	f(`select generate_series(1, 100000000000)`)
	f(`select ` + strings.Repeat("(", 60_000) + "1" + strings.Repeat(")", 60_000))
	f(`select 1` + strings.Repeat("+1", 60_000))
	if n, err := s.Count(context.Background(), everything); err != nil || n != 20_000 {
		t.Errorf("the parent afterwards: %d events, %v", n, err)
	}
	left, err := os.ReadDir(filepath.Join(s.dir, "tmp"))
	if err != nil || len(left) > 1 { // one is the embedded engine's
		t.Errorf("temporary folders left: %v, %v", left, err)
	}
}

func TestSQLLimits(t *testing.T) {
	s, _ := sqlStore(t, 3_000, Options{})
	a, err := ask(s, `select * from events`, lake.SQLOptions{MaxRows: 10})
	if err != nil || len(a.rows) != 10 || a.truncated != "cut off at 10 rows" {
		t.Errorf("%d rows, %q, %v", len(a.rows), a.truncated, err)
	}
	a, err = ask(s, `select uid from events limit 10`, lake.SQLOptions{MaxRows: 10})
	if err != nil || len(a.rows) != 10 || a.truncated != "" {
		t.Errorf("just as many: %d rows, %q, %v", len(a.rows), a.truncated, err)
	}
	a, err = ask(s, `select raw from events`, lake.SQLOptions{MaxBytes: 1 << 20})
	if err != nil || len(a.rows) < 300 || len(a.rows) > 1200 || !strings.HasPrefix(a.truncated, "cut off at 1 MB") {
		t.Errorf("%d rows, %q, %v", len(a.rows), a.truncated, err)
	}
	_, err = ask(s, `select count(*) from range(100000000000)  t(x) where x % 7 = 8`, lake.SQLOptions{Timeout: time.Second})
	if err == nil || !strings.Contains(err.Error(), "1s, the time limit") {
		t.Errorf("deadline: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(300*time.Millisecond, cancel)
	start := time.Now()
	if _, err := s.SQL(ctx, `select count(*) from range(100000000000) t(x) where x % 7 = 8`, lake.SQLOptions{}); !errors.Is(err, context.Canceled) || time.Since(start) > 3*time.Second {
		t.Errorf("cancelled: %v after %s", err, time.Since(start))
	}
}

// TestSQLChild: the process that answers has nothing of its parent's, and
// closing the result ends it.
func TestSQLChild(t *testing.T) {
	t.Setenv("YAGURA_TEST_SECRET", "hunter2")
	s, _ := sqlStore(t, 3_000, Options{})
	collect(t, s, query.Query{Limit: 1}) // the embedded engine has files open too
	rows, err := s.SQL(context.Background(), `select raw from events, range(20)`, lake.SQLOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rows.Next()
	pid := rows.(*childRows).cmd.Process.Pid
	proc := fmt.Sprintf("/proc/%d/", pid)
	if env, err := os.ReadFile(proc + "environ"); err != nil || len(env) > 0 {
		t.Errorf("environment %q, %v", env, err)
	}
	if group, err := syscall.Getpgid(pid); err != nil || group != pid {
		t.Errorf("process group %d of %d, %v", group, pid, err)
	}
	if cwd, err := os.Readlink(proc + "cwd"); err != nil || cwd != rows.(*childRows).temp {
		t.Errorf("folder %s, %v", cwd, err)
	}
	fds, err := os.ReadDir(proc + "fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		to, err := os.Readlink(proc + "fd/" + fd.Name())
		known := false
		for _, own := range []string{"pipe:", "anon_inode:", "/dev/null", "/sys/fs/cgroup/", filepath.Join(s.dir, "events"), rows.(*childRows).temp} {
			known = known || strings.HasPrefix(to, own) // /dev and /sys: the Go runtime's
		}
		if err == nil && !known {
			t.Errorf("the child holds %s", to)
		}
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d: %v", pid, err)
	}
}

// TestSQLParentDies: the child does not outlive a parent that is killed.
func TestSQLParentDies(t *testing.T) {
	s, _ := sqlStore(t, 100, Options{})
	parent := exec.Command(os.Args[0], "sql-parent", s.dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(syscall.Kill(pid, 0), parent.Process.Kill()); err != nil {
		t.Fatal(err)
	}
	parent.Wait() //nolint:errcheck // killed
	for range 100 {
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
			return
		}
		if state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(state), ") Z ") {
			return // ended; nobody has taken note
		}
		time.Sleep(50 * time.Millisecond)
	}
	syscall.Kill(pid, syscall.SIGKILL) //nolint:errcheck // it is ours
	t.Error("the child goes on without its parent")
}

// sqlParent runs an endless statement and prints its child's process id.
func sqlParent(dir string) int {
	s, err := Open(dir, Options{ReadOnly: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() {
		for {
			children, _ := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid()))
			tasks, _ := filepath.Glob("/proc/self/task/*/children")
			for _, task := range tasks {
				more, _ := os.ReadFile(task)
				children = append(children, more...)
			}
			if fields := strings.Fields(string(children)); len(fields) > 0 {
				fmt.Println(fields[0])
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	_, err = s.SQL(context.Background(), `select count(*) from range(1000000000000) t(x) where x % 7 = 8`, lake.SQLOptions{Timeout: time.Minute})
	fmt.Fprintln(os.Stderr, err)
	return 1
}
