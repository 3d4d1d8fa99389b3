package correlate

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/cond"
)

type failer func(pos sigma.Pos, format string, args ...any)

// condition settles when the condition is looked at, and refuses what can never
// hold or cannot be evaluated.
func (c *compiler) condition(out *Correlation, fail failer) {
	if out.Extended.Text != "" {
		if !c.options.Extended {
			fail(out.Extended.Pos, "a boolean condition over rules is a proposal for specification 2.2, not part of 2.1: it needs Options.Extended (rules.extended_conditions in Yagura's configuration)")
			return
		}
		out.extend(fail)
		out.text = fmt.Sprintf("%s %s in %s", out.Type, out.Extended.Text, span(out.Timespan))
		return
	}
	all := float64(len(out.members))
	switch t := out.Condition; {
	case t == nil:
		out.least = all
		out.text = fmt.Sprintf("%s of all %d rules in %s", out.Type, len(out.members), span(out.Timespan))
		return
	case out.Type == sigma.Temporal || out.Type == sigma.TemporalOrdered:
		out.rulesCondition(fail)
		out.text = fmt.Sprintf("%s of %d rules %s in %s", out.Type, len(out.members), t, span(out.Timespan))
	default:
		out.valueCondition(fail)
		out.text = fmt.Sprintf("%s %s in %s", out.subject(), t, span(out.Timespan))
	}
	for _, l := range out.Condition.Limits {
		out.least = max(out.least, l.Value)
	}
}

// subject is what the number is of.
func (c *Correlation) subject() string {
	s := string(c.Type)
	switch {
	case c.Condition.Percentile != nil:
		s = fmt.Sprintf("%s %v", s, *c.Condition.Percentile)
	case c.Type == sigma.ValuePercentile:
		s = "share in percent"
	}
	if len(c.Condition.Fields) > 0 {
		s += " of " + strings.Join(c.Condition.Fields, ", ")
	}
	return s
}

// rulesCondition is that of a temporal type: a count of rules from 1 to all.
func (c *Correlation) rulesCondition(fail failer) {
	n := len(c.members)
	var held []int
	for i := 1; i <= n; i++ {
		if c.Condition.Holds(float64(i)) {
			held = append(held, i)
		}
	}
	switch {
	case len(held) == n && c.Condition.Holds(0):
		fail(c.Condition.Pos, "condition always holds: the correlation has %d rules, of which it may have any count, 0 included", n)
	case len(held) == 0:
		fail(c.Condition.Pos, "condition never holds: the correlation has %d rules", n)
	case held[len(held)-1] == n && held[0] == n-len(held)+1: // from some count up
	case c.Type == sigma.TemporalOrdered:
		fail(c.Condition.Pos, "condition of temporal_ordered has to hold from some count of rules upwards: too few in order is not a thing that happens")
	default:
		c.mode = atClose
	}
}

// valueCondition is that of the other types.
func (c *Correlation) valueCondition(fail failer) {
	t := c.Condition
	for _, l := range t.Limits {
		if l.Op != "gt" && l.Op != "gte" {
			c.mode = atClose
		}
	}
	if c.Type == sigma.ValuePercentile && t.Percentile == nil {
		c.mode = atClose
		if !holdsOfShare(t) {
			fail(t.Pos, "condition never holds of the share of a value, which is more than 0 and at most 100 percent: %s; for the numbers themselves name a percentile", t)
		}
	}
	if c.Type != sigma.EventCount && c.Type != sigma.ValueCount {
		return
	}
	// Between the counts at its limits the condition does not change.
	zero, more, all := t.Holds(0), t.Holds(1), t.Holds(1)
	for _, l := range t.Limits {
		for _, n := range []float64{math.Floor(l.Value) - 1, math.Floor(l.Value), math.Floor(l.Value) + 1} {
			if n >= 1 {
				more, all = more || t.Holds(n), all && t.Holds(n)
			}
		}
	}
	switch {
	case zero && all:
		fail(t.Pos, "condition holds of every count, 0 included: %s", t)
	case !zero && !more:
		fail(t.Pos, "condition never holds of a count: %s", t)
	case !more && c.Type == sigma.EventCount:
		c.mode = atSilence
	}
}

func holdsOfShare(t *sigma.Threshold) bool {
	const little = 1e-6
	at := []float64{little, 100}
	for _, l := range t.Limits {
		at = append(at, l.Value-little, l.Value, l.Value+little)
	}
	return slices.ContainsFunc(at, func(v float64) bool { return v > 0 && v <= 100 && t.Holds(v) })
}

// span writes a timespan as rules do.
func span(d time.Duration) string {
	for _, u := range []struct {
		letter string
		is     time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}} {
		if d%u.is == 0 {
			return fmt.Sprintf("%d%s", d/u.is, u.letter)
		}
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// extended is a boolean condition over the members.
type extended struct {
	expr    *cond.Expr
	members map[*cond.Expr][]int // what an identifier or pattern stands for
	never   []bool               // by member: it is under a not
}

// extend compiles the boolean condition.
func (c *Correlation) extend(fail failer) {
	at := func(err error) sigma.Pos {
		var e *cond.Error
		if errors.As(err, &e) {
			return c.Extended.At(e.Offset)
		}
		return c.Extended.Pos
	}
	expr, err := cond.Parse(c.Extended.Text)
	if err != nil {
		fail(at(err), "condition: %v", err)
		return
	}
	x := &extended{expr: expr, members: map[*cond.Expr][]int{}, never: make([]bool, len(c.members))}
	used := make([]int, len(c.members)) // 1: as it is, 2: under a not, 3: both
	if err := x.resolve(c, expr, 1, used); err != nil {
		fail(at(err), "condition: %v", err)
		return
	}
	for i, u := range used {
		x.never[i] = u == 2
		switch u {
		case 0:
			fail(c.Rules[i].Pos, "rule %q is not part of the condition", c.Rules[i].Rule)
		case 3:
			fail(c.Extended.Pos, "condition asks of rule %q both that it matched and that it did not", c.Rules[i].Rule)
		}
	}
	switch {
	case x.holds(expr, func(int) bool { return false }):
		fail(c.Extended.Pos, "condition holds where nothing happens: it needs a rule that has to match")
	case c.Type == sigma.TemporalOrdered && !conjunction(expr):
		fail(c.Extended.Pos, `condition of temporal_ordered joins rules by "and" and "not" alone: what the order is of an "or" is not said`)
	}
	c.extended = x
}

func (x *extended) resolve(c *Correlation, e *cond.Expr, sign int, used []int) error {
	switch e.Op {
	case cond.Ident:
		i := c.memberNamed(e.Name)
		if i < 0 {
			return &cond.Error{Offset: e.Offset, Reason: fmt.Sprintf("%q is not among the rules of the correlation", e.Name)}
		}
		x.members[e] = []int{i}
	case cond.Of:
		for i, ref := range c.Rules {
			if cond.Matches(e.Name, ref.Rule) {
				x.members[e] = append(x.members[e], i)
			}
		}
		if len(x.members[e]) == 0 || e.N > len(x.members[e]) {
			return &cond.Error{Offset: e.Offset, Reason: fmt.Sprintf("%q stands for %d rules of the correlation", e.Name, len(x.members[e]))}
		}
	}
	for _, i := range x.members[e] {
		used[i] |= sign
	}
	if e.Op == cond.Not {
		sign = 3 - sign
	}
	for _, sub := range e.X {
		if err := x.resolve(c, sub, sign, used); err != nil {
			return err
		}
	}
	return nil
}

// conjunction tells whether e is rules and rules under a not, joined by and.
func conjunction(e *cond.Expr) bool {
	switch e.Op {
	case cond.Ident:
		return true
	case cond.Of:
		return e.N == cond.All
	case cond.Not:
		return e.X[0].Op == cond.Ident
	case cond.And:
		return !slices.ContainsFunc(e.X, func(x *cond.Expr) bool { return !conjunction(x) })
	}
	return false
}

// holds is the value of the condition, given which members matched.
func (x *extended) holds(e *cond.Expr, matched func(int) bool) bool {
	switch e.Op {
	case cond.And:
		return !slices.ContainsFunc(e.X, func(sub *cond.Expr) bool { return !x.holds(sub, matched) })
	case cond.Or:
		return slices.ContainsFunc(e.X, func(sub *cond.Expr) bool { return x.holds(sub, matched) })
	case cond.Not:
		return !x.holds(e.X[0], matched)
	}
	n := 0
	for _, i := range x.members[e] {
		if matched(i) {
			n++
		}
	}
	if e.Op == cond.Ident || e.N == cond.All {
		return n == len(x.members[e])
	}
	return n >= e.N
}

// negative tells whether something must not have happened.
func (x *extended) negative() bool { return slices.Contains(x.never, true) }
