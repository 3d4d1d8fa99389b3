package query

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
)

func TestParse(t *testing.T) {
	f := func(in string, want Expr) {
		t.Helper()
		got, err := Parse(in)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Parse(%q) = %#v, %v; want %#v", in, got, err, want)
			return
		}
		if got == nil {
			return
		}
		text := String(got)
		if again, err := Parse(text); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("Parse(%q) prints as %q, read back as %#v, %v", in, text, again, err)
		}
	}
	eq := func(field string, v any) Expr { return Eq{field, v} }
	day := func(d int) time.Time { return time.Date(2026, 1, d, 0, 0, 0, 0, time.UTC) }
	f(``, nil)
	f(` 	`, nil)
	f(`*`, All{})
	f(`operation:GetSecretValue`, eq("api_operation", "GetSecretValue"))
	f(`API_Operation:GetSecretValue`, eq("api_operation", "GetSecretValue"))
	f(`api_operation:"Get Secret"`, eq("api_operation", "Get Secret"))
	f(`resource:arn:aws:s3:::logs/a`, eq("resource_uids", "arn:aws:s3:::logs/a"))
	f(`a b`, And{[]Expr{Word{"a"}, Word{"b"}}})
	f(`a and b`, And{[]Expr{Word{"a"}, Word{"b"}}})
	f(`a or b c`, Or{[]Expr{Word{"a"}, And{[]Expr{Word{"b"}, Word{"c"}}}}})
	f(`(a OR b) c`, And{[]Expr{Or{[]Expr{Word{"a"}, Word{"b"}}}, Word{"c"}}})
	f(`not a b`, And{[]Expr{Not{Word{"a"}}, Word{"b"}}})
	f(`not (a b)`, Not{And{[]Expr{Word{"a"}, Word{"b"}}}})
	f(`not(a)`, Not{Word{"a"}})
	f(`-a --b`, And{[]Expr{Not{Word{"a"}}, Not{Not{Word{"b"}}}}})
	f(`a-b android nothing`, And{[]Expr{Word{"a-b"}, Word{"android"}, Word{"nothing"}}})
	f(`"or" \and`, And{[]Expr{Word{"or"}, Word{"and"}}})
	f(`"a \"b\" \\ c:\d*"`, Word{`a "b" \\ c:\\d\*`})
	f(`a\*b\ c\?`, Word{`a\*b c\?`})
	f(`*foo*bar*`, Word{`foo*bar`})
	f(`arn:aws:iam::111122223333:role/x`, Word{`arn:aws:iam::111122223333:role/x`})
	f(`https://x.example/y`, Word{`https://x.example/y`})
	f(`2001:db8::1`, Word{`2001:db8::1`})
	f(`-arn:x*y`, Not{Word{`arn:x*y`}})
	f(`caller:Lambda`, eq("caller", "lambda"))
	f(`caller:(lambda or ecs)`, Or{[]Expr{eq("caller", "lambda"), eq("caller", "ecs")}})
	f(`caller:(not lambda)`, Not{eq("caller", "lambda")})
	f(`resource:(a and b*)`, And{[]Expr{eq("resource_uids", "a"), Like{"resource_uids", "b*"}}})
	f(`not caller:(lambda or ecs) x`, And{[]Expr{Not{Or{[]Expr{eq("caller", "lambda"), eq("caller", "ecs")}}}, Word{"x"}}})
	f(`operation:Get*`, Like{"api_operation", "Get*"})
	f(`operation:G?t\***`, Like{"api_operation", `G?t\**`})
	f(`operation:"Get*"`, eq("api_operation", "Get*"))
	f(`operation:Get\*`, eq("api_operation", "Get*"))
	f(`operation:*`, Exists{"api_operation"})
	f(`operation:""`, eq("api_operation", ""))
	f(`agent:~boto`, Has{"user_agent", "boto"})
	f(`agent:~"boto 3"`, Has{"user_agent", "boto 3"})
	f(`agent:~bo*3`, Has{"user_agent", "bo*3"})
	f(`ip:10.1.2.3/8`, CIDR{"src_ip", netip.MustParsePrefix("10.0.0.0/8")})
	f(`src_ip:2001:db8::/32`, CIDR{"src_ip", netip.MustParsePrefix("2001:db8::/32")})
	f(`src_ip:"10.0.0.0/8"`, eq("src_ip", "10.0.0.0/8"))
	f(`src_ip:(10.0.0.0/8 or 203.0.113.9)`, Or{[]Expr{CIDR{"src_ip", netip.MustParsePrefix("10.0.0.0/8")}, eq("src_ip", "203.0.113.9")}})
	f(`position:>5`, Cmp{"position", Gt, int64(5)})
	f(`position:-5`, eq("position", int64(-5)))
	f(`position:[1 TO 5]`, And{[]Expr{Cmp{"position", Ge, int64(1)}, Cmp{"position", Le, int64(5)}}})
	f(`position:{1 to 5}`, And{[]Expr{Cmp{"position", Gt, int64(1)}, Cmp{"position", Lt, int64(5)}}})
	f(`position:[1 TO *]`, Cmp{"position", Ge, int64(1)})
	f(`position:[* TO *]`, Exists{"position"})
	f(`caller_confidence:>=0.8`, Cmp{"caller_confidence", Ge, float32(0.8)})
	f(`read_only:No`, eq("read_only", false))
	f(`time:2026-01-02`, And{[]Expr{Cmp{"time", Ge, day(2)}, Cmp{"time", Lt, day(3)}}})
	f(`time:>2026-01-02`, Cmp{"time", Ge, day(3)})
	f(`time:>=2026-01-02`, Cmp{"time", Ge, day(2)})
	f(`time:<2026-01-02`, Cmp{"time", Lt, day(2)})
	f(`time:<=2026-01-02`, Cmp{"time", Lt, day(3)})
	f(`time:[2026-01-02 TO 2026-01-03]`, And{[]Expr{Cmp{"time", Ge, day(2)}, Cmp{"time", Lt, day(4)}}})
	f(`time:{2026-01-02 TO 2026-01-03}`, And{[]Expr{Cmp{"time", Ge, day(3)}, Cmp{"time", Lt, day(3)}}})
	f(`time:>="2026-01-02 09:00+09:00"`, Cmp{"time", Ge, day(2)})
	f(`time:>2026-01-01T23:59:59`, Cmp{"time", Ge, day(2)})
	f(`time:>2026-01-01T23:59:59.999999Z`, Cmp{"time", Ge, day(2)})
	f(`time:>=2026`, Cmp{"time", Ge, day(1)})
	uid, _ := event.ParseUID("ee702af6-14be-453d-a20a-b2f24cd0f222")
	f(`uid:EE702AF6-14be-453d-a20a-b2f24cd0f222`, eq("uid", uid))
	f(`uid:EE70*`, Like{"uid", "ee70*"})
	f(`raw.requestParameters.bucketName:logs`, eq("raw.requestParameters.bucketName", "logs"))
	f(`raw."a.b".c:>5`, Cmp{`raw."a.b".c`, Gt, 5.0})
	f(`raw.x:*`, Exists{"raw.x"})
	f(`raw.x:(a or b*)`, Or{[]Expr{eq("raw.x", "a"), Like{"raw.x", "b*"}}})
	f(`raw.json`, Word{"raw.json"})
	f(`raw:~secret`, Has{"raw", "secret"})
	f(`日本 "全 角"`, And{[]Expr{Word{"日本"}, Word{"全 角"}}})
}

func TestParseRefuses(t *testing.T) {
	f := func(in string, col int, say string) {
		t.Helper()
		e, err := Parse(in)
		var se *SyntaxError
		if !errors.As(err, &se) || e != nil {
			t.Errorf("Parse(%q) = %v, %v; want an error", in, e, err)
			return
		}
		if se.Col != col || !strings.Contains(se.Msg, say) {
			t.Errorf("Parse(%q): column %d: %s; want column %d with %q", in, se.Col, se.Msg, col, say)
		}
		if caret := se.Caret(); !strings.HasSuffix(caret, "\n"+strings.Repeat(" ", col-1)+"^") {
			t.Errorf("Parse(%q): caret at the wrong place:\n%s", in, caret)
		}
	}
	f(`acount:1`, 1, "near: account")
	f(`x and src_pi:1`, 7, "src_ip")
	f(`日本 foo:1`, 4, `no field "foo"`)
	f(`outcome=denied`, 8, "outcome:value")
	f(`(a`, 1, "never closed")
	f(`a)`, 2, `without a "("`)
	f(`()`, 2, "missing")
	f(`a or`, 5, "missing")
	f(`or a`, 1, "missing before")
	f(`a and or b`, 7, "missing before")
	f(`a - b`, 3, "without a space")
	f(`"abc`, 1, "never closed")
	f(`ab"c"`, 3, "space is missing")
	f(`a(b)`, 2, "space is missing")
	f(`a\`, 2, "none")
	f(`operation:`, 11, "value is missing")
	f(`operation: x`, 11, "value is missing")
	f(`operation:>x`, 12, "no order")
	f(`operation:(a b)`, 14, `write "or"`)
	f(`outcome:fail`, 9, "success, denied")
	f(`position:x`, 10, "whole number")
	f(`position:1*`, 10, "wildcards")
	f(`position:~1`, 10, "looks for text")
	f(`position:[1 5]`, 13, "[a TO b]")
	f(`position:[1 TO 5`, 10, "never closed")
	f(`caller_confidence:NaN`, 19, "number")
	f(`read_only:maybe`, 11, "true or false")
	f(`src_ip:10.0.0.0/99`, 8, "network")
	f(`time:yesterday`, 6, "not a time")
	f(`time:2026-13-01`, 6, "not a time")
	f(`time:>-7d`, 7, "clock")
	f(`uid:5`, 5, "UUID")
	f(`raw.x:>a`, 8, "number")
	f(`""`, 1, "nothing to look for")
	f(`agent:~*`, 7, "nothing to look for")
	f("a\x00b", 2, "printable")
	f("a\xffb", 2, "printable")
	f(strings.Repeat("(", 200)+"a"+strings.Repeat(")", 200), 101, "nested")
	f(strings.Repeat("-", 200)+"a", 101, "nested")
	f(strings.Repeat("a ", 3000), 4003, "terms")
	f(strings.Repeat("a", 70000), 1, "longer")
	f(strings.Repeat("a*", 100), 1, "wildcards")
}

func TestParseAt(t *testing.T) {
	now := time.Date(2026, 3, 8, 12, 0, 0, 0, time.UTC)
	f := func(in string, want time.Time) {
		t.Helper()
		got, err := ParseAt(in, now)
		if err != nil || !reflect.DeepEqual(got, Cmp{"time", Ge, want}) {
			t.Errorf("ParseAt(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	f(`time:>=now`, now)
	f(`time:>=now-7d`, now.AddDate(0, 0, -7))
	f(`time:>=-90m`, now.Add(-90*time.Minute))
	if _, err := ParseAt(`time:>now-7y`, now); err == nil {
		t.Error("a year is no unit")
	}
}

func sample() *event.Event {
	uid, _ := event.ParseUID("ee702af6-14be-453d-a20a-b2f24cd0f222")
	return &event.Event{
		Time: time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC), UID: uid, ClassUID: event.ClassAPIActivity,
		Outcome: event.Denied, AccountUID: "111122223333", Region: "ap-northeast-1", CloudProvider: "AWS",
		APIService: "s3.amazonaws.com", APIOperation: "GetObject", ReadOnly: true, Caller: event.CallerLambda, CallerConfidence: 0.8,
		SrcIP: "203.0.113.9", UserAgent: "Boto3/1.26", ResourceUID: "arn:aws:s3:::logs/a",
		ResourceUIDs: []string{"arn:aws:s3:::logs/a", "arn:aws:s3:::logs"}, Message: "GetObject 拒否 by Role_X", Position: 7,
		Raw: []byte(`{"requestParameters":{"bucketName":"logs","n":5,"tags":[{"k":"a"},{"k":"b"}],"none":null},"note":"Say \"Hi\"","flag":true}`),
	}
}

func TestMatch(t *testing.T) {
	ev := sample()
	f := func(in string, want bool) {
		t.Helper()
		e, err := Parse(in)
		if err != nil {
			t.Errorf("Parse(%q): %v", in, err)
			return
		}
		if Match(e, ev) != want {
			t.Errorf("Match(%q) = %v", in, !want)
		}
	}
	f(``, true)
	f(`*`, true)
	f(`operation:GetObject`, true)
	f(`operation:getobject`, false)
	f(`operation:Get*`, true)
	f(`operation:get*`, false)
	f(`operation:~OBJECT`, true)
	f(`operation:G?tO*t`, true)
	f(`operation:G?tO*x`, false)
	f(`outcome:DENIED`, true)
	f(`-outcome:denied`, false)
	f(`account:(111122223333 or 444455556666)`, true)
	f(`role_x`, true)
	f(`拒否`, true)
	f(`"say \\\"hi\\\""`, true)
	f(`say*hi`, true)
	f(`bucketNAME`, true)
	f(`bucketless`, false)
	f(`src_ip:203.0.113.0/24`, true)
	f(`src_ip:203.0.112.0/24`, false)
	f(`src_ip:2001:db8::/32`, false)
	f(`resource:arn:aws:s3:::logs`, true)
	f(`resource:*logs`, true)
	f(`resource:(arn:aws:s3:::logs and arn:aws:s3:::logs/a)`, true)
	f(`resource_uid:arn:aws:s3:::logs`, false)
	f(`position:[1 TO 7]`, true)
	f(`position:{1 TO 7}`, false)
	f(`caller_confidence:0.8`, true)
	f(`caller_confidence:<0.8`, false)
	f(`mfa:true`, false)
	f(`time:2026-01-02`, true)
	f(`time:>2026-01-02`, false)
	f(`time:2026-01-02T03:04:05`, true)
	f(`time:2026-01-02T03:04:05.5`, false)
	f(`uid:ee702af6-14BE-453d-a20a-b2f24cd0f222`, true)
	f(`uid:ee70*`, true)
	f(`session:*`, false)
	f(`resource:*`, true)
	f(`device:""`, true)
	f(`raw.requestParameters.bucketName:logs`, true)
	f(`raw.requestParameters.bucketName:LOGS`, false)
	f(`raw.requestParameters.bucketName:~LOG`, true)
	f(`raw.requestParameters.n:>4`, true)
	f(`raw.requestParameters.n:5`, true)
	f(`raw.requestParameters.tags.k:b`, true)
	f(`raw.requestParameters.tags.k:c`, false)
	f(`raw.requestParameters.none:*`, false)
	f(`raw.requestParameters:*`, true)
	f(`raw.flag:true`, true)
	f(`not raw.absent:*`, true)
}

func TestSQL(t *testing.T) {
	f := func(in, want string, exact bool) {
		t.Helper()
		e, err := Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		got, args, ex := SQL(e)
		if got != want || ex != exact || strings.Count(got, "?") != len(args) {
			t.Errorf("SQL(%q) = %s, %v, %v; want %s, %v", in, got, args, ex, want, exact)
		}
	}
	f(``, `true`, true)
	f(`account:1 -region:x`, `("account_uid" = ? AND (NOT "region" = ?))`, true)
	f(`account:(1 or 2 or 3)`, `"account_uid" IN (?,?,?)`, true)
	f(`operation:Get*`, `prefix("api_operation", ?)`, true)
	f(`abc`, `(regexp_matches("raw", ?) OR regexp_matches("message", ?))`, true)
	f(`203.0.113.9`, `(contains("raw", ?) OR contains("message", ?))`, true)
	f(`time:>=2026-01-02`, `"time" >= TIMESTAMP '2026-01-02 00:00:00.000000'`, true)
	f(`raw.a:x`, `((contains("raw", ?) AND contains("raw", ?)) OR contains("raw", '\u'))`, false)
	f(`not raw.a:x`, `(NOT false)`, false)
	f(`not not raw.a:x/`, `(NOT (NOT ((contains("raw", ?)) OR contains("raw", '\u'))))`, false)
	f(`not ip:2001:db8::/32`, `(NOT (false AND contains("src_ip", ':')))`, false)
}

func TestColumns(t *testing.T) {
	ev := sample()
	typ := map[Type]any{Text: "", Enum: "", Addr: "", Int: int64(0), Float: float32(0), Bool: false, Time: time.Time{}, UUID: event.UID{}, List: []string{}, JSON: []byte{}}
	if n := reflect.TypeFor[event.Event]().NumField(); n != len(Columns()) {
		t.Errorf("an event has %d fields and %d columns", n, len(Columns()))
	}
	for i, c := range Columns() {
		if got := c.Value(ev); reflect.TypeOf(got) != reflect.TypeOf(typ[c.Type]) {
			t.Errorf("column %s is of type %s and gives %T", c.Name, c.Type, got)
		}
		field := reflect.TypeFor[event.Event]().Field(i)
		if tag, _, _ := strings.Cut(field.Tag.Get("json"), ","); tag != c.Name && tag != "-" {
			t.Errorf("column %d is %s, the field is %s", i, c.Name, tag)
		}
		if v, ok := c.Value(ev).(string); ok && v != reflect.ValueOf(*ev).Field(i).String() {
			t.Errorf("column %s gives %q", c.Name, v)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`a b`, `x:y`, `not (operation:Get* or -b)`, `ip:10.0.0.0/8`, `time:[2026 TO now]`, `raw."a\"".b:~x`, `position:{1 TO *}`, `"\\" \* key\=a*`, `caller:(not lambda and ecs)`, `a\:b* class:5 or severity:>=3`} {
		f.Add(s)
	}
	now := time.Date(2026, 3, 8, 12, 0, 0, 0, time.UTC)
	ev := sample()
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseAt(s, now)
		if err != nil {
			var se *SyntaxError
			if !errors.As(err, &se) || se.Col < 1 {
				t.Fatalf("Parse(%q): %v", s, err)
			}
			se.Caret()
			return
		}
		Match(e, ev)
		if text, args, _ := SQL(e); strings.Count(text, "?") != len(args) {
			t.Fatalf("SQL(%q) = %s with %d args", s, text, len(args))
		}
		if e == nil {
			return
		}
		text := String(e)
		again, err := Parse(text)
		if err != nil || !reflect.DeepEqual(again, e) {
			t.Fatalf("Parse(%q) = %#v prints as %q, read back as %#v, %v", s, e, text, again, err)
		}
	})
}
