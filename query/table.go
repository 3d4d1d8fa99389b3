package query

import (
	"cmp"
	"slices"
	"time"
)

// Spec is what a column is called and holds.
type Spec struct {
	Name    string
	Type    Type
	Aliases []string // shorter names the filter language takes as well
	Values  []string // of an Enum: every value but the empty one
	Ordered bool     // of an Enum: Values go from the least to the greatest, so that < and > make sense
	Doc     string   // one line for a person
}

func (c *Spec) ordered() bool { return c.Type.ordered() || c.Type == Enum && c.Ordered }

// Table is a set of columns that the filter language is read over. Events have
// theirs (Columns); others, such as those of findings, are made by NewTable.
type Table struct {
	specs  []Spec
	byName map[string]int
}

// NewTable makes a table of columns whose names and aliases are all different;
// that two are alike is a mistake of the program.
func NewTable(specs []Spec) *Table {
	t := &Table{specs: specs, byName: make(map[string]int)}
	for i, c := range specs {
		for _, n := range append([]string{c.Name}, c.Aliases...) {
			if _, twice := t.byName[n]; twice {
				panic("query: two columns called " + n)
			}
			t.byName[n] = i
		}
	}
	return t
}

// Specs are the table's columns in their order. They are shared: do not change
// them.
func (t *Table) Specs() []Spec { return t.specs }

// Lookup finds a column by its name or one of its aliases.
func (t *Table) Lookup(name string) (*Spec, bool) {
	i, ok := t.byName[name]
	if !ok {
		return nil, false
	}
	return &t.specs[i], true
}

func (t *Table) has(name string) bool { _, ok := t.byName[name]; return ok }

// paths tells whether there is a raw record to name paths into.
func (t *Table) paths() bool {
	c, ok := t.Lookup("raw")
	return ok && c.Type == JSON
}

// Eval tells whether e holds by what leaf says of its terms: of every node that
// is neither All, And, Or nor Not.
func Eval(e Expr, leaf func(term Expr) bool) bool {
	switch e := e.(type) {
	case nil, All:
		return true
	case And:
		for _, x := range e.X {
			if !Eval(x, leaf) {
				return false
			}
		}
		return true
	case Or:
		for _, x := range e.X {
			if Eval(x, leaf) {
				return true
			}
		}
		return false
	case Not:
		return !Eval(e.X, leaf)
	}
	return leaf(e)
}

// Terms calls yield with every term of e: see Eval.
func Terms(e Expr, yield func(term Expr)) {
	switch e := e.(type) {
	case nil, All:
	case And:
		for _, x := range e.X {
			Terms(x, yield)
		}
	case Or:
		for _, x := range e.X {
			Terms(x, yield)
		}
	case Not:
		Terms(e.X, yield)
	default:
		yield(e)
	}
}

// FieldOf is the column that a term asks for; empty for a Word, which asks for
// none.
func FieldOf(term Expr) string { return fieldOf(term) }

// Found tells whether the Word is found in the text.
func (e Word) Found(in string) bool { return found(e.Pattern, in) }

// Holds tells whether a term about this column holds for a value of it: a
// string, int64, float32, bool, time.Time or []string, as the column's Type
// asks. A value of another type satisfies none.
func (c *Spec) Holds(term Expr, value any) bool {
	switch v := value.(type) {
	case string:
		if t, ok := term.(Cmp); ok && c.Type == Enum {
			limit, _ := t.Value.(string)
			have, want := slices.Index(c.Values, v), slices.Index(c.Values, limit)
			return have >= 0 && want >= 0 && t.Op.holds(cmp.Compare(have, want))
		}
		return matchText(term, v)
	case []string:
		for _, s := range v {
			if _, exists := term.(Exists); exists || matchText(term, s) {
				return true
			}
		}
		return false
	}
	if _, ok := term.(Exists); ok {
		return true
	}
	return holdsOrdered(term, value)
}

// holdsOrdered compares values of the types that are no text.
func holdsOrdered(term Expr, value any) bool {
	op, limit, eq := Lt, any(nil), false
	switch t := term.(type) {
	case Eq:
		limit, eq = t.Value, true
	case Cmp:
		op, limit = t.Op, t.Value
	}
	var order int
	switch v := value.(type) {
	case int64:
		l, ok := limit.(int64)
		if !ok {
			return false
		}
		order = cmp.Compare(v, l)
	case float32:
		l, ok := limit.(float32)
		if !ok {
			return false
		}
		order = cmp.Compare(v, l)
	case time.Time:
		l, ok := limit.(time.Time)
		if !ok {
			return false
		}
		order = v.Compare(l)
	case bool:
		l, ok := limit.(bool)
		return ok && eq && v == l
	default:
		return false
	}
	return eq && order == 0 || !eq && op.holds(order)
}
