package local

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/parquet-go/parquet-go"

	"github.com/yagura-sec/yagura/event"
)

// uidTable finds a uid among the rows of a row group or the events of a batch.
type uidTable struct {
	uids   []event.UID
	hashes []uint32 // body hashes
	slots  []int32  // open addressing: row + 1, 0 free
}

func newUIDTable(n int) *uidTable {
	size := 4
	for size < n+n/2 {
		size *= 2
	}
	return &uidTable{uids: make([]event.UID, 0, n), hashes: make([]uint32, 0, n), slots: make([]int32, size)}
}

// slotOf spreads uids that are not random, too.
func (t *uidTable) slotOf(u *event.UID) int {
	h := (binary.LittleEndian.Uint64(u[:8]) ^ 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd
	h = (h ^ h>>32 ^ binary.LittleEndian.Uint64(u[8:])) * 0xc4ceb9fe1a85ec53
	return int(h>>32) & (len(t.slots) - 1)
}

// find returns the row of u, -1 if it has none.
func (t *uidTable) find(u *event.UID) int {
	for at := t.slotOf(u); t.slots[at] != 0; at = (at + 1) & (len(t.slots) - 1) {
		if row := t.slots[at] - 1; t.uids[row] == *u {
			return int(row)
		}
	}
	return -1
}

// add appends a row and returns its index, or that of the row that has u.
func (t *uidTable) add(u *event.UID, hash uint32) (row int, had bool) {
	at := t.slotOf(u)
	for ; t.slots[at] != 0; at = (at + 1) & (len(t.slots) - 1) {
		if row := t.slots[at] - 1; t.uids[row] == *u {
			return int(row), true
		}
	}
	t.uids = append(t.uids, *u)
	t.hashes = append(t.hashes, hash)
	t.slots[at] = int32(len(t.uids))
	return len(t.uids) - 1, false
}

func (t *uidTable) bytes() int64 {
	return int64(cap(t.uids))*16 + int64(cap(t.hashes))*4 + int64(len(t.slots))*4 + 200
}

func (t *uidTable) overlaps(u *uidTable) bool {
	if len(t.uids) < len(u.uids) {
		t, u = u, t
	}
	for i := range u.uids {
		if t.find(&u.uids[i]) >= 0 {
			return true
		}
	}
	return false
}

// flights is the batches being appended. Their uids are reserved: of batches
// that share one, the first decides and the others wait for its outcome, so
// what is new is never decided twice at a time.
type flights struct {
	mu     sync.Mutex
	active map[*flight]struct{}
}

type flight struct {
	batch event.BatchID
	uids  *uidTable
	ended chan struct{}
}

func (f *flights) init() { f.active = map[*flight]struct{}{} }

// begin reserves the batch and its uids, all at once so that no two batches can
// wait for each other.
func (f *flights) begin(ctx context.Context, batch event.BatchID, uids *uidTable) (*flight, error) {
	own := &flight{batch, uids, make(chan struct{})}
	for {
		other := f.tryBegin(own)
		if other == nil {
			return own, nil
		}
		select {
		case <-other.ended:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// tryBegin returns a flight in the way, or nil when own has begun.
func (f *flights) tryBegin(own *flight) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	for other := range f.active {
		if other.batch == own.batch || other.uids.overlaps(own.uids) {
			return other
		}
	}
	f.active[own] = struct{}{}
	return nil
}

func (f *flights) end(own *flight) {
	f.mu.Lock()
	delete(f.active, own)
	f.mu.Unlock()
	close(own.ended)
}

// groupKey is a row group of a segment.
type groupKey struct {
	segment int64
	group   int
}

// groupTable is what is known in memory of a row group.
type groupTable struct {
	key groupKey
	*uidTable
	origins *origins // nil until a uid was found in it
}

func (t *groupTable) bytes() int64 {
	n := t.uidTable.bytes()
	if t.origins != nil {
		n += t.origins.bytes
	}
	return n
}

// tableCache keeps groupTables, up to a number of bytes. What goes is left to
// chance: a batch asks for every row group of its day in turn, and where they do
// not all fit, dropping the one used longest ago would drop each just before it
// is asked for again.
type tableCache struct {
	mu    sync.Mutex
	limit int64
	size  int64
	byKey map[groupKey]*groupTable
}

func (c *tableCache) init(limit int64) {
	c.limit, c.size, c.byKey = limit, 0, map[groupKey]*groupTable{}
}

func (c *tableCache) get(k groupKey) *groupTable {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byKey[k]
}

// put keeps t, replacing one with the same key. Tables are never changed, so
// whoever holds the one replaced may go on with it.
func (c *tableCache) put(t *groupTable) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.byKey[t.key]; old != nil {
		c.remove(old)
	}
	c.byKey[t.key] = t
	c.size += t.bytes()
	for _, other := range c.byKey { // in no order
		if c.size <= c.limit {
			break
		}
		if other != t {
			c.remove(other)
		}
	}
}

func (c *tableCache) remove(t *groupTable) {
	delete(c.byKey, t.key)
	c.size -= t.bytes()
}

// forget drops the tables of segments that are no longer live.
func (c *tableCache) forget(gone []segment) {
	ids := make(map[int64]bool, len(gone))
	for _, g := range gone {
		ids[g.ID] = true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, t := range c.byKey {
		if ids[k.segment] {
			c.remove(t)
		}
	}
}

// loadTable reads the uids and body hashes of a row group: two plain,
// uncompressed columns.
func loadTable(sf *segmentFile, k groupKey) (*groupTable, error) {
	n := sf.rowsOf(k.group)
	t := newUIDTable(n)
	hashes := make([]uint32, n)
	if err := sf.cursor(k.group, colHash).flat(func(i int, v parquet.Value) { hashes[i] = v.Uint32() }); err != nil {
		return nil, fmt.Errorf("%s: body hashes: %w", sf.f.Name(), err)
	}
	err := sf.cursor(k.group, colUID).flat(func(i int, v parquet.Value) {
		var u event.UID
		copy(u[:], v.ByteArray())
		t.add(&u, hashes[i])
	})
	if err != nil {
		return nil, fmt.Errorf("%s: uids: %w", sf.f.Name(), err)
	}
	if len(t.uids) != n {
		return nil, fmt.Errorf("%s: row group %d holds %d rows of %d uids", sf.f.Name(), k.group, n, len(t.uids))
	}
	return &groupTable{key: k, uidTable: t}, nil
}

// origins tells for each row of a row group from which record it was read.
type origins struct {
	object, version []uint32 // indices into names
	position        []int64
	names           []string
	bytes           int64
}

func (o *origins) is(row int, object, version string, position int64) bool {
	return o.position[row] == position && o.names[o.object[row]] == object && o.names[o.version[row]] == version
}

func loadOrigins(sf *segmentFile, group int) (*origins, error) {
	n := sf.rowsOf(group)
	o := &origins{object: make([]uint32, n), version: make([]uint32, n), position: make([]int64, n)}
	index := map[string]uint32{}
	name := func(v parquet.Value) uint32 {
		i, ok := index[string(v.ByteArray())] // no allocation
		if !ok {
			s := string(v.ByteArray())
			i = uint32(len(o.names))
			o.names = append(o.names, s)
			index[s] = i
			o.bytes += int64(len(s)) + 16
		}
		return i
	}
	for _, col := range []struct {
		index int
		set   func(i int, v parquet.Value)
	}{
		{colObject, func(i int, v parquet.Value) { o.object[i] = name(v) }},
		{colVersion, func(i int, v parquet.Value) { o.version[i] = name(v) }},
		{colPosition, func(i int, v parquet.Value) { o.position[i] = v.Int64() }},
	} {
		if err := sf.cursor(group, col.index).flat(col.set); err != nil {
			return nil, fmt.Errorf("%s: column %s: %w", sf.f.Name(), eventColumns[col.index].name, err)
		}
	}
	o.bytes += int64(n) * 16
	return o, nil
}

// hit is an event of a batch whose uid a stored row has.
type hit struct {
	event int // index in the batch
	row   int
}

// search finds which of the batch's events, given by index and all of one day,
// are stored in g, and calls found for each row group with hits.
func (s *Store) search(g segment, events []event.Event, among []int, found func(t *groupTable, open func() (*segmentFile, error), hits []hit) error) error {
	var sf *segmentFile
	defer func() {
		if sf != nil {
			sf.close()
		}
	}()
	open := func() (_ *segmentFile, err error) {
		if sf == nil {
			sf, err = openSegment(g.Path)
		}
		return sf, err
	}
	groups := int((g.Rows + rowGroupRows - 1) / rowGroupRows)
	for group := range groups {
		t := s.tables.get(groupKey{g.ID, group})
		if t == nil {
			if _, err := open(); err != nil {
				return err
			}
			if may, err := mayHold(sf, group, events, among); err != nil {
				return err
			} else if !may {
				continue
			}
			var err error
			if t, err = loadTable(sf, groupKey{g.ID, group}); err != nil {
				return err
			}
			s.tables.put(t)
		}
		var hits []hit
		for _, i := range among {
			if row := t.find(&events[i].UID); row >= 0 {
				hits = append(hits, hit{i, row})
			}
		}
		if len(hits) == 0 {
			continue
		}
		if t.origins == nil {
			if _, err := open(); err != nil {
				return err
			}
			o, err := loadOrigins(sf, group)
			if err != nil {
				return err
			}
			t = &groupTable{key: t.key, uidTable: t.uidTable, origins: o}
			s.tables.put(t)
		}
		if err := found(t, open, hits); err != nil {
			return err
		}
	}
	return nil
}

// filterLimit is how many uids are asked of a row group's bloom filter before
// its table is loaded. Each question passes one in a hundred, so that for more
// the table would be loaded anyway.
const filterLimit = 100

func mayHold(sf *segmentFile, group int, events []event.Event, among []int) (bool, error) {
	if len(among) > filterLimit {
		return true, nil
	}
	filter := sf.pq.RowGroups()[group].ColumnChunks()[colUID].BloomFilter()
	if filter == nil {
		return true, nil
	}
	for _, i := range among {
		if ok, err := filter.Check(parquet.FixedLenByteArrayValue(events[i].UID[:])); ok || err != nil {
			return true, err
		}
	}
	return false, nil
}
