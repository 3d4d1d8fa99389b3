package memory

import (
	"testing"

	"github.com/yagura-sec/yagura/export"
	"github.com/yagura-sec/yagura/export/exporttest"
)

func TestContract(t *testing.T) {
	exporttest.Test(t, func(*testing.T) export.Outbox { return &Outbox{} })
}
