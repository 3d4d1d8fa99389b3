package configcost

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/yagura-sec/yagura/simulate/logs"
)

// writeBills writes the bills as they lie in a bucket of exports, and the last month
// once more apart from them.
func (w *world) writeBills(dir string) error {
	for i, month := range w.months {
		folder := filepath.Join(dir, "bills", "data", "BILLING_PERIOD="+month.Format("2006-01"))
		name := w.company + "-cur-00001"
		err := error(nil)
		if i < 2 {
			err = packedTo(filepath.Join(folder, name+".csv.gz"), func(out io.Writer) error { return w.writeCSV(out, month) })
		} else {
			err = w.writeParquet(filepath.Join(folder, name+".snappy.parquet"), month)
		}
		if err != nil {
			return err
		}
	}
	last := w.months[2]
	return packedTo(filepath.Join(dir, "extra", "focus", last.Format("2006-01")+".csv.gz"), func(out io.Writer) error { return w.writeFOCUS(out, last) })
}

// packedTo writes a file of gzip.
func packedTo(path string, write func(io.Writer) error) error {
	f, err := created(path)
	if err != nil {
		return err
	}
	zip := logs.Packed(f)
	return errors.Join(write(zip), zip.Close(), f.Close())
}

func created(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return os.Create(path)
}

// ofMonth calls for each line of a month.
func (w *world) ofMonth(month time.Time, each func(i int, l *line) error) error {
	next := month.AddDate(0, 1, 0)
	for i := range w.bills {
		l := &w.bills[i]
		if l.day.Before(month) || !l.day.Before(next) {
			continue
		}
		if err := each(i, l); err != nil {
			return err
		}
	}
	return nil
}

// curColumns are those of CUR 2.0 that we write
// (docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2.html).
var curColumns = []string{
	"bill_bill_type", "bill_billing_entity", "bill_billing_period_end_date", "bill_billing_period_start_date", "bill_payer_account_id",
	"identity_line_item_id", "identity_time_interval", "line_item_currency_code", "line_item_line_item_description", "line_item_line_item_type",
	"line_item_operation", "line_item_product_code", "line_item_resource_id", "line_item_unblended_cost", "line_item_unblended_rate",
	"line_item_usage_account_id", "line_item_usage_account_name", "line_item_usage_amount", "line_item_usage_end_date", "line_item_usage_start_date",
	"line_item_usage_type", "pricing_unit", "product_region_code", "product_servicecode", "resource_tags",
}

const moment = "2006-01-02T15:04:05.000Z"

// end is when a line's charge ends: after a day, or with the month.
func (l *line) end() time.Time {
	switch l.kind {
	case taxLine, feeLine, planFee, creditLine, refundLine:
		return l.day.AddDate(0, 1, 0)
	}
	return l.day.Add(day)
}

// row is a line as CUR has it.
func (w *world) row(i int, l *line, month time.Time) []string {
	sum := sha256.Sum256(fmt.Append(nil, w.Seed, w.Variant, i))
	return []string{
		"Anniversary", "AWS", month.AddDate(0, 1, 0).Format(moment), month.Format(moment), w.management.id,
		hex.EncodeToString(sum[:26]), stamp(l.day) + "/" + stamp(l.end()), "USD", l.what, l.kind,
		l.op, l.product, l.resource, l.cost.full(), l.rate.full(),
		l.account.id, l.account.name, l.quantity.String(), l.end().Format(moment), l.day.Format(moment),
		l.usage, l.unit, l.region, l.product, "{}",
	}
}

// writeCSV writes a month as CUR 2.0.
func (w *world) writeCSV(out io.Writer, month time.Time) error {
	to := csv.NewWriter(out)
	if err := to.Write(curColumns); err != nil {
		return err
	}
	spoilt := w.spoilt(month)
	n := 0
	err := w.ofMonth(month, func(i int, l *line) error {
		w.rows++
		row := w.row(i, l, month)
		if err := to.Write(row); err != nil {
			return err
		}
		if n++; n%100 == 0 && n/100 <= len(spoilt) {
			return to.Write(spoilt[n/100-1](row))
		}
		return nil
	})
	to.Flush()
	return errors.Join(err, to.Error())
}

// spoilt are rows that cannot be read, among the others of a month: of copies of
// rows, so that nobody misses what they would have said.
func (w *world) spoilt(month time.Time) []func(row []string) []string {
	if w.Variant != LateRows || !month.Equal(w.months[0]) {
		return nil
	}
	with := func(column int, text string) func([]string) []string {
		return func(row []string) []string { row[column] = text; return row }
	}
	return []func([]string) []string{
		with(13, "n/a"), // the cost
		with(13, "12,34.5.6"),
		with(19, "yesterday"),                                   // the day
		func(row []string) []string { return row[:9] },          // a row that ends too early
		func(row []string) []string { return append(row, "x") }, // and one that is too long
	}
}

// Spoilt is how many rows cannot be read in the variant that is about them.
const Spoilt = 5

// curRow is a row of CUR 2.0 as Parquet, whose numbers are doubles.
type curRow struct {
	BillType    string            `parquet:"bill_bill_type,dict"`
	Entity      string            `parquet:"bill_billing_entity,dict"`
	PeriodEnd   int64             `parquet:"bill_billing_period_end_date,timestamp(millisecond)"`
	PeriodStart int64             `parquet:"bill_billing_period_start_date,timestamp(millisecond)"`
	Payer       string            `parquet:"bill_payer_account_id,dict"`
	ID          string            `parquet:"identity_line_item_id"`
	Interval    string            `parquet:"identity_time_interval,dict"`
	Currency    string            `parquet:"line_item_currency_code,dict"`
	What        string            `parquet:"line_item_line_item_description,dict"`
	Kind        string            `parquet:"line_item_line_item_type,dict"`
	Operation   string            `parquet:"line_item_operation,dict"`
	Product     string            `parquet:"line_item_product_code,dict"`
	Resource    string            `parquet:"line_item_resource_id,dict"`
	Cost        float64           `parquet:"line_item_unblended_cost"`
	Rate        string            `parquet:"line_item_unblended_rate,dict"`
	Account     string            `parquet:"line_item_usage_account_id,dict"`
	AccountName string            `parquet:"line_item_usage_account_name,dict"`
	Quantity    float64           `parquet:"line_item_usage_amount"`
	End         int64             `parquet:"line_item_usage_end_date,timestamp(millisecond)"`
	Start       int64             `parquet:"line_item_usage_start_date,timestamp(millisecond)"`
	Usage       string            `parquet:"line_item_usage_type,dict"`
	Unit        string            `parquet:"pricing_unit,dict"`
	Region      string            `parquet:"product_region_code,dict"`
	Service     string            `parquet:"product_servicecode,dict"`
	Tags        map[string]string `parquet:"resource_tags"`
}

// writeParquet writes a month as CUR 2.0.
func (w *world) writeParquet(path string, month time.Time) error {
	f, err := created(path)
	if err != nil {
		return err
	}
	to := parquet.NewGenericWriter[curRow](f, parquet.Compression(&parquet.Snappy), parquet.CreatedBy("parquet-mr", "1.13.1", ""))
	err = w.ofMonth(month, func(i int, l *line) error {
		w.rows++
		r := w.row(i, l, month)
		_, err := to.Write([]curRow{{
			BillType: r[0], Entity: r[1], PeriodEnd: month.AddDate(0, 1, 0).UnixMilli(), PeriodStart: month.UnixMilli(), Payer: r[4], ID: r[5], Interval: r[6], Currency: r[7],
			What: r[8], Kind: r[9], Operation: r[10], Product: r[11], Resource: r[12], Cost: l.cost.float(), Rate: r[14], Account: r[15], AccountName: r[16],
			Quantity: l.quantity.float(), End: l.end().UnixMilli(), Start: l.day.UnixMilli(), Usage: r[20], Unit: r[21], Region: r[22], Service: r[23],
		}})
		return err
	})
	return errors.Join(err, to.Close(), f.Close())
}

// focusColumns are those of FOCUS 1.0 as AWS exports it that we write
// (focus.finops.org, docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-0-aws.html).
var focusColumns = []string{
	"BilledCost", "BillingAccountId", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency",
	"ChargePeriodEnd", "ChargePeriodStart", "ConsumedQuantity", "ConsumedUnit", "EffectiveCost", "InvoiceIssuerName", "ListCost", "ProviderName", "PublisherName",
	"RegionId", "ResourceId", "ServiceCategory", "ServiceName", "SubAccountId", "SubAccountName", "x_Operation", "x_ServiceCode", "x_UsageType",
}

// focusCategories are what FOCUS calls kinds of lines; a negation has no line: what
// it takes back is not billed in the first place.
var focusCategories = map[string]string{
	usageLine: "Usage", coveredLine: "Usage", planFee: "Purchase", feeLine: "Purchase", taxLine: "Tax", creditLine: "Credit", refundLine: "Credit",
}

// writeFOCUS writes a month as FOCUS.
func (w *world) writeFOCUS(out io.Writer, month time.Time) error {
	to := csv.NewWriter(out)
	if err := to.Write(focusColumns); err != nil {
		return err
	}
	err := w.ofMonth(month, func(_ int, l *line) error {
		category := focusCategories[l.kind]
		if category == "" {
			return nil
		}
		billed := l.cost
		if l.kind == coveredLine {
			billed = 0
		}
		frequency := "Usage-Based"
		if l.end().Sub(l.day) > day {
			frequency = "Recurring"
		}
		name, class := securityNames[l.product], "Other"
		if name == "" {
			name, class = l.product, "Compute"
		}
		return to.Write([]string{
			billed.full(), w.management.id, "USD", month.AddDate(0, 1, 0).Format(moment), month.Format(moment), category, "NULL", l.what, frequency,
			l.end().Format(moment), l.day.Format(moment), l.quantity.String(), l.unit, l.cost.full(), "Amazon Web Services, Inc.", l.cost.full(), "AWS", "AWS",
			l.region, l.resource, class, name, l.account.id, l.account.name, l.op, l.product, l.usage,
		})
	})
	to.Flush()
	return errors.Join(err, to.Error())
}
