package secrets

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
)

// Book sums up. It is made anew when something changed since the last time.
func (t *Table) Book() *Book {
	t.mu.RLock()
	b, version := t.book, t.version
	t.mu.RUnlock()
	if b != nil && b.version == version {
		return b
	}
	v := t.now()
	b = v.book()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.book == nil || t.book.version < b.version {
		t.book = b
	}
	return b
}

// Version is a number that grows with every change.
func (t *Table) Version() int64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.version
}

// Latest is a Book as of now, or of a little before if it was made anew after
// every change, as those who make changes do.
func (t *Table) Latest() *Book {
	t.mu.RLock()
	b := t.book
	t.mu.RUnlock()
	if b == nil {
		return t.Book()
	}
	return b
}

// totals adds up the cells of one.
type totals struct {
	first, created, lastUse int64 // Unix seconds
	calls, failures         int64
	confirmed               bool
	told                    bool // by the log that tells of use
	rotations, rotated      int64
	usedDays                int
	usedOn                  int64 // the last of them
	callers                 []int64
	regions                 map[uint16]bool
	actors                  map[uint32]bool
	actor                   uint32 // of the cell before: cells of one stand together
	region                  uint16
}

func (v *view) book() *Book {
	b := &Book{Days: len(v.days), version: v.version, Dropped: v.dropped, byForm: map[string]int32{}}
	roots := v.roots()
	sums := v.sum(roots)
	logs := v.logs()
	if len(v.days) > 0 {
		b.Since, b.Until = v.days[0].start, logs.until
	}
	formsOf := make(map[int32][]int32) // aliases, by what they stand for
	for i, root := range roots {
		if root != int32(i) {
			formsOf[root] = append(formsOf[root], int32(i))
		}
	}
	for i := range v.secrets {
		if roots[i] != int32(i) || sums[i].first == 0 {
			continue
		}
		b.Secrets = append(b.Secrets, v.summary(int32(i), formsOf[int32(i)], &sums[i], logs))
	}
	v.unseen(b, sums)
	b.Vaults = v.silent()
	slices.SortFunc(b.Secrets, func(x, y Summary) int { return strings.Compare(x.Resource, y.Resource) })
	for i := range b.Secrets {
		for _, f := range b.Secrets[i].Forms {
			b.byForm[f] = int32(i)
		}
	}
	return b
}

// tells says of each call whether it shows that uses are logged: itself a use, or any
// call that a vault itself tells of.
func (v *view) tells() (out []bool) {
	for _, c := range v.calls {
		out = append(out, c.uses() || c.service == keyVault || c.service == managedHSM)
	}
	return out
}

// unseen tells of which nothing can be known: what lies in a project or vault whose
// log of use is off unless it was turned on, and of which nothing ever came. One use,
// of whatever lies beside it and however it ended, shows that it is on.
func (v *view) unseen(b *Book, sums []totals) {
	told := map[string]bool{}
	for i := range b.Secrets {
		s := &b.Secrets[i]
		if c := v.secrets[s.secret].container; c != "" && sums[s.secret].told {
			told[c] = true
		}
	}
	for i := range b.Secrets {
		s := &b.Secrets[i]
		c := v.secrets[s.secret].container
		if c == "" || told[c] {
			continue
		}
		s.Unseen = AuditEvents
		if strings.HasPrefix(c, "//") {
			s.Unseen = DataAccess
		}
		s.UnknownDays = int((b.Until.Sub(s.First.Truncate(oneDay)) + oneDay - 1) / oneDay)
	}
}

// roots gives of each number that under which it is counted: of an alias the key
// that it stands for, where usage shows which; of all else itself. An alias that
// was moved stands for what it stood for last.
func (v *view) roots() []int32 {
	roots := make([]int32, len(v.secrets))
	may := map[int32][]int32{}
	for i := len(v.days) - 1; i >= 0; i-- {
		for alias, keys := range v.days[i].alias {
			later, met := may[alias]
			if !met {
				may[alias] = keys
			} else if both := common(later, keys); len(later) > 1 && len(both) > 0 {
				may[alias] = both
			}
		}
	}
	for i := range roots {
		roots[i] = int32(i)
		if keys := may[int32(i)]; len(keys) == 1 && int(keys[0]) < len(roots) {
			roots[i] = keys[0]
		}
	}
	return roots
}

// skips tells whether a cell counts what another one does.
func (v *view) skips(c *cell, roots []int32) bool {
	return c.again && (!v.secrets[c.secret].alias || roots[c.secret] != int32(c.secret))
}

// sum adds up all cells, by number.
func (v *view) sum(roots []int32) []totals {
	sums := make([]totals, len(v.secrets))
	uses, rotating, creating := v.sorts()
	tells := v.tells()
	for _, d := range v.days {
		on := d.start.Unix()
		for i := range d.cells {
			c := &d.cells[i]
			s := &sums[roots[c.secret]]
			if at := d.first(c).Unix(); s.first == 0 || at < s.first {
				s.first = at
			}
			s.told = s.told || tells[c.call]
			if v.skips(c, roots) {
				continue
			}
			ok := v.results[c.outcome] == event.Success
			s.confirmed = s.confirmed || ok
			switch {
			case uses[c.call]:
				s.use(c, ok, d.last(c).Unix(), on)
			case ok && rotating[c.call]:
				s.rotations += int64(c.count)
				s.rotated = max(s.rotated, d.last(c).Unix())
			}
			if at := d.first(c).Unix(); ok && creating[c.call] && (s.created == 0 || at < s.created) {
				s.created = at
			}
		}
	}
	return sums
}

func (s *totals) use(c *cell, ok bool, last, day int64) {
	s.calls += int64(c.count)
	s.lastUse = max(s.lastUse, last)
	if !ok {
		s.failures += int64(c.count)
	} else if s.usedOn != day {
		s.usedOn = day
		s.usedDays++
	}
	for len(s.callers) <= int(c.caller) {
		s.callers = append(s.callers, 0)
	}
	s.callers[c.caller] += int64(c.count)
	if s.regions == nil {
		s.regions, s.actors = map[uint16]bool{}, map[uint32]bool{}
	} else if c.actor == s.actor && c.region == s.region {
		return
	}
	s.actor, s.region = c.actor, c.region
	s.regions[c.region] = true
	s.actors[c.actor] = true
}

// sorts tells of each call what it does.
func (v *view) sorts() (uses, rotating, creating []bool) {
	for _, c := range v.calls {
		uses, rotating, creating = append(uses, c.uses()), append(rotating, rotates[c]), append(creating, creates[c])
	}
	return uses, rotating, creating
}

func (v *view) summary(i int32, aliases []int32, t *totals, l *logs) Summary {
	k := &v.secrets[i]
	s := Summary{
		Resource: k.uid, Forms: append([]string{k.uid}, k.forms...), Kind: k.kind, Name: k.name, Account: k.account, Region: k.region,
		CloudProvider: k.provider, Confirmed: t.confirmed, First: unix(t.first), Created: unix(t.created), LastUse: unix(t.lastUse),
		Calls: t.calls, Failures: t.failures, Actors: len(t.actors), UsedDays: t.usedDays,
		Rotation: Rotations{t.rotations, unix(t.rotated)}, QuietDays: -1, secret: i,
	}
	for _, a := range aliases {
		s.Forms = append(s.Forms, v.secrets[a].uid)
	}
	slices.Sort(s.Forms[1:])
	if len(aliases) > 0 {
		first := slices.MinFunc(aliases, func(a, b int32) int { return strings.Compare(v.secrets[a].name, v.secrets[b].name) })
		s.Name = v.secrets[first].name
	}
	for c, n := range t.callers {
		if n > 0 {
			s.Callers = append(s.Callers, CallerCalls{v.callers[c], n})
		}
	}
	slices.SortFunc(s.Callers, func(a, b CallerCalls) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), strings.Compare(string(a.Caller), string(b.Caller)))
	})
	for r := range t.regions {
		if v.regions[r] != "" {
			s.Regions = append(s.Regions, v.regions[r])
		}
	}
	slices.Sort(s.Regions)
	log := l.of(v, i)
	if t.lastUse != 0 {
		s.QuietDays = int(max(log.end-t.lastUse, 0) / int64(oneDay/time.Second))
	}
	s.UnknownDays = log.unknown(s.First)
	return s
}

func unix(s int64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}

// logs are which hours accounts delivered records in.
type logs struct {
	first     time.Time // start of the first day
	until     time.Time // end of the last hour with records of any account
	byAccount map[string]*log
}

// log is that of one account.
type log struct {
	end    int64 // Unix seconds: end of its last hour with records; 0: it never had any
	silent []int // silent[i]: days without records among those before day i
	first  time.Time
	hours  []uint32
}

func (v *view) logs() *logs {
	l := &logs{byAccount: map[string]*log{}}
	if len(v.days) == 0 {
		return l
	}
	l.first = v.days[0].start
	last := v.days[len(v.days)-1].start
	n := int(last.Sub(l.first)/oneDay) + 1
	for _, d := range v.days {
		at := int(d.start.Sub(l.first) / oneDay)
		for account, mask := range d.heard {
			g := l.byAccount[account]
			if g == nil {
				g = &log{first: l.first, hours: make([]uint32, n)}
				l.byAccount[account] = g
			}
			g.hours[at] = mask
			if mask != 0 {
				end := d.start.Add(time.Duration(bits.Len32(mask)) * time.Hour)
				g.end = max(g.end, end.Unix())
				if end.After(l.until) {
					l.until = end
				}
			}
		}
	}
	for _, g := range l.byAccount {
		g.silent = make([]int, n+1)
		for i, mask := range g.hours {
			g.silent[i+1] = g.silent[i]
			if mask == 0 {
				g.silent[i+1]++
			}
		}
	}
	return l
}

// of is the log in which uses of one appear: that of its account, or where that
// delivers nothing, that of an account whose records name it.
func (l *logs) of(v *view, i int32) *log {
	k := &v.secrets[i]
	for _, account := range append([]string{k.account}, k.accounts...) {
		if g := l.byAccount[account]; g != nil && g.end != 0 {
			return g
		}
	}
	return &log{first: l.first, silent: []int{0}}
}

// unknown is how many days without records there are from that of since on.
func (g *log) unknown(since time.Time) int {
	at := int(since.Sub(g.first) / oneDay)
	if at < 0 || at >= len(g.silent) {
		return 0
	}
	return g.silent[len(g.silent)-1] - g.silent[at]
}

// heard tells whether there were records in an hour.
func (g *log) heard(hour time.Time) bool {
	at := int(hour.Sub(g.first) / oneDay)
	return at >= 0 && at < len(g.hours) && g.hours[at]&(1<<hour.Hour()) != 0
}
