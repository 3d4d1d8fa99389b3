package bill

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/cost"
)

// Limits of a manifest: real ones have some kilobytes, most of them columns.
const (
	maxManifest = 16 << 20
	maxListed   = 10_000
)

// manifest is what AWS writes beside a report: that of the legacy report has
// assemblyId and reportKeys, that of a data export executionId and dataFiles, and its
// month in the path. AWS documents the paths
// (https://docs.aws.amazon.com/cur/latest/userguide/dataexports-export-delivery.html);
// the names are those that public readers of such manifests use.
type manifest struct {
	AssemblyID  string   `json:"assemblyId"`
	ExecutionID string   `json:"executionId"`
	Account     string   `json:"account"`
	ExportARN   string   `json:"exportArn"`
	ReportKeys  []string `json:"reportKeys"`
	DataFiles   []string `json:"dataFiles"`
	Period      struct {
		Start string `json:"start"`
	} `json:"billingPeriod"`
}

// ReadManifest reads which files a delivery has. Name is its path, written when it
// was. The keys of files are names to it and nothing more: none is opened.
// ErrNotBill: it is no manifest, or larger than any.
func ReadManifest(name string, in io.Reader, written time.Time) (f cost.File, err error) {
	text, err := io.ReadAll(io.LimitReader(in, maxManifest+1))
	if err != nil {
		return f, err
	}
	text = bytes.TrimPrefix(text, bom)
	var has map[string]json.RawMessage
	if json.Unmarshal(text, &has) != nil || has["reportKeys"] == nil && has["dataFiles"] == nil || has["assemblyId"] == nil && has["executionId"] == nil {
		return f, ErrNotBill
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return f, fmt.Errorf("the manifest cannot be read: %w", err)
	}
	sum := sha256.Sum256(text)
	f = cost.File{Name: name, Holds: cost.HoldsManifest, Form: "aws.cur manifest", Fingerprint: hex.EncodeToString(sum[:])}
	if m.ExecutionID != "" {
		f.Form = "aws.cur2 manifest"
	}
	if err := m.tell(&f, written); err != nil {
		return cost.File{}, fmt.Errorf("the manifest cannot be believed: %w", err)
	}
	return f, nil
}

// tell fills in which delivery it is, of what, and its files.
func (m *manifest) tell(f *cost.File, written time.Time) error {
	keys := slices.Concat(m.ReportKeys, m.DataFiles)
	if len(keys) > maxListed {
		return fmt.Errorf("it names %d files, and no delivery has more than %d", len(keys), maxListed)
	}
	id := cmp.Or(m.AssemblyID, m.ExecutionID)
	month := monthIn(m.Period.Start, f.Name)
	f.Series = strings.TrimSuffix(cost.Stem(f.Name), "-Manifest")
	f.Delivered = deliveredAt(id, written)
	for _, key := range keys {
		key = path.Clean(key)
		stem := cost.Stem(key)
		if err := cmp.Or(checkText(key), checkText(id)); err != nil {
			return fmt.Errorf("the key of a file, or its id, %w", err)
		}
		if strings.Trim(stem, "./") == "" {
			return errors.New("a key names no file")
		}
		var placed cost.File
		Place(&placed, key, f.Delivered)
		f.Series, f.Delivered = placed.Series, placed.Delivered
		f.Delivery = placed.Delivery
		month = cmp.Or(month, monthIn("", key))
		f.Lists = append(f.Lists, stem)
	}
	f.Delivery = cmp.Or(f.Delivery, id)
	if month == 0 {
		return errors.New("it says no billing period")
	}
	slices.Sort(f.Lists)
	f.Lists = slices.Compact(f.Lists)
	payer := m.Account
	if parts := strings.Split(m.ExportARN, ":"); payer == "" && len(parts) > 4 {
		payer = parts[4]
	}
	f.Bills = []cost.Bill{{Provider: "AWS", Payer: payer, Month: month.time()}}
	return checkText(payer)
}

// monthNamed finds the month in a folder of a delivery.
var monthNamed = regexp.MustCompile(`(?i)(?:^|/)(?:billing_period=(\d{4})-(\d{2})|(\d{4})(\d{2})01-\d{8})/`)

// monthIn is the month of a moment, else of a path; 0: neither says it.
func monthIn(moment, name string) day {
	plain, _, _ := strings.Cut(moment, "T") // 20260401T000000.000Z, 2026-04-01T00:00:00Z
	if d, err := parseDay([]byte(plain)); err == nil {
		return d.first()
	}
	if m := monthNamed.FindStringSubmatch(strings.ReplaceAll(name, `\`, "/")); m != nil {
		if d, err := parseDay([]byte(m[1] + m[3] + m[2] + m[4])); err == nil {
			return d.first()
		}
	}
	return 0
}

// Manifests are those that lie beside bills.
type Manifests []cost.File

// Place corrects where a bill stands in a delivery by the manifests above it: a file
// that the latest does not name is of an older delivery, whatever its time is.
func (all Manifests) Place(f *cost.File) {
	m := all.of(f)
	switch {
	case m == nil:
	case f.Delivery == m.Delivery || f.Delivery == "" && slices.Contains(m.Lists, cost.Stem(f.Name)):
		f.Delivery, f.Delivered = m.Delivery, m.Delivered
	case !f.Delivered.Before(m.Delivered):
		f.Delivered = m.Delivered.Add(-time.Second)
	}
}

// of is the manifest about a file's report and month whose files are to lie where it
// does, or above: the uppermost, which AWS writes anew with each delivery, else the
// latest.
func (all Manifests) of(f *cost.File) (found *cost.File) {
	dir, depth := folderOf(f.Name), 0
	for i, m := range all {
		area := folderOf(m.Name)
		here := dir == area || path.Dir(dir) == area
		about := slices.ContainsFunc(f.Bills, func(b cost.Bill) bool { return b.Month.Equal(m.Bills[0].Month) })
		if !here || !about || m.Series != f.Series {
			continue
		}
		if found == nil || len(area) < depth || len(area) == depth && m.Delivered.After(found.Delivered) {
			found, depth = &all[i], len(area)
		}
	}
	return found
}

// folderOf is the folder of a file, and of a data export's manifest that where its
// files are: metadata/BILLING_PERIOD=2026-04 beside data/BILLING_PERIOD=2026-04.
func folderOf(name string) string {
	dir := path.Dir(slashed(name))
	if at := strings.LastIndex(dir, "/metadata/"); at >= 0 {
		return dir[:at] + "/data/" + dir[at+len("/metadata/"):]
	}
	return dir
}

func slashed(name string) string { return strings.ReplaceAll(name, `\`, "/") }
