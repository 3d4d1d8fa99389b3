package say

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

// names are the values that a template names.
func (t template) names() (out []string) {
	for _, p := range t {
		if p.name != "" && !slices.Contains(out, p.name) {
			out = append(out, p.name)
		}
	}
	slices.Sort(out)
	return out
}

func TestCatalogue(t *testing.T) {
	for id, s := range catalogue {
		en, ja := s.pieces[English], s.pieces[Japanese]
		if s.en == "" || s.ja == "" {
			t.Errorf("%s: %q, %q: it is to be in both languages", id, s.en, s.ja)
		}
		if !slices.Equal(en.names(), ja.names()) {
			t.Errorf("%s has the values %q in English, %q in Japanese", id, en.names(), ja.names())
		}
		for l, pieces := range s.pieces {
			for _, p := range pieces {
				_, clock := clocks[p.format]
				_, list := joins[p.format]
				if !clock && !list && !slices.Contains([]string{"0", "1", "02", "percent", "percent1", "sure", "grouped", "length", "Upper", "Clause", "hidden"}, p.format) {
					t.Errorf("%s, %s: there is no form %q", id, l, p.format)
				}
				if p.choice != nil && len(p.choice) != 2 {
					t.Errorf("%s, %s: a choice has two words, not %q", id, l, p.choice)
				}
			}
		}
	}
}

// words of English that a Japanese sentence may hold: names of things.
var names = []string{"UTC", "Lambda", "ECS", "EC2", "EKS", "Pod", "AWS", "root", "null", "CloudTrail", "Google", "Cloud", "Azure", "AuditEvent", "CVSS",
	"JSON", "API", "PNG", "JPEG", "PDF", "ZIP", "bzip2", "xz", "zstd", "gzip", "base64", "Parquet", "SQLite", "MiB", "OCSF", "EventBridge", "Records", "uid", "protoPayload",
	"Security", "Hub", "Sysdig", "Wiz", "Prisma",
	"Config", "NAT", "VPC", "EMR", "Batch", "CloudFormation", "Auto", "Scaling", "Transit", "Gateway", "ConfigurationItemsRecorded",
	"Control", "Tower", "Firewall", "Manager", "CloudWatch", "GuardDuty", "IAM"}

// latin are the runs of Latin letters in the words of a template.
func latin(t template) (out []string) {
	for _, p := range t {
		for _, words := range append([]string{p.words}, p.choice...) {
			out = append(out, strings.FieldsFunc(words, func(r rune) bool {
				return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_'
			})...)
		}
	}
	return slices.DeleteFunc(out, func(w string) bool {
		return !unicode.IsLetter(rune(w[0])) || strings.Contains(w, "_") || slices.Contains(names, w) // settings have low lines
	})
}

func TestJapaneseIsJapanese(t *testing.T) {
	for id, s := range catalogue {
		if words := latin(s.pieces[Japanese]); len(words) > 0 {
			t.Errorf("%s says %q in Japanese: %s", id, words, s.ja)
		}
	}
}

func TestSaying(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 5, 7, 0, time.UTC)
	f := func(said Text, en, ja string) {
		t.Helper()
		if said.String() != en || said.In(Japanese) != ja {
			t.Errorf("says\n%s\n%s\nwant\n%s\n%s", said, said.In(Japanese), en, ja)
		}
		if again := Kept(said.String(), said.Made()); again != said || again.In(Japanese) != ja {
			t.Errorf("what was kept says %s", again.In(Japanese))
		}
	}
	f(Text{}, "", "")
	f(Plain("Root signed in"), "Root signed in", "Root signed in")
	f(T("part.reach", Values{"secrets": 1, "accounts": 2}), "the principal uses 1 secret or key in 2 accounts", "このプリンシパルは 2 アカウントで 1 個のシークレットと鍵を使用")
	f(T("group.title", Values{"who": T("role", Values{"name": "app"}), "n": 2, "all": 5}),
		"Role app read 2 of 5 secrets that are read together", "ロール app が、まとめて読み取られるシークレット 5 個のうち 2 個だけを読み取り")
	f(T("group.title", Values{"who": Plain("tanaka"), "n": 2, "all": 5}),
		"tanaka read 2 of 5 secrets that are read together", "tanaka が、まとめて読み取られるシークレット 5 個のうち 2 個だけを読み取り")
	f(T("frequency.family", Values{"secrets": List([]string{"a", "b", "c"}, 2)}),
		"a, b and 1 more rose in the same hour by about as much, read by its usual programs: as when a program starts",
		"同じ時間帯に a、b 他 1 件も同程度増え、読み取り元は通常のプログラム: プログラム起動時に典型的")
	f(T("view.hours", Values{"who": "tanaka", "day": at, "at": at}), "tanaka hardly ever works at that time: Sunday, 09:05 UTC.", "tanaka はこの時間帯(日曜日 09:05 UTC)にほとんど活動しない。")
	f(T("cause.before", Values{"span": 5400.0}), "1h30m before", "1時間30分前")
	f(T("cause.attack", Values{"said": Each(T("cause.refused", Values{"n": 5}), T("cause.product", Values{"product": "GuardDuty"}))}),
		"5 calls of the principal were refused around it; GuardDuty says so too.", "前後にこのプリンシパルの呼び出しが 5 回拒否されている。GuardDuty も同様に検出。")
	// What looks like a template in a value is a value.
	f(T("somebody", nil), "somebody", "不明な主体")
	f(T("role", Values{"name": `{name} "x" {n|a|b}`}), `role {name} "x" {n|a|b}`, `ロール {name} "x" {n|a|b}`)
	// A sentence whose template is gone, and what is damaged, are said as they were.
	f(Kept("was said", `{"id":"no.such"}`), "was said", "was said")
	f(Kept("was said", `{"id":`), "was said", "was said")
}

func TestTranslated(t *testing.T) {
	type inner struct{ Why *Text }
	type outer struct {
		Title Text
		All   []inner
		By    map[string]Text
		At    time.Time
		N     int
	}
	why := T("part.unassessed", nil)
	in := outer{Title: why, All: []inner{{&why}, {}}, By: map[string]Text{"a": why}, At: time.Unix(1, 0), N: 3}
	const ja = "未評価のため最大値で計算"
	out := In(Japanese, &in, nil).(*outer)
	if out.Title.String() != ja || out.All[0].Why.String() != ja || out.All[1].Why != nil || out.By["a"].String() != ja || !out.At.Equal(in.At) || out.N != 3 {
		t.Errorf("translated it is %+v", out)
	}
	if in.Title != why || *in.All[0].Why != why || in.By["a"] != why {
		t.Error("what was given has changed")
	}
	if got := In(English, &in, nil); got != any(&in) {
		t.Error("English needs no copy")
	}
	if plain := []int{1}; !reflect.DeepEqual(In(Japanese, plain, nil), plain) {
		t.Error("what holds no text was changed")
	}
	if b, err := json.Marshal(out.Title); err != nil || string(b) != `"`+ja+`"` {
		t.Errorf("as JSON it is %s, %v", b, err)
	}
}

func TestPreferred(t *testing.T) {
	f := func(header string, want Language) {
		t.Helper()
		if got := Preferred(header); got != want {
			t.Errorf("%q asks for %s, want %s", header, got, want)
		}
	}
	f("", English)
	f("ja", Japanese)
	f("ja-JP,ja;q=0.9,en-US;q=0.8", Japanese)
	f("en-GB, ja;q=0.5", English)
	f("de, fr;q=0.9", English)
	f("de, ja;q=0.1", Japanese)
	f("ja;q=0", English)
	f("ja;q=x, en", English)
	f("*", English)
}

func FuzzKept(f *testing.F) {
	f.Add("a", `{"id":"role","of":{"name":"x"}}`)
	f.Add("a", T("view.hours", Values{"who": "tanaka", "day": time.Unix(0, 0), "at": "x"}).Made())
	f.Add("a", `{"id":"frequency.family","of":{"secrets":[1,{"id":"role"},[2]]}}`)
	f.Fuzz(func(t *testing.T, en, made string) {
		said := Kept(en, made)
		if said.In(English) != en {
			t.Error("the English was kept")
		}
		if ja := said.In(Japanese); said.ID() == "" && ja != en {
			t.Errorf("what is made of nothing says %q, not %q", ja, en)
		}
	})
}

// TestNext: a Japanese sentence has no space between letters of Japanese, whatever a
// value ends with, and probabilities are never all and never nothing.
func TestNext(t *testing.T) {
	f := func(want string, x Text) {
		t.Helper()
		if got := x.In(Japanese); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	f("203.0.113.1、203.0.113.2 他 7 件を使う 9 人のうちの 1 人", T("who.behind", Values{"n": 9, "addresses": List([]string{"203.0.113.1", "203.0.113.2", "3", "4", "5", "6", "7", "8", "9"}, 2)}))
	f("203.0.113.1 を使う 9 人のうちの 1 人", T("who.behind", Values{"n": 9, "addresses": List([]string{"203.0.113.1"}, 2)}))
	for share, want := range map[float64]string{1: "mei > 99 %", 0.995: "mei > 99 %", 0.99: "mei 99 %", 0.5: "mei 50 %", 0.001: "mei < 1 %"} {
		f(want, T("refused.candidate", Values{"who": "mei", "share": share}))
	}
}
