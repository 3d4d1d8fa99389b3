package local

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/usage"
)

// Append implements lake.Appender.
//
// An event is only compared with the segments of its own day: a duplicate has
// the same time. Batches wait for each other only where they share a uid.
func (s *Store) Append(ctx context.Context, b event.Batch) (_ lake.Appended, err error) {
	if s.opt.ReadOnly {
		return lake.Appended{}, ErrReadOnly
	}
	id := b.ID()
	if first, ok, err := s.answered(ctx, id); ok || err != nil {
		return first, err
	}
	if err := s.checkSpace(0, "intake"); err != nil {
		return lake.Appended{}, err
	}
	a, err := s.newAppending(id, &b)
	if err != nil {
		return lake.Appended{}, err
	}
	f, err := s.flight.begin(ctx, id, a.uids)
	if err != nil {
		return lake.Appended{}, err
	}
	defer s.flight.end(f)
	// The batch that was waited for may have been this very one.
	if first, ok, err := s.answered(ctx, id); ok || err != nil {
		return first, err
	}
	if err := a.judge(); err != nil {
		return lake.Appended{}, err
	}
	return a.store(ctx)
}

// appending is a batch on its way into the lake.
type appending struct {
	s       *Store
	id      event.BatchID
	b       *event.Batch
	account *lake.Account
	hashes  []uint32 // of each event's body
	// uids is every uid of the batch once, first[row] the event that has it.
	uids  *uidTable
	first []int
	twins [][2]int // an event and the earlier one of the same uid
	fate  []fate   // of each event

	conflicts map[int]event.Reject
}

type fate uint8

const (
	fateNew fate = iota
	fateExpired
	fateTwin // has the uid of an earlier event of the batch
	fateReread
	fateDuplicate
	fateConflict
)

var verdictOf = [...]event.Verdict{event.Stored, event.Expired, 0, event.Stored, event.Duplicate, event.Quarantined}

func (s *Store) newAppending(id event.BatchID, b *event.Batch) (*appending, error) {
	account, err := lake.NewAccount(b)
	if err != nil {
		return nil, err
	}
	n := len(b.Events)
	a := &appending{
		s: s, id: id, b: b, account: account, hashes: make([]uint32, n), uids: newUIDTable(n),
		first: make([]int, 0, n), fate: make([]fate, n), conflicts: map[int]event.Reject{},
	}
	c, err := s.current()
	if err != nil {
		return nil, err
	}
	for i := range b.Events {
		e := &b.Events[i]
		if e.Time.Before(c.horizon) {
			a.fate[i] = fateExpired
			continue
		}
		a.hashes[i] = uint32(xxhash.Sum64(e.Raw))
		row, had := a.uids.add(&e.UID, a.hashes[i])
		if had {
			a.fate[i] = fateTwin
			a.twins = append(a.twins, [2]int{i, a.first[row]})
			continue
		}
		a.first = append(a.first, i)
	}
	return a, nil
}

// judge decides what becomes of each event.
func (a *appending) judge() error {
	days := map[int32][]int{}
	for i := range a.b.Events {
		if a.fate[i] != fateExpired {
			day := dayOf(a.b.Events[i].Time)
			days[day] = append(days[day], i)
		}
	}
	for day, among := range days {
		if err := a.judgeDay(day, among); err != nil {
			return fmt.Errorf("look for duplicates on %s: %w", dayTime(day).Format("2006-01-02"), err)
		}
	}
	for _, t := range a.twins {
		i, earlier := t[0], t[1]
		if a.fate[i] != fateTwin { // found among the stored ones
			continue
		}
		e, o := &a.b.Events[i], &a.b.Events[earlier]
		if a.hashes[i] == a.hashes[earlier] || lake.SameBody(e.Raw, o.Raw) {
			a.fate[i] = fateDuplicate
			continue
		}
		a.fate[i] = fateConflict
		a.conflicts[i] = lake.Conflict(e, a.account.Version(i), o.Object, o.Position)
	}
	for i, f := range a.fate {
		if v := verdictOf[f]; v != event.Stored {
			a.account.Judge(i, v)
		}
	}
	return nil
}

// judgeDay compares events with what is stored of their day. A merge may replace
// a segment, and a file may go, while it looks; then it looks again.
func (a *appending) judgeDay(day int32, among []int) error {
	for range 10 {
		c, err := a.s.current()
		if err != nil {
			return err
		}
		err = nil
		for _, g := range c.days[day] {
			if err = a.s.search(g, a.b.Events, among, a.found); err != nil {
				break
			}
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fmt.Errorf("segments of %s are missing", dayTime(day).Format("2006-01-02"))
}

// found judges events whose uid is stored.
func (a *appending) found(t *groupTable, open func() (*segmentFile, error), hits []hit) error {
	var differ []hit
	for _, h := range hits {
		e := &a.b.Events[h.event]
		switch {
		case t.origins.is(h.row, e.Object, a.account.Version(h.event), e.Position):
			a.fate[h.event] = fateReread
		case t.hashes[h.row] == a.hashes[h.event]:
			a.fate[h.event] = fateDuplicate
		default:
			differ = append(differ, h)
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return a.compare(t, open, differ)
}

// compare reads the stored bodies of events whose bytes differ.
func (a *appending) compare(t *groupTable, open func() (*segmentFile, error), hits []hit) error {
	sf, err := open()
	if err != nil {
		return err
	}
	slices.SortFunc(hits, func(x, y hit) int { return cmp.Compare(x.row, y.row) })
	rows := make([]int, len(hits))
	recs := make([]record, len(hits))
	for i, h := range hits {
		rows[i] = h.row
		recs[i].Event = new(event.Event)
	}
	if err := sf.column(t.key.group, colRaw, rows, recs); err != nil {
		return err
	}
	for i, h := range hits {
		e := &a.b.Events[h.event]
		if lake.SameBody(e.Raw, recs[i].Raw) {
			a.fate[h.event] = fateDuplicate
			continue
		}
		a.fate[h.event] = fateConflict
		o := t.origins
		a.conflicts[h.event] = lake.Conflict(e, a.account.Version(h.event), o.names[o.object[h.row]], o.position[h.row])
	}
	return nil
}

// store writes the new events and their usage and lists them with the answer.
func (a *appending) store(ctx context.Context) (lake.Appended, error) {
	out := lake.Appended{Batch: a.id, Spans: a.account.Spans()}
	var sums usage.Sums
	days := map[int32][]record{}
	for i := range a.b.Events {
		e := &a.b.Events[i]
		switch a.fate[i] {
		case fateNew:
			e.Batch = a.id
			out.New = append(out.New, i)
			sums.Add(e)
			days[dayOf(e.Time)] = append(days[dayOf(e.Time)], record{e, a.hashes[i], a.account.Version(i)})
		case fateConflict:
			out.Conflicts = append(out.Conflicts, a.conflicts[i])
		}
	}
	ch := &change{}
	written := make(map[string][]record, len(days))
	if err := a.write(days, &sums, ch, written); err != nil {
		ch.unlink()
		return lake.Appended{}, err
	}
	answer, rest, err := encodeAnswer(&out, a.b)
	if err != nil {
		ch.unlink()
		return lake.Appended{}, err
	}
	ch.also = func(tx *sqlitedb.Tx) error {
		_, err := tx.Exec(`INSERT INTO batch (id, at, released, answer, rest) VALUES (?, ?, 0, ?, ?)`,
			a.id[:], a.s.opt.Now().UnixMicro(), answer, rest)
		return err
	}
	if err := a.s.commit(ctx, ch); err != nil {
		// A commit that failed may still have happened (a disk that lost the
		// answer): files are only removed when the list says it does not know them.
		if _, listed, lookErr := a.s.answered(context.WithoutCancel(ctx), a.id); lookErr == nil && !listed {
			ch.unlink()
		}
		return lake.Appended{}, fmt.Errorf("list the segments of batch %s: %w", a.id, err)
	}
	for _, g := range ch.add {
		a.s.tables.put(tableOf(g.ID, written[g.Path]))
	}
	return out, nil
}

// write writes a file a day and month, several at a time: most of the time of a
// small batch is waiting for the disk.
func (a *appending) write(days map[int32][]record, sums *usage.Sums, ch *change, written map[string][]record) error {
	var mu sync.Mutex // guards ch and written
	var files tasks
	for day, recs := range days {
		files.do(func() error {
			sortRecords(recs)
			g, err := a.s.writeEvents(freshEvents, day, recs)
			if err != nil {
				return err
			}
			g.Batch = a.id
			mu.Lock()
			defer mu.Unlock()
			ch.add = append(ch.add, g)
			written[g.Path] = recs
			return nil
		})
	}
	for _, rows := range byMonth(sums.Fold(a.s.opt.MaxResources)) {
		files.do(func() error {
			u, err := a.s.writeUsage(monthOf(rows[0].Hour), rows)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			ch.addUsage = append(ch.addUsage, u)
			return nil
		})
	}
	if err := files.wait(); err != nil {
		return err
	}
	return a.s.opt.fault("batch written")
}

// tasks runs functions, four at a time. The zero value is ready to use.
type tasks struct {
	wg    sync.WaitGroup
	slots chan struct{}
	mu    sync.Mutex // guards the two below
	errs  []error
	panic any
}

func (t *tasks) do(f func() error) {
	if t.slots == nil {
		t.slots = make(chan struct{}, 4)
	}
	t.slots <- struct{}{}
	t.wg.Go(func() {
		defer func() {
			p := recover()
			<-t.slots
			t.mu.Lock()
			defer t.mu.Unlock()
			if p != nil {
				t.panic = p
			}
		}()
		if err := f(); err != nil {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.errs = append(t.errs, err)
		}
	})
}

// wait for all of them. A panic goes on here, where the caller can see it.
func (t *tasks) wait() error {
	t.wg.Wait()
	if t.panic != nil {
		panic(t.panic)
	}
	return errors.Join(t.errs...)
}

// unlink removes the files of a change that was not made. What stays is swept.
func (ch *change) unlink() {
	for _, g := range ch.add {
		os.Remove(g.Path)
	}
	for _, u := range ch.addUsage {
		os.Remove(u.Path)
	}
}

// tableOf is the table of a segment of one row group, just written from recs.
func tableOf(id int64, recs []record) *groupTable {
	recs = recs[:min(len(recs), rowGroupRows)]
	t := newUIDTable(len(recs))
	for i := range recs {
		t.add(&recs[i].UID, recs[i].hash)
	}
	return &groupTable{key: groupKey{id, 0}, uidTable: t}
}

// sortRecords puts recs into the stored order: account, operation, time, uid.
func sortRecords(recs []record) {
	type pair struct{ account, operation string }
	ranks := map[pair]int{}
	var pairs []pair
	for i := range recs {
		p := pair{recs[i].AccountUID, recs[i].APIOperation}
		if _, ok := ranks[p]; !ok {
			ranks[p] = 0
			pairs = append(pairs, p)
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(strings.Compare(a.account, b.account), strings.Compare(a.operation, b.operation))
	})
	for i, p := range pairs {
		ranks[p] = i
	}
	type place struct {
		rank int
		time int64
		rec  record
	}
	places := make([]place, len(recs))
	for i, r := range recs {
		places[i] = place{ranks[pair{r.AccountUID, r.APIOperation}], r.Time.UnixMicro(), r}
	}
	slices.SortFunc(places, func(a, b place) int {
		if c := cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.time, b.time)); c != 0 {
			return c
		}
		return bytes.Compare(a.rec.UID[:], b.rec.UID[:])
	})
	for i := range places {
		recs[i] = places[i].rec
	}
}

// Release implements lake.Appender. That it happened becomes durable with the
// next change of the lake or its end: losing it only means that the batch is
// read back and settled once more.
func (s *Store) Release(_ context.Context, id event.BatchID) error {
	if s.opt.ReadOnly {
		return ErrReadOnly
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.releasing = append(s.releasing, id)
	s.list = s.list.changed(&change{released: &id})
	return nil
}

// firstAnswer is the first answer to a batch as lake.db keeps it.
type firstAnswer struct {
	New       []int               `json:"new,omitempty"` // runs: start, length, start, length, …
	Spans     []event.SpanAccount `json:"spans"`
	Conflicts []event.Reject      `json:"conflicts,omitempty"`
}

// rest is what else Unreleased gives back; dropped at release.
type rest struct {
	Rejects []event.Reject `json:"rejects,omitempty"`
	Digests []event.Digest `json:"digests,omitempty"`
}

func encodeAnswer(out *lake.Appended, b *event.Batch) (ans, other []byte, err error) {
	a := firstAnswer{Spans: out.Spans, Conflicts: out.Conflicts}
	for _, i := range out.New {
		if n := len(a.New); n > 0 && a.New[n-2]+a.New[n-1] == i {
			a.New[n-1]++
			continue
		}
		a.New = append(a.New, i, 1)
	}
	if ans, err = pack(a); err != nil || len(b.Rejects)+len(b.Digests) == 0 {
		return ans, nil, err
	}
	other, err = pack(rest{b.Rejects, b.Digests})
	return ans, other, err
}

func (a *firstAnswer) appended(id event.BatchID) lake.Appended {
	out := lake.Appended{Batch: id, Spans: a.Spans, Conflicts: a.Conflicts, Again: true}
	for i := 0; i+1 < len(a.New); i += 2 {
		for j := range a.New[i+1] {
			out.New = append(out.New, a.New[i]+j)
		}
	}
	return out
}

// answered is the first answer to a batch that was appended before.
func (s *Store) answered(ctx context.Context, id event.BatchID) (lake.Appended, bool, error) {
	var packed []byte
	err := s.db.Read().QueryRowContext(ctx, `SELECT answer FROM batch WHERE id = ?`, id[:]).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) {
		return lake.Appended{}, false, nil
	}
	if err != nil {
		return lake.Appended{}, false, fmt.Errorf("lake.db: %w", err)
	}
	var a firstAnswer
	if err := unpack(packed, &a); err != nil {
		return lake.Appended{}, false, fmt.Errorf("lake.db: batch %s: %w", id, err)
	}
	return a.appended(id), true, nil
}

var packer = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2), zstd.WithWindowSize(1<<20))
	if err != nil {
		panic(err) // its options are constants
	}
	return e
})

var unpacker = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2))
	if err != nil {
		panic(err)
	}
	return d
})

func pack(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return packer().EncodeAll(b, nil), nil
}

func unpack(b []byte, v any) error {
	text, err := unpacker().DecodeAll(b, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}
