package watch

// Cursor goes through the hours of a day once, however often it is asked. A sign
// embeds it in what it keeps of the day so far.
type Cursor struct {
	day   *Day
	next  int
	hours [24]*Hour
}

// To has take called for each hour of the day before hour i that it was not
// called for yet. Where the day, or one of the hours taken, is another than it
// was, or i lies before them, begin is called first and all of them are taken
// anew. Hours that are nil are left out.
func (c *Cursor) To(day *Day, i int, begin func(), take func(*Hour)) {
	stale := c.day != day || c.next > i
	for k := 0; k < c.next && !stale; k++ {
		stale = c.hours[k] != day.Hours[k]
	}
	if stale {
		begin()
		*c = Cursor{day: day}
	}
	for ; c.next < i; c.next++ {
		h := day.Hours[c.next]
		c.hours[c.next] = h
		if h != nil {
			take(h)
		}
	}
}

// Grow is list with room for n, the new ones zero.
func Grow[T any](list []T, n int) []T {
	if n <= len(list) {
		return list
	}
	return append(list, make([]T, n-len(list))...)
}
