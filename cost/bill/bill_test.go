package bill

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/parquet-go/parquet-go"
	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/internal/golden"
)

// read reads a bill whole, its lines in an order of their own.
func read(ctx context.Context, in io.Reader, workers int) (cost.File, []cost.Line, error) {
	return readBlocks(ctx, in, workers, blockSize)
}

func readBlocks(ctx context.Context, in io.Reader, workers, block int) (cost.File, []cost.Line, error) {
	var lines []cost.Line
	r := &reader{ctx: ctx, workers: workers, block: block, keep: func(_ context.Context, some []cost.Line) error {
		lines = append(lines, some...)
		return nil
	}}
	f, err := r.read(in)
	slices.SortFunc(lines, func(a, b cost.Line) int { return strings.Compare(lineText(a), lineText(b)) })
	return f, lines, err
}

func lineText(l cost.Line) string {
	return strings.Join([]string{cost.MonthText(l.Month), l.Text(cost.ByDay), l.Provider, l.Payer, l.Account, l.Service, l.UsageType, l.Operation, l.Region,
		l.Resource, string(l.Kind), fmt.Sprintf("%s %s, %s %s", l.Amount, l.Currency, l.Quantity, l.Unit), fmt.Sprint(l.Rows)}, " | ")
}

// TestGolden: of each file, what is in it and what was refused.
func TestGolden(t *testing.T) {
	for _, in := range golden.Inputs(t, "testdata/*.*[nlv]") {
		if strings.HasSuffix(in.Path, ".golden") {
			continue
		}
		f, lines, err := read(t.Context(), bytes.NewReader(in.Body), 2)
		if err != nil {
			t.Errorf("%s: %v", in.Path, err)
			continue
		}
		type refusal struct {
			Row            int64
			Column, Reason string
			Bytes          string
		}
		out := struct {
			Form            string
			Rows, Refused   int64
			Bills           []cost.Bill
			Accounts, Lines []string
			Refusals        []refusal
		}{f.Form, f.Rows, f.Refused, f.Bills, f.Accounts, nil, nil}
		for _, l := range lines {
			out.Lines = append(out.Lines, lineText(l))
		}
		for _, r := range f.Refusals {
			out.Refusals = append(out.Refusals, refusal{r.Row, r.Column, r.Reason, string(r.Bytes)})
		}
		text, err := json.MarshalIndent(out, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden.Check(t, in.Path+".golden", append(text, '\n'))
	}
}

// TestCopies: packed, in another order or with its header again a bill is the same.
func TestCopies(t *testing.T) {
	body, err := os.ReadFile("testdata/azure.csv")
	if err != nil {
		t.Fatal(err)
	}
	want, lines, err := read(t.Context(), bytes.NewReader(body), 1)
	if err != nil {
		t.Fatal(err)
	}
	f := func(name string, body []byte, same bool) {
		t.Helper()
		got, more, err := read(t.Context(), bytes.NewReader(body), 2)
		if err != nil || (got.Fingerprint == want.Fingerprint) != same || same && !slices.EqualFunc(lines, more, func(a, b cost.Line) bool { return lineText(a) == lineText(b) }) {
			t.Errorf("%s: fingerprint %s, of the original %s, %v", name, got.Fingerprint, want.Fingerprint, err)
		}
	}
	rows := strings.SplitAfter(string(body), "\n")
	rows = rows[:len(rows)-1]
	f("packed", pack(t, body), true)
	f("in two members", append(pack(t, body[:300]), pack(t, body[300:])...), true)
	f("another order", []byte(rows[0]+rows[3]+rows[1]+rows[4]+rows[2]), true)
	f("joined with its header", []byte(rows[0]+rows[1]+rows[2]+rows[0]+rows[3]+rows[4]), true)
	f("other line ends", bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n")), true)
	f("no line end", body[:len(body)-1], true)
	f("a row twice", []byte(string(body)+rows[1]), false)
	f("a row less", []byte(strings.Join(rows[:4], "")), false)
	f("another amount", bytes.Replace(body, []byte("7.38"), []byte("7.39"), 1), false)
}

func pack(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// curRow is CUR 2.0 as AWS writes it to Parquet: money is a float there.
type curRow struct {
	Payer     string    `parquet:"bill_payer_account_id"`
	Month     time.Time `parquet:"bill_billing_period_start_date,timestamp(millisecond)"`
	Account   string    `parquet:"line_item_usage_account_id,dict"`
	Type      string    `parquet:"line_item_line_item_type"`
	Start     time.Time `parquet:"line_item_usage_start_date,timestamp(microsecond)"`
	Code      string    `parquet:"line_item_product_code"`
	Usage     *string   `parquet:"line_item_usage_type"`
	Operation *string   `parquet:"line_item_operation,optional"`
	Resource  *string   `parquet:"line_item_resource_id,optional"`
	Quantity  *float64  `parquet:"line_item_usage_amount,optional"`
	Currency  string    `parquet:"line_item_currency_code"`
	Cost      float64   `parquet:"line_item_unblended_cost"`
	Region    *string   `parquet:"product_region_code,optional"`
	Unit      *string   `parquet:"pricing_unit,optional"`
}

// TestParquet: the same rows as Parquet give the same lines as they do as CSV.
func TestParquet(t *testing.T) {
	body, err := os.ReadFile("testdata/cur2.csv")
	if err != nil {
		t.Fatal(err)
	}
	_, want, err := read(t.Context(), bytes.NewReader(body), 1)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w := parquet.NewGenericWriter[curRow](&packed)
	for i, r := range all[1:] {
		get := func(name string) string { return r[slices.Index(all[0], name)] }
		maybe := func(name string) *string {
			if v := get(name); v != "" {
				return &v
			}
			return nil
		}
		when := func(name string) time.Time {
			at, err := time.Parse(time.RFC3339, get(name))
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		float := func(name string) float64 {
			n, err := decimal.NewFromString(get(name))
			if err != nil {
				t.Fatal(err)
			}
			return n.InexactFloat64()
		}
		quantity := float("line_item_usage_amount")
		row := curRow{
			get("bill_payer_account_id"), when("bill_billing_period_start_date"), get("line_item_usage_account_id"), get("line_item_line_item_type"),
			when("line_item_usage_start_date"), get("line_item_product_code"), maybe("line_item_usage_type"), maybe("line_item_operation"), maybe("line_item_resource_id"),
			&quantity, get("line_item_currency_code"), float("line_item_unblended_cost"), maybe("product_region_code"), maybe("pricing_unit"),
		}
		if _, err := w.Write([]curRow{row}); err != nil {
			t.Fatal(err)
		}
		if i%4 == 3 { // several groups of rows
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cur.parquet")
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, in := range map[string]io.Reader{"in place": file, "from a pipe": bytes.NewReader(packed.Bytes()), "packed": bytes.NewReader(pack(t, packed.Bytes()))} {
		f, got, err := read(t.Context(), in, 3)
		if err != nil || f.Form != "aws.cur2 parquet" || f.Refused > 0 || !slices.EqualFunc(got, want, func(a, b cost.Line) bool { return lineText(a) == lineText(b) }) {
			t.Errorf("%s: %s, %v, %d refused; got %v\nwant %v", name, f.Form, err, f.Refused, got, want)
		}
	}
	for at := 0; at < packed.Len(); at += 211 { // damaged anywhere it is an error or other rows, no panic
		damaged := bytes.Clone(packed.Bytes())
		damaged[at] ^= 0xff
		f, got, err := read(t.Context(), bytes.NewReader(damaged), 2)
		if err == nil {
			checkRows(t, f, got)
		}
	}
}

// decimals are columns of Parquet that hold exact numbers.
type decimals struct {
	Cost     int64   `parquet:"BilledCost,decimal(6:18)"`
	Quantity [9]byte `parquet:"ConsumedQuantity"`
	Category string  `parquet:"ChargeCategory"`
	Start    int32   `parquet:"ChargePeriodStart,date"`
	Month    int64   `parquet:"BillingPeriodStart,timestamp(nanosecond)"`
}

func TestParquetDecimals(t *testing.T) {
	var packed bytes.Buffer
	w := parquet.NewGenericWriter[decimals](&packed)
	day := time.Date(2026, 4, 7, 0, 0, 0, 0, time.UTC)
	row := decimals{Cost: -1234567, Category: "Usage", Start: int32(day.Unix() / 86400), Month: day.UnixNano()}
	copy(row.Quantity[:], "0000001.5")
	if _, err := w.Write([]decimals{row}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, got, err := read(t.Context(), &packed, 1)
	if err != nil || len(got) != 1 || got[0].Amount.String() != "-1.234567" || got[0].Quantity.String() != "1.5" || cost.MonthText(got[0].Month) != "2026-04" {
		t.Errorf("%+v, %v", got, err)
	}
	if n := signed([]byte{0xff, 0x00}); n.Int64() != -256 {
		t.Errorf("two's complement: %v", n)
	}
}

// endless is text that begins and then goes on and on.
type endless struct {
	begin, more []byte
	at          int // in more
}

func (e *endless) Read(b []byte) (int, error) {
	if len(e.begin) > 0 {
		n := copy(b, e.begin)
		e.begin = e.begin[n:]
		return n, nil
	}
	n := copy(b, e.more[e.at:])
	e.at = (e.at + n) % len(e.more)
	return n, nil
}

// TestRefusedFiles: what is no bill is told from one that is damaged.
func TestRefusedFiles(t *testing.T) {
	body, err := os.ReadFile("testdata/cur2.csv")
	if err != nil {
		t.Fatal(err)
	}
	no := func(in io.Reader, isBill bool, why string) {
		t.Helper()
		_, _, err := read(t.Context(), in, 2)
		if err == nil || errors.Is(err, ErrNotBill) == isBill || !strings.Contains(err.Error(), why) {
			t.Errorf("%v, want %q (a bill: %v)", err, why, isBill)
		}
	}
	of := func(s string) io.Reader { return strings.NewReader(s) }
	no(of(""), false, "no bill")
	no(of("hello\n"), false, "no bill")
	no(of("PK\x03\x04 a zip file"), false, "no bill")
	no(of("\xff\xfeB\x00i\x00l\x00l\x00"), false, "UTF-16")
	wide := func(order binary.AppendByteOrder, s string) []byte {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			b = order.AppendUint16(b, u)
		}
		return b
	}
	for _, mark := range []string{"\ufeff", ""} {
		no(bytes.NewReader(wide(binary.LittleEndian, mark+string(body))), true, "a bill in UTF-16")
		no(bytes.NewReader(wide(binary.BigEndian, mark+string(body))), true, "a bill in UTF-16")
		no(bytes.NewReader(wide(binary.BigEndian, mark+"name,price\nx,1\n")), false, "UTF-16")
	}
	no(of(`{"Records":[]}`), false, "no bill")
	no(of(`[1, 2]`), false, "no bill")
	no(of("BilledCost,ChargeCategory,ChargePeriodStart\n"), false, "no rows")
	no(of("BilledCost,ChargeCategory\n1,Usage\n"), true, "no column chargeperiodstart")
	packed := pack(t, body)
	no(bytes.NewReader(packed[:len(packed)-20]), true, "ends too soon")
	no(bytes.NewReader(packed[:30]), true, "ends too soon")
	no(of("PAR1 and nothing else of Parquet"), true, "damaged Parquet")
	no(bytes.NewReader(append(bytes.Clone(packed), "more than a header"...)), true, "goes on with what is no gzip")
	broken := bytes.Clone(packed)
	broken[len(broken)-6] ^= 0xff // the checksum
	no(bytes.NewReader(broken), true, "checksum")
	array, err := os.ReadFile("testdata/google.json")
	if err != nil {
		t.Fatal(err)
	}
	no(bytes.NewReader(array[:len(array)-60]), true, "behind row")
}

// TestBomb: a file that unpacks to no end is refused, and in little memory.
func TestBomb(t *testing.T) {
	pipe, out := io.Pipe()
	go func() {
		z := gzip.NewWriter(out)
		_, err := io.Copy(z, &endless{begin: []byte("BilledCost,ChargeCategory,ChargePeriodStart,Tags\n"), more: []byte("1,Usage,2026-04-01," + strings.Repeat("x", 100_000) + "\n")})
		out.CloseWithError(cmp.Or(err, io.EOF))
	}()
	_, _, err := read(t.Context(), pipe, 2)
	pipe.Close()
	if err == nil || !strings.Contains(err.Error(), "grew to") {
		t.Errorf("%v", err)
	}
}

// TestLongRow: a row without end costs itself.
func TestLongRow(t *testing.T) {
	long := strings.Repeat("x", 3<<20)
	body := "BilledCost,ChargeCategory,ChargePeriodStart,Tags\n1,Usage,2026-04-01,a\n2,Usage,2026-04-01," + long + "\n4,Usage,2026-04-01,b\n8,Usage,2026-04-01,\"" + long + "\n16,Usage,2026-04-01,c\n"
	f, lines, err := read(t.Context(), strings.NewReader(body), 2)
	if err != nil || len(lines) != 1 || lines[0].Amount.String() != "21" || f.Rows != 5 || f.Refused != 2 || f.Refusals[0].Row != 3 || f.Refusals[1].Row != 5 || !strings.Contains(f.Refusals[0].Reason, "longer than") {
		t.Errorf("%+v %v %v", f, lines, err)
	}
}

// TestManySums: sums are given away when there are many, and none is lost.
func TestManySums(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("BilledCost,ChargeCategory,ChargePeriodStart,SubAccountId,SkuId\n")
	const n = 2*maxSums + 17
	for i := range n {
		fmt.Fprintf(&b, "0.001,Usage,2026-04-01,a%d,s%d\n", i%1000, i)
	}
	total, times := decimal.Zero, 0
	f, err := Read(t.Context(), &b, func(_ context.Context, lines []cost.Line) error {
		times++
		for _, l := range lines {
			total = total.Add(l.Amount)
		}
		return nil
	})
	if err != nil || times < 2 || !total.Equal(decimal.New(n, -3)) || f.Rows != n || len(f.Accounts) != 1000 {
		t.Errorf("%s in %d parts of %d rows, %v", total, times, f.Rows, err)
	}
}

// TestStops: what keeps lines may fail, and reading ends.
func TestStops(t *testing.T) {
	full := errors.New("disk full")
	_, err := Read(t.Context(), strings.NewReader("BilledCost,ChargeCategory,ChargePeriodStart\n1,Usage,2026-04-01\n"), func(context.Context, []cost.Line) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err = Read(ctx, &endless{begin: []byte("BilledCost,ChargeCategory,ChargePeriodStart\n"), more: []byte("1,Usage,2026-04-01\n")}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestNumbers(t *testing.T) {
	f := func(text string, comma bool, want string) {
		t.Helper()
		n, err := parseNumber([]byte(text), comma)
		got := ""
		if err == nil {
			var sum total
			sum.add(n)
			got = sum.decimal().String()
		}
		if got != want {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
	}
	f("0", false, "0")
	f("12.50", false, "12.5")
	f("-0.0000000001", false, "-0.0000000001")
	f("9999999999999999999.999999999999999999", false, "9999999999999999999.999999999999999999")
	f("0.1234567890123456789012", false, "0.1234567890123456789012")
	f("1E-7", false, "0.0000001")
	f("-1.5e+3", false, "-1500")
	f("1,234,567.89", false, "1234567.89")
	f("$50,000.00 ", false, "50000")
	f("-$5", false, "-5")
	f("$-5", false, "-5")
	f("¥1,000", false, "1000")
	f("(3.25)", false, "-3.25")
	f("1.234,5", false, "1234.5")
	f("0,015", true, "0.015")
	f("1.200,25", true, "1200.25")
	f("1,5", false, "") // a half, or a group of thousands that lacks digits
	f("", false, "")
	f(".", false, "")
	f("-", false, "")
	f("1.2.3", false, "")
	f("1e", false, "")
	f("e5", false, "")
	f("1e999999999", false, "")
	f("1e-999999999", false, "")
	f("NaN", false, "")
	f("Infinity", false, "")
	f("0x10", false, "")
	f("1 2", false, "")
	f(strings.Repeat("9", 100), false, "")
}

// TestTotals: sums are those of exact decimals, whatever their sizes.
func TestTotals(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var sum total
	want := decimal.Zero
	for i := range 20_000 {
		text := fmt.Sprintf("%d.%0*d", r.Uint64N(1<<r.Uint64N(62)), 1+r.IntN(18), r.Uint64N(10))
		if r.IntN(3) == 0 {
			text = "-" + text
		}
		if i%1000 == 0 {
			text = "9999999999999999999" // many of these do not fit into 128 bits
		}
		n, err := parseNumber([]byte(text), false)
		if err != nil {
			t.Fatal(text, err)
		}
		sum.add(n)
		want = want.Add(decimal.RequireFromString(text))
	}
	if got := sum.decimal(); !got.Equal(want) {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestDays(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		d, err := parseDay([]byte(text))
		got := ""
		if err == nil {
			got = d.time().Format(time.DateOnly)
		}
		if got != want {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
	}
	f("2026-04-30T23:00:00Z", "2026-04-30")
	f("2026-04-01T00:00:00.000Z", "2026-04-01")
	f("2026-04-01 00:00:00", "2026-04-01")
	f("2026-04-01T00:00:00+09:00", "2026-03-31")
	f("2026-04-02 07:00:00 UTC", "2026-04-02")
	f("2023-11-13T07:00Z", "2023-11-13")
	f("2024-02-29", "2024-02-29")
	f("9/2/2023", "2023-09-02")
	f("5/1/25", "2025-05-01")
	f("04/02/2026", "2026-04-02")
	f("202604", "2026-04-01")
	f("20260401", "2026-04-01")
	f("2023-02-29", "")
	f("2026-04-31T05:00:00Z", "")
	f("2023-02-01T30:00:00Z", "")
	f("13/25/2023", "")
	f("1999-12-31", "")
	f("9999-01-01", "")
	f("", "")
	f("yesterday", "")
}

func TestPlace(t *testing.T) {
	at := time.Date(2026, 5, 2, 3, 4, 5, 0, time.UTC)
	f := func(path, series, part, delivery string, delivered time.Time) {
		t.Helper()
		var got cost.File
		Place(&got, path, at)
		if got.Series != series || got.Part != part || got.Delivery != delivery || !got.Delivered.Equal(delivered) {
			t.Errorf("%s: series %q, part %q, delivery %q of %v", path, got.Series, got.Part, got.Delivery, got.Delivered)
		}
	}
	f("/a/bill.csv", "bill", "", "", at)
	f("/a/bill.csv.gz", "bill", "", "", at)
	f("/a/report/20260401-20260501/0f1e2d3c/report-00001.csv.gz", "report", "00001", "0f1e2d3c", at)
	f("/a/report/20260401-20260501/20260502T010203Z/report-00002.csv.gz", "report", "00002", "20260502T010203Z", time.Date(2026, 5, 2, 1, 2, 3, 0, time.UTC))
	f("/a/report/20260401-20260501/report-00001.csv.gz", "report", "00001", "", at)
	f("/a/report/report/year=2026/month=4/report-00001.snappy.parquet", "report", "00001", "", at)
	f("/a/x/data/BILLING_PERIOD=2026-04/20260502T010203123Z-0f1e/x-00001.csv.gz", "x", "00001", "20260502T010203123Z-0f1e", time.Date(2026, 5, 2, 1, 2, 3, 0, time.UTC))
	f(`C:\a\export\20260401-20260430\0f1e2d3c-0000-1111-2222-333344445555\part_1_0001.csv`, "part_1", "0001", "0f1e2d3c-0000-1111-2222-333344445555", at)
	f("/a/costs_0f1e2d3c-0000-1111-2222-333344445555.csv", "costs", "", "0f1e2d3c-0000-1111-2222-333344445555", at)
	f("/a/bill-2026-04.csv", "bill-2026-04", "", "", at)
}
