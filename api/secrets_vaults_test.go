package api

import (
	"context"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/usage/secrets"
)

// TestSilentVaults: vaults that write nothing are told to those who may see their
// subscription, of the one that is asked for.
func TestSilentVaults(t *testing.T) {
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	known := KnownSecrets{Book: &secrets.Book{Vaults: []secrets.Vault{
		{Resource: "/subscriptions/a/vaults/v1", Account: "a", First: at, Last: at},
		{Resource: "/subscriptions/b/vaults/v2", Account: "b", First: at, Last: at},
	}}}
	f := func(ctx context.Context, account, want string) {
		t.Helper()
		got := ""
		for _, v := range (&secretsInput{Account: account}).silent(ctx, known) {
			got += v.Account
		}
		if got != want {
			t.Errorf("of account %q: %q, want %q", account, got, want)
		}
	}
	all := people.With(t.Context(), people.Who{User: "mei", Role: people.Viewer})
	f(all, "", "ab")
	f(all, "b", "b")
	f(all, "c", "")
	f(people.With(t.Context(), people.Who{User: "jun", Role: people.Viewer, Accounts: []string{"a"}}), "", "a")
}
