package local

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/lake"
)

// TestSQLParameters: parameters get their values as values, whatever stands in them.
func TestSQLParameters(t *testing.T) {
	s, evs := sqlStore(t, 2_000, Options{})
	f := func(text string, values map[string]any, want string) {
		t.Helper()
		a, err := ask(s, text, lake.SQLOptions{Values: values})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			return
		}
		if got, err := json.Marshal(a.rows); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	f(`select $a || 'x', $n + 1`, map[string]any{"a": "it's", "n": int64(4)}, `[["it'sx",5]]`)
	f(`select $a`, map[string]any{"a": `'; select * from read_text('/etc/passwd') --`}, `[["'; select * from read_text('/etc/passwd') --"]]`)
	f(`select $b and $x > 1.5`, map[string]any{"b": true, "x": 2.5}, `[[true]]`)
	f(`select count(*) from events where time < $since`, map[string]any{"since": time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)}, `[[0]]`)
	f(`select count(*) from events where time >= $since and ($account = '' or account_uid = $account)`,
		map[string]any{"since": time.Date(2001, 1, 1, 9, 0, 0, 0, time.FixedZone("JST", 9*3600)), "account": ""}, `[[2000]]`)
	f(`select $since::timestamp`, map[string]any{"since": time.Date(2026, 3, 1, 9, 0, 0, 0, time.FixedZone("JST", 9*3600))}, `[["2026-03-01T00:00:00Z"]]`)
	f(`select 1`, map[string]any{"spare": "x"}, `[[1]]`)

	refused := func(text string, values map[string]any, kind lake.SQLErrorKind, part string) {
		t.Helper()
		_, err := ask(s, text, lake.SQLOptions{Values: values})
		var own *lake.SQLError
		if !errors.As(err, &own) || own.Kind != kind || !strings.Contains(own.Msg, part) {
			t.Errorf("%s: %v", text, err)
		}
	}
	refused(`select $nosuch`, map[string]any{"a": "x"}, lake.SQLRefused, "$nosuch has no value")
	refused(`select ?`, map[string]any{"a": "x"}, lake.SQLRefused, "has no value")
	refused(`select $a`, nil, lake.SQLRefused, "parameter")
	refused(`select * from read_text($a)`, map[string]any{"a": "/etc/passwd"}, lake.SQLRefused, "read_text")
	if _, err := ask(s, `select 1`, lake.SQLOptions{Values: map[string]any{"a": []string{"x"}}}); err == nil {
		t.Error("a list was bound")
	}

	account := evs[0].AccountUID
	all, err := ask(s, `select count(distinct account_uid) from events`, lake.SQLOptions{})
	if err != nil || all.rows[0][0].(int64) < 2 {
		t.Fatalf("%v, %v", all.rows, err)
	}
	a, err := ask(s, `select distinct account_uid from events union select distinct account_uid from usage`, lake.SQLOptions{Accounts: []string{account, "it's none"}})
	if err != nil || len(a.rows) != 1 || a.rows[0][0] != account {
		t.Errorf("narrowed to %s: %v, %v", account, a.rows, err)
	}
}
