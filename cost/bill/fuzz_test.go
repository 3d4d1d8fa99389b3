package bill

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
)

// checkRows holds that every row is summed or refused.
func checkRows(t *testing.T, f cost.File, lines []cost.Line) {
	t.Helper()
	var rows int64
	for _, l := range lines {
		rows += l.Rows
	}
	if rows+f.Refused != f.Rows {
		t.Errorf("%d rows summed and %d refused of %d", rows, f.Refused, f.Rows)
	}
}

// FuzzRead: whatever the input, every row is summed or refused, and the sums do not
// depend on how many read, nor on where the text is cut.
func FuzzRead(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.*[nlv]")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	rows, _ := googleRows(f)
	f.Add(googleParquet(f, rows))
	f.Add([]byte("BilledCost,ChargeCategory,ChargePeriodStart\n\"1,Usage,2026-04-01\n\"\"\"\"\n2,Usage,\"2026-04-01\""))
	f.Fuzz(func(t *testing.T, body []byte) {
		one, lines, err := read(t.Context(), bytes.NewReader(body), 1)
		three, again, other := readBlocks(t.Context(), bytes.NewReader(body), 3, 50)
		if (err == nil) != (other == nil) {
			t.Fatalf("%v or %v", err, other)
		}
		if err != nil {
			return
		}
		checkRows(t, one, lines)
		if one.Fingerprint != three.Fingerprint || !slices.EqualFunc(lines, again, func(a, b cost.Line) bool { return lineText(a) == lineText(b) }) {
			t.Errorf("%v\nor\n%v", lines, again)
		}
	})
}

// FuzzNumber: a number is read exactly or not at all.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"1", "-0.5", "12345678901234567890.5", "1e-7", "$1,000.25", "(3)", "1.234,5"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, comma bool) {
		n, err := parseNumber([]byte(s), comma)
		if err != nil {
			return
		}
		var sum total
		sum.add(n)
		sum.add(n)
		want, err := decimal.NewFromString(s)
		if err != nil || comma {
			return // written in a way that decimals are not
		}
		if got := sum.decimal(); !got.Equal(want.Add(want)) {
			t.Errorf("twice %q is %s, want %s", s, got, want.Add(want))
		}
	})
}

// FuzzFields: what encoding/csv reads we read alike.
func FuzzFields(f *testing.F) {
	f.Add("a,b\n")
	f.Add("\"a \"\"b\"\"\",\"c\nd\",\n\"x\",y")
	f.Fuzz(func(t *testing.T, text string) {
		in := csv.NewReader(bytes.NewReader([]byte(text)))
		in.FieldsPerRecord = -1
		var want [][]string
		for {
			row, err := in.Read()
			if err != nil {
				if errors.As(err, new(*csv.ParseError)) {
					return
				}
				break
			}
			want = append(want, row)
		}
		if bytes.ContainsAny([]byte(text), "\r") {
			return // which encoding/csv takes away within quotes too
		}
		rest := []byte(text)
		for _, row := range want {
			for len(rest) > 0 && rest[0] == '\n' { // which it passes over
				rest = rest[1:]
			}
			n := recordEnd(rest, ',', true)
			got, err := split(rest[:n], ',')
			if err != nil || len(got) != len(row) {
				t.Fatalf("%q: %q, %v; want %q", rest[:n], got, err, row)
			}
			for i := range row {
				if string(got[i]) != row[i] {
					t.Fatalf("%q: %q, want %q", rest[:n], got, row)
				}
			}
			rest = rest[n:]
		}
	})
}
