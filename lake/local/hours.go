package local

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// hourly is how many events of each hour of its day a segment holds, of segments
// that were asked for: what is written once never changes, so that the picture of
// all events over time is added up from here.
type hourly struct {
	mu sync.Mutex
	of map[int64][24]uint32 // by segment
}

// get splits segments into those that are known and those that are not.
func (h *hourly) get(segs []segment) (known map[int64][24]uint32, unknown []segment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known = map[int64][24]uint32{}
	for _, g := range segs {
		if hours, ok := h.of[g.ID]; ok {
			known[g.ID] = hours
		} else {
			unknown = append(unknown, g)
		}
	}
	return known, unknown
}

// put adds counts, and forgets segments that are no more when they are many.
func (h *hourly) put(counts map[int64][24]uint32, live []segment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of == nil {
		h.of = map[int64][24]uint32{}
	}
	for id, hours := range counts {
		h.of[id] = hours
	}
	if len(h.of) <= 2*len(live)+100 {
		return
	}
	is := map[int64]bool{}
	for _, g := range live {
		is[g.ID] = true
	}
	for id := range h.of {
		if !is[id] {
			delete(h.of, id)
		}
	}
}

// byHour adds all events of whole hours to a timeline, of which buckets are whole
// hours too, and leaves the segments in l that have to be looked into.
func (l *look) byHour(ctx context.Context, t *timeline) error {
	var whole, cut []segment
	for _, g := range l.segs {
		if l.cuts(l.q.Since, g) || l.cuts(l.q.Until, g) {
			cut = append(cut, g)
		} else {
			whole = append(whole, g)
		}
	}
	known, unknown := l.s.hourly.get(whole)
	all := l.segs
	for _, g := range whole {
		if hours, ok := known[g.ID]; ok {
			t.hours(g, hours, l)
			l.sample.Looked += g.Rows
		}
	}
	if l.segs = unknown; len(unknown) > 0 {
		if err := l.portions(ctx, func(conn *sql.Conn, segs []segment) (bool, error) {
			counts, err := hoursOf(ctx, conn, segs)
			if err != nil {
				return false, err
			}
			for _, g := range segs {
				t.hours(g, counts[g.ID], l)
			}
			l.s.hourly.put(counts, all)
			return false, nil
		}); err != nil {
			return err
		}
	}
	l.segs = cut
	return nil
}

// cuts tells whether an end lies in the segment's time, and not between two hours.
func (l *look) cuts(end time.Time, g segment) bool {
	return !end.IsZero() && !end.Equal(end.Truncate(time.Hour)) && !end.Before(g.MinTime) && !end.After(g.MaxTime)
}

// hours adds a segment's hours that the query asks for.
func (t *timeline) hours(g segment, hours [24]uint32, l *look) {
	for h, n := range hours {
		at := dayTime(g.Day).Add(time.Duration(h) * time.Hour)
		if n == 0 || !l.q.Since.IsZero() && !at.Add(time.Hour).After(l.q.Since) || !l.q.Until.IsZero() && !at.Before(l.q.Until) {
			continue
		}
		if b := t.at(at); b >= 0 && b < len(t.counts) {
			t.counts[b] += int64(n)
		}
	}
	t.spread(g, t.looked)
}

// hoursOf counts the events of segments by hour.
func hoursOf(ctx context.Context, conn *sql.Conn, segs []segment) (map[int64][24]uint32, error) {
	ids := map[string]int64{}
	out := map[int64][24]uint32{}
	for _, g := range segs {
		ids[g.Path], out[g.ID] = g.ID, [24]uint32{}
	}
	rows, err := conn.QueryContext(ctx, `SELECT filename, hour("time"), count(*) FROM `+eventsFrom(segs)+" GROUP BY ALL")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var path string
		var h, n int64
		if err := rows.Scan(&path, &h, &n); err != nil {
			return nil, err
		}
		hours := out[ids[path]]
		hours[h] = uint32(n)
		out[ids[path]] = hours
	}
	return out, rows.Err()
}
