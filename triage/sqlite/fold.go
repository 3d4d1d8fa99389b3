package sqlite

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

// speak keeps the topics of a finding.
func (r *recording) speak(f *finding.Finding) error {
	topics := triage.Topics(&f.Trouble)
	from, to := f.Active()
	first, last := from.UnixMicro(), to.UnixMicro()
	state := f.External != nil && f.External.State
	rows, err := r.t.Query(`SELECT topic, first = ? AND last = ? AND state = ? FROM topic WHERE key = ?`, first, last, state, f.Key)
	if err != nil {
		return err
	}
	defer rows.Close()
	had := 0
	same := true
	for rows.Next() {
		var topic triage.Topic
		var as bool
		if err := rows.Scan(&topic, &as); err != nil {
			return err
		}
		had++
		same = same && as && slices.Contains(topics, topic)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || same && had == len(topics) {
		return err
	}
	if err := r.silence(f.Key); err != nil {
		return err
	}
	among, part := triage.PartTopic(&f.Trouble)
	for _, topic := range topics {
		source := f.Source
		if part && topic == among {
			source = partSource
		}
		if _, err := r.t.Exec(`INSERT INTO topic VALUES (?, ?, ?, ?, ?, ?)`, string(topic), f.Key, source, state, first, last); err != nil {
			return err
		}
	}
	return nil
}

// partSource is the source of the topic of what is part of a finding of ours: what
// one product says twice does not meet.
const partSource = "part"

// silence takes away the topics of a finding. Those that met it there are looked
// at again.
func (r *recording) silence(key string) error {
	near, err := r.neighbours(key)
	if err != nil {
		return err
	}
	for _, k := range near {
		r.unmet[k] = true
	}
	_, err = r.t.Exec(`DELETE FROM topic WHERE key = ?`, key)
	return err
}

// met are the pairs of findings that share a topic and were active at about the
// same time, told by different products.
var met = fmt.Sprintf(`FROM topic a JOIN topic b ON b.topic = a.topic AND b.key <> a.key
	WHERE a.source <> b.source AND a.state = b.state AND (a.state OR b.last >= a.first - %d AND b.first <= a.last + %[1]d)`, finding.Nearby.Microseconds())

// neighbours are the findings that met one.
func (r *recording) neighbours(key string) ([]string, error) {
	return r.strings(`SELECT DISTINCT b.key `+met+` AND a.key = ?`, key)
}

// together folds anew what the findings that were written, and those that went,
// make a difference to. Where a finding goes depends on those above it in rank
// alone: so looking again at whatever is near one that moved comes to an end,
// and to the same whatever the order.
func (r *recording) together() error {
	var any bool
	if err := r.t.Scan(`SELECT EXISTS (SELECT 1 FROM topic WHERE source <> '') OR EXISTS (SELECT 1 FROM folded)`, nil, &any); err != nil || !any {
		return err
	}
	x := folding{r: r, read: map[string]*finding.Finding{}, leads: map[string]bool{}}
	if err := x.begin(); err != nil {
		return err
	}
	for len(x.queue) > 0 {
		key := x.queue[0]
		x.queue = x.queue[1:]
		delete(x.queued, key)
		if err := x.place(key); err != nil {
			return err
		}
	}
	for key := range x.leads {
		if err := r.relist(key); err != nil {
			return err
		}
	}
	return nil
}

// folding is one look at what is to be folded anew.
type folding struct {
	r      *recording
	read   map[string]*finding.Finding // nil: there is none
	queue  []string
	queued map[string]bool
	leads  map[string]bool // of which the reports changed, and what moved
}

func (x *folding) add(keys ...string) {
	for _, key := range keys {
		if !x.queued[key] {
			x.queued[key] = true
			x.queue = append(x.queue, key)
		}
	}
}

// begin queues what may be folded of what changed or shares a topic with what did,
// and what was folded into it.
func (x *folding) begin() error {
	x.queued = map[string]bool{}
	r := x.r
	changed := map[string]bool{}
	for _, m := range []map[string]bool{r.gone, r.demote, r.unmet} {
		for key := range m {
			changed[key] = true
		}
	}
	for key := range r.put {
		changed[key] = true
	}
	for rule := range r.hide {
		keys, err := r.strings(`SELECT key FROM listed WHERE rule = ?`, rule)
		if err != nil {
			return err
		}
		for _, key := range keys {
			changed[key] = true
		}
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(changed)), chunk) {
		args := make([]any, len(part))
		for i, key := range part {
			args[i] = key
		}
		in := `(?` + strings.Repeat(", ?", len(part)-1) + `)`
		for _, query := range []string{
			`SELECT DISTINCT a.key ` + met + ` AND a.source <> '' AND a.key IN ` + in, `SELECT DISTINCT b.key ` + met + ` AND b.source <> '' AND a.key IN ` + in,
			`SELECT key FROM folded WHERE key IN ` + in, `SELECT key FROM folded WHERE lead IN ` + in,
		} {
			keys, err := r.strings(query, args...)
			if err != nil {
				return err
			}
			x.add(keys...)
		}
	}
	return nil
}

// finding reads one as it is now.
func (x *folding) finding(key string) (*finding.Finding, error) {
	if f, there := x.read[key]; there {
		return f, nil
	}
	var sum finding.Occurrence
	var decisions int
	found, err := x.r.one(`SELECT `+occurrenceColumns+`, decisions FROM finding WHERE key = ?`, key, &sum, &decisions)
	if err != nil || !found {
		return nil, err
	}
	f, err := x.r.made(&sum, decisions)
	if err != nil {
		return nil, err
	}
	if err := x.r.t.Scan(`SELECT EXISTS (SELECT 1 FROM stage WHERE latest AND hidden AND rule = ?)`, []any{f.Rule}, &f.Staged); err != nil {
		return nil, err
	}
	x.read[key] = f
	return f, nil
}

// place puts one finding where it goes.
func (x *folding) place(key string) error {
	f, err := x.finding(key)
	if err != nil {
		return err
	}
	var to triage.Folded
	var near []string
	if f != nil && triage.MayFold(&f.Trouble) {
		if near, err = x.r.neighbours(key); err != nil {
			return err
		}
		if to, err = x.look(f, near); err != nil {
			return err
		}
	}
	was, err := x.r.foldedAs(key)
	if err != nil {
		return err
	}
	is, err := rowOf(f, to)
	if err != nil || is == was {
		return err
	}
	if _, err := x.r.t.Exec(`DELETE FROM folded WHERE key = ?`, key); err != nil {
		return err
	}
	if is.lead != "" {
		if _, err := x.r.t.Exec(`INSERT INTO folded VALUES (?, ?, ?, ?)`, key, is.lead, is.source, is.same); err != nil {
			return err
		}
	}
	for _, lead := range []string{key, was.lead, is.lead} {
		if lead != "" {
			x.leads[lead] = true
		}
	}
	if (was.source == "") == (is.source == "") {
		return nil
	}
	// It leads, or does so no more.
	for _, k := range near {
		if o := x.read[k]; o != nil && triage.MayFold(&o.Trouble) {
			x.add(k)
		}
	}
	return nil
}

// look says where a finding goes among those near it.
func (x *folding) look(f *finding.Finding, near []string) (to triage.Folded, err error) {
	var others []*finding.Finding
	folded := map[string]bool{}
	for _, key := range near {
		o, err := x.finding(key)
		if err != nil {
			return to, err
		}
		if o == nil {
			continue
		}
		row, err := x.r.foldedAs(key)
		if err != nil {
			return to, err
		}
		folded[key] = row.source != ""
		others = append(others, o)
	}
	return triage.FoldOne(f, others, func(key string) bool { return folded[key] }), nil
}

// foldedRow is a row of the table folded; the zero row is none.
type foldedRow struct{ lead, source, same string }

// keptApart is why a finding stands apart, with what its sentence is made of.
type keptApart struct {
	*finding.Apart
	Said string `json:"said,omitempty"`
}

func rowOf(f *finding.Finding, to triage.Folded) (row foldedRow, err error) {
	var what any = to.Same
	switch {
	case to.Into != "":
		row.lead, row.source = to.Into, f.Said()
	case to.Apart != nil:
		row.lead, what = to.Apart.Beside, keptApart{to.Apart, to.Apart.Text.Made()}
	default:
		return row, nil
	}
	text, err := json.Marshal(what)
	row.same = string(text)
	return row, err
}

// foldedAs is the row of a finding.
func (r *recording) foldedAs(key string) (row foldedRow, err error) {
	err = r.t.Scan(`SELECT lead, source, same FROM folded WHERE key = ?`, []any{key}, &row.lead, &row.source, &row.same)
	if errors.Is(err, sql.ErrNoRows) {
		return foldedRow{}, nil
	}
	return row, err
}

// told sets what f is listed by of folding: whether it is folded, and who else
// reports it.
func (r *recording) told(f *finding.Finding) error {
	return foldedOf(r.t.Query, map[string]*finding.Finding{f.Key: f})
}

// foldedOf tells findings what folding makes of them.
func foldedOf(ask func(string, ...any) (*sql.Rows, error), of map[string]*finding.Finding) error {
	keys := make([]string, 0, len(of))
	for key := range of {
		keys = append(keys, key)
	}
	for part := range slices.Chunk(keys, chunk) {
		args := make([]any, 0, 2*len(part))
		for range 2 {
			for _, key := range part {
				args = append(args, key)
			}
		}
		in := `(?` + strings.Repeat(", ?", len(part)-1) + `)`
		rows, err := ask(`SELECT folded.key, lead, source, same, trouble, finding.last FROM folded JOIN finding USING (key) WHERE folded.key IN `+in+` OR lead IN `+in, args...)
		if err != nil {
			return err
		}
		if err := tellFolded(rows, of); err != nil {
			return err
		}
	}
	for _, f := range of {
		f.Also = triage.Reports(f.Also)
	}
	return nil
}

func tellFolded(rows *sql.Rows, of map[string]*finding.Finding) error {
	defer rows.Close()
	for rows.Next() {
		var key string
		var row foldedRow
		var trouble sql.RawBytes
		var last int64
		if err := rows.Scan(&key, &row.lead, &row.source, &row.same, &trouble, &last); err != nil {
			return err
		}
		var same finding.Same
		f, lead := of[key], of[row.lead]
		var err error
		switch {
		case row.source == "" && f != nil:
			kept := keptApart{Apart: &finding.Apart{}}
			err = json.Unmarshal([]byte(row.same), &kept)
			f.Apart = kept.Apart
			f.Apart.Text = say.Kept(f.Apart.Text.String(), kept.Said)
		case row.source == "":
		default:
			if f != nil {
				f.Folded = row.lead
			}
			if lead != nil {
				var t finding.Trouble
				err = errors.Join(json.Unmarshal([]byte(row.same), &same), json.Unmarshal(trouble, &t))
				t.Key = key
				lead.Also = append(lead.Also, finding.AlsoOf(&t, sqlitedb.Time(last), same))
			}
		}
		if err != nil {
			return err
		}
	}
	return rows.Err()
}
