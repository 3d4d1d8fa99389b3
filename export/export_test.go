package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/mask"
	"github.com/yagura-sec/yagura/say"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fixtures are findings of every sort: decided and not, ours and others', with
// everything and with next to nothing, and one full of what logs may hold.
func fixtures() []finding.Finding {
	alice := "arn:aws:sts::111122223333:assumed-role/Operator/alice@corp.example"
	full := finding.Finding{
		Trouble: finding.Trouble{
			Key: finding.Key("full"), Kind: finding.KindRule, Rule: "aws-trail-stopped", LogSource: "aws/cloudtrail",
			Title: "A trail was stopped", Severity: finding.High, Confidence: 0.9, Actor: alice,
			Resource: "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main", Account: "111122223333", Region: "eu-central-1",
			Reasons: []finding.Reason{
				{Kind: "selection", Text: say.Plain(alice + " called StopLogging in account 111122223333 (shop-prod)."), Evidence: []event.UID{{7}}},
				{Kind: "field", Text: say.Plain("alice has never done it before."), Observed: say.Plain("1"), Expected: say.Plain("0")},
			},
			Attack:         []finding.Attack{{ID: "TA0005", Name: "Defense Evasion", Version: "17"}, {ID: "T1562.008", Name: "Disable Cloud Logs", Version: "17"}},
			FalsePositives: []string{"A migration of trails"},
			Next:           []string{"aws cloudtrail start-logging --name main", "ask alice"},
			Related:        []string{finding.Key("other")},
		},
		Priority: 72, Status: finding.Resolved, Verdict: finding.Expected, Reason: "planned_change", Cause: finding.CausePerson,
		Parts:    []finding.Part{{Name: "severity", Value: 0.8, Why: say.Plain("severity high")}},
		Assignee: "bob", FirstSeen: noon, LastSeen: noon.Add(time.Hour), Count: 3, Case: finding.Key("case"),
		AccountName: "shop-prod", Environment: "production", Owner: "payments team", Criticality: "high",
		Explained: []finding.Explanation{{Kind: "window", ID: "w1", Text: say.Plain("Planned by alice (CHG-7)")}},
		Decisions: []finding.Decision{
			{ID: "1", At: noon.Add(2 * time.Hour), By: "bob", Status: finding.Resolved, Verdict: finding.Expected, Reason: "planned_change", Comment: "alice told us"},
			{ID: "2", At: noon.Add(3 * time.Hour), By: "carol", Comment: "a slip", Undone: true},
		},
	}
	full.Evidence.Add(finding.Sighting{Time: noon, UID: event.UID{7}})
	odd := finding.Finding{
		Trouble: finding.Trouble{
			Key: finding.Key("odd"), Kind: "anomaly.caller", Title: "＝cmd|' /C calc'!A0 <script>alert(1)</script>", Severity: finding.Critical, Confidence: 1,
			Actor: "203.0.113.7", Resource: "=HYPERLINK(\"http://evil.example\")\u202e", Account: "111122223333", Region: "us-east-1",
			Reasons: []finding.Reason{{Kind: "caller", Text: say.Plain("-2+3\nsecond\x1b[31m line \"quoted\"")}},
			Anomaly: &finding.Anomaly{Sign: finding.SignCaller, Score: 9, Person: "dave", Resources: []string{"arn:aws:secretsmanager:us-east-1:111122223333:secret:dave-x"}},
		},
		Priority: 100, Status: finding.New, Cause: finding.CauseUnknown, FirstSeen: noon, LastSeen: noon, Count: 1, Case: finding.Key("c2"),
	}
	bare := finding.Finding{
		Trouble: finding.Trouble{Key: finding.Key("bare"), Kind: finding.KindCorrelation, Title: "Nothing is known", Severity: "odd"},
		Status:  finding.InProgress, Cause: finding.CauseUnknown, FirstSeen: noon, LastSeen: noon,
	}
	google := finding.Finding{
		Trouble: finding.Trouble{
			Key: finding.Key("gcp"), Kind: finding.KindExternal, Title: "Public bucket", Severity: finding.Low, Confidence: 0.5,
			Actor: "erin@corp.example", Resource: "//storage.googleapis.com/shop-prod-1-exports", Account: "shop-prod-1",
			Reasons:  []finding.Reason{{Kind: "said", Text: say.Plain("Says the provider of projects/shop-prod-1.")}},
			External: &finding.External{Product: "Security Command Center", UID: "organizations/1/sources/2/findings/3", Format: "gcp.scc", Type: "PUBLIC_BUCKET_ACL", At: noon, Given: finding.New, Links: []string{"https://console.cloud.google.com/x"}, Resources: []string{"//storage.googleapis.com/shop-prod-1-exports", "//storage.googleapis.com/projects/shop-prod-1"}},
		},
		Priority: 12, Status: finding.Suppressed, Cause: finding.CauseUnknown, FirstSeen: noon, LastSeen: noon, Count: 1, Case: finding.Key("c3"),
	}
	return []finding.Finding{full, odd, bare, google}
}

func of(all []finding.Finding) iter.Seq2[finding.Finding, error] {
	return func(yield func(finding.Finding, error) bool) {
		for _, f := range all {
			if !yield(f, nil) {
				return
			}
		}
	}
}

func write(t testing.TB, format Format, all []finding.Finding, o Options) (string, Result) {
	t.Helper()
	var b bytes.Buffer
	r, err := Write(&b, format, of(all), o)
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), r
}

// TestGolden holds every format, and every version of OCSF.
func TestGolden(t *testing.T) {
	f := func(name string, format Format, o Options) {
		t.Helper()
		o.Program = "1.0"
		got, _ := write(t, format, fixtures(), o)
		path := filepath.Join("testdata", name+".golden")
		golden.Check(t, path, []byte(got))
	}
	f("ocsf-1.6", OCSF, Options{})
	f("ocsf-1.3", OCSF, Options{Version: "1.3"})
	f("ocsf-1.1", OCSF, Options{Version: "1.1.0"})
	f("asff", ASFF, Options{})
	f("sarif", SARIF, Options{})
	f("csv", CSV, Options{})
	f("json", JSON, Options{})
	f("hec", HEC, Options{Index: "security"})
	m, err := mask.New([]byte("a key that only tests have"))
	if err != nil {
		t.Fatal(err)
	}
	f("masked", JSONL, Options{Mask: m})
}

// object is a JSON object to look into.
type object map[string]any

func parse(t *testing.T, text string) object {
	t.Helper()
	var o object
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return o
}

// at looks up a path: "metadata.product.name"; nil where there is nothing.
func (o object) at(path string) any {
	var v any = map[string]any(o)
	for key := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

func (o object) needs(t *testing.T, paths ...string) {
	t.Helper()
	for _, p := range paths {
		if v := o.at(p); v == nil || v == "" {
			t.Errorf("%s is missing in %v", p, o)
		}
	}
}

func (o object) oneOf(t *testing.T, path string, values ...any) {
	t.Helper()
	if v := o.at(path); !slices.Contains(values, v) {
		t.Errorf("%s is %v, none of %v", path, v, values)
	}
}

func numbers(from, to int) (out []any) {
	for i := from; i <= to; i++ {
		out = append(out, float64(i))
	}
	return out
}

// TestOCSF checks what schema.ocsf.io requires of Detection Finding and of the
// objects in it, version by version.
func TestOCSF(t *testing.T) {
	for _, version := range Versions {
		text, r := write(t, OCSF, fixtures(), Options{Version: version})
		if r.Written != 4 || r.Skipped != 0 {
			t.Errorf("%s: %+v", version, r)
		}
		for line := range strings.Lines(text) {
			o := parse(t, line)
			o.needs(t, "activity_id", "category_uid", "class_uid", "finding_info.uid", "finding_info.title", "metadata.version",
				"metadata.product.name", "metadata.product.vendor_name", "severity_id", "time", "type_uid")
			o.oneOf(t, "metadata.version", version)
			o.oneOf(t, "class_uid", 2004.0)
			o.oneOf(t, "category_uid", 2.0)
			o.oneOf(t, "activity_id", numbers(1, 3)...)
			o.oneOf(t, "severity_id", append(numbers(0, 6), 99.0)...)
			o.oneOf(t, "status_id", append(numbers(0, 4), 99.0)...)
			o.oneOf(t, "confidence_id", numbers(0, 3)...)
			o.oneOf(t, "risk_level_id", numbers(0, 4)...)
			if o.at("type_uid").(float64) != 200400+o.at("activity_id").(float64) {
				t.Errorf("type_uid %v of activity %v", o.at("type_uid"), o.at("activity_id"))
			}
			if at := o.at("time").(float64); at < 1e12 || at > 1e13 {
				t.Errorf("time %v is not in milliseconds", at)
			}
			if o.at("cloud") != nil {
				o.needs(t, "cloud.provider")
				if profiles, _ := o.at("metadata.profiles").([]any); !slices.Contains(profiles, any("cloud")) {
					t.Error("cloud without its profile")
				}
			}
			later := []string{"is_alert", "finding_info.uid_alt", "finding_info.related_events_count", "cloud.cloud_partition"}
			for _, p := range later {
				if version < "1.4" && o.at(p) != nil {
					t.Errorf("%s: %s is of 1.4", version, p)
				}
			}
			for _, e := range objects(o.at("evidences")) {
				if e["actor"] == nil && e["data"] == nil && e["src_endpoint"] == nil {
					t.Errorf("an evidence holds none of what it needs: %v", e)
				}
			}
			for _, a := range objects(o.at("finding_info.attacks")) {
				if a["technique"] == nil && a["tactic"] == nil && a["sub_technique"] == nil || a["version"] == "" {
					t.Errorf("%s: attack %v", version, a)
				}
				if version < "1.3" && a["sub_technique"] != nil {
					t.Errorf("%s: a sub-technique in %v", version, a)
				}
			}
			for _, r := range objects(o.at("resources")) {
				if r["uid"] == nil && r["name"] == nil {
					t.Errorf("resource %v", r)
				}
			}
			if a, ok := o.at("finding_info.analytic").(map[string]any); ok && (a["type_id"] == nil || a["name"] == nil) {
				t.Errorf("analytic %v", a)
			}
		}
	}
	for _, v := range []string{"1.2", "2.0.0", "x"} {
		if _, err := Write(&bytes.Buffer{}, OCSF, of(nil), Options{Version: v}); err == nil {
			t.Errorf("version %s is written", v)
		}
	}
}

func objects(v any) (out []map[string]any) {
	l, _ := v.([]any)
	for _, x := range l {
		out = append(out, x.(map[string]any))
	}
	return out
}

// TestASFF checks required attributes, lengths and values as the Security Hub API
// reference has them (AwsSecurityFinding).
func TestASFF(t *testing.T) {
	long := fixtures()[0]
	long.Title, long.Reasons[0].Text = strings.Repeat("長", 400), say.Plain(strings.Repeat("x", 5000))
	text, r := write(t, ASFF, append(fixtures(), long), Options{})
	if r.Written != 3 || r.Skipped != 2 {
		t.Errorf("%+v", r)
	}
	arn := regexp.MustCompile(`^arn:aws[a-z-]*:securityhub:[a-z0-9-]+:[0-9]{12}:product/[0-9]{12}/default$`)
	moment := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$`)
	kind := regexp.MustCompile(`^(TTPs|Unusual Behaviors|Software and Configuration Checks|Effects|Sensitive Data Identifications)(/[^/]+){0,2}$`)
	for _, f := range objects(parse(t, text)["Findings"]) {
		o := object(f)
		o.needs(t, "AwsAccountId", "CreatedAt", "Description", "GeneratorId", "Id", "ProductArn", "Resources", "SchemaVersion", "Severity.Label", "Title", "Types", "UpdatedAt")
		o.oneOf(t, "SchemaVersion", "2018-10-08")
		o.oneOf(t, "Severity.Label", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
		o.oneOf(t, "Workflow.Status", "NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED")
		o.oneOf(t, "RecordState", "ACTIVE", "ARCHIVED")
		o.oneOf(t, "VerificationState", "UNKNOWN", "TRUE_POSITIVE", "FALSE_POSITIVE", "BENIGN_POSITIVE")
		for path, most := range map[string]int{"Title": 256, "Description": 1024, "Id": 512, "GeneratorId": 512} {
			if n := len([]rune(o.at(path).(string))); n > most {
				t.Errorf("%s has %d characters, at most %d are taken", path, n, most)
			}
		}
		if !arn.MatchString(o.at("ProductArn").(string)) {
			t.Errorf("ProductArn %v", o.at("ProductArn"))
		}
		for _, p := range []string{"CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt"} {
			if !moment.MatchString(o.at(p).(string)) {
				t.Errorf("%s %v", p, o.at(p))
			}
		}
		for _, x := range o["Types"].([]any) {
			if !kind.MatchString(x.(string)) {
				t.Errorf("type %v is not of the taxonomy", x)
			}
		}
		for _, x := range objects(o["Resources"]) {
			object(x).needs(t, "Id", "Type")
			object(x).oneOf(t, "Partition", "aws", "aws-cn", "aws-us-gov")
		}
	}
	many := slices.Repeat(fixtures()[:1], 230)
	text, _ = write(t, ASFF, many, Options{})
	var sizes []int
	for line := range strings.Lines(text) {
		sizes = append(sizes, len(objects(parse(t, line)["Findings"])))
	}
	if fmt.Sprint(sizes) != "[100 100 30]" {
		t.Errorf("230 findings are written in batches of %v", sizes)
	}
	if text, _ := write(t, ASFF, nil, Options{}); text != `{"Findings":[]}`+"\n" {
		t.Errorf("no findings are %q", text)
	}
}

// TestSARIF checks what the standard requires (SARIF 2.1.0, sections 3.13, 3.14,
// 3.19, 3.27, 3.33, 3.35).
func TestSARIF(t *testing.T) {
	for _, all := range [][]finding.Finding{fixtures(), nil} {
		text, _ := write(t, SARIF, append(all, all...), Options{Program: "1.0"})
		log := parse(t, text)
		if log["version"] != "2.1.0" {
			t.Errorf("version %v", log["version"])
		}
		runs := objects(log["runs"])
		if len(runs) != 1 {
			t.Fatalf("%d runs", len(runs))
		}
		run := object(runs[0])
		run.needs(t, "tool.driver.name", "results")
		run.oneOf(t, "columnKind", "utf16CodeUnits", "unicodeCodePoints")
		rules := objects(run.at("tool.driver.rules"))
		results := objects(run["results"])
		if len(results) != 2*len(all) || len(rules) != len(all) {
			t.Errorf("%d results, %d rules", len(results), len(rules))
		}
		ids := map[any]bool{}
		for _, r := range rules {
			if ids[r["id"]] || r["id"] == "" {
				t.Errorf("rule %v is there twice, or has no id", r["id"])
			}
			ids[r["id"]] = true
		}
		for _, r := range results {
			o := object(r)
			o.needs(t, "message.text", "ruleId", "partialFingerprints.yaguraKey/v1")
			o.oneOf(t, "level", "none", "note", "warning", "error")
			o.oneOf(t, "kind", "pass", "open", "informational", "notApplicable", "review", "fail")
			if rules[int(r["ruleIndex"].(float64))]["id"] != r["ruleId"] {
				t.Errorf("ruleIndex %v is not of %v", r["ruleIndex"], r["ruleId"])
			}
			if rank := r["rank"].(float64); rank < 0 || rank > 100 {
				t.Errorf("rank %v", rank)
			}
			for _, s := range objects(r["suppressions"]) {
				object(s).oneOf(t, "kind", "inSource", "external")
				object(s).oneOf(t, "status", "accepted", "underReview", "rejected")
			}
		}
	}
}

func TestCSV(t *testing.T) {
	text, _ := write(t, CSV, fixtures(), Options{})
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		for i, c := range row {
			if c != "" && strings.ContainsRune("=+-@＝＋－＠\t", []rune(c)[0]) {
				t.Errorf("%s is a formula: %q", rows[0][i], c)
			}
			if strings.ContainsFunc(c, invisible) {
				t.Errorf("%s holds what cannot be seen: %q", rows[0][i], c)
			}
		}
	}
	f := func(in, want string) {
		t.Helper()
		if got := Cell(in); got != want {
			t.Errorf("Cell(%q) = %q, want %q", in, got, want)
		}
	}
	f("=1+1", "'=1+1")
	f("-5.5", "-5.5")
	f("-5.5=x", "'-5.5=x")
	f("＠SUM(A1)", "'＠SUM(A1)")
	f("a=1", "a=1")
	f("\tx", "'\tx")
	f("\r=x", `\u000d=x`)
	f("a\u202eb", `a\u202eb`)
	f("", "")
	f("+", "'+")
	f("a;=1", "a;'=1")
	f("a\n@SUM(A1);+1", "a\n'@SUM(A1);'+1")
	f("a; 5;6", "a; 5;6")
}

func TestJSONForms(t *testing.T) {
	for _, all := range [][]finding.Finding{fixtures(), nil} {
		text, _ := write(t, JSON, all, Options{View: func(f finding.Finding) any { return map[string]string{"seen": f.Key} }})
		if got := objects(parse(t, text)["findings"]); len(got) != len(all) || len(all) > 0 && got[0]["seen"] != all[0].Key {
			t.Errorf("%s", text)
		}
	}
	for _, format := range Formats {
		if format.ContentType() == "" || format.Extension() == "" {
			t.Errorf("%s has no media type", format)
		}
	}
	if _, err := Write(&bytes.Buffer{}, "xml", of(nil), Options{}); err == nil {
		t.Error("xml is written")
	}
	broken := errors.New("broken")
	_, err := Write(&bytes.Buffer{}, JSON, func(yield func(finding.Finding, error) bool) { yield(finding.Finding{}, broken) }, Options{})
	if !errors.Is(err, broken) {
		t.Errorf("an error of the findings comes as %v", err)
	}
}

// TestRevision: the same finding has the same revision, and any decision changes
// it.
func TestRevision(t *testing.T) {
	a, b := fixtures()[0], fixtures()[0]
	if Revision(a) != Revision(b) {
		t.Error("the revision of the same is not the same")
	}
	b.Decisions = append(b.Decisions, finding.Decision{At: noon, By: "bob", Comment: "hm"})
	if Revision(a) == Revision(b) {
		t.Error("a comment changes no revision")
	}
	o := parse(t, mustJSON(t, Event(&a, Options{})))
	o.needs(t, "time", "event.id", "event.revision", "event.finding.title", "sourcetype")
	if o["index"] != nil {
		t.Error("an index that nobody named")
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestMasked: in no format a name is left, and what was written unmasked is as it
// was.
func TestMasked(t *testing.T) {
	names := regexp.MustCompile(`(?i)alice|bob|carol|dave|erin|corp\.example|111122223333|shop-prod|payments team|console\.cloud`)
	for _, format := range Formats {
		m, err := mask.New([]byte("a key that only tests have"))
		if err != nil {
			t.Fatal(err)
		}
		all := fixtures()
		before := mustJSON(t, all)
		if err := Learn(of(all), m); err != nil {
			t.Fatal(err)
		}
		text, r := write(t, format, all, Options{Mask: m})
		if found := names.FindString(text); found != "" {
			at := strings.Index(text, found)
			t.Errorf("%s says %s: …%s…", format, found, text[max(0, at-80):min(len(text), at+80)])
		}
		for _, f := range all {
			if strings.Contains(text, f.Key) || f.Case != "" && strings.Contains(text, f.Case) {
				t.Errorf("%s has the key of %s", format, f.Title)
			}
		}
		if mustJSON(t, all) != before {
			t.Errorf("%s changes the findings", format)
		}
		if plain, q := write(t, format, all, Options{}); q != r || !names.MatchString(plain) {
			t.Errorf("%s: masked %+v, plain %+v", format, r, q)
		}
		if alias := m.Account("111122223333"); format != CSV && strings.Count(text, alias) < 3 {
			t.Errorf("%s does not say %s", format, alias)
		}
	}
}

// BenchmarkWrite writes findings in each format, and as OCSF under aliases.
func BenchmarkWrite(b *testing.B) {
	m, err := mask.New([]byte("a key that only tests have"))
	if err != nil {
		b.Fatal(err)
	}
	all := slices.Repeat(fixtures()[:1], 100)
	run := func(name string, format Format, o Options) {
		b.Run(name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				r, err := Write(io.Discard, format, of(all), o)
				if err != nil {
					b.Fatal(err)
				}
				n += r.Written
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "findings/s")
		})
	}
	for _, f := range Formats {
		run(string(f), f, Options{})
	}
	run("ocsf masked", OCSF, Options{Mask: m})
}
