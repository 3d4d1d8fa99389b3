package sqlite

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/triage"
)

// index holds every finding's entry in columns in memory: a page, a count or the
// facets of 100,000 findings are a walk over arrays of numbers. It is what the
// file says as of a revision.
type index struct {
	mu   sync.RWMutex // guards everything below
	rows map[string]int32

	keys                         []string
	texts                        []column // by textColumns
	severity                     []int8
	priority                     []int16
	count                        []int64
	first, last, decided, closed []int64
	explained, demoted, named    []bool
	score                        []float64

	hidden map[string]bool // rules on trial and retired ones
}

// column is a text of each finding; each text is kept once.
type column struct {
	field *finding.Field
	ids   []uint32 // by row
	known map[string]uint32
	texts []string
	lists [][]string // of a field that is a list: what is packed in texts
	// Of a field that is a list, what its lists are made of: they are counted by
	// these. A list's counted ones are those that FacetValues gives.
	counted [][]uint32
	members []string
	member  map[string]uint32

	asked *answers
}

// answers are what was asked of a column's texts of late. People, pages and the
// requests of one page ask the same again and again.
type answers struct {
	mu  sync.Mutex
	yes map[string][]bool // by the question; of the texts that there were then
}

const maxAnswers = 64 // of a column: some 6 MB for 100,000 texts

func newColumn(f *finding.Field) column {
	return column{field: f, known: map[string]uint32{}, member: map[string]uint32{}, asked: &answers{yes: map[string][]bool{}}}
}

func newIndex() *index {
	x := &index{rows: map[string]int32{}, texts: make([]column, len(textColumns)), hidden: map[string]bool{}}
	for i, f := range textColumns {
		x.texts[i] = newColumn(f)
	}
	return x
}

// id of a text, new or known.
func (c *column) id(s string) uint32 {
	if id, ok := c.known[s]; ok {
		return id
	}
	s = strings.Clone(s)
	id := uint32(len(c.texts))
	c.known[s] = id
	c.texts = append(c.texts, s)
	if c.field.Type == query.List {
		// It was packed here or read back whole.
		list, _ := unpack(s, nil)
		c.lists = append(c.lists, list)
		var counted []uint32
		for _, v := range triage.FacetValues(c.field, list) {
			m, known := c.member[v]
			if !known {
				m = uint32(len(c.members))
				c.member[v] = m
				c.members = append(c.members, v)
			}
			counted = append(counted, m)
		}
		c.counted = append(c.counted, counted)
	}
	return id
}

// text of a row: of a list the first.
func (c *column) text(row int32) string {
	id := c.ids[row]
	if c.field.Type != query.List {
		return c.texts[id]
	}
	if len(c.lists[id]) == 0 {
		return ""
	}
	return c.lists[id][0]
}

// tidy forgets texts that nothing has any more, once they are most.
func (c *column) tidy() {
	if len(c.texts) < 2*len(c.ids)+4096 {
		return
	}
	old := *c
	*c = newColumn(old.field)
	c.ids = old.ids
	for i, id := range c.ids {
		c.ids[i] = c.id(old.texts[id])
	}
}

// put takes an entry in the place of what had its key; x.mu is held.
func (x *index) put(e *entry) {
	row, there := x.rows[e.key]
	if !there {
		row = int32(len(x.keys))
		key := strings.Clone(e.key)
		x.rows[key] = row
		x.keys = append(x.keys, key)
		for i := range x.texts {
			x.texts[i].ids = append(x.texts[i].ids, 0)
		}
		x.severity, x.priority, x.count = append(x.severity, 0), append(x.priority, 0), append(x.count, 0)
		x.first, x.last, x.decided, x.closed = append(x.first, 0), append(x.last, 0), append(x.decided, 0), append(x.closed, 0)
		x.explained, x.demoted, x.named = append(x.explained, false), append(x.demoted, false), append(x.named, false)
		x.score = append(x.score, 0)
	}
	for i := range x.texts {
		c := &x.texts[i]
		c.ids[row] = c.id(e.texts[i])
		c.tidy()
	}
	x.severity[row], x.priority[row], x.count[row] = e.severity, e.priority, e.count
	x.first[row], x.last[row], x.decided[row], x.closed[row] = e.first, e.last, e.decided, e.closed
	x.explained[row], x.demoted[row], x.named[row], x.score[row] = e.explained, e.demoted, e.named, e.score
}

// remove takes the finding away: the last row comes into its place; x.mu is held.
func (x *index) remove(key string) {
	row, there := x.rows[key]
	if !there {
		return
	}
	end := int32(len(x.keys) - 1)
	delete(x.rows, key)
	if row != end {
		x.rows[x.keys[end]] = row
	}
	x.keys[row] = x.keys[end]
	x.keys = x.keys[:end]
	for i := range x.texts {
		x.texts[i].ids = shift(x.texts[i].ids, row)
	}
	x.severity, x.priority, x.count = shift(x.severity, row), shift(x.priority, row), shift(x.count, row)
	x.first, x.last, x.decided, x.closed = shift(x.first, row), shift(x.last, row), shift(x.decided, row), shift(x.closed, row)
	x.explained, x.demoted, x.named = shift(x.explained, row), shift(x.demoted, row), shift(x.named, row)
	x.score = shift(x.score, row)
}

// shift puts the last into the place of row.
func shift[T any](list []T, row int32) []T {
	end := len(list) - 1
	list[row] = list[end]
	return list[:end]
}

// light is the finding of a row as far as the index knows it; x.mu is held.
func (x *index) light(row int32) *finding.Finding {
	text := func(name string) string { return x.texts[columnOf[name]].text(row) }
	f := &finding.Finding{
		Trouble: finding.Trouble{
			Key: x.keys[row], Kind: finding.Kind(text("kind")), Source: text("source"), Rule: text("rule"), Title: text("title"), Severity: finding.Severity(text("severity")),
			Actor: text("actor"), Account: text("account"), Region: text("region"), Resource: text("resource"),
		},
		Environment: text("environment"), Owner: text("owner"),
		FirstSeen: sqlitedb.Time(x.first[row]), LastSeen: sqlitedb.Time(x.last[row]), Count: x.count[row],
	}
	resources, attack := &x.texts[columnOf["resource"]], &x.texts[columnOf["attack"]]
	if list, person := resources.lists[resources.ids[row]], text("person"); person != "" || len(list) > 1 {
		f.Anomaly = &finding.Anomaly{Person: person, Resources: list}
	}
	for _, id := range attack.lists[attack.ids[row]] {
		f.Attack = append(f.Attack, finding.Attack{ID: id})
	}
	return f
}

// rowTest tells whether a row is chosen.
type rowTest func(row int32) bool

// every row passes.
func every(int32) bool { return true }

// tests are what a filter asks of a row, all but its page; x.mu is held while
// they are made and used.
func (x *index) tests(f *triage.Filter) (all []rowTest) {
	of := func(name, question string, holds func(s string) bool) {
		all = append(all, x.texts[columnOf[name]].test(question, holds))
	}
	if f.Severity != "" {
		least := int8(f.Severity.Rank())
		all = append(all, func(row int32) bool { return x.severity[row] >= least })
	}
	if len(f.Status) > 0 {
		of("status", "", func(s string) bool { return slices.Contains(f.Status, finding.Status(s)) })
	}
	if f.Kind != "" {
		of("kind", "", func(s string) bool { return s == string(f.Kind) || strings.HasPrefix(s, string(f.Kind)+".") })
	}
	for _, equal := range []struct{ name, value string }{
		{"rule", f.Rule}, {"account", f.Account}, {"actor", f.Actor}, {"resource", f.Resource},
	} {
		if equal.value != "" {
			of(equal.name, "= "+equal.value, func(s string) bool { return s == equal.value })
		}
	}
	if f.Text != "" {
		all = append(all, x.inText(strings.ToLower(f.Text)))
	}
	if !f.Since.IsZero() {
		since := ceilMicros(f.Since)
		all = append(all, func(row int32) bool { return x.last[row] >= since })
	}
	if !f.Until.IsZero() {
		until := ceilMicros(f.Until)
		all = append(all, func(row int32) bool { return x.last[row] < until })
	}
	if f.Unexplained {
		all = append(all, func(row int32) bool { return !x.explained[row] })
	}
	if !f.Demoted {
		all = append(all, func(row int32) bool { return !x.demoted[row] })
	}
	if !f.Folded {
		of("folded_into", "= ", func(s string) bool { return s == "" })
	}
	if !f.Staged && len(x.hidden) > 0 {
		of("rule", "", func(s string) bool { return !x.hidden[s] })
	}
	for _, e := range query.Conjuncts(f.Scope.Expr()) {
		all = append(all, x.expr(e))
	}
	return all
}

// test asks once of each text, of a list until one of its texts holds. A question
// with a name is remembered: the same name is the same question.
func (c *column) test(question string, holds func(s string) bool) rowTest {
	return c.testIDs(question, func(id int) bool {
		if c.field.Type == query.List {
			return slices.ContainsFunc(c.lists[id], holds)
		}
		return holds(c.texts[id])
	})
}

func (c *column) testIDs(question string, holds func(id int) bool) rowTest {
	var yes []bool
	if question != "" {
		c.asked.mu.Lock()
		yes = c.asked.yes[question]
		c.asked.mu.Unlock()
	}
	if before := len(yes); before < len(c.texts) {
		yes = append(make([]bool, 0, len(c.texts)), yes...)
		for id := before; id < len(c.texts); id++ {
			yes = append(yes, holds(id))
		}
		if question != "" {
			c.asked.mu.Lock()
			if len(c.asked.yes) >= maxAnswers {
				clear(c.asked.yes)
			}
			c.asked.yes[question] = yes
			c.asked.mu.Unlock()
		}
	}
	ids := c.ids
	return func(row int32) bool { return yes[ids[row]] }
}

func (x *index) inText(lower string) rowTest {
	var any []rowTest
	for _, name := range []string{"title", "actor", "resource"} {
		any = append(any, x.texts[columnOf[name]].test("has "+lower, func(s string) bool { return triage.InText(s, lower) }))
	}
	return anyOf(any)
}

func anyOf(tests []rowTest) rowTest {
	return func(row int32) bool {
		for _, t := range tests {
			if t(row) {
				return true
			}
		}
		return false
	}
}

func allOf(tests []rowTest) rowTest {
	return func(row int32) bool {
		for _, t := range tests {
			if !t(row) {
				return false
			}
		}
		return true
	}
}

// expr is a scope's expression as a test.
func (x *index) expr(e query.Expr) rowTest {
	each := func(xs []query.Expr) (out []rowTest) {
		for _, e := range xs {
			out = append(out, x.expr(e))
		}
		return out
	}
	switch e := e.(type) {
	case nil, query.All:
		return every
	case query.And:
		return allOf(each(e.X))
	case query.Or:
		return anyOf(each(e.X))
	case query.Not:
		t := x.expr(e.X)
		return func(row int32) bool { return !t(row) }
	case query.Word:
		return x.anywhere("word "+e.Pattern, e.Found)
	}
	return x.term(e)
}

// anywhere asks of what finding.Trouble.Texts gives.
func (x *index) anywhere(question string, holds func(s string) bool) rowTest {
	var any []rowTest
	for _, name := range []string{"title", "actor", "person", "account", "rule", "resource"} {
		any = append(any, x.texts[columnOf[name]].test(question, holds))
	}
	return anyOf(append(any, func(row int32) bool { return holds(x.keys[row]) }))
}

// term is a term about a field as a test.
func (x *index) term(e query.Expr) rowTest {
	f, ok := finding.LookupField(query.FieldOf(e))
	if !ok {
		return func(int32) bool { return false }
	}
	if i, ok := columnOf[f.Name]; ok {
		c := &x.texts[i]
		if f.Type != query.List {
			return c.test("is "+query.String(e), func(s string) bool { return f.Holds(e, s) })
		}
		return c.testIDs("is "+query.String(e), func(id int) bool { return f.Holds(e, c.lists[id]) })
	}
	switch f.Name {
	case "key":
		return func(row int32) bool { return f.Holds(e, x.keys[row]) }
	case "text":
		if _, exists := e.(query.Exists); exists {
			return every // the key is one of the texts
		}
		return x.anywhere("is "+query.String(e), func(s string) bool { return f.Holds(e, s) })
	case "priority":
		return func(row int32) bool { return f.Holds(e, int64(x.priority[row])) }
	case "count":
		return func(row int32) bool { return f.Holds(e, x.count[row]) }
	case "first_seen":
		return func(row int32) bool { return f.Holds(e, sqlitedb.Time(x.first[row])) }
	case "last_seen":
		return func(row int32) bool { return f.Holds(e, sqlitedb.Time(x.last[row])) }
	case "explained":
		return func(row int32) bool { return f.Holds(e, x.explained[row]) }
	}
	return func(int32) bool { return false }
}

// choose gives the rows that f chooses; x.mu is held.
func (x *index) choose(f *triage.Filter) []int32 {
	tests := x.tests(f)
	rows := make([]int32, 0, len(x.keys))
next:
	for row := range int32(len(x.keys)) {
		for _, t := range tests {
			if !t(row) {
				continue next
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// before is the order of List between rows; x.mu is held.
func (x *index) before(sort string) func(a, b int32) int {
	name, down := strings.CutPrefix(sort, "-")
	var by func(a, b int32) int
	number := func(list []int64) func(a, b int32) int {
		return func(a, b int32) int { return cmp.Compare(list[b], list[a]) }
	}
	switch name {
	case "", "priority":
		by = func(a, b int32) int { return cmp.Compare(x.priority[b], x.priority[a]) }
	case "last_seen":
		by = number(x.last)
	case "first_seen":
		by = number(x.first)
	case "count":
		by = number(x.count)
	case "severity":
		by = func(a, b int32) int { return cmp.Compare(x.severity[b], x.severity[a]) }
	default:
		c := &x.texts[columnOf[name]]
		by = func(a, b int32) int {
			if c.ids[a] == c.ids[b] {
				return 0
			}
			return cmp.Compare(c.text(a), c.text(b))
		}
	}
	return func(a, b int32) int {
		o := by(a, b)
		if down {
			o = -o
		}
		if o != 0 {
			return o
		}
		if o = cmp.Compare(x.priority[b], x.priority[a]); o != 0 {
			return o
		}
		if o = cmp.Compare(x.last[b], x.last[a]); o != 0 {
			return o
		}
		return cmp.Compare(x.keys[a], x.keys[b])
	}
}

// place of a row in the order of List; x.mu is held.
func (x *index) place(row int32, sort string) triage.Place {
	p := triage.Place{Sort: sort, Priority: int(x.priority[row]), LastSeen: sqlitedb.Time(x.last[row]), Key: x.keys[row]}
	switch name := strings.TrimPrefix(sort, "-"); name {
	case "", "priority":
		p.Number = int64(x.priority[row])
	case "last_seen":
		p.Number = x.last[row]
	case "first_seen":
		p.Number = x.first[row]
	case "count":
		p.Number = x.count[row]
	case "severity":
		p.Number = int64(x.severity[row])
	default:
		p.Text = x.texts[columnOf[name]].text(row)
	}
	return p
}

// behind tells of rows whether they follow a place in its order; x.mu is held.
func (x *index) behind(p *triage.Place) rowTest {
	if p.Sort != "" {
		return func(row int32) bool { return p.Compare(x.place(row, p.Sort)) < 0 }
	}
	// The order of most lists, without making a place of every row.
	priority, last := int16(p.Priority), p.LastSeen.UnixMicro()
	return func(row int32) bool {
		if x.priority[row] != priority {
			return x.priority[row] < priority
		}
		if x.last[row] != last {
			return x.last[row] < last
		}
		return x.keys[row] > p.Key
	}
}

// page gives the first rows of the order that follow the cursor, one more than
// the limit where there are more; x.mu is held.
func (x *index) page(rows []int32, f *triage.Filter, after *triage.Place) []int32 {
	if after != nil {
		behind := x.behind(after)
		rows = slices.DeleteFunc(rows, func(row int32) bool { return !behind(row) })
	}
	return first(rows, f.Limit, x.before(f.Sort))
}

// first gives the rows in their order: at most one more than the limit, where
// there is one. It takes rows over.
func first[T any](rows []T, limit int, order func(a, b T) int) []T {
	if limit <= 0 || limit+1 >= len(rows)/4 {
		slices.SortFunc(rows, order)
		if limit > 0 {
			rows = rows[:min(len(rows), limit+1)]
		}
		return rows
	}
	best := least[T]{order: order, rows: slices.Clone(rows[:limit+1])}
	heap.Init(&best)
	for _, row := range rows[limit+1:] {
		if order(row, best.rows[0]) < 0 {
			best.rows[0] = row
			heap.Fix(&best, 0)
		}
	}
	slices.SortFunc(best.rows, order)
	return best.rows
}

// least is a heap of the first of an order, the last of them on top.
type least[T any] struct {
	order func(a, b T) int
	rows  []T
}

func (h *least[T]) Len() int           { return len(h.rows) }
func (h *least[T]) Less(i, j int) bool { return h.order(h.rows[i], h.rows[j]) > 0 }
func (h *least[T]) Swap(i, j int)      { h.rows[i], h.rows[j] = h.rows[j], h.rows[i] }
func (h *least[T]) Push(any)           {} // it neither grows nor shrinks
func (h *least[T]) Pop() any           { return nil }

// facet counts a field's values among rows; x.mu is held.
func (x *index) facet(field *finding.Field, rows []int32, limit int) triage.Facet {
	i, ok := columnOf[field.Name]
	if !ok { // explained
		counts := map[string]int{}
		for _, row := range rows {
			if x.explained[row] {
				counts["true"]++
			}
		}
		counts["false"] = len(rows) - counts["true"]
		return triage.NewFacet(field, counts, limit)
	}
	c := &x.texts[i]
	byID, values := make([]int32, len(c.texts)), c.texts
	for _, row := range rows {
		byID[c.ids[row]]++
	}
	if field.Type == query.List {
		byList := byID
		byID, values = make([]int32, len(c.members)), c.members
		for id, n := range byList {
			if n == 0 {
				continue
			}
			for _, m := range c.counted[id] {
				byID[m] += n
			}
		}
	}
	return triage.NewFacetOf(field, func(yield func(string, int) bool) {
		for id, n := range byID {
			if n > 0 && !yield(values[id], int(n)) {
				return
			}
		}
	}, limit)
}

// days counts rows by day; x.mu is held.
func (x *index) days(rows []int32, first time.Time, n int) []finding.DayCount {
	d := triage.NewDays(first, n)
	for _, row := range rows {
		d.Add(sqlitedb.Time(x.first[row]), sqlitedb.Time(x.decided[row]), sqlitedb.Time(x.closed[row]), x.explained[row])
	}
	return d.Counts()
}
