package sqlite

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/yagura-sec/yagura/finding"
)

func TestEntry(t *testing.T) {
	o := varied(7)
	f := finding.Fold([]finding.Occurrence{o})
	e := entryOf(&f, true)
	again := e
	again.texts = nil
	again.decided, again.closed, again.explained, again.named, again.score = 0, 0, false, false, 0
	if err := again.setFacts(e.facts()); err != nil || !reflect.DeepEqual(again, e) {
		t.Errorf("%+v, %v, want %+v", again, err, e)
	}
}

// FuzzFacts: damaged facts are told of, and what is read is written as it was.
func FuzzFacts(f *testing.F) {
	e := entryOf(new(finding.Finding), false)
	f.Add(e.facts())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var e entry
		if e.setFacts(b) != nil {
			return
		}
		var again entry
		if err := again.setFacts(e.facts()); err != nil || !slices.Equal(again.texts, e.texts) || again.decided != e.decided || again.explained != e.explained || again.named != e.named || math.Float64bits(again.score) != math.Float64bits(e.score) {
			t.Fatalf("%x is %+v, and written again %+v, %v", b, e, again, err)
		}
	})
}
