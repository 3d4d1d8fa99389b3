package watch

import (
	"testing"
	"time"

	"github.com/yagura-sec/yagura/query"
)

// TestSearch: whatever somebody is called, the command that finds what they did is one
// search, and no other command.
func TestSearch(t *testing.T) {
	at := time.Date(2026, 3, 2, 10, 0, 0, 5, time.UTC)
	f := func(want string, all ...query.Expr) {
		t.Helper()
		if got := Search(at, at.Add(time.Hour), all...); got != "yagura search "+want+" --since 2026-03-02T10:00:00Z --until 2026-03-02T11:00:01Z" {
			t.Error(got)
		}
	}
	f("actor_uid:arn:aws:iam::111122223333:role/api", ByActor("arn:aws:iam::111122223333:role/api"))
	f(`'(actor_session:"o'\''brien@example.com" or actor_uid:"o'\''brien@example.com") region:"us-east-1"'`, ByPerson("o'brien@example.com"), query.Eq{Field: "region", Value: "us-east-1"})
	f(`'actor_session:"x\"; $(id)"'`, ByPerson(`x"; $(id)`))
}
