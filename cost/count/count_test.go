package count

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/internal/shared"
)

var now = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// files are all documents of testdata.
func files(t testing.TB) (paths []string) {
	t.Helper()
	err := filepath.WalkDir("testdata", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !strings.HasSuffix(path, ".golden") && !strings.Contains(path, "fuzz") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil || len(paths) < 20 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	return paths
}

// TestGolden holds what each document of testdata is read as.
func TestGolden(t *testing.T) {
	for _, path := range files(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Read(filepath.ToSlash(path), bytes.NewReader(text), now)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if d.File.Form != formHistory {
			var again bytes.Buffer
			z := gzip.NewWriter(&again)
			_, _ = z.Write(text) // a buffer takes everything
			_ = z.Close()
			if packed, err := Read(path, &again, now); err != nil || packed.File.Fingerprint != d.File.Fingerprint {
				t.Errorf("%s, packed: %v, %+v", path, err, packed.File)
			}
		}
		s, wrong := SetupOf(d.Facts)
		if len(wrong) > 0 {
			t.Errorf("%s: %v", path, wrong)
		}
		d.File.Fingerprint = ""
		for i := range d.Facts {
			d.Facts[i].Document = nil
		}
		got, err := json.MarshalIndent(map[string]any{"file": d.File, "counts": d.Counts, "facts": d.Facts, "setup": s}, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		golden.Check(t, path+".golden", append(got, '\n'))
	}
}

func read(t *testing.T, path string) Document {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := Read(path, f, now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestJoin holds how objects of the history that are of one day are joined.
func TestJoin(t *testing.T) {
	one, two := read(t, "testdata/history-1.json"), read(t, "testdata/history-2.json")
	f := func(counts []cost.Count, on string, items, days int64) {
		t.Helper()
		i := slices.IndexFunc(counts, func(c cost.Count) bool {
			return c.ResourceType == "AWS::EC2::NetworkInterface" && c.Day.Format(time.DateOnly) == on
		})
		if i < 0 || counts[i].Items != items || counts[i].ResourceDays != days || counts[i].Basis != cost.History {
			t.Errorf("on %s: %+v, want %d items and %d resource-days", on, counts[max(i, 0)], items, days)
		}
	}
	join := func(held []cost.Count, docs ...Document) []cost.Count {
		t.Helper()
		counts, double := Join(held, nil, docs...)
		if len(double) > 0 && docs[0].history != nil {
			t.Errorf("objects are said to be counted by a query too: %+v", double)
		}
		return counts
	}
	both := join(nil, two, one)
	// eni-1 came and went; eni-2 has an item in both objects, and it is not known how
	// it was before.
	f(both, "2026-10-01", 6, 1)
	// eni-2 changed and changed back; eni-3 came.
	f(both, "2026-10-02", 3, 1)
	f(both, "2026-10-03", 1, 1)
	// The second object alone, and then on top of the first.
	f(join(nil, two), "2026-10-01", 2, 1)
	f(join(one.Counts, two), "2026-10-01", 7, 2)
	// What a query of Athena says takes the place of what is held.
	athena := read(t, "testdata/athena.csv")
	f(join(athena.Counts, athena), "2026-10-01", 17000, 30)
}

// TestJoinDouble: of days that a query and the objects have counted both, the query
// is taken, in whichever order they come, and it is said where that was.
func TestJoinDouble(t *testing.T) {
	on := func(day string) time.Time {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	objects := read(t, "testdata/history-1.json")
	const header = "account,region,resource_type,day,items,resource_days\n"
	i := slices.IndexFunc(objects.Counts, func(c cost.Count) bool { return c.ResourceType == "AWS::EC2::NetworkInterface" })
	place := objects.Counts[i]
	query := func(region, day string, items int) Document {
		d, err := Read("q.csv", strings.NewReader(fmt.Sprintf("%s%s,%s,%s,%s,%d,1\n", header, place.Account, region, place.ResourceType, day, items)), now)
		if err != nil || len(d.Counts) != 1 {
			t.Fatalf("%+v, %v", d, err)
		}
		return d
	}
	first := place.Day.Format(time.DateOnly)
	cover := cost.Cover{Account: place.Account, Region: place.Region, ResourceType: place.ResourceType, Since: place.Day, Until: place.Day}
	f := func(what string, items int64, want []cost.Cover, held []cost.Count, queried []cost.Cover, docs ...Document) {
		t.Helper()
		counts, double := Join(held, queried, docs...)
		got := int64(-1)
		for _, c := range counts {
			if c.ResourceType == place.ResourceType && c.Day.Equal(on(first)) && c.Region == place.Region {
				got = c.Items
			}
		}
		if got != items || !slices.Equal(double, want) {
			t.Errorf("%s: %d items, want %d; twice %+v, want %+v", what, got, items, double, want)
		}
	}
	q := query(place.Region, first, 99)
	f("in one import", 99, []cost.Cover{cover}, nil, nil, objects, q)
	f("in one import, the other way round", 99, []cost.Cover{cover}, nil, nil, q, objects)
	f("the query first", -1, []cost.Cover{cover}, q.Counts, q.File.Covers, objects) // it stays as it is held
	f("the objects first", 99, []cost.Cover{cover}, objects.Counts, nil, q)
	f("the query again", 99, nil, q.Counts, q.File.Covers, q)
	f("another day", place.Items, nil, nil, nil, objects, query(place.Region, "2026-12-24", 99))
	f("another region", place.Items, nil, nil, nil, objects, query("eu-north-1", first, 99))
}

func TestRefused(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := Read("f.json", strings.NewReader(text), now)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is refused as %v, want %s", text, err, want)
		}
	}
	f("", ErrForeign.Error())
	f("{}", ErrForeign.Error())
	f(`{"Records":[]}`, ErrForeign.Error())
	f("lineItem/UsageAmount,x\n", ErrForeign.Error())
	f(`{"MetricDataResults":[{"Id":"a"}],"NextToken":"x"}`, "NextToken")
	f(`{"MetricDataResults":[{"Timestamps":["soon"]}]}`, "soon")
	f(`{"ConfigurationRecorders":[{}]}`, "no name")
	f(`{"ConfigurationRecorders":[{"name":"default"}`, "no JSON")
	f(`{"configurationItems":[{"resourceId":"a"}`, "behind item 1")
	f(`{"configurationItems":[]`, "ends early")
	f(`{"SummaryMap":{"Roles":1}}`, "which account")
	if _, err := Read("f", iotestReader{}, now); !errors.Is(err, os.ErrClosed) {
		t.Errorf("what cannot be read is %v", err)
	}
}

type iotestReader struct{}

func (iotestReader) Read([]byte) (int, error) { return 0, os.ErrClosed }

// TestSameElsewhere: what two accounts answer alike is two answers, unless it says
// itself where it is from.
func TestSameElsewhere(t *testing.T) {
	f := func(text string, same bool) {
		t.Helper()
		var prints []string
		for _, name := range []string{"111122223333/us-east-1/a.json", "444455556666/us-east-1/a.json", "other/444455556666/us-east-1/b.json"} {
			d, err := Read(name, strings.NewReader(text), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
			if err != nil {
				t.Fatal(err)
			}
			prints = append(prints, d.File.Fingerprint)
		}
		if (prints[0] == prints[1]) != same || prints[1] != prints[2] {
			t.Errorf("%s: %v", text, prints)
		}
	}
	f(`{"ConfigurationRecordersStatus":[{"name":"default","recording":true}]}`, false)
	f(`{"Label":"AWS::EC2::VPC","Datapoints":[{"Timestamp":"2026-03-02T00:00:00+00:00","Sum":3.0}]}`, false)
	f("account,region,resource_type,day,items,resource_days\n111122223333,us-east-1,AWS::EC2::VPC,2026-03-02,3,1\n", true)
}

func TestPlaceOf(t *testing.T) {
	f := func(path, account, region, resourceType string) {
		t.Helper()
		p := placeOf(path)
		if p.account != account || p.region != region || p.resourceType != resourceType {
			t.Errorf("%s is of %+v", path, p)
		}
	}
	f("counts/111122223333/us-east-1/x.json", "111122223333", "us-east-1", "")
	f(`counts\111122223333_ap-northeast-1_recorders.json`, "111122223333", "ap-northeast-1", "")
	f("111122223333/AWS-EC2-NetworkInterface.json", "111122223333", "", "AWS::EC2::NetworkInterface")
	f("a/us-gov-west-1/AWS__IAM__Role", "", "us-gov-west-1", "AWS::IAM::Role")
	f("111122223333/444455556666/x", "444455556666", "", "")
	f("1111222233334/x-1.json", "", "", "")
	f("AWS::EC2::VPC", "", "", "AWS::EC2::VPC")
	f("", "", "", "")
}

// TestSharedConfig reads configuration items of others as objects of the history.
func TestSharedConfig(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(shared.Dir(t, "awsconfig/custodian-config/config"), "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	items := 0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var whole struct{ ConfigurationItem json.RawMessage }
		if json.Unmarshal(text, &whole) == nil && whole.ConfigurationItem != nil {
			text = whole.ConfigurationItem
		}
		var head struct{ ResourceType, ResourceID string }
		if json.Unmarshal(text, &head) != nil || head.ResourceID == "" {
			continue
		}
		d, err := Read("history.json", strings.NewReader(`{"fileVersion":"1.0","configurationItems":[`+string(text)+`]}`), now)
		if err != nil || d.File.Rows != 1 || d.File.Refused != 0 || len(d.Counts) != 1 || d.Counts[0].ResourceType != head.ResourceType || d.Counts[0].Items != 1 {
			t.Errorf("%s: %v, %+v %+v", path, err, d.File, d.Counts)
			continue
		}
		items++
	}
	t.Logf("%d items of %d files", items, len(paths))
	if items == 0 {
		t.Error("no file holds an item")
	}
}

// FuzzRead holds that whatever is read adds up: rows of counts are counted or
// refused, counts are sound, and facts that were kept read again.
func FuzzRead(f *testing.F) {
	for _, path := range files(f) {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(path, text)
	}
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		d, err := Read(name, bytes.NewReader(text), now)
		if err != nil {
			if len(d.Counts) > 0 || len(d.Facts) > 0 {
				t.Fatal("an error and something read")
			}
			return
		}
		if d.File.Form == formAthena && int64(len(d.Counts))+d.File.Refused != d.File.Rows {
			t.Errorf("%d rows: %d counted, %d refused", d.File.Rows, len(d.Counts), d.File.Refused)
		}
		var items int64
		for _, c := range d.Counts {
			if c.Account == "" || c.ResourceType == "" || c.Items < 0 || c.ResourceDays > c.Items || c.Low != c.Items || c.High != c.Items || !c.Day.Equal(day(c.Day)) {
				t.Errorf("counted %+v", c)
			}
			items += c.Items
		}
		if d.File.Form == formHistory && items > d.File.Rows-d.File.Refused {
			t.Errorf("%d items in %d rows of which %d are refused", items, d.File.Rows, d.File.Refused)
		}
		if joined, _ := Join(nil, nil, d); !slices.Equal(joined, d.Counts) {
			t.Error("joined with nothing it is something else")
		}
		if _, wrong := SetupOf(d.Facts); len(wrong) > 0 {
			t.Error(wrong)
		}
	})
}
