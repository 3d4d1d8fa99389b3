package local

import (
	"testing"

	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/lake/laketest"
)

// TestContractDuckDB is the whole engine: written by Go, read by DuckDB.
func TestContractDuckDB(t *testing.T) {
	laketest.Test(t, func(t *testing.T) lake.Store {
		s, err := Open(t.TempDir(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}
