package secrets

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/usage"
)

// Bounds of a Table. Anyone may ask for secrets that are not there, so names are
// bounded; a cell takes 24 bytes.
const (
	maxSecrets = 200_000
	maxForms   = 2 * maxSecrets
	maxActors  = 500_000
	// DefaultCells is about 100 MB.
	DefaultCells = 4_000_000
)

const oneDay = 24 * time.Hour

// Table keeps the use of secrets and keys, day by day, in memory. When there are
// more cells than it may keep, its oldest days are let go, and Book.Since says how
// far it reaches. Its methods may be called from several goroutines.
type Table struct {
	limit int

	mu      sync.RWMutex // guards all below
	days    []*day       // ascending; a day is not changed once it is here
	cells   int
	version int64 // grows with every change
	dropped int64

	index   map[string]int32 // secrets by canonical name
	forms   map[string]int32 // and by every name
	secrets []known
	actors  interned[string]
	regions interned[string]
	calls   interned[call]
	callers interned[event.Caller]
	results interned[event.Outcome]

	book *Book // of version book.version
}

// known is what the names of one say.
type known struct {
	thing
	provider string
	uid      string   // the fullest of its names
	forms    []string // all others
	accounts []string // that delivered records about it
}

// cell is how often one was called in an hour, in one way.
type cell struct {
	secret, actor, count  uint32
	region, call          uint16
	first, last           uint16 // second of the hour
	hour, caller, outcome uint8
	// again: a row of another form of the name counts the same calls.
	again bool
}

// day is what is known of a UTC day.
type day struct {
	start time.Time
	cells []cell            // by secret, actor, hour
	heard map[string]uint32 // by account: bit h is set if there were records in hour h
	alias map[int32][]int32 // of an alias: the keys it may stand for, as this day shows
	// vaults of Azure that were named: whether they wrote something themselves.
	vaults map[string]bool
}

// interned gives values numbers.
type interned[T comparable] struct {
	at  map[T]uint32
	all []T
}

// of is the number of v; beyond limit all values share the last one's.
func (n *interned[T]) of(v T, limit int) uint32 {
	if i, ok := n.at[v]; ok {
		return i
	}
	if n.at == nil {
		n.at = map[T]uint32{}
	}
	if len(n.all) >= limit {
		return uint32(limit - 1)
	}
	n.at[v] = uint32(len(n.all))
	n.all = append(n.all, v)
	return n.at[v]
}

// NewTable makes an empty table of at most so many cells; 0: DefaultCells.
func NewTable(cells int) *Table {
	if cells == 0 {
		cells = DefaultCells
	}
	return &Table{limit: cells, index: map[string]int32{}, forms: map[string]int32{}}
}

// Replace puts the usage of a UTC day in place of what was known of it. Rows are
// all those of Services with a resource, in any order; what they name besides
// secrets, keys, parameters and certificates is left out. Heard are the hours of
// the day in which accounts delivered any record: bit h stands for the hour h.
func (t *Table) Replace(start time.Time, rows []usage.Row, heard map[string]uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	start = start.UTC().Truncate(oneDay)
	i, had := slices.BinarySearchFunc(t.days, start, func(d *day, s time.Time) int { return d.start.Compare(s) })
	if !had && i == 0 && t.cells >= t.limit {
		return // it was let go, or would be at once
	}
	d := t.newDay(start, rows, heard)
	if had {
		t.cells -= len(t.days[i].cells)
		t.days = slices.Clone(t.days) // those who read have the old list
		t.days[i] = d
	} else {
		t.days = slices.Insert(slices.Clone(t.days), i, d)
	}
	t.cells += len(d.cells)
	for t.cells > t.limit && len(t.days) > 1 {
		t.cells -= len(t.days[0].cells)
		t.days = t.days[1:]
	}
	t.version++
}

func (t *Table) newDay(start time.Time, rows []usage.Row, heard map[string]uint32) *day {
	d := &day{start: start, heard: heard, alias: map[int32][]int32{}}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, compareCalls)
	d.cells = make([]cell, 0, len(rows))
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && sameCalls(&rows[0].Key, &rows[n].Key) {
			n++
		}
		t.addCalls(d, rows[:n])
		rows = rows[n:]
	}
	slices.SortFunc(d.cells, func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.secret, b.secret), cmp.Compare(a.actor, b.actor), cmp.Compare(a.hour, b.hour))
	})
	d.cells = slices.Clip(d.cells)
	return d
}

// compareCalls orders rows so that those of the same calls stand together.
func compareCalls(a, b usage.Row) int {
	return cmp.Or(a.Hour.Compare(b.Hour), strings.Compare(a.AccountUID, b.AccountUID), strings.Compare(a.ActorUID, b.ActorUID),
		strings.Compare(string(a.Caller), string(b.Caller)), strings.Compare(a.APIService, b.APIService),
		strings.Compare(a.APIOperation, b.APIOperation), strings.Compare(a.Region, b.Region),
		strings.Compare(string(a.Outcome), string(b.Outcome)), strings.Compare(string(a.ActorType), string(b.ActorType)),
		strings.Compare(a.CloudProvider, b.CloudProvider), strings.Compare(a.ResourceUID, b.ResourceUID))
}

func sameCalls(a, b *usage.Key) bool {
	return a.Hour.Equal(b.Hour) && a.AccountUID == b.AccountUID && a.ActorUID == b.ActorUID && a.Caller == b.Caller &&
		a.APIService == b.APIService && a.APIOperation == b.APIOperation && a.Region == b.Region && a.Outcome == b.Outcome &&
		a.ActorType == b.ActorType && a.CloudProvider == b.CloudProvider
}

// addCalls adds the rows of one hour, principal and operation, which differ in the
// resource alone: a call that names several of them is in a row of each.
func (t *Table) addCalls(d *day, rows []usage.Row) {
	k := &rows[0].Key
	c := call{k.APIService, k.APIOperation}
	from := len(d.cells)
	for i := range rows {
		r := &rows[i]
		d.vault(r)
		secret := t.secret(r)
		if secret < 0 {
			continue
		}
		d.cells = append(d.cells, cell{
			secret: uint32(secret), actor: t.actors.of(r.ActorUID, maxActors), count: uint32(min(r.Count, math.MaxUint32)),
			region: uint16(t.regions.of(r.Region, math.MaxUint16)), call: uint16(t.calls.of(c, math.MaxUint16)),
			first: second(r.First, r.Hour), last: second(r.Last, r.Hour), hour: uint8(r.Hour.UTC().Hour()),
			caller: uint8(t.callers.of(r.Caller, math.MaxUint8)), outcome: uint8(t.results.of(r.Outcome, math.MaxUint8)),
		})
	}
	added := d.cells[from:]
	if !c.uses() {
		again(added)
	}
	if k.APIService == "kms.amazonaws.com" {
		t.aliases(d, added, k.Outcome == event.Success)
	}
}

func second(at, hour time.Time) uint16 {
	return uint16(min(max(at.Sub(hour)/time.Second, 0), 3599))
}

// again marks all but the largest row of one secret: a call that changes it names
// it as it was asked for, and in full in its answer.
func again(cells []cell) {
	for i := range cells {
		for j := range cells {
			if i == j || cells[i].secret != cells[j].secret || cells[j].again {
				continue
			}
			if cells[j].count > cells[i].count || cells[j].count == cells[i].count && j < i {
				cells[i].again = true
				break
			}
		}
	}
}

// aliases notes which keys aliases may stand for. A call by an alias that succeeds
// names its key too, so the key's row counts it as well.
func (t *Table) aliases(d *day, cells []cell, success bool) {
	for i := range cells {
		a := &cells[i]
		if !t.secrets[a.secret].alias {
			continue
		}
		var keys []int32
		for j := range cells {
			k := &t.secrets[cells[j].secret]
			if !k.alias && cells[j].count >= a.count && k.region == t.secrets[a.secret].region && k.account == t.secrets[a.secret].account {
				keys = append(keys, int32(cells[j].secret))
			}
		}
		a.again = len(keys) > 0
		if !success || len(keys) == 0 {
			continue
		}
		if before, ok := d.alias[int32(a.secret)]; ok {
			if both := common(before, keys); len(both) > 0 {
				keys = both
			}
		}
		d.alias[int32(a.secret)] = keys
	}
}

func common(a, b []int32) []int32 {
	return slices.DeleteFunc(slices.Clone(a), func(x int32) bool { return !slices.Contains(b, x) })
}

// secret is the number of what a row is about; -1: none, or there is no room.
func (t *Table) secret(r *usage.Row) int32 {
	i, ok := t.forms[r.ResourceUID]
	if !ok {
		what, is := thingOf(r.APIService, r.ResourceUID)
		if !is {
			return -1
		}
		if i, ok = t.index[what.canonical]; !ok {
			if len(t.secrets) >= maxSecrets {
				t.dropped++
				return -1
			}
			i = int32(len(t.secrets))
			t.index[what.canonical] = i
			t.secrets = append(t.secrets, known{thing: what, provider: r.CloudProvider, uid: r.ResourceUID})
		}
		t.form(i, r.ResourceUID, what)
	}
	s := &t.secrets[i]
	if !slices.Contains(s.accounts, r.AccountUID) && len(s.accounts) < 8 {
		s.accounts = append(slices.Clip(s.accounts), r.AccountUID)
	}
	return i
}

// form adds a name to those of one.
func (t *Table) form(i int32, uid string, what thing) {
	if len(t.forms) >= maxForms {
		return
	}
	t.forms[uid] = i
	switch s := &t.secrets[i]; {
	case uid == s.uid:
	case len(uid) > len(s.uid):
		s.forms = append(slices.Clip(s.forms), s.uid)
		s.uid, s.name = uid, what.name
	default:
		s.forms = append(slices.Clip(s.forms), uid)
	}
}

// view is a table as of one time, to be read without holding it.
type view struct {
	days    []*day
	secrets []known
	actors  []string
	regions []string
	calls   []call
	callers []event.Caller
	results []event.Outcome
	version int64
	dropped int64
}

// now is the table as it is.
func (t *Table) now() view {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return view{t.days, slices.Clone(t.secrets), t.actors.all, t.regions.all, t.calls.all, t.callers.all, t.results.all, t.version, t.dropped}
}

// at is when a cell's hour begins.
func (d *day) at(c *cell) time.Time { return d.start.Add(time.Duration(c.hour) * time.Hour) }

func (d *day) first(c *cell) time.Time { return d.at(c).Add(time.Duration(c.first) * time.Second) }
func (d *day) last(c *cell) time.Time  { return d.at(c).Add(time.Duration(c.last) * time.Second) }
