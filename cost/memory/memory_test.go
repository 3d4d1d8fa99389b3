package memory

import (
	"testing"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/costtest"
)

func TestContract(t *testing.T) {
	costtest.Test(t, func(*testing.T) cost.Store { return &Store{} })
}
