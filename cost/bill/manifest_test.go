package bill

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/cost"
)

const (
	legacyManifest = `{"assemblyId":"%s","account":"111122223333","columns":[{"category":"bill","name":"PayerAccountId","type":"String"}],"charset":"UTF-8",
"compression":"GZIP","reportName":"report","billingPeriod":{"start":"20260401T000000.000Z","end":"20260501T000000.000Z"},"bucket":"b",
"reportKeys":[%s]}`
	exportManifest = `{"executionId":"%s","exportArn":"arn:aws:bcm-data-exports:us-east-1:111122223333:export/costs-0f1e","dataFiles":[%s]}`
)

var april = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)

func TestManifest(t *testing.T) {
	at := time.Date(2026, 5, 9, 0, 0, 0, 0, time.UTC)
	stamp := time.Date(2026, 5, 2, 1, 2, 3, 0, time.UTC)
	f := func(name, text string, want cost.File) {
		t.Helper()
		got, err := ReadManifest(name, strings.NewReader(text), at)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		text = fmt.Sprint(got.Form, got.Series, got.Delivery, got.Delivered, got.Bills, got.Lists)
		if w := fmt.Sprint(want.Form, want.Series, want.Delivery, want.Delivered, want.Bills, want.Lists); got.Holds != cost.HoldsManifest || text != w {
			t.Errorf("%s: %s\nwant %s", name, text, w)
		}
	}
	bills := []cost.Bill{{Provider: "AWS", Payer: "111122223333", Month: april}}
	two := `"p/report/20260401-20260501/0f1e/report-00002.csv.gz","p/report/20260401-20260501/0f1e/report-00001.csv.gz"`
	f("/a/report-Manifest.json", fmt.Sprintf(legacyManifest, "0f1e", two),
		cost.File{Form: "aws.cur manifest", Series: "report", Delivery: "0f1e", Delivered: at, Bills: bills, Lists: []string{"report-00001", "report-00002"}})
	f("/a/report-Manifest.json", "\ufeff"+fmt.Sprintf(legacyManifest, "20260502T010203Z", ""),
		cost.File{Form: "aws.cur manifest", Series: "report", Delivery: "20260502T010203Z", Delivered: stamp, Bills: bills})
	f("/a/metadata/BILLING_PERIOD=2026-04/costs-Manifest.json", fmt.Sprintf(exportManifest, "0f1e", `"s3://b/p/costs/data/BILLING_PERIOD=2026-04/costs-00001.snappy.parquet"`),
		cost.File{Form: "aws.cur2 manifest", Series: "costs", Delivery: "0f1e", Delivered: at, Bills: bills, Lists: []string{"costs-00001"}})
	f("/a/costs-Manifest.json", fmt.Sprintf(exportManifest, "0f1e", `"s3://b/p/costs/data/BILLING_PERIOD=2026-04/2026-05-02T01:02:03.456Z-0f1e/costs-00001.csv.gz"`),
		cost.File{Form: "aws.cur2 manifest", Series: "costs", Delivery: "2026-05-02T01:02:03.456Z-0f1e", Delivered: stamp, Bills: bills, Lists: []string{"costs-00001"}})
	// A key is a name: where it leads to does not matter.
	f("/a/report-Manifest.json", fmt.Sprintf(legacyManifest, "0f1e", `"../../../../etc/passwd"`),
		cost.File{Form: "aws.cur manifest", Series: "passwd", Delivery: "0f1e", Delivered: at, Bills: bills, Lists: []string{"passwd"}})
}

func TestManifestRefused(t *testing.T) {
	no := func(text, why string) {
		t.Helper()
		f, err := ReadManifest("/a/report-Manifest.json", strings.NewReader(text), april)
		if err == nil || errors.Is(err, ErrNotBill) != (why == "") || !strings.Contains(err.Error(), why) || f.Name != "" {
			t.Errorf("%.80s: %v, want %q", text, err, why)
		}
	}
	no("", "")
	no("[]", "")
	no(`{"Records":[]}`, "")
	no(`{"reportKeys":["a"]}`, "")
	no(`{"assemblyId":"a","reportKeys":[`, "")
	no(`{"assemblyId":"a","reportKeys":["`+strings.Repeat("x", maxManifest)+`"]}`, "")
	no(`{"assemblyId":"a","reportKeys":"report-00001.csv"}`, "cannot be read")
	no(`{"assemblyId":7,"reportKeys":["report-00001.csv"]}`, "cannot be read")
	no(`{"assemblyId":"a","reportKeys":[{"key":"report-00001.csv"}]}`, "cannot be read")
	no(`{"assemblyId":"a","reportKeys":["report-00001.csv"]}`, "no billing period")
	no(fmt.Sprintf(legacyManifest, "a", `"a/../.."`), "names no file")
	no(fmt.Sprintf(legacyManifest, "a", `""`), "names no file")
	no(fmt.Sprintf(legacyManifest, "a", `"report\u001b[2J.csv"`), "control character")
	no(fmt.Sprintf(legacyManifest, `\u0007`, `"report.csv"`), "control character")
	no(fmt.Sprintf(legacyManifest, "a", `"`+strings.Repeat("x", maxText+1)+`"`), "longer than")
	no(fmt.Sprintf(legacyManifest, "a", strings.Repeat(`"report.csv",`, maxListed)+`"report.csv"`), "names 10001 files")
}

// FuzzManifest: whatever it says, a manifest has a month, and its files have names
// that lead nowhere.
func FuzzManifest(f *testing.F) {
	f.Add("/a/report-Manifest.json", fmt.Sprintf(legacyManifest, "0f1e", `"p/report/20260401-20260501/0f1e/report-00001.csv.gz"`))
	f.Add("/a/metadata/BILLING_PERIOD=2026-04/x.json", fmt.Sprintf(exportManifest, "0f1e", `"../x","s3://b/x.csv"`))
	f.Fuzz(func(t *testing.T, name, text string) {
		m, err := ReadManifest(name, strings.NewReader(text), april)
		if err != nil {
			return
		}
		if len(m.Bills) != 1 || m.Bills[0].Month.Day() != 1 || m.Rows != 0 {
			t.Errorf("%+v", m)
		}
		for _, l := range m.Lists {
			if l == "" || strings.ContainsAny(l, `/\`) || l == ".." || checkText(l) != nil {
				t.Errorf("it lists %q", l)
			}
		}
	})
}

// TestManifestPlace: what a manifest names is the delivery, and all else of the
// report and month is older, whatever its time.
func TestManifestPlace(t *testing.T) {
	hour := func(n int) time.Time { return april.Add(time.Duration(n) * time.Hour) }
	read := func(name, text string, written time.Time) cost.File {
		m, err := ReadManifest(name, strings.NewReader(text), written)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	legacy := `"r/report/20260401-20260501/new/report-00001.csv.gz"`
	old := `"r/report/20260401-20260501/old/report-00001.csv.gz"`
	all := Manifests{
		read("/a/report/20260401-20260501/old/report-Manifest.json", fmt.Sprintf(legacyManifest, "old", old), hour(9)), // copied without its time
		read("/a/report/20260401-20260501/report-Manifest.json", fmt.Sprintf(legacyManifest, "new", legacy), hour(5)),
		read("/b/metadata/BILLING_PERIOD=2026-04/costs-Manifest.json", fmt.Sprintf(exportManifest, "0f1e", `"s3://b/c/costs-00001.csv.gz"`), hour(5)),
	}
	place := func(name string, written time.Time, month time.Time, delivery string, delivered time.Time) {
		t.Helper()
		f := cost.File{Bills: []cost.Bill{{Provider: "AWS", Month: month}}}
		Place(&f, name, written)
		all.Place(&f)
		if f.Delivery != delivery || !f.Delivered.Equal(delivered) {
			t.Errorf("%s: delivery %q of %v, want %q of %v", name, f.Delivery, f.Delivered, delivery, delivered)
		}
	}
	before := hour(5).Add(-time.Second)
	place("/a/report/20260401-20260501/new/report-00001.csv.gz", hour(3), april, "new", hour(5))
	place("/a/report/20260401-20260501/old/report-00001.csv.gz", hour(9), april, "old", before)
	place("/a/report/20260401-20260501/old/report-00001.csv.gz", hour(1), april, "old", hour(1))
	place("/b/data/BILLING_PERIOD=2026-04/costs-00001.csv.gz", hour(9), april, "0f1e", hour(5))
	place("/b/data/BILLING_PERIOD=2026-04/costs-00002.csv.gz", hour(9), april, "", before) // of an export that had more files
	place("/b/data/BILLING_PERIOD=2026-05/costs-00001.csv.gz", hour(9), april.AddDate(0, 1, 0), "", hour(9))
	place("/b/data/BILLING_PERIOD=2026-04/others-00001.csv.gz", hour(9), april, "", hour(9))
	place("/c/costs-00001.csv.gz", hour(9), april, "", hour(9))
	m := slices.Clone(all)[0]
	all.Place(&m)
	if !m.Delivered.Equal(before) {
		t.Errorf("the manifest of an older delivery is of %v, want %v", m.Delivered, before)
	}
}
