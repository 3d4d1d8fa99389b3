package bill

import (
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/cost"
)

var (
	// period is a folder that holds what was delivered of a month: AWS has
	// 20260401-20260501, BILLING_PERIOD=2026-04 or year=2026/month=4, Azure the first.
	period = regexp.MustCompile(`^(\d{8}-\d{8}|(?i:billing_period)=\d{4}-\d{2}|month=\d{1,2})$`)
	// numbered ends the name of a file of several: report-00001, part_0_0001.
	numbered = regexp.MustCompile(`^(.+?)[-_](\d{4,5})$`)
	// stamped begins the name of a folder of AWS that says when it was written:
	// 20260502T010203Z, 20260502T010203123Z-<id> or 2026-05-02T01:02:03.123Z-<id>.
	stamped = regexp.MustCompile(`^(\d{4})-?(\d{2})-?(\d{2})T(\d{2}):?(\d{2}):?(\d{2})(?:\.?\d{3})?Z`)
	// guid ends the names of Azure's files.
	guid = regexp.MustCompile(`_[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)
)

// Place fills in where a file stands in a delivery, as its path tells. Written is
// when the file was: it orders deliveries whose folders do not say when.
//
//	report/20260401-20260501/<assembly>/report-00001.csv.gz   AWS, legacy
//	report/data/BILLING_PERIOD=2026-04/<execution>/report-00001.csv.gz
//	export/20260401-20260430/<run>/part_0_0001.csv            Azure
func Place(f *cost.File, name string, written time.Time) {
	f.Name, f.Delivered = name, written.UTC()
	folders := strings.Split(path.Dir(path.Clean(slashed(name))), "/")
	stem := cost.Stem(name)
	if m := guid.FindString(stem); m != "" {
		stem, f.Delivery = strings.TrimSuffix(stem, m), m[1:]
	}
	if m := numbered.FindStringSubmatch(stem); m != nil {
		stem, f.Part = m[1], m[2]
	}
	f.Series = stem
	n := len(folders)
	if n >= 2 && period.MatchString(folders[n-2]) {
		f.Delivery = folders[n-1]
		f.Delivered = deliveredAt(f.Delivery, written)
	}
}

// deliveredAt is when a delivery was made: what its folder says, else when its file
// was written.
func deliveredAt(delivery string, written time.Time) time.Time {
	if m := stamped.FindStringSubmatch(delivery); m != nil {
		if at, err := time.Parse("20060102150405", strings.Join(m[1:], "")); err == nil {
			return at
		}
	}
	return written.UTC()
}
