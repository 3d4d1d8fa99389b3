// Package instant picks among moments; the standard library's min and max do not
// take a time.Time.
package instant

import "time"

// Earlier is the earlier of the two; a where they are the same moment.
func Earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Later is the later of the two; a where they are the same moment.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
