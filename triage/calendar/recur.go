package calendar

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// Bounds of the work that the rules of one file may make. A rule is a small text
// that may ask for a lot of it.
const (
	maxSteps    = 1_000_000 // dates gone through, within the horizon or before it
	maxFruit    = 10        // rules that never come true: each is looked for over centuries
	maxInterval = 1_000
	maxClock    = 24 // times of day in a rule
)

// budget is what is left of them.
type budget struct{ steps, fruitless int }

// rule is an RRULE that was read.
type rule struct {
	options rrule.ROption
	until   string // as written
	raw     string
}

// ruleParts are the parts of a rule that we know how to follow.
var ruleParts = []string{
	"FREQ", "UNTIL", "COUNT", "INTERVAL", "BYSECOND", "BYMINUTE", "BYHOUR", "BYDAY",
	"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS", "WKST",
}

// parseRule reads a rule and refuses what would not end.
func parseRule(text string) (rule, error) {
	r := rule{raw: text}
	var parts []string
	for part := range strings.SplitSeq(strings.ToUpper(strings.TrimSpace(text)), ";") {
		key, value, ok := strings.Cut(part, "=")
		switch {
		case part == "":
			continue
		case !ok || value == "":
			return r, fmt.Errorf("RRULE: %.40q has no value", part)
		case !slices.Contains(ruleParts, key):
			return r, fmt.Errorf("RRULE: %.40s is not known", key)
		case key == "UNTIL":
			r.until = value
			continue
		case key == "COUNT" || key == "INTERVAL":
			if n, err := strconv.Atoi(value); err != nil || n < 1 || key == "INTERVAL" && n > maxInterval {
				return r, fmt.Errorf("RRULE: %s=%.40s is not a number from 1 on that makes sense", key, value)
			}
		}
		parts = append(parts, part)
	}
	o, err := rrule.StrToROption(strings.Join(parts, ";"))
	if err != nil {
		return r, fmt.Errorf("RRULE: %w", err)
	}
	r.options = *o
	return r, r.check()
}

// check refuses what the library would go through without an end, or trip over.
func (r *rule) check() error {
	o := &r.options
	if o.Freq > rrule.DAILY {
		return fmt.Errorf("RRULE: FREQ=%v: planned work that comes more than daily is not read; FREQ=DAILY with BYHOUR is", o.Freq)
	}
	if max(1, len(o.Byhour))*max(1, len(o.Byminute))*max(1, len(o.Bysecond)) > maxClock {
		return fmt.Errorf("RRULE: more than %d times a day", maxClock)
	}
	most := 5 // weeks that a month has begun
	if o.Freq == rrule.YEARLY && len(o.Bymonth) == 0 {
		most = 53
	}
	for _, day := range o.Byweekday {
		switch n := day.N(); {
		case n != 0 && o.Freq > rrule.MONTHLY:
			return errors.New("RRULE: BYDAY with a number needs months or years")
		case n > most || n < -most:
			return fmt.Errorf("RRULE: BYDAY: there is no week %d", n)
		}
	}
	return nil
}

// walls calls yield with the rule's times from start on, up to but not at end.
// All are readings of a clock on the wall, carried as UTC: a meeting at nine is
// at nine in summer and winter. toWall turns UNTIL, which is UTC, into one.
func (b *budget) walls(r rule, start, end time.Time, toWall func(time.Time) time.Time, yield func(time.Time)) (err error) {
	// The library has met rules that it trips over; one more of them is a wrong
	// rule, not the end of the program.
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("RRULE: %.80s cannot be followed", r.raw)
		}
	}()
	if r.until != "" {
		until, err := r.last(toWall)
		if err != nil {
			return err
		}
		if until.Before(end) {
			end = until
		}
	}
	if !start.Before(end) {
		return nil
	}
	// The calendar repeats every 400 years, weekdays and all. The library looks for
	// a date until the year 9999, so we go where that is near: a rule that never
	// comes true costs centuries instead of millennia.
	shift := (9999 - end.Year()) / 400 * 400
	o := r.options
	o.Dtstart, o.Until = start.AddDate(shift, 0, 0), end.AddDate(shift, 0, 0).Add(-time.Second)
	rr, err := rrule.NewRRule(o)
	if err != nil {
		return fmt.Errorf("RRULE: %w", err)
	}
	if b.fruitless > maxFruit {
		return errors.New("RRULE: too many rules of this file never come true: this one is not followed")
	}
	next, met := rr.Iterator(), false
	for {
		t, ok := next()
		if !ok {
			break
		}
		if b.steps++; b.steps > maxSteps {
			return errors.New("RRULE: the rules of this file recur too often: this one is not followed to its end")
		}
		met = true
		yield(t.AddDate(-shift, 0, 0))
	}
	if !met {
		b.fruitless++
	}
	return nil
}

// last is the wall's time that recurrences have to be before.
func (r *rule) last(toWall func(time.Time) time.Time) (time.Time, error) {
	if t, err := time.Parse("20060102", r.until); err == nil {
		return t.AddDate(0, 0, 1), nil // the day itself counts
	}
	if t, err := time.Parse("20060102T150405Z", r.until); err == nil {
		return toWall(t).Add(time.Second), nil
	}
	if t, err := time.Parse("20060102T150405", r.until); err == nil {
		return t.Add(time.Second), nil
	}
	return time.Time{}, fmt.Errorf("RRULE: UNTIL=%.40s is no time", r.until)
}

// wall is what a clock in the zone shows at t, carried as UTC.
func wall(t time.Time, zone *time.Location) time.Time {
	l := t.In(zone)
	return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), 0, time.UTC)
}

// instant is when a clock in the zone shows w: the first time of two, and where
// the clock leaps over it, what it would have been without (RFC 5545, 3.3.5).
func instant(w time.Time, zone *time.Location) time.Time {
	guess := time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), 0, zone)
	_, before := guess.Add(-3 * time.Hour).Zone()
	old := w.Add(-time.Duration(before) * time.Second)
	if !wall(old, zone).Equal(w) && wall(guess, zone).Equal(w) {
		return guess.UTC()
	}
	return old
}
