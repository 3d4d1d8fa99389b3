package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yagura-sec/yagura/finding"
)

const secondsADay = 24 * 60 * 60

func dayOf(t time.Time) int64 { return finding.Day(t).Unix() / secondsADay }

type ruleDay struct {
	ruleOf
	day int64
}

type sourceDay struct {
	source string
	day    int64
}

// deltas are changes to the tables of days.
type deltas struct {
	matches map[ruleDay]int64
	events  map[sourceDay]int64
}

func newDeltas() deltas { return deltas{map[ruleDay]int64{}, map[sourceDay]int64{}} }

func (d *deltas) add(rule, source string, day, n int64) {
	d.matches[ruleDay{ruleOf{rule, source}, day}] += n
	d.events[sourceDay{source, day}] += 0 // so that count looks at the day
}

func (d *deltas) addSource(source string, day, n int64) { d.events[sourceDay{source, day}] += n }

// count applies the deltas and gives the rules and days that became demoted,
// ceased to be, appeared or went.
func (r *recording) count(d deltas) (changed []ruleDay, err error) {
	for at, n := range d.matches {
		if n == 0 {
			continue
		}
		if _, err := r.t.Exec(`INSERT INTO rule_day VALUES (?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET matches = matches + excluded.matches`,
			at.rule, at.source, at.day, n); err != nil {
			return nil, err
		}
	}
	for at, n := range d.events {
		var events int64
		if err := r.t.Scan(`INSERT INTO source_day VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events RETURNING events`,
			[]any{at.source, at.day, n}, &events); err != nil {
			return nil, err
		}
		days, err := r.judge(at, events, d.matches)
		if err != nil {
			return nil, err
		}
		changed = append(changed, days...)
	}
	return changed, nil
}

// judge looks at every rule that matched events of a source on a day.
func (r *recording) judge(at sourceDay, events int64, deltas map[ruleDay]int64) (changed []ruleDay, err error) {
	rows, err := r.t.Query(`SELECT rule, matches, demoted FROM rule_day WHERE log_source = ? AND day = ?`, at.source, at.day)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	type verdict struct {
		matches int64
		demoted bool
	}
	verdicts := map[ruleDay]verdict{}
	for rows.Next() {
		var rule string
		var matches int64
		var was bool
		if err := rows.Scan(&rule, &matches, &was); err != nil {
			return nil, err
		}
		d := ruleDay{ruleOf{rule, at.source}, at.day}
		is := finding.Tally{Matches: matches, Events: events}.Demoted()
		appeared := matches == deltas[d] && deltas[d] != 0
		if is != was || appeared || matches == 0 {
			changed = append(changed, d)
			verdicts[d] = verdict{matches, is}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	rows.Close()
	for d, v := range verdicts {
		if v.matches == 0 {
			_, err = r.t.Exec(`DELETE FROM rule_day WHERE log_source = ? AND day = ? AND rule = ?`, d.source, d.day, d.rule)
		} else {
			_, err = r.t.Exec(`UPDATE rule_day SET demoted = ? WHERE log_source = ? AND day = ? AND rule = ?`, v.demoted, d.source, d.day, d.rule)
		}
		if err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// demotedBy tells of a finding, by its rule, log source and first and last day,
// what finding.Demoted tells of severities below high.
const demotedBy = `(EXISTS (SELECT 1 FROM rule_day d WHERE d.rule = ?1 AND d.log_source = ?2 AND d.day BETWEEN %[1]s AND %[2]s)
	AND NOT EXISTS (SELECT 1 FROM rule_day d WHERE d.rule = ?1 AND d.log_source = ?2 AND d.day BETWEEN %[1]s AND %[2]s AND NOT d.demoted))`

var (
	askDemoted = `SELECT ` + fmt.Sprintf(demotedBy, "?3", "?4")
	setDemoted = `UPDATE listed SET demoted = ` + fmt.Sprintf(demotedBy, daySQL("first"), daySQL("last")) +
		` WHERE rule = ?1 AND log_source = ?2 AND severity < ?3 AND last >= ?4 AND first < ?5 RETURNING key, demoted`
)

// daySQL is the day of a column of microseconds; events are later than 1970.
func daySQL(column string) string { return column + "/86400000000" }

func (r *recording) demoted(f *finding.Finding) (bool, error) {
	rule := ruleOf{f.Rule, f.LogSource}
	noisy, asked := r.noisy[rule]
	if !asked {
		if err := r.t.Scan(`SELECT EXISTS (SELECT 1 FROM rule_day WHERE rule = ? AND log_source = ? AND demoted)`, []any{f.Rule, f.LogSource}, &noisy); err != nil {
			return false, err
		}
		r.noisy[rule] = noisy
	}
	if f.Rule == "" || f.Severity.NeverDemoted() || !noisy {
		return false, nil
	}
	var demoted bool
	err := r.t.Scan(askDemoted, []any{f.Rule, f.LogSource, dayOf(f.FirstSeen), dayOf(f.LastSeen)}, &demoted)
	return demoted, err
}

// review sets anew which findings of a rule are demoted, where they touch a day.
func (r *recording) review(d ruleDay) error {
	const micros = secondsADay * 1e6
	if d.rule == "" {
		return nil
	}
	rows, err := r.t.Query(setDemoted, d.rule, d.source, finding.High.Rank(), d.day*micros, (d.day+1)*micros)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		var demoted bool
		if err := rows.Scan(&key, &demoted); err != nil {
			return err
		}
		if e := r.put[key]; e != nil {
			e.demoted = demoted
		} else {
			r.demote[key] = demoted
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// Counters is triage.Reader's.
func (s *Store) Counters(ctx context.Context) ([]finding.Tally, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT d.rule, d.log_source, d.day, d.matches, s.events
		FROM rule_day d JOIN source_day s USING (log_source, day) WHERE d.demoted ORDER BY d.day, d.rule, d.log_source`)
	if err != nil {
		return nil, fmt.Errorf("read demoted rules: %w", err)
	}
	defer rows.Close()
	var out []finding.Tally
	for rows.Next() {
		var t finding.Tally
		var day int64
		if err := rows.Scan(&t.Rule, &t.LogSource, &day, &t.Matches, &t.Events); err != nil {
			return nil, fmt.Errorf("read demoted rules: %w", err)
		}
		t.Day = time.Unix(day*secondsADay, 0).UTC()
		out = append(out, t)
	}
	return out, rows.Err()
}
