package cloudtrail

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/event"
)

// FuzzAppend: no events when there is an error, else exactly one that has no
// flaw; what was in dst is kept, and the body is not touched.
func FuzzAppend(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		dst := make([]event.Event, 1, 4)
		dst[0].EventUID = "kept"
		got, err := Normaliser{}.Append(dst, event.Raw{Object: "o", Position: 3, Body: body, Received: received})
		if !bytes.Equal(body, before) {
			t.Fatal("changed the body")
		}
		if len(got) < 1 || got[0].EventUID != "kept" {
			t.Fatal("lost what was in dst")
		}
		if err != nil {
			if len(got) != 1 {
				t.Fatalf("%d events beside the error %v", len(got)-1, err)
			}
			if strings.TrimSpace(err.Error()) == "" {
				t.Fatal("an error without words")
			}
			return
		}
		if why := flaw(got[1:], body); why != "" {
			t.Fatal(why)
		}
	})
}
