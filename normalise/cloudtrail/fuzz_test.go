package cloudtrail

import (
	"bytes"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/golden"
)

// FuzzAppend: no events when there is an error, else exactly one that has no
// flaw; what was in dst is kept, and the body is not touched.
func FuzzAppend(f *testing.F) {
	for _, in := range golden.Inputs(f, "testdata/*.json") {
		f.Add(in.Body)
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
