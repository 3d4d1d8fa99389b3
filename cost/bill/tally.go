package bill

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"github.com/yagura-sec/yagura/cost"
)

const (
	// maxSums is how many sums a reader of rows holds before it gives them away: about
	// 350 bytes each.
	maxSums = 150_000
	// linesGiven is how many lines are given away at once.
	linesGiven = 10_000
	// maxRefusals is how many refused rows are told of one by one, each with so many
	// bytes.
	maxRefusals  = 100
	refusedBytes = 300
	// maxText bounds a name in a bill, in bytes.
	maxText = 2000
	// maxMemo bounds what is remembered of moments.
	maxMemo = 20_000
	// maxAccounts and maxBills bound what is remembered of a file; who is past them is
	// refused, since no file of a real organisation has so many.
	maxAccounts = 50_000
	maxBills    = 10_000
)

// tally sums rows that are alike. Each of several that read a file has its own.
type tally struct {
	*layout
	add func([]cost.Line) error

	sums     map[string]*sum
	services map[string]service
	days     map[string]day
	key      []byte
	small    []byte

	rows, refused int64
	print         fingerprint
	refusals      []cost.Refusal // the first
	bills         map[cost.Bill]bool
	accounts      map[string]bool
}

// sum is what rows that are alike come to. What they have in common is its key, and
// only there: there are many of them.
type sum struct {
	amount, quantity total
	rows             int64
}

// service is what is kept of the rows of a service.
type service struct{ security, resources bool }

func newTally(l *layout, add func([]cost.Line) error) *tally {
	return &tally{
		layout: l, add: add,
		sums: map[string]*sum{}, services: map[string]service{}, days: map[string]day{},
		bills: map[cost.Bill]bool{}, accounts: map[string]bool{},
	}
}

// fault is what is wrong with a row.
type fault struct {
	column string
	reason error
}

func (f *fault) Error() string { return f.reason.Error() }

func (t *tally) fault(f field, reason error) *fault { return &fault{t.column(f), reason} }

// extra is an amount that a row has besides its own.
type extra struct {
	kind   cost.Kind
	amount number
}

// row takes a row whole or refuses it. Raw is the row as it stands in the file, as
// far as is to tell it from others.
func (t *tally) row(vals [][]byte, extras []extra, at int64, raw []byte) error {
	t.rows++
	t.print.add(raw)
	if f := t.take(vals, extras); f != nil {
		t.refuse(at, raw, f)
	}
	if len(t.sums) >= maxSums {
		return t.flush()
	}
	return nil
}

// broken refuses a row that could not be read as one.
func (t *tally) broken(at int64, raw []byte, reason error) {
	t.unread(at, raw, &fault{reason: reason})
}

func (t *tally) unread(at int64, raw []byte, f *fault) {
	t.rows++
	t.print.add(raw)
	t.refuse(at, raw, f)
}

func (t *tally) refuse(at int64, raw []byte, f *fault) {
	t.refused++
	if len(t.refusals) < maxRefusals {
		t.refusals = append(t.refusals, cost.Refusal{Row: at, Column: f.column, Reason: f.reason.Error(), Bytes: slices.Clone(raw[:min(len(raw), refusedBytes)])})
	}
}

func (t *tally) take(vals [][]byte, extras []extra) *fault {
	amount, err := parseNumber(t.value(fAmount, vals), t.comma)
	if err != nil {
		return t.fault(fAmount, err)
	}
	var quantity number
	if v := t.value(fQuantity, vals); v != nil {
		if quantity, err = parseNumber(v, t.comma); err != nil {
			return t.fault(fQuantity, err)
		}
	}
	began, err := t.day(t.value(fDay, vals))
	if err != nil {
		return t.fault(fDay, err)
	}
	month := began
	if v := t.value(fMonth, vals); v != nil {
		if month, err = t.day(v); err != nil {
			return t.fault(fMonth, err)
		}
	}
	kind, ok := t.kind(t.value(fKind, vals))
	if !ok {
		return t.fault(fKind, errors.New("is empty"))
	}
	s, f := t.sum(vals, month.first(), began, kind)
	if f != nil {
		return f
	}
	s.amount.add(amount)
	s.quantity.add(quantity)
	s.rows++
	for _, x := range extras {
		s, f := t.sum(vals, month.first(), began, x.kind)
		if f != nil {
			return f // cannot be: all but the kind was taken above
		}
		s.amount.add(x.amount)
	}
	return nil
}

// day is parseDay, remembering.
func (t *tally) day(text []byte) (day, error) {
	if d, ok := t.days[string(text)]; ok {
		return d, nil
	}
	d, err := parseDay(text)
	if err != nil {
		return 0, err
	}
	if len(t.days) >= maxMemo {
		clear(t.days)
	}
	t.days[string(text)] = d
	return d, nil
}

// named are the fields by which sums differ, besides month and kind, in the order in
// which keys have them. Those of security services differ by day, operation and, of
// some, resource too.
var named = [...]field{fService, fProvider, fPayer, fAccount, fUsageType, fFamily, fRegion, fUnit, fCurrency, fOperation, fResource}

// sum finds the one that a row belongs to. Its key is made of the row's own bytes,
// so that they are looked at only once for all rows that are alike.
func (t *tally) sum(vals [][]byte, month, began day, kind cost.Kind) (*sum, *fault) {
	provider, code, usage := t.value(fProvider, vals), t.value(fService, vals), t.value(fUsageType, vals)
	t.small = appendText(appendText(appendText(t.small[:0], provider), code), usage)
	is, ok := t.services[string(t.small)]
	if !ok {
		s, security := cost.FindSecurity(t.providerName(string(provider)), string(code), string(usage))
		is = service{security, s.Resources}
		if len(t.services) >= maxSums {
			clear(t.services)
		}
		t.services[string(t.small)] = is
	}
	if !is.security {
		began = 0
	}
	key := binary.LittleEndian.AppendUint32(t.key[:0], uint32(month))
	key = binary.LittleEndian.AppendUint32(key, uint32(began))
	key = append(key, byte(slices.Index(cost.Kinds, kind)))
	for _, f := range named {
		var v []byte
		if f != fOperation && f != fResource || f == fOperation && is.security || f == fResource && is.resources {
			v = t.value(f, vals)
		}
		key = appendText(key, v)
	}
	t.key = key
	if s := t.sums[string(key)]; s != nil {
		return s, nil
	}
	line, f := t.line(key)
	if f == nil {
		f = t.know(&line)
	}
	if f != nil {
		return nil, f
	}
	s := new(sum)
	t.sums[string(key)] = s
	return s, nil
}

// line is what a key says; the fault is of a name that is none.
func (t *tally) line(key []byte) (l cost.Line, _ *fault) {
	l.Month = day(binary.LittleEndian.Uint32(key)).time()
	l.Day = day(binary.LittleEndian.Uint32(key[4:])).time()
	l.Kind = cost.Kinds[key[8]]
	key = key[9:]
	var family string
	places := [nFields]*string{
		fService: &l.Service, fProvider: &l.Provider, fPayer: &l.Payer, fAccount: &l.Account, fUsageType: &l.UsageType, fFamily: &family,
		fRegion: &l.Region, fUnit: &l.Unit, fCurrency: &l.Currency, fOperation: &l.Operation, fResource: &l.Resource,
	}
	for _, f := range named {
		n, size := binary.Uvarint(key)
		text := string(key[size : size+int(n)])
		key = key[size+int(n):]
		if err := checkText(text); err != nil {
			return l, t.fault(f, err)
		}
		*places[f] = text
	}
	l.Provider = t.providerName(l.Provider)
	if family != "" {
		l.UsageType = family + " - " + l.UsageType
	}
	return l, nil
}

func appendText(dst, text []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// providerName is the form's own where a row names none.
func (t *tally) providerName(named string) string {
	if named == "" {
		return t.form.provider
	}
	return providerOf(named)
}

// checkText refuses what is no name.
func checkText(s string) error {
	switch {
	case len(s) > maxText:
		return fmt.Errorf("is longer than %d bytes", maxText)
	case !utf8.ValidString(s):
		return errors.New("is not UTF-8")
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' {
			return fmt.Errorf("has the control character U+%04X", r)
		}
	}
	return nil
}

// know remembers whose bill a file has rows of.
func (t *tally) know(line *cost.Line) *fault {
	bill := cost.Bill{Provider: line.Provider, Payer: line.Payer, Month: line.Month}
	if !t.bills[bill] && len(t.bills) >= maxBills {
		return t.fault(fPayer, fmt.Errorf("is of more than %d bills in one file", maxBills))
	}
	if !t.accounts[line.Account] && len(t.accounts) >= maxAccounts {
		return t.fault(fAccount, fmt.Errorf("is one of more than %d accounts in one file", maxAccounts))
	}
	t.bills[bill], t.accounts[line.Account] = true, true
	return nil
}

// flush gives away what was summed, some at a time.
func (t *tally) flush() error {
	lines := make([]cost.Line, 0, min(len(t.sums), linesGiven))
	for key, s := range t.sums {
		line, _ := t.line([]byte(key)) // it was looked at before
		line.Amount, line.Quantity, line.Rows = s.amount.decimal(), s.quantity.decimal(), s.rows
		if lines = append(lines, line); len(lines) == cap(lines) {
			if err := t.add(lines); err != nil {
				return err
			}
			lines = lines[:0]
		}
	}
	clear(t.sums)
	if len(lines) == 0 {
		return nil
	}
	return t.add(lines)
}

// merge adds what another summed.
func (t *tally) merge(u *tally) error {
	for key, s := range u.sums {
		mine := t.sums[key]
		if mine == nil {
			t.sums[key] = s
			continue
		}
		mine.amount.merge(&s.amount)
		mine.quantity.merge(&s.quantity)
		mine.rows += s.rows
	}
	t.rows, t.refused = t.rows+u.rows, t.refused+u.refused
	t.print.merge(u.print)
	t.refusals = append(t.refusals, u.refusals...)
	for b := range u.bills {
		t.bills[b] = true
	}
	for a := range u.accounts {
		t.accounts[a] = true
	}
	if len(t.sums) >= maxSums {
		return t.flush()
	}
	return nil
}

// fingerprint is the same for the same rows in any order.
type fingerprint struct{ a, b uint64 }

func (f *fingerprint) add(row []byte) {
	h := xxhash.Sum64(row)
	f.a += h
	// A second sum of what is no linear image of the first, so that two changes do not
	// make up for each other in both.
	hi, lo := bits.Mul64(h, h|1)
	f.b += hi ^ bits.RotateLeft64(lo, 29)
}

func (f *fingerprint) merge(g fingerprint) { f.a, f.b = f.a+g.a, f.b+g.b }

func (f fingerprint) text(rows int64) string { return fmt.Sprintf("%016x%016x-%d", f.a, f.b, rows) }
