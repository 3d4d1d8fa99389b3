package calendar

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
)

// calendars reads iCalendar.
func (s *reading) calendars(text string) {
	for _, c := range s.components(text) {
		s.calendar(c)
	}
}

// series is an event with what was changed of its recurrences.
type series struct {
	uid     string
	master  *component
	changed []*component
}

// calendar reads the events of one calendar. Of several versions of an event the
// one with the highest SEQUENCE holds, and of those the last.
func (s *reading) calendar(c *component) {
	z := s.zonesOf(c)
	var order []*series
	all := map[string]*series{}
	for _, e := range c.children {
		if e.name != "VEVENT" {
			continue
		}
		uid := e.text("UID")
		if uid == "" {
			sum := sha256.Sum256([]byte(e.text("DTSTART") + "\x00" + e.text("SUMMARY")))
			uid = "event-" + hex.EncodeToString(sum[:6])
		}
		one := all[uid]
		if one == nil {
			one = &series{uid: uid}
			all[uid] = one
			order = append(order, one)
		}
		if e.get("RECURRENCE-ID") != nil {
			one.changed = append(one.changed, e)
		} else if one.master == nil || sequence(e) >= sequence(one.master) {
			if one.master != nil {
				s.warn(e.line, uid, fmt.Sprintf("replaces the event of line %d, which has the same UID", one.master.line))
			}
			one.master = e
		}
	}
	gone := strings.EqualFold(c.text("METHOD"), "CANCEL")
	for _, one := range order {
		if !gone {
			s.series(one, z)
		}
	}
}

func sequence(e *component) int {
	n, _ := strconv.Atoi(e.text("SEQUENCE")) // none, or no number: the first version
	return n
}

func cancelled(e *component) bool { return strings.EqualFold(e.text("STATUS"), "CANCELLED") }

// skips are recurrences that do not take place as the rule says.
type skips struct {
	at   map[int64]bool  // by their start
	days map[string]bool // whole days of the event's zone
}

func (k *skips) add(w when) {
	if w.date {
		k.days[w.wall.Format(time.DateOnly)] = true
	} else {
		k.at[w.instant().Unix()] = true
	}
}

func (k *skips) has(start when) bool {
	return k.at[start.instant().Unix()] || k.days[start.wall.Format(time.DateOnly)]
}

// series reads one event with all its recurrences.
func (s *reading) series(one *series, z *zones) {
	skip := &skips{map[int64]bool{}, map[string]bool{}}
	latest := map[string]*component{}
	for _, e := range one.changed {
		id, err := z.when(e.get("RECURRENCE-ID"))
		if err != nil {
			s.wrong(e.line, err)
			continue
		}
		// What was changed takes place elsewhere or not at all, also if we cannot
		// read how.
		skip.add(id)
		if e.get("RECURRENCE-ID").params["RANGE"] != "" {
			s.warn(e.line, one.uid, "changes what follows too (RANGE): only the one recurrence was changed")
		}
		key := id.key()
		if before := latest[key]; before == nil || sequence(e) >= sequence(before) {
			latest[key] = e
		}
	}
	m := one.master
	if m != nil && m.err == nil && cancelled(m) {
		return // and what was changed of it before
	}
	if m != nil {
		if err := s.master(one.uid, m, z, skip); err != nil {
			s.wrong(lineOf(m), fmt.Errorf("event %.60q: %w", label(one.uid, m), err))
		}
	}
	for _, e := range one.changed {
		id, err := z.when(e.get("RECURRENCE-ID"))
		if err != nil || latest[id.key()] != e || e.err == nil && cancelled(e) {
			continue
		}
		if err := s.change(one.uid, id.key(), e, m, z); err != nil {
			s.wrong(lineOf(e), fmt.Errorf("event %.60q: %w", label(one.uid, e), err))
		}
	}
}

func lineOf(e *component) int {
	if e.err != nil {
		return e.errLine
	}
	return e.line
}

func label(uid string, e *component) string {
	if title := e.text("SUMMARY"); title != "" {
		return title
	}
	return uid
}

// master reads an event and its recurrences that were not changed.
func (s *reading) master(uid string, e *component, z *zones, skip *skips) error {
	w, start, long, err := s.event(uid, e, z)
	if err != nil {
		return err
	}
	if w.Unscoped() {
		s.warn(e.line, uid, unscopedText)
	}
	rules, extra := e.all("RRULE"), e.all("RDATE")
	if len(rules)+len(extra) == 0 {
		w.ID = uid
		s.place(e.line, w, start, long)
		return nil
	}
	if len(rules) > 1 {
		return errors.New("more than one RRULE")
	}
	for _, p := range e.all("EXDATE") {
		for one := range strings.SplitSeq(p.value, ",") {
			x, err := z.when(&prop{p.name, p.params, one, p.line})
			if err != nil {
				return err
			}
			skip.add(x)
		}
	}
	from, to := s.horizon()
	// Most recurrences of an old event are over; their walls tell it cheaply.
	old := from.AddDate(0, 0, -2-long.days).Add(-long.exact)
	done := map[int64]bool{}
	put := func(at when, long length) {
		begin := at.instant()
		if done[begin.Unix()] || skip.has(at) || !begin.Before(to) || !long.end(at).After(from) {
			return
		}
		done[begin.Unix()] = true
		one := w
		one.ID = uid + "/" + at.key()
		s.place(e.line, one, at, long)
	}
	if len(rules) == 0 {
		put(start, long)
	}
	if err := s.extra(extra, z, long, put); err != nil {
		return err
	}
	if len(rules) == 0 {
		return nil
	}
	r, err := parseRule(rules[0].value)
	if err != nil {
		return err
	}
	return s.budget.walls(r, start.wall, wall(to, start.zone),
		func(t time.Time) time.Time { return wall(t, start.zone) },
		func(t time.Time) {
			if t.After(old) {
				put(when{t, start.zone, start.date}, long)
			}
		})
}

// extra gives put the dates of RDATE, which may have lengths of their own.
func (s *reading) extra(dates []*prop, z *zones, long length, put func(when, length)) error {
	for _, p := range dates {
		for one := range strings.SplitSeq(p.value, ",") {
			begin, rest, period := strings.Cut(one, "/")
			at, err := z.when(&prop{p.name, p.params, begin, p.line})
			if err != nil {
				return err
			}
			own := long
			if period && strings.HasPrefix(rest, "P") {
				own, err = parseLength(rest)
			} else if period {
				var end when
				end, err = z.when(&prop{p.name, p.params, rest, p.line})
				own = length{exact: end.instant().Sub(at.instant())}
			}
			if err != nil {
				return err
			}
			put(at, own)
		}
	}
	return nil
}

// change reads one recurrence that was changed. What it does not say, the event
// it belongs to says.
func (s *reading) change(uid, key string, e, master *component, z *zones) error {
	w, start, long, err := s.event(uid, e, z)
	if err != nil {
		return err
	}
	if master != nil && w.Unscoped() && master.err == nil {
		of, _, _, err := s.event(uid, master, z)
		if err != nil {
			return err
		}
		w.Accounts, w.Actors, w.People, w.Resources, w.Regions, w.Kinds = of.Accounts, of.Actors, of.People, of.Resources, of.Regions, of.Kinds
	}
	w.ID = uid + "/" + key
	if w.Unscoped() && (master == nil || master.err != nil) {
		s.warn(e.line, uid, unscopedText)
	}
	s.place(e.line, w, start, long)
	return nil
}

// event reads what all recurrences of an event have in common.
func (s *reading) event(uid string, e *component, z *zones) (finding.Window, when, length, error) {
	var w finding.Window
	if e.err != nil {
		return w, when{}, length{}, e.err
	}
	p := e.get("DTSTART")
	if p == nil {
		return w, when{}, length{}, errors.New("no DTSTART")
	}
	start, err := z.when(p)
	if err != nil {
		return w, when{}, length{}, err
	}
	long, err := z.long(e, start)
	if err != nil {
		return w, when{}, length{}, err
	}
	if !long.end(start).After(start.instant()) {
		return w, when{}, length{}, errors.New("it ends when it starts, or before")
	}
	if z.floating(p) && !start.date {
		s.warn(e.line, uid, "names no time zone: read as "+z.zone.String())
	}
	err = describe(e, &w)
	return w, start, long, err
}

// place adds the window of one recurrence.
func (s *reading) place(line int, w finding.Window, start when, long length) {
	w.Start, w.End = start.instant(), long.end(start)
	s.add(line, w)
}
