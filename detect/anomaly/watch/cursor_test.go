package watch

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestCursor(t *testing.T) {
	start := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	made := func() *Day {
		d := &Day{Start: start}
		for i := range 5 {
			d.Hours[i] = &Hour{Start: start.Add(time.Duration(i) * time.Hour)}
		}
		d.Hours[2] = nil
		return d
	}
	day := made()
	var c Cursor
	f := func(to *Day, i int, want ...string) {
		t.Helper()
		var got []string
		c.To(to, i, func() { got = append(got, "begin") }, func(h *Hour) { got = append(got, fmt.Sprint(h.Start.Hour())) })
		if !slices.Equal(got, want) {
			t.Errorf("to hour %d: %q, want %q", i, got, want)
		}
	}
	f(day, 2, "begin", "0", "1")
	f(day, 2)
	f(day, 5, "3", "4")
	f(day, 1, "begin", "0") // back
	f(day, 4, "1", "3")
	late := *day.Hours[1]
	day.Hours[1] = &late // read anew
	f(day, 4, "begin", "0", "1", "3")
	f(made(), 1, "begin", "0")
}

func TestGrow(t *testing.T) {
	list := Grow([]int{7}, 3)
	if !slices.Equal(list, []int{7, 0, 0}) || !slices.Equal(Grow(list, 2), list) {
		t.Errorf("grown to %v", list)
	}
}
