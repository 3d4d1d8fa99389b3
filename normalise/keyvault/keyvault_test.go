package keyvault

import (
	"testing"

	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/normalise/normalisetest"
)

func TestGolden(t *testing.T)  { normalisetest.Golden(t, Normaliser{}, "", golden.Check) }
func TestHostile(t *testing.T) { normalisetest.Hostile(t, Normaliser{}, "") }
func FuzzAppend(f *testing.F)  { normalisetest.Fuzz(f, Normaliser{}, "") }

func BenchmarkAppend(b *testing.B) { normalisetest.Bench(b, Normaliser{}, "secret-get-function") }
