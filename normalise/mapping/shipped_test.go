package mapping

import (
	"os"
	"testing"
)

// TestShipped runs the cases of the program's own mappings.
func TestShipped(t *testing.T) {
	all, refused := Load(os.DirFS("../../mappings"), "mappings")
	for _, err := range refused {
		t.Error(err)
	}
	if len(all) < 6 {
		t.Errorf("%d mappings", len(all))
	}
	for _, m := range all {
		for _, f := range m.Test() {
			t.Errorf("%s:%d: %s: %s", f.File, f.Line, f.Case, f.Why)
		}
	}
}
