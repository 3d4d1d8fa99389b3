package memory_test

import (
	"testing"

	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/lake/laketest"
	"github.com/yagura-sec/yagura/lake/memory"
)

func TestContract(t *testing.T) {
	laketest.Test(t, func(*testing.T) lake.Store { return new(memory.Store) })
}
