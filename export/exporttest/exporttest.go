// Package exporttest is the contract of export.Outbox as a test that every engine
// passes.
package exporttest

import (
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/yagura-sec/yagura/export"
)

// Test checks that the outbox keeps the contract; open makes an empty one.
func Test(t *testing.T, open func(*testing.T) export.Outbox) {
	o := open(t)
	is := func(output string, keys []string, want map[string]string) {
		t.Helper()
		got, err := o.Sent(t.Context(), output, keys)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("of %s was sent %v, %v; want %v", output, got, err, want)
		}
	}
	mark := func(output string, revisions map[string]string) {
		t.Helper()
		if err := o.Mark(t.Context(), output, revisions); err != nil {
			t.Fatal(err)
		}
	}
	is("splunk", nil, map[string]string{})
	is("splunk", []string{"a"}, map[string]string{})
	mark("splunk", map[string]string{"a": "1", "b": "1"})
	mark("other", map[string]string{"a": "9"})
	mark("splunk", map[string]string{"a": "2"})
	mark("splunk", map[string]string{"a": "2"})
	mark("splunk", nil)
	is("splunk", []string{"a", "b", "c", "a"}, map[string]string{"a": "2", "b": "1"})
	is("other", []string{"a", "b"}, map[string]string{"a": "9"})

	many := map[string]string{}
	var keys []string
	for i := range 2500 {
		k := fmt.Sprintf("key%d", i)
		many[k] = fmt.Sprint(i)
		keys = append(keys, k)
	}
	mark("splunk", many)
	is("splunk", keys, many)

	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			if err := o.Mark(t.Context(), fmt.Sprint(i), map[string]string{"x": "1"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	is("3", []string{"x"}, map[string]string{"x": "1"})
}
