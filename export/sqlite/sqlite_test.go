package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/yagura-sec/yagura/export"
	"github.com/yagura-sec/yagura/export/exporttest"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
)

func TestContract(t *testing.T) {
	exporttest.Test(t, func(t *testing.T) export.Outbox {
		db, err := sqlitedb.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		o, err := On(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		return o
	})
}

// TestReopen: what was marked is there in another run.
func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	for i := range 2 {
		db, err := sqlitedb.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		o, err := On(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		sent, err := o.Sent(t.Context(), "splunk", []string{"a"})
		if err != nil || len(sent) != i {
			t.Errorf("run %d: %v, %v", i, sent, err)
		}
		if err := o.Mark(t.Context(), "splunk", map[string]string{"a": "1"}); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
