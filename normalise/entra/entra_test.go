package entra

import (
	"testing"

	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/normalise/normalisetest"
)

func TestGolden(t *testing.T) {
	normalisetest.Golden(t, SignIns{}, "signin-", golden.Check)
	normalisetest.Golden(t, Audits{}, "audit-", golden.Check)
}

func TestHostile(t *testing.T) {
	normalisetest.Hostile(t, SignIns{}, "signin-")
	normalisetest.Hostile(t, Audits{}, "audit-")
}

func FuzzSignIns(f *testing.F) { normalisetest.Fuzz(f, SignIns{}, "signin-") }
func FuzzAudits(f *testing.F)  { normalisetest.Fuzz(f, Audits{}, "audit-") }

func BenchmarkSignIns(b *testing.B) { normalisetest.Bench(b, SignIns{}, "signin-user") }
func BenchmarkAudits(b *testing.B)  { normalisetest.Bench(b, Audits{}, "audit-role-given") }
