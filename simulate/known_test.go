package simulate

import "testing"

// TestEstate: what is said of the accounts is of those that the logs are of.
func TestEstate(t *testing.T) {
	c := Config{Seed: 1, Days: 2, Accounts: 14, Secrets: 20}
	made, err := c.Write(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	e := c.Estate()
	if err := e.Check(); err != nil {
		t.Error(err)
	}
	if len(e.Accounts) != len(made.Accounts) {
		t.Fatalf("%d accounts in the estate, %d in the logs", len(e.Accounts), len(made.Accounts))
	}
	for i, a := range e.Accounts {
		if a.ID != made.Accounts[i] || a.Environment == "" || a.Owner == "" {
			t.Errorf("account %d is %+v, in the logs %s", i, a, made.Accounts[i])
		}
	}
	if e.Accounts[13].Name != "prod-shop-2" {
		t.Errorf("the second of its kind is called %s", e.Accounts[13].Name)
	}
}
