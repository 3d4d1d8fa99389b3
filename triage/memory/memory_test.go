package memory

import (
	"testing"

	"github.com/yagura-sec/yagura/triage"
	"github.com/yagura-sec/yagura/triage/triagetest"
)

func TestContract(t *testing.T) {
	triagetest.Test(t, func(t *testing.T) triage.Store { return &Store{Expand: triagetest.Expand} })
}
