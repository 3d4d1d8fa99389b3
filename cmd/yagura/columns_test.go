package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/shared"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/lake/laketest"
	"github.com/yagura-sec/yagura/lake/local"
	"github.com/yagura-sec/yagura/normalise/cloudtrail"
	"github.com/yagura-sec/yagura/rules"
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
	"github.com/yagura-sec/yagura/sigma/sqlgen"
)

// columnTest is stored events and what columns tell of their records.
type columnTest struct {
	*testing.T
	lake         *local.Store
	events       []event.Event
	rules, wide  int
	hits, passed int
}

func newColumnTest(t *testing.T, records []json.RawMessage) *columnTest {
	t.Helper()
	c := &columnTest{T: t}
	var events []event.Event
	for _, body := range records {
		events, _ = cloudtrail.Normaliser{}.Append(events, event.Raw{Body: bytes.Clone(body), Received: time.Now()})
	}
	s, err := local.Open(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	got, err := s.Append(t.Context(), laketest.Batch("object", "1", events...))
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range got.New {
		c.events = append(c.events, events[i])
	}
	c.lake = s
	return c
}

// hold checks for every rule by itself that no event it matches is left out by
// what the columns say.
func (c *columnTest) hold(docs sigma.Documents) {
	c.Helper()
	set, _ := match.Compile(docs.Rules, match.Options{Filters: docs.Filters})
	logs := stored.Logs(rule.Sources)
	source := rule.Sources[cloudtrail.Format]
	sc := set.NewScratch()
	want := make([]map[event.UID]bool, set.Len())
	for i := range want {
		want[i] = map[event.UID]bool{}
	}
	for i := range c.events {
		hits, err := set.MatchJSON(sc, c.events[i].Raw, source)
		if err != nil {
			c.Fatalf("%s: %v", c.events[i].Raw, err)
		}
		for _, r := range hits {
			want[r][c.events[i].UID] = true
		}
	}
	for i := range set.Len() {
		q := sqlgen.Superset(set, []int{i}, logs, sqlgen.DuckDB{})
		got := map[event.UID]bool{}
		for e, err := range c.lake.SelectWhere(c.Context(), lake.Condition{Where: q.Where, Args: q.Args}) {
			if err != nil {
				c.Fatalf("%s: %v", q.Where, err)
			}
			got[e.UID] = true
		}
		for k := range c.events {
			if uid := c.events[k].UID; want[i][uid] && !got[uid] {
				c.Fatalf("rule %s matches\n%s\nwhich is left out by %s\n%q", set.Rule(i).Key(), c.events[k].Raw, q.Where, q.Args)
			}
		}
		c.rules++
		c.hits += len(want[i])
		c.passed += len(got)
		if len(q.Why) > 0 {
			c.wide++
		}
	}
}

func (c *columnTest) report() {
	c.Helper()
	c.Logf("%d events, %d rules: %d matches, %d rows read (%.2f %% of all), %d rules that no column narrows",
		len(c.events), c.rules, c.hits, c.passed, 100*float64(c.passed)/float64(max(c.rules*len(c.events), 1)), c.wide)
	if c.rules == 0 || c.hits == 0 {
		c.Error("nothing was held against each other")
	}
}

// TestColumnsReal holds on all real records, for our own rules, SigmaHQ's, and
// rules made of values that occur.
func TestColumnsReal(t *testing.T) {
	if testing.Short() {
		t.Skip("reads all real records")
	}
	var records []json.RawMessage
	root := shared.Dir(t, "cloudtrail")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (strings.HasSuffix(path, ".json") || strings.HasSuffix(path, ".json.gz")) {
			records = append(records, shared.Records(t, path)...)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c := newColumnTest(t, records)
	own, _ := sigma.Load(rules.FS(), "rules")
	c.hold(own)
	c.report()
	sigmaHQ, _ := sigma.LoadPath(shared.Dir(t, "sigma/sigmahq-rules/rules/cloud/aws"))
	c.hold(sigmaHQ)
	c.report()
	r := rand.New(rand.NewPCG(31, 1))
	c.hold(rulesOfValues(r, c.events, 200))
	c.report()
}

// TestColumnsGenerated holds on records with all that a column cannot show:
// other types, texts too long, beyond ASCII, with NUL, written with escapes.
func TestColumnsGenerated(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	var records []json.RawMessage
	for i := range 600 {
		records = append(records, oddRecord(r, i))
	}
	c := newColumnTest(t, records)
	if len(c.events) < 400 {
		t.Fatalf("only %d of %d records became events", len(c.events), len(records))
	}
	own, _ := sigma.Load(rules.FS(), "rules")
	c.hold(own)
	c.hold(rulesOfValues(r, c.events, 250))
	c.report()
}

// oddRecord is a record whose members hold anything that a provider may write
// there, and more where the table of columns allows for more.
func oddRecord(r *rand.Rand, n int) json.RawMessage {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	long := strings.Repeat("Mozilla/5.0 é ", 700)
	texts := func(plain ...string) string {
		s := pick(plain...)
		switch r.IntN(12) {
		case 0:
			s = strings.ToUpper(s)
		case 1:
			s = strings.ReplaceAll(s, "s", "ſ")
		case 2:
			s += "\x00end"
		case 3:
			s = long[r.IntN(40):] + s
		case 4:
			s += "日本 K"
		}
		b, _ := json.Marshal(s)
		if r.IntN(6) == 0 && len(b) > 3 && b[1] != '\\' {
			b = slicesConcat(b[:1], fmt.Appendf(nil, `\u%04x`, b[1]), b[2:])
		}
		return string(b)
	}
	odd := func(plain ...string) string {
		switch r.IntN(10) {
		case 0:
			return "null"
		case 1:
			return pick("42", "true", `{"a":"b"}`)
		case 2:
			return "[" + texts(plain...) + "," + texts(plain...) + "]"
		}
		return texts(plain...)
	}
	member := map[string]string{
		"eventTime": fmt.Sprintf(`"2026-03-04T%02d:%02d:00Z"`, r.IntN(24), r.IntN(60)),
		"eventID":   fmt.Sprintf(`"%08x-0000-4000-8000-%012x"`, n, r.Uint32()),
		"eventName": texts("GetSecretValue", "StopLogging", "ConsoleLogin", "PutBucketPolicy", "AssumeRole"),
	}
	some := func(name, value string) {
		if r.IntN(4) > 0 {
			member[name] = value
		}
	}
	some("eventSource", odd("s3.amazonaws.com", "secretsmanager.amazonaws.com", "sts.amazonaws.com"))
	some("awsRegion", odd("us-east-1", "ap-northeast-1"))
	some("sourceIPAddress", odd("203.0.113.9", "2001:db8::1", "2001:db8::1%eth0", "sts.amazonaws.com", "AWS Internal"))
	some("userAgent", odd("aws-cli/2.1", "Boto3/1.26", "S3Console/0.4"))
	some("errorCode", pick("null", texts("AccessDenied", "Client.UnauthorizedOperation", "")))
	some("errorMessage", pick("null", texts("User: x is not authorized to perform", "Failed authentication")))
	some("requestID", odd("ABCDEF0123456789", "12345"))
	some("vpcEndpointId", pick("null", texts("vpce-0123456789abcdef0")))
	some("eventCategory", pick("null", `"Management"`, `"Data"`, `"Insight"`, `"NetworkActivity"`))
	identity := []string{fmt.Sprintf(`"type":%q`, pick("Root", "IAMUser", "AssumedRole", "Role", "AWSService", "AWSAccount", "FederatedUser", "Unknown"))}
	for _, part := range []string{`"accessKeyId":` + texts("AKIAEXAMPLE", "ASIAEXAMPLE"), `"credentialId":` + texts("token"), `"invokedBy":` + texts("ecs.amazonaws.com", "AWS Internal"),
		`"accountId":"111122223333"`, `"principalId":"` + pick("AIDAEXAMPLE", "AROAEXAMPLE:i-0123456789abcdef0", "111122223333", "anonymous") + `"`,
		`"arn":"arn:aws:` + pick("iam::111122223333:root", "iam::111122223333:user/a", "sts::111122223333:assumed-role/r/s") + `"`} {
		if r.IntN(2) == 0 {
			identity = append(identity, part)
		}
	}
	some("userIdentity", "{"+strings.Join(identity, ",")+"}")
	var b bytes.Buffer
	b.WriteByte('{')
	for name, value := range member {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q: %s", name, value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

func slicesConcat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// rulesOfValues are rules on single columns and on two, of values that events
// have, whole and in parts, in any case of letters.
func rulesOfValues(r *rand.Rand, events []event.Event, n int) sigma.Documents {
	names := []string{"eventName", "eventSource", "awsRegion", "sourceIPAddress", "userAgent", "errorCode", "errorMessage", "requestID", "vpcEndpointId",
		"userIdentity.type", "userIdentity.type", "userIdentity.invokedBy", "userIdentity.accessKeyId", "eventCategory"}
	var docs sigma.Documents
	for i := range n {
		var b strings.Builder
		fmt.Fprintf(&b, "title: t%d\nid: v%d\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n", i, i)
		for s := range 1 + r.IntN(2) {
			name := names[r.IntN(len(names))]
			value := valueOf(events[r.IntN(len(events))].Raw, name)
			mod := []string{"", "", "|contains", "|startswith", "|endswith", "|cased", "|re", "|exists", "|cidr", "|gte", "|null", "|neq", "|re|i"}[r.IntN(13)]
			from := 0
			if len(value) > 3 {
				from = r.IntN(len(value) / 2)
			}
			switch mod {
			case "|contains":
				value = value[from : from+(len(value)-from+1)/2]
			case "|startswith":
				value = value[:len(value)-from]
			case "|endswith":
				value = value[from:]
			}
			value = strings.ToValidUTF8(value, "")
			if r.IntN(2) == 0 && mod != "|cased" {
				value = strings.ToUpper(value)
			}
			yaml, _ := json.Marshal(strings.ReplaceAll(value, "\x00", "?"))
			switch mod {
			case "|exists":
				yaml = []byte([]string{"true", "false"}[r.IntN(2)])
			case "|cidr":
				yaml = []byte([]string{"203.0.113.0/24", `"2001:db8::/32"`, "0.0.0.0/0"}[r.IntN(3)])
			case "|gte":
				yaml = []byte("40")
			case "|null":
				mod, yaml = "", []byte("null")
			case "|re", "|re|i":
				yaml, _ = json.Marshal([]string{"^[a-z0-9.-]+$", "s3|sts", "[^\\x00-\\x7f]", "Denied$"}[r.IntN(4)])
			}
			fmt.Fprintf(&b, "  s%d:\n    %s%s: %s\n", s, name, mod, yaml)
		}
		fmt.Fprintf(&b, "  condition: %s\n", []string{"s0", "1 of s*", "all of s*", "not s0", "s0 and not 1 of s1*", "s0"}[r.IntN(6)])
		some, _ := sigma.Parse("values.yml", []byte(b.String()))
		docs.Add(some)
	}
	return docs
}

func valueOf(record []byte, name string) string {
	var members map[string]any
	if json.Unmarshal(record, &members) != nil {
		return ""
	}
	if first, rest, found := strings.Cut(name, "."); found {
		members, _ = members[first].(map[string]any)
		name = rest
	}
	s, _ := members[name].(string)
	return s
}
