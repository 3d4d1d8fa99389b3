package sqlgen

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/sigma/ir"
)

// cond is a condition on columns.
type cond struct {
	op   condOp
	xs   []*cond
	test *test1
}

type condOp uint8

const (
	yes condOp = iota
	no
	both   // and
	either // or
	negated
	test
)

// test1 asks whether the text of a column is one of some alternatives, or, if it
// is not low, may stand for one: see Field.
type test1 struct {
	columns []string
	odd     bool
	low     bool
	max     int
	share   float64
	alts    []alt
}

// alt is a text, a part of one, or an expression that has to be found in it.
// Exists and IsNull stand for a text that is not empty and one that is.
type alt struct {
	op    ir.Op
	cased bool
	text  string
}

func not(c *cond) *cond {
	switch c.op {
	case yes:
		return &cond{op: no}
	case no:
		return &cond{op: yes}
	}
	return &cond{op: negated, xs: []*cond{c}}
}

func and(xs []*cond) *cond { return join(both, yes, no, xs) }
func or(xs []*cond) *cond  { return join(either, no, yes, xs) }

// join drops what changes nothing, ends at what decides, says nothing twice, and
// makes one test of several alternatives for the same column.
func join(op, neutral, decides condOp, xs []*cond) *cond {
	var out []*cond
	met := map[string]bool{}
	merged := map[string]*test1{}
	var add func(x *cond) bool
	add = func(x *cond) bool {
		switch x.op {
		case neutral:
			return true
		case decides:
			return false
		case op:
			return !slices.ContainsFunc(x.xs, func(y *cond) bool { return !add(y) })
		}
		if op == either && x.op == test {
			key := x.test.place()
			if t := merged[key]; t != nil {
				t.alts = append(t.alts, x.test.alts...)
				return true
			}
			t := *x.test
			t.alts = slices.Clone(t.alts)
			merged[key] = &t
			out = append(out, &cond{op: test, test: &t})
			return true
		}
		if key := x.key(); !met[key] {
			met[key] = true
			out = append(out, x)
		}
		return true
	}
	for _, x := range xs {
		if !add(x) {
			return &cond{op: decides}
		}
	}
	for _, t := range merged {
		t.sort()
	}
	switch len(out) {
	case 0:
		return &cond{op: neutral}
	case 1:
		return out[0]
	}
	return &cond{op: op, xs: out}
}

func (t *test1) sort() {
	slices.SortFunc(t.alts, func(a, b alt) int {
		return cmp.Or(cmp.Compare(a.op, b.op), cmp.Compare(truth(a.cased), truth(b.cased)), cmp.Compare(a.text, b.text))
	})
	t.alts = slices.Compact(t.alts)
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// place is equal for tests that can be made one.
func (t *test1) place() string { return fmt.Sprint(t.columns, t.odd, t.low, t.max) }

// key is equal for equal conditions.
func (c *cond) key() string {
	var b strings.Builder
	c.appendKey(&b)
	return b.String()
}

func (c *cond) appendKey(b *strings.Builder) {
	fmt.Fprintf(b, "(%d", c.op)
	if c.test != nil {
		fmt.Fprintf(b, " %s", c.test.place())
		for _, a := range c.test.alts {
			fmt.Fprintf(b, " %d %t %q", a.op, a.cased, a.text)
		}
	}
	for _, x := range c.xs {
		x.appendKey(b)
	}
	b.WriteByte(')')
}

// witness gives tests of which one holds whenever c does, those that let the
// least through.
func (c *cond) witness() (tests []*cond, cost float64, ok bool) {
	switch c.op {
	case test:
		return []*cond{c}, c.test.cost(), true
	case both:
		for _, x := range c.xs {
			if some, sum, has := x.witness(); has && (!ok || sum < cost) {
				tests, cost, ok = some, sum, true
			}
		}
		return tests, cost, ok
	case either:
		for _, x := range c.xs {
			some, sum, has := x.witness()
			if !has {
				return nil, 0, false
			}
			tests, cost = append(tests, some...), cost+sum
		}
		return tests, cost, true
	}
	return nil, 0, false
}

// cost is about which part of rows pass.
func (t *test1) cost() float64 {
	share := t.share
	if share == 0 {
		share = 0.01
	}
	sum := 0.0
	for _, a := range t.alts {
		switch a.op {
		case ir.Eq:
			sum += share
		case ir.IsNull, ir.Exists:
			sum += 0.5
		default:
			sum += 5 * share
		}
	}
	return sum
}

// writer renders conditions.
type writer struct {
	d    Dialect
	b    strings.Builder
	args []any
}

func (w *writer) add(text string, args ...any) {
	w.b.WriteString(text)
	w.args = append(w.args, args...)
}

func (w *writer) cond(c *cond) {
	switch c.op {
	case yes:
		w.add("true")
	case no:
		w.add("false")
	case negated:
		w.add("(NOT ")
		w.cond(c.xs[0])
		w.add(")")
	case both:
		w.list(c.xs, " AND ")
	case either:
		w.list(c.xs, " OR ")
	case test:
		w.test(c.test)
	}
}

// list renders a balanced tree: engines limit how deep expressions nest, and
// some read a chain as a nest.
func (w *writer) list(xs []*cond, op string) {
	if len(xs) == 1 {
		w.cond(xs[0])
		return
	}
	w.add("(")
	w.list(xs[:len(xs)/2], op)
	w.add(op)
	w.list(xs[len(xs)/2:], op)
	w.add(")")
}

// test renders "one of the alternatives, or not for us to say"; of a lower bound
// "one of the alternatives for sure".
func (w *writer) test(t *test1) {
	if t.plain() {
		w.alts(w.d.Column(t.columns[0]), t.alts)
		return
	}
	w.add("(")
	for i, name := range t.columns {
		col := w.d.Column(name)
		if i > 0 {
			w.add(" OR ")
		}
		if t.low {
			w.add("(" + col + " <> '' AND " + w.d.Bytes(col) + " = " + w.d.Runes(col) + t.whole(w.d, col, " AND ", " < ") + " AND ")
			w.alts(col, t.alts)
			w.add(")")
			continue
		}
		w.add(w.d.Bytes(col) + " <> " + w.d.Runes(col) + t.whole(w.d, col, " OR ", " >= "))
		if len(t.alts) > 0 {
			w.add(" OR ")
			w.alts(col, t.alts)
		}
	}
	if t.odd && !t.low {
		w.add(" OR (")
		for i, name := range t.columns {
			if i > 0 {
				w.add(" AND ")
			}
			w.add(w.d.Column(name) + " = ''")
		}
		w.add(")")
	}
	w.add(")")
}

// plain: nothing but what is asked for can be in the column.
func (t *test1) plain() bool {
	if len(t.columns) > 1 || t.odd || t.low || t.max > 0 {
		return false
	}
	for _, a := range t.alts {
		if a.op != ir.IsNull && !(a.op == ir.Eq && a.cased) {
			return false
		}
	}
	return len(t.alts) > 0
}

// whole tells whether a text is cut; a few bytes less than the most may be where
// it was, for no character is cut in two.
func (t *test1) whole(d Dialect, col, op, than string) string {
	if t.max == 0 {
		return ""
	}
	return fmt.Sprintf("%s%s%s%d", op, d.Bytes(col), than, t.max-3)
}

func (w *writer) alts(col string, alts []alt) {
	if len(alts) == 0 {
		w.add("false")
		return
	}
	w.add("(")
	for n := 0; n < len(alts); {
		if n > 0 {
			w.add(" OR ")
		}
		end := n + 1
		for alts[n].op == ir.Eq && end < len(alts) && alts[end].op == ir.Eq && alts[end].cased == alts[n].cased {
			end++
		}
		w.alt(col, alts[n:end])
		n = end
	}
	w.add(")")
}

// alt renders one alternative, or several texts to be equal to.
func (w *writer) alt(col string, same []alt) {
	a := same[0]
	x := col
	if !a.cased {
		x = w.d.Lower(col)
	}
	switch a.op {
	case ir.Exists:
		w.add(col + " <> ''")
		return
	case ir.IsNull:
		w.add(col + " = ''")
		return
	case ir.Eq:
		if len(same) == 1 {
			w.add(x+" = ?", a.text)
			return
		}
		w.add(x + " IN (?" + strings.Repeat(", ?", len(same)-1) + ")")
		for _, s := range same {
			w.args = append(w.args, s.text)
		}
		return
	case ir.Prefix:
		w.add(w.d.HasPrefix(x, "?"), a.text)
	case ir.Suffix:
		w.add(w.d.HasSuffix(x, "?"), a.text)
	case ir.Contains:
		w.add(w.d.Contains(x, "?"), a.text)
	case ir.Regex:
		w.add(w.d.Matches(x, "?"), a.text)
	}
}
