package event

// Run is N records in a row, of each of which the same is to be said.
type Run[T comparable] struct {
	N  int64
	Of T
}

// longer appends n records of which it is v.
func longer[T comparable](runs []Run[T], v T, n int64) []Run[T] {
	if n <= 0 {
		return runs
	}
	if last := len(runs) - 1; last >= 0 && runs[last].Of == v {
		runs[last].N += n
		return runs
	}
	return append(runs, Run[T]{n, v})
}

// length is how many records runs speak of.
func length[T comparable](runs []Run[T]) (n int64) {
	for _, r := range runs {
		n += r.N
	}
	return n
}

// cut is what runs say of at most n records from the skip-th on.
func cut[T comparable](runs []Run[T], skip, n int64) (out []Run[T]) {
	for _, r := range runs {
		if skip >= r.N {
			skip -= r.N
			continue
		}
		take := min(r.N-skip, n)
		out = longer(out, r.Of, take)
		n -= take
		skip = 0
		if n <= 0 {
			break
		}
	}
	return out
}
