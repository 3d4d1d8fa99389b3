package query

import (
	"slices"
	"strings"
)

// nearest names up to three fields that look like name, as the end of a message.
func (t *Table) nearest(name string) string {
	type near struct {
		name string
		dist int
	}
	var all []near
	for n := range t.byName {
		d := distance(name, n)
		if len(name) >= 3 && (strings.Contains(n, name) || strings.Contains(name, n)) {
			d = min(d, 2)
		}
		if d <= max(1, min(3, len(name)/2)) {
			all = append(all, near{n, d})
		}
	}
	if len(all) == 0 {
		return ""
	}
	slices.SortFunc(all, func(a, b near) int {
		if a.dist != b.dist {
			return a.dist - b.dist
		}
		return strings.Compare(a.name, b.name)
	})
	var names []string
	for _, n := range all[:min(3, len(all))] {
		names = append(names, n.name)
	}
	return "; near: " + strings.Join(names, ", ")
}

// distance is Levenshtein's.
func distance(a, b string) int {
	if len(a) > 40 || len(b) > 40 {
		return 40
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
