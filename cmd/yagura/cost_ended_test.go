package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/cost"
)

// TestAdviseEnded: a key counts as unused in the time before the log's end, never
// because the log ended.
func TestAdviseEnded(t *testing.T) {
	w := adviseWorld{t.TempDir(), time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	w.write(t)
	c := &commands{t, t.TempDir()}
	c.ok("ingest", filepath.Join(w.dir, "logs"), "--now="+w.now.Format(time.RFC3339))
	imported(t, c.data, exitDone, filepath.Join(w.dir, "bills"))
	f := func(days int, verdict cost.Verdict, key, words string) {
		t.Helper()
		var v api.CostAdvices
		c.json(&v, "cost", "advise", "--now="+w.now.AddDate(0, 0, days).Format(time.RFC3339))
		var keys []api.CostAdvice
		for _, a := range v.Advice {
			if a.Kind == cost.AboutUnusedKey {
				keys = append(keys, a)
			}
		}
		if len(keys) != 1 || keys[0].Verdict != verdict || keys[0].Key != "unused_key/"+key || !strings.Contains(keys[0].Reason.String(), words) || (len(keys[0].Plan) > 0) != (verdict == cost.Change) {
			t.Errorf("%d days after the log's end: %+v", days, keys)
		}
		if slices.ContainsFunc(keys, func(a api.CostAdvice) bool { return strings.Contains(a.Key, usedKey) }) {
			t.Errorf("%d days after the log's end a key that was used to the last is said to be unused", days)
		}
	}
	f(0, cost.Change, idleKey, "Nobody used")
	f(5, cost.Change, idleKey, "The log ends on 2026-11-22")
	f(50, cost.Keep, idleKey, "The log ends on 2026-11-22: whether it was used since is not known.") // 90 days back from then it has 40
	f(180, cost.Keep, idleKey, "whether it was used since is not known")
	f(-10, cost.Keep, plainly, "does not go back 90 days") // as of then it had 85
}
