package configcost

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/parquet-go/parquet-go"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/normalise/cloudtrail"
)

// written is a world's files by name, unpacked, and its truth.
type written struct {
	files map[string][]byte
	world World
	sum   Summary
}

func write(t *testing.T, c Config) written {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "world")
	sum, err := c.Write(t.Context(), dir)
	return readBack(t, dir, sum, err)
}

func readBack(t *testing.T, dir string, sum Summary, err error) written {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	out := written{files: map[string][]byte{}, sum: sum}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		if name = filepath.ToSlash(name); strings.HasSuffix(name, ".gz") && !strings.HasPrefix(name, "logs/") {
			text = unpacked(t, text)
		}
		out.files[name] = text
		return err
	})
	if err == nil {
		err = json.Unmarshal(out.files["world.json"], &out.world)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func unpacked(t *testing.T, text []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err == nil {
		text, err = io.ReadAll(z)
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// records are those of all logs.
func (w written) records(t *testing.T) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		t.Helper()
		for name, text := range w.files {
			if !strings.HasPrefix(name, "logs/") {
				continue
			}
			var f struct{ Records []json.RawMessage }
			if err := json.Unmarshal(unpacked(t, text), &f); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, r := range f.Records {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// TestLogs: every record is read as it would be, and each day has exactly so many
// creations and deletions, of which so many are the loop's.
func TestLogs(t *testing.T) {
	w := write(t, Config{Seed: 4, Records: fewest})
	type key struct{ day, name string }
	count, loop := map[key]int{}, map[string]int{}
	ids, made, deleted := map[string]bool{}, map[string]time.Time{}, map[string]time.Time{}
	read := 0
	for raw := range w.records(t) {
		events, err := cloudtrail.Normaliser{}.Append(nil, event.Raw{Body: raw})
		if err != nil || len(events) != 1 {
			t.Fatalf("%v: %s", err, raw)
		}
		e := events[0]
		read++
		if e.Time.Before(w.world.Start) || !e.Time.Before(w.world.End) || e.ActorUID == "" && e.ActorType != event.ActorService && !strings.Contains(string(raw), "AwsServiceEvent") {
			t.Errorf("%s by %q: %s", e.Time, e.ActorUID, raw)
		}
		var r record
		if err := json.Unmarshal(raw, &r); err != nil {
			t.Fatal(err)
		}
		if ids[r.ID] {
			t.Fatalf("two records have the id %s", r.ID)
		}
		ids[r.ID] = true
		if r.Recipient != w.world.Truth.Account {
			continue
		}
		at := r.Time[:10]
		count[key{at, r.Name}]++
		switch r.Name {
		case "CreateNetworkInterface":
			if strings.Contains(string(r.Request), quoted(w.world.Truth.Service)) {
				loop[at]++
			}
			made[interfaceOf(t, r.Response)] = e.Time
		case "DeleteNetworkInterface":
			deleted[interfaceOf(t, r.Request)] = e.Time
		}
	}
	for id, at := range deleted {
		if m, ok := made[id]; ok && !m.Before(at) || !ok && at.Sub(w.world.Start) > day {
			t.Errorf("%s is deleted at %s, made at %s", id, at, m)
		}
	}
	for id, at := range made {
		if _, ok := deleted[id]; !ok && w.world.End.Sub(at) > day {
			t.Errorf("%s is made at %s and never deleted", id, at)
		}
	}
	if read != w.sum.Ordinary+w.sum.Story || read != w.world.Ordinary+w.world.Told || w.sum.Ordinary < fewest {
		t.Errorf("%d records are there, %+v", read, w.sum)
	}
	for at := w.world.Start; at.Before(w.world.End); at = at.Add(day) {
		d := at.Format(time.DateOnly)
		if a, b, c := count[key{d, "CreateNetworkInterface"}], count[key{d, "DeleteNetworkInterface"}], loop[d]; a != 8500 || b != 8500 || c != 7820 {
			t.Errorf("on %s: %d made, %d deleted, %d of the loop", d, a, b, c)
		}
	}
}

// interfaceOf finds the interface that a request or an answer is about.
func interfaceOf(t *testing.T, text json.RawMessage) string {
	t.Helper()
	_, rest, ok := strings.Cut(string(text), `"networkInterfaceId":"`)
	if !ok {
		t.Fatalf("no interface in %s", text)
	}
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

// TestNumbers: the numbers of the story are the same whatever the seed, and those of
// the variants what they are about.
func TestNumbers(t *testing.T) {
	f := func(variant, total, actionable string, changes int, loop bool) {
		t.Helper()
		for seed := range int64(2) {
			w := build(Config{Seed: seed, Variant: variant})
			tr := w.truth()
			if tr.Total.String() != total || tr.Actionable.String() != actionable || tr.Changes != changes || tr.Loop != loop {
				t.Errorf("%s, seed %d: %s, %s, %d a day, loop %v", variant, seed, tr.Total, tr.Actionable, tr.Changes, tr.Loop)
			}
			w.checkCounts(t)
			if seed == 0 {
				w.checkLives(t)
			}
		}
	}
	f(Default, "3745.08", "1475.28", 17_000, true)
	f(Move, "3745.08", "1475.28", 17_000, true)
	f(IntegrationOff, "3745.08", "3745.08", 17_000, true)
	f(NoCounts, "3745.08", "1475.28", 17_000, true)
	f(Ratios, "0.006", "0.003", 120, false)
	f(NoControlTower, "3745.08", "3745.08", 17_000, true)
	f(FirewallManager, "2269.8", "0", 17_000, true)
	f(Schedule, "3745.08", "1475.28", 17_000, false)
	f(LateRows, "3745.08", "1475.28", 17_000, true)
	build(Config{Seed: 903, Variant: Ratios}).checkLives(t) // one is made in the last second of a day
}

// checkCounts holds the counts of days against the plan, and the bill against both.
func (w *world) checkCounts(t *testing.T) {
	t.Helper()
	type key struct{ account, kind string }
	items, days := map[key]int64{}, map[key]int64{}
	perDay := map[string]int64{}
	for _, c := range w.items {
		if c.items < 0 || c.resourceDays < 0 || c.resourceDays > c.items {
			t.Errorf("%s, %s: %d items, %d resources", c.kind, c.day, c.items, c.resourceDays)
		}
		perDay[c.account.id+stamp(c.day)] += c.items
		if !c.day.Before(w.first) {
			items[key{c.account.id, c.kind}] += c.items
			days[key{c.account.id, c.kind}] += c.resourceDays
		}
		if c.kind == networkInterface && !c.day.Before(w.start) && c.day.Before(w.end) && c.items != int64(2*w.plan.creations) {
			t.Errorf("%d items of interfaces on %s", c.items, c.day)
		}
	}
	for _, c := range w.plan.counts {
		if k := (key{c.account.id, c.kind}); items[k] != c.items || days[k] != c.resourceDays {
			t.Errorf("%s: %d items, %d resources, planned %d, %d", c.kind, items[k], days[k], c.items, c.resourceDays)
		}
	}
	for _, l := range w.bills {
		if l.usage == prefix+"ConfigurationItemRecorded" {
			if n := perDay[l.account.id+stamp(l.day)]; l.quantity != units(n) || l.kind == usageLine && l.cost != units(n).times(continuous) {
				t.Errorf("%s has %d items on %s, the bill says %s for %s", l.account.name, n, l.day, l.quantity, l.cost)
			}
		}
	}
}

// checkLives holds the days of interfaces against the plan.
func (w *world) checkLives(t *testing.T) {
	t.Helper()
	made, deleted, late := map[string]int{}, map[string]int{}, 0
	for at := w.start.Add(-day); at.Before(w.end); at = at.Add(day) {
		for _, m := range w.makers {
			for _, b := range w.lives(m, at) {
				made[b.start.Format(time.DateOnly)]++
				deleted[b.end.Format(time.DateOnly)]++
				if !b.start.Before(b.end) {
					late++
				}
			}
		}
	}
	for at := w.start; at.Before(w.end); at = at.Add(day) {
		if d := at.Format(time.DateOnly); made[d] != w.plan.creations || deleted[d] != w.plan.creations || late > 0 {
			t.Errorf("on %s %d are made, %d deleted, of %d; %d end before they begin", d, made[d], deleted[d], w.plan.creations, late)
		}
	}
}

// sums are what a bill comes to by kind of line, in the writing of its format.
type sums map[string]*big.Rat

func (s sums) add(t *testing.T, kind, text string) {
	t.Helper()
	n, ok := new(big.Rat).SetString(text)
	if !ok {
		return // a row of the variant that has such
	}
	if s[kind] == nil {
		s[kind] = new(big.Rat)
	}
	s[kind].Add(s[kind], n)
}

func (s sums) is(t *testing.T, want Amount, kinds ...string) {
	t.Helper()
	got := new(big.Rat)
	for _, k := range kinds {
		if s[k] != nil {
			got.Add(got, s[k])
		}
	}
	if got.FloatString(10) != want.full() {
		t.Errorf("%v come to %s, want %s", kinds, got.FloatString(10), want.full())
	}
}

// TestBills: whoever adds up the rows of the files gets the truth's sums.
func TestBills(t *testing.T) {
	dir := t.TempDir()
	sum, err := Config{Seed: 11, Variant: LateRows}.WriteBills(dir)
	w := readBack(t, dir, sum, err)
	months := w.world.Truth.Months
	name := func(i int, ending string) []byte {
		for path, text := range w.files {
			if strings.Contains(path, "BILLING_PERIOD="+months[i].Month) && strings.HasSuffix(path, ending) {
				return text
			}
		}
		t.Fatalf("no bill %s of %s", ending, months[i].Month)
		return nil
	}
	check := func(s sums, m Month) {
		t.Helper()
		s.is(t, m.Total, usageLine, coveredLine, negationLine, planFee, feeLine, "Purchase")
		s.is(t, m.Tax, taxLine)
		s.is(t, m.Credit, creditLine)
		s.is(t, m.Refund, refundLine)
	}
	rows, spoilt := 0, 0
	for i := range 2 {
		s := sums{}
		for _, row := range table(t, name(i, ".csv.gz")) {
			if len(row) != len(curColumns) || row[13] == "n/a" || strings.Contains(row[13], ",") || row[19] == "yesterday" {
				spoilt++
				continue
			}
			rows++
			s.add(t, row[9], row[13])
		}
		check(s, months[i])
	}
	if spoilt != Spoilt || w.world.Truth.Spoilt != Spoilt {
		t.Errorf("%d rows cannot be read, the truth says %d", spoilt, w.world.Truth.Spoilt)
	}
	all, err := parquet.Read[curRow](bytes.NewReader(name(2, ".parquet")), int64(len(name(2, ".parquet"))))
	if err != nil {
		t.Fatal(err)
	}
	s := sums{}
	for _, r := range all {
		rows++
		s.add(t, r.Kind, fmt.Sprint(r.Cost))
	}
	check(s, months[2])
	if rows != w.world.Rows || rows != w.sum.Rows {
		t.Errorf("%d rows are there, %d are said", rows, w.world.Rows)
	}
	s = sums{}
	for _, row := range table(t, w.files["extra/focus/"+months[2].Month+".csv.gz"]) {
		s.add(t, row[5], row[0])
	}
	check(s, months[2])
	security := Amount(0)
	for _, x := range months[2].Services {
		security += x.Amount
	}
	if security != months[2].Security || months[1].Refund >= 0 || months[0].Credit >= 0 || months[2].Tax <= 0 {
		t.Errorf("%+v", months)
	}
}

func table(t *testing.T, text []byte) [][]string {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	return rows[1:]
}

// TestMove: what one service bills less, another bills more.
func TestMove(t *testing.T) {
	w := build(Config{Seed: 2, Variant: Move})
	tr := w.truth()
	of := func(m Month, service string) Amount {
		for _, s := range m.Services {
			if s.Service == service && s.Account == tr.Account {
				return s.Amount
			}
		}
		return 0
	}
	fall := of(tr.Months[1], "Amazon GuardDuty") - of(tr.Months[2], "Amazon GuardDuty")
	rise := of(tr.Months[2], "AWS Security Hub") - of(tr.Months[1], "AWS Security Hub")
	if fall < units(200) || rise < units(200) || (fall-rise) > fall/5 || (rise-fall) > fall/5 {
		t.Errorf("GuardDuty falls by %s, Security Hub rises by %s", fall, rise)
	}
}

// TestSame: the same configuration writes the same bytes, another seed others.
func TestSame(t *testing.T) {
	c := Config{Seed: 9, Variant: Ratios, Records: fewest}
	a, b := write(t, c), write(t, c)
	if len(a.files) != len(b.files) {
		t.Fatalf("%d and %d files", len(a.files), len(b.files))
	}
	for name, text := range a.files {
		if !bytes.Equal(text, b.files[name]) {
			t.Errorf("%s differs", name)
		}
	}
	c.Seed = 10
	if d := write(t, c); bytes.Equal(d.files["world.json"], a.files["world.json"]) || d.world.Truth.Account == a.world.Truth.Account {
		t.Error("another seed writes the same world")
	}
}

// TestNoCounts: there is nothing that was counted.
func TestNoCounts(t *testing.T) {
	w := build(Config{Seed: 1, Variant: NoCounts})
	dir := t.TempDir()
	if err := w.writeCounts(dir); err != nil {
		t.Fatal(err)
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) > 0 || w.truth().Counted {
		t.Errorf("%v: %v", err, all)
	}
}

// TestRecords: a record of each kind, as it is written.
func TestRecords(t *testing.T) {
	var b bytes.Buffer
	seen := map[string]bool{}
	for _, variant := range []string{Ratios, Schedule} {
		w := build(Config{Seed: 1, Variant: variant, Records: fewest})
		if variant == Schedule {
			w.makers = w.makers[:1]
		}
		w.delivery = &delivery{w: w, rng: w.chance("records"), pending: map[stream][]delivered{}}
		for at := w.start; at.Before(w.end); at = at.Add(day) {
			for _, part := range []func(time.Time) error{w.interfaces, w.governing, w.walling} {
				if err := part(at); err != nil {
					t.Fatal(err)
				}
			}
			if variant == Schedule {
				break
			}
		}
		for _, s := range w.delivery.order {
			for _, d := range w.delivery.pending[s] {
				var r record
				if err := json.Unmarshal(d.text, &r); err != nil {
					t.Fatal(err)
				}
				key := r.Source + " " + r.Name + " " + r.Address
				if r.Who.Session != nil {
					key += r.Who.Session.Issuer.Name
				}
				if !seen[key] {
					seen[key] = true
					b.Write(append(d.text, '\n'))
				}
			}
		}
	}
	golden.Check(t, "testdata/records.golden", b.Bytes())
}

// TestFacts: what is set up, as it is described.
func TestFacts(t *testing.T) {
	var b bytes.Buffer
	for _, variant := range []string{Default, IntegrationOff} {
		w := build(Config{Seed: 1, Variant: variant})
		for _, a := range w.accounts {
			text, err := json.Marshal(map[string]any{"variant": variant, "account": a.name, "facts": w.facts(a)})
			if err != nil {
				t.Fatal(err)
			}
			b.Write(append(text, '\n'))
		}
	}
	golden.Check(t, "testdata/facts.golden", b.Bytes())
}

func TestCheck(t *testing.T) {
	f := func(c Config, want string) {
		t.Helper()
		if err := c.Check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
	f(Config{}, "")
	f(Config{Variant: "none"}, `variant "none"`)
	f(Config{Records: 3}, "records 3")
}

// TestAmount: exact, and rounded where it has to be.
func TestAmount(t *testing.T) {
	f := func(got Amount, want string) {
		t.Helper()
		if got.String() != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	f(units(510_000).times(continuous)-units(900).times(daily), "1519.2")
	f(units(-3).times(whole/3), "-0.9999999999")
	f((whole / 2).times(1), "0.0000000001")
	f(units(1).over(3), "0.3333333333")
	f(0, "0")
	f(-whole/10, "-0.1")
	for _, text := range []string{"1519.2", "-0.0000000001", "3745.08", "0", "12"} {
		var a Amount
		if err := json.Unmarshal([]byte(text), &a); err != nil || a.String() != text {
			t.Errorf("%s is read as %s: %v", text, a, err)
		}
	}
	for _, text := range []string{`"1"`, "1e3", "0.00000000001"} {
		var a Amount
		if err := json.Unmarshal([]byte(text), &a); err == nil {
			t.Errorf("%s is read as %s", text, a)
		}
	}
}
