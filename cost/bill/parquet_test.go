package bill

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/yagura-sec/yagura/cost"
)

// googleRow is a row of Google's detailed usage cost as BigQuery exports it: strings
// are optional, lists are of three levels, and money is a float.
type googleRow struct {
	BillingAccount *string `parquet:"billing_account_id,optional" json:"billing_account_id"`
	Service        struct {
		ID          *string `parquet:"id,optional" json:"id"`
		Description *string `parquet:"description,optional" json:"description"`
	} `parquet:"service,optional" json:"service"`
	SKU struct {
		ID          *string `parquet:"id,optional" json:"id"`
		Description *string `parquet:"description,optional" json:"description"`
	} `parquet:"sku,optional" json:"sku"`
	Start   googleTime `parquet:"usage_start_time,timestamp(microsecond)" json:"usage_start_time"`
	Project *struct {
		ID     *string `parquet:"id,optional" json:"id"`
		Number *string `parquet:"number,optional" json:"number"`
		Labels []struct {
			Key   *string `parquet:"key,optional" json:"key"`
			Value *string `parquet:"value,optional" json:"value"`
		} `parquet:"labels,list" json:"labels"`
	} `parquet:"project,optional" json:"project"`
	Location *struct {
		Location *string `parquet:"location,optional" json:"location"`
		Region   *string `parquet:"region,optional" json:"region"`
	} `parquet:"location,optional" json:"location"`
	Resource *struct {
		Name       *string `parquet:"name,optional" json:"name"`
		GlobalName *string `parquet:"global_name,optional" json:"global_name"`
	} `parquet:"resource,optional" json:"resource"`
	Cost     *float64 `parquet:"cost,optional" json:"cost"`
	Currency *string  `parquet:"currency,optional" json:"currency"`
	Usage    *struct {
		Amount *float64 `parquet:"amount,optional" json:"amount"`
		Unit   *string  `parquet:"unit,optional" json:"unit"`
	} `parquet:"usage,optional" json:"usage"`
	Credits []googleCredit `parquet:"credits,list" json:"credits"`
	Invoice *struct {
		Month *string `parquet:"month,optional" json:"month"`
	} `parquet:"invoice,optional" json:"invoice"`
	CostType *string `parquet:"cost_type,optional" json:"cost_type"`
}

type googleCredit struct {
	Name   *string  `parquet:"name,optional" json:"name"`
	Amount *float64 `parquet:"amount,optional" json:"amount"`
	Type   *string  `parquet:"type,optional" json:"type"`
	ID     *string  `parquet:"id,optional" json:"id"`
}

// googleTime is a time in microseconds, which BigQuery's JSON has as text.
type googleTime int64

// UnmarshalJSON reads both ways in which exports write it.
func (g *googleTime) UnmarshalJSON(text []byte) error {
	s := strings.Replace(strings.TrimSuffix(strings.Trim(string(text), `"`), " UTC"), " ", "T", 1)
	at, err := time.Parse(time.RFC3339, strings.TrimSuffix(s, "Z")+"Z")
	*g = googleTime(at.UnixMicro())
	return err
}

// googleParquet writes rows, some to each group.
func googleParquet[T any](t testing.TB, rows []T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b)
	for i, row := range rows {
		if _, err := w.Write([]T{row}); err != nil {
			t.Fatal(err)
		}
		if i%3 == 2 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// googleRows are those of the JSON that can be Parquet at all.
func googleRows(t testing.TB) (rows []googleRow, text []byte) {
	t.Helper()
	body, err := os.ReadFile("testdata/google.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(body) {
		var row googleRow
		if json.Unmarshal(line, &row) == nil { // one has a word where an amount belongs
			rows, text = append(rows, row), append(text, line...)
		}
	}
	return rows, text
}

func sameLines(a, b []cost.Line) bool {
	return slices.EqualFunc(a, b, func(a, b cost.Line) bool { return lineText(a) == lineText(b) })
}

// TestGoogleParquet: Google's export gives the same sums as Parquet and as JSON, to
// the last digit.
func TestGoogleParquet(t *testing.T) {
	rows, text := googleRows(t)
	for i := range 700 { // more than are read at once
		row := rows[i%len(rows)]
		amount := float64(i)*1e-7 - 0.1/float64(i+3)
		row.Cost = &amount
		row.Credits = nil
		for j := range i % 5 {
			some, kind := -amount/float64(j+7), []string{"PROMOTION", "COMMITTED_USAGE_DISCOUNT", "FREE_TIER", "A_NEW_ONE"}[j]
			row.Credits = append(row.Credits, googleCredit{Amount: &some, Type: &kind})
		}
		rows = append(rows, row)
		line, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		at := time.UnixMicro(int64(row.Start)).UTC().Format(time.RFC3339)
		line = bytes.Replace(line, []byte(`"usage_start_time":`), []byte(`"usage_start_time":"`+at+`","ignored":`), 1)
		text = append(append(text, line...), '\n')
	}
	of, want, err := read(t.Context(), bytes.NewReader(text), 2)
	if err != nil || of.Refused == 0 { // a credit that is null
		t.Fatal(of.Refused, err)
	}
	f, got, err := read(t.Context(), bytes.NewReader(googleParquet(t, rows)), 2)
	if err != nil || f.Form != "google.billing parquet" || f.Refused != of.Refused || f.Rows != of.Rows || !sameLines(got, want) {
		t.Errorf("%s, %d rows, %d refused, %v: %v\nwant %v", f.Form, f.Rows, f.Refused, err, got, want)
	}
	kinds := map[cost.Kind]bool{}
	for _, l := range got {
		kinds[l.Kind] = true
	}
	for _, k := range []cost.Kind{cost.Usage, cost.Credit, cost.Discount, cost.Tax, cost.Adjustment} {
		if !kinds[k] {
			t.Errorf("no line is %s", k)
		}
	}
}

// TestGoogleParquetForms: other writers leave out groups of a list, call its members
// otherwise, have exact decimals, or no credits at all. What is no list of amounts
// is refused, a credit with its row, a column with its file.
func TestGoogleParquetForms(t *testing.T) {
	decimals := parquet.Group{"amount": parquet.Optional(parquet.Decimal(9, 18, parquet.Int64Type)), "type": parquet.Optional(parquet.String())}
	wide := parquet.Group{"amount": parquet.Decimal(9, 38, parquet.FixedLenByteArrayType(16))}
	words := parquet.Group{"amount": parquet.String(), "type": parquet.String()}
	odd := parquet.Group{"amount": parquet.Leaf(parquet.BooleanType)}
	quarter := map[string]any{"amount": int64(-250_000_000), "type": "PROMOTION"}
	minus := bytes.Repeat([]byte{0xff}, 16) // -0.000000001
	word := func(s string) []any { return []any{map[string]any{"amount": s, "type": "FREE_TIER"}} }
	try := func(name string, credits parquet.Node, of any, want, why string) {
		t.Helper()
		f, lines, err := read(t.Context(), bytes.NewReader(googleWith(t, credits, of)), 1)
		var got []string
		for _, l := range lines {
			got = append(got, string(l.Kind)+" "+l.Amount.String())
		}
		slices.Sort(got)
		said := ""
		switch {
		case err != nil:
			said = err.Error()
		case f.Refused > 0:
			said = fmt.Sprint(f.Refusals[0].Row, " ", f.Refusals[0].Column, " ", f.Refusals[0].Reason)
		}
		if strings.Join(got, ", ") != want || why == "" && said != "" || !strings.Contains(said, why) {
			t.Errorf("%s: %q, %q; want %q, %q", name, got, said, want, why)
		}
	}
	try("no credits", nil, nil, "usage 1.5", "")
	try("three levels", parquet.List(decimals), []any{quarter}, "credit -0.25, usage 1.5", "")
	try("an optional list", parquet.Optional(parquet.List(parquet.Optional(decimals))), []any{quarter, quarter}, "credit -0.5, usage 1.5", "")
	try("an empty list", parquet.Optional(parquet.List(decimals)), []any{}, "usage 1.5", "")
	try("a list that is null", parquet.Optional(parquet.List(decimals)), nil, "usage 1.5", "")
	try("a repeated group", parquet.Repeated(decimals), []any{quarter, quarter}, "credit -0.5, usage 1.5", "")
	try("two levels", parquet.Group{"array": parquet.Repeated(decimals)}, map[string]any{"array": []any{quarter}}, "credit -0.25, usage 1.5", "")
	try("wide decimals, no type", parquet.List(wide), []any{map[string]any{"amount": minus}}, "credit -0.000000001, usage 1.5", "")
	try("numbers as words", parquet.List(words), word("-0.125"), "discount -0.125, usage 1.5", "")
	try("a word", parquet.List(words), word("much"), "", "1 credits a credit's amount is no number")
	try("not a number", parquet.List(words), word("NaN"), "", "1 credits a credit's amount is no number")
	try("a credit that is null", parquet.List(parquet.Optional(decimals)), []any{nil}, "", "1 credits a credit's amount is no number")
	try("amounts that are truths", parquet.List(odd), []any{map[string]any{"amount": true}}, "", "1 credits a credit's amount is no number")
	try("a credit without end", parquet.List(words), word(strings.Repeat("1", maxRecord+1)), "", "1  it is longer than")
	try("text", parquet.String(), "[]", "", "no list of records with an amount")
	try("a record", decimals, quarter, "", "no list of records with an amount")
	try("a list of text", parquet.List(parquet.String()), []any{"a"}, "", "no list of records with an amount")
	try("a list of lists", parquet.List(parquet.List(decimals)), []any{[]any{quarter}}, "", "no list of records with an amount")
}

// googleWith is a file of one row with credits of some form.
func googleWith(t *testing.T, credits parquet.Node, of any) []byte {
	t.Helper()
	fields := parquet.Group{
		"service":          parquet.Group{"description": parquet.String()},
		"sku":              parquet.Group{"description": parquet.String()},
		"currency":         parquet.String(),
		"usage_start_time": parquet.Timestamp(parquet.Microsecond),
		"cost":             parquet.Leaf(parquet.DoubleType),
	}
	row := map[string]any{
		"service": map[string]any{"description": "Secret Manager"}, "sku": map[string]any{"description": "Access"}, "currency": "USD",
		"usage_start_time": time.Date(2026, 4, 2, 7, 0, 0, 0, time.UTC).UnixMicro(), "cost": 1.5,
	}
	if credits != nil {
		fields["credits"], row["credits"] = credits, of
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[any](&b, parquet.NewSchema("bill", fields))
	if _, err := w.Write([]any{row}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestGoogleParquetDamaged: cut or damaged anywhere it is an error or other rows, and
// no panic.
func TestGoogleParquetDamaged(t *testing.T) {
	rows, _ := googleRows(t)
	whole := googleParquet(t, rows)
	for at := 0; at < len(whole); at += 97 {
		if _, _, err := read(t.Context(), bytes.NewReader(whole[:at]), 1); err == nil {
			t.Errorf("the first %d of %d bytes are read as a file", at, len(whole))
		}
		damaged := bytes.Clone(whole)
		damaged[at] ^= 0xff
		if f, got, err := read(t.Context(), bytes.NewReader(damaged), 2); err == nil {
			checkRows(t, f, got)
		}
	}
	_, _, err := read(t.Context(), bytes.NewReader(whole[:len(whole)-9]), 1)
	if err == nil || !strings.Contains(err.Error(), "damaged Parquet") {
		t.Errorf("cut at its end: %v", err)
	}
}
