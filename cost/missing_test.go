package cost

import (
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/say"
)

func TestMissing(t *testing.T) {
	april, may := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	file := func(part string, refused int64, months ...time.Time) File {
		f := File{Holds: HoldsBill, Series: "report", Part: part, Refused: refused}
		for _, m := range months {
			f.Bills = append(f.Bills, Bill{"AWS", "111122223333", m})
		}
		return f
	}
	f := func(month time.Time, english, japanese string, files ...File) {
		t.Helper()
		said := MissingOf(files, month).Said()
		if said.String() != english || said.In(say.Japanese) != japanese {
			t.Errorf("%q, %q; want %q, %q", said, said.In(say.Japanese), english, japanese)
		}
	}
	f(april, "", "")
	f(april, "", "", file("00001", 0, april), file("00002", 0, april), file("", 3, may), File{Holds: HoldsCounts, Refused: 5})
	f(april, "1 row of this month's files could not be read: the figures lack it.", "この月の請求ファイルのうち 1 行を読み取れず、金額に含まれていない。", file("", 1, april, may))
	f(may, "1,204 rows of this month's files could not be read: the figures lack them.", "この月の請求ファイルのうち 1,204 行を読み取れず、金額に含まれていない。", file("", 1200, april, may), file("", 4, may))
	f(april, "2 files of a delivery are missing (report-00001, report-00003): the figures lack what they have.", "配信されたファイルのうち 2 個が欠けている(report-00001、report-00003): その分は金額に含まれていない。", file("00002", 0, april), file("00004", 0, april))
	f(april, "1 file of a delivery is missing (report-00002): the figures lack what it has.", "配信されたファイルのうち 1 個が欠けている(report-00002): その分は金額に含まれていない。", file("00001", 0, april), file("00003", 0, april), file("00001", 0, may))
}

// TestMissingOfManifests: what is missing is what the latest manifest names.
func TestMissingOfManifests(t *testing.T) {
	april := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	bills := []Bill{{"AWS", "111122223333", april}}
	file := func(delivery, part string, hour int) File {
		return File{Name: "/a/report-" + part + ".csv.gz", Holds: HoldsBill, Bills: bills, Series: "report", Part: part, Delivery: delivery, Delivered: april.Add(time.Duration(hour) * time.Hour)}
	}
	manifest := func(delivery string, hour int, lists ...string) File {
		return File{Holds: HoldsManifest, Bills: bills, Series: "report", Delivery: delivery, Delivered: april.Add(time.Duration(hour) * time.Hour), Lists: lists}
	}
	f := func(want string, files ...File) {
		t.Helper()
		if got := strings.Join(MissingOf(files, april).Parts, " "); got != want {
			t.Errorf("missing are %q, want %q", got, want)
		}
	}
	f("report-00003", manifest("a", 1, "report-00001", "report-00002", "report-00003"), file("a", "00001", 1), file("a", "00002", 1)) // the last, which numbers do not tell
	f("", manifest("a", 1, "report-00001", "report-00003"), file("a", "00001", 1), file("a", "00003", 1))                             // 2 never was
	f("", manifest("a", 1, "report-00001"), file("", "00001", 0))                                                                     // read before its manifest
	f("report-00001", manifest("b", 2, "report-00001"), file("a", "00001", 1))                                                        // a newer delivery is not here
	f("", manifest("a", 1, "report-00001"), file("b", "00002", 2), file("b", "00001", 2))                                             // and here it is
	f("report-00001", manifest("a", 1, "report-00009"), manifest("b", 2, "report-00001"))
	f("report-00001", manifest("a", 1, "report-00001"))
	other := manifest("a", 1, "report-00001")
	other.Bills = []Bill{{"AWS", "444455556666", april}}
	f("report-00001", other, file("a", "00001", 1)) // of another payer
	other.Bills = []Bill{{"AWS", "", april}}
	f("", other, file("a", "00001", 1))
}

func TestServices(t *testing.T) {
	f := func(provider, service, usage, want string) {
		t.Helper()
		if got, ok := Security(provider, service, usage); got != want || ok != (want != "") {
			t.Errorf("%s %s %s: %q, want %q", provider, service, usage, got, want)
		}
	}
	f("AWS", "AWSConfig", "APN1-ConfigurationItemRecorded", "AWS Config")
	f("AWS", "AWS Config", "", "AWS Config")
	f("AWS", "awskms", "APN1-KMS-Keys", "AWS KMS")
	f("AWS", "AmazonInspectorV2", "", "Amazon Inspector")
	f("AWS", "AmazonEC2", "BoxUsage", "")
	f("AWS", "AWSCertificateManager", "USE1-PaidPrivateCA", "AWS Private CA")
	f("AWS", "AWSCertificateManager", "USE1-FreeCertificate", "")
	f("Google Cloud", "Cloud Key Management Service (KMS)", "", "Cloud KMS")
	f("Google Cloud", "Networking", "Cloud Armor Requests", "Cloud Armor")
	f("Google Cloud", "Networking", "Egress", "")
	f("Azure", "Security Center", "", "Microsoft Defender for Cloud")
	f("Azure", "AWSConfig", "", "")
	f("", "AWSConfig", "", "")
	seen := map[string]bool{}
	for _, s := range SecurityServices() {
		if seen[s.ID] {
			t.Errorf("%s stands there twice", s.ID)
		}
		seen[s.ID] = true
	}
}
