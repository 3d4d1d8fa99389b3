package memory

import (
	"testing"

	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/ledger/ledgertest"
)

func TestContract(t *testing.T) {
	ledgertest.Test(t, func(t *testing.T, opt ledger.Options) ledger.Store { return New(opt) })
}
