package mask

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

func masker(t testing.TB) *Masker {
	t.Helper()
	m, err := New([]byte("a key that only tests have"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestNew(t *testing.T) {
	if _, err := New([]byte("short")); err == nil {
		t.Error("a key of five bytes is taken")
	}
	other, err := New([]byte("another key of some length"))
	if err != nil {
		t.Fatal(err)
	}
	m := masker(t)
	if m.Account("111122223333") == other.Account("111122223333") || m.Person("alice") == other.Person("alice") {
		t.Error("aliases do not depend on the key")
	}
}

// TestAccounts: every account has an alias of its own, of the same shape.
func TestAccounts(t *testing.T) {
	m := masker(t)
	seen := map[string]string{}
	for i := range 20_000 {
		id := fmt.Sprintf("%012d", 100_000_000_000+i*37)
		alias := m.Account(id)
		if !digits12(alias) || alias[0] == '0' {
			t.Fatalf("%s became %s", id, alias)
		}
		if before, taken := seen[alias]; taken {
			t.Fatalf("%s and %s are both %s", before, id, alias)
		}
		seen[alias] = id
	}
	if got := m.Account("000000000001"); !digits12(got) {
		t.Errorf("an account that begins with 0 became %q", got)
	}
	if m.Account("") != "" || m.Person("") != "" || m.Project("") != "" || m.Key("") != "" {
		t.Error("nothing has an alias")
	}
}

func TestText(t *testing.T) {
	m := masker(t)
	account, alice := m.Account("111122223333"), m.Person("alice")
	f := func(in, want string) {
		t.Helper()
		if got := m.Text(in); got != want {
			t.Errorf("%s\n became %s\n    want %s", in, got, want)
		}
	}
	f("Trail stopped in 111122223333.", "Trail stopped in "+account+".")
	f("111122223333", account)
	f("logs-111122223333-eu", "logs-"+account+"-eu")
	f("1111-2222-3333", account[:4]+"-"+account[4:8]+"-"+account[8:])
	f("at 1773316800000 ms, 20260301120000", "at 1773316800000 ms, 20260301120000")
	f("x111122223333", "x111122223333")
	f("550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000")

	f("arn:aws:iam::111122223333:user/teams/ops/alice called", "arn:aws:iam::"+account+":user/teams/ops/"+alice+" called")
	f("by arn:aws:iam::111122223333:user/alice.", "by arn:aws:iam::"+account+":user/"+alice+".")
	f("arn:aws:sts::111122223333:assumed-role/Reader/alice", "arn:aws:sts::"+account+":assumed-role/Reader/"+alice)
	f("arn:aws:sts::111122223333:assumed-role/Reader/i-0123456789abcdef0", "arn:aws:sts::"+account+":assumed-role/Reader/i-0123456789abcdef0")
	f("arn:aws:iam::111122223333:role/aws-reserved/x", "arn:aws:iam::"+account+":role/aws-reserved/x")
	f("arn:aws:iam::111122223333:root", "arn:aws:iam::"+account+":root")
	f("arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:db-AbCdEf", "arn:aws-cn:secretsmanager:cn-north-1:"+account+":secret:db-AbCdEf")
	f("arn:aws:s3:::bucket/key", "arn:aws:s3:::bucket/key")

	f("mail Alice@corp.example now", "mail "+alice+"@masked.invalid now")
	f("deployer@shop-prod-1.iam.gserviceaccount.com", "deployer@"+m.Project("shop-prod-1")+".iam.gserviceaccount.com")
	f("987654321098-compute@developer.gserviceaccount.com", m.Project("987654321098")+"-compute@developer.gserviceaccount.com")
	f("projects/shop-prod-1/secrets/db", "projects/"+m.Project("shop-prod-1")+"/secrets/db")
	f("/subscriptions/01234567-89ab-cdef-0123-456789abcdef/x", "/subscriptions/"+m.Project("01234567-89ab-cdef-0123-456789abcdef")+"/x")

	if got := m.Text("key AKIAABCDEFGHIJKLMNOP"); strings.Contains(got, "ABCDEFGH") || !strings.HasPrefix(got, "key AKIA") || len(got) != 24 {
		t.Errorf("an access key id became %q", got)
	}
	if got := m.Text("AROAABCDEFGHIJKLMNOPQ:alice"); !strings.HasSuffix(got, ":"+alice) {
		t.Errorf("a principal id became %q", got)
	}
}

func TestLearn(t *testing.T) {
	m := masker(t)
	f := func(in, want string) {
		t.Helper()
		if got := m.Text(in); got != want {
			t.Errorf("%s\n became %s\n    want %s", in, got, want)
		}
	}
	f("alice read it", "alice read it") // nobody said yet that it is a name
	for _, name := range []string{"alice", "佐藤花子", "Alice Example"} {
		if err := m.Learn(Person, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.LearnAccount("111122223333", "shop-prod"); err != nil {
		t.Fatal(err)
	}
	alice := m.Person("alice")
	f("alice read it, and Alice's malice", alice+" read it, and "+alice+"'s malice")
	f("secret/alice/key", "secret/"+alice+"/key")
	f("by Alice Example.", "by "+m.Person("Alice Example")+".")
	f("佐藤花子 (111122223333)", m.Person("佐藤花子")+" ("+m.Account("111122223333")+")")
	f("shop-prod-db in SHOP-PROD", "account-"+m.Account("111122223333")+"-db in account-"+m.Account("111122223333"))
	f("arn:aws:iam::111122223333:role/shop-prod-reader", "arn:aws:iam::"+m.Account("111122223333")+":role/account-"+m.Account("111122223333")+"-reader")
	f("aliceが111122223333でキーAKIAABCDEFGHIJKLMNOPを", alice+"が"+m.Account("111122223333")+"でキー"+m.Text("AKIAABCDEFGHIJKLMNOP")+"を")
	f("担当は佐藤花子です。", "担当は"+m.Person("佐藤花子")+"です。")
	f("担当はalice@corp.exampleさん", "担当は"+alice+"@masked.invalidさん")
	f("花子@corp.example", m.Person("花子")+"@masked.invalid")
	f("josé alicé", "josé alicé")
	if err := m.Learn(Person, "dean.finch@corp.example"); err != nil {
		t.Fatal(err)
	}
	dean := m.Person("dean.finch")
	f("people/dean.finch/db, while Dean Finch travels: dean.finch@corp.example", "people/"+dean+"/db, while "+dean+" travels: "+dean+"@masked.invalid")
	f("a finch of Dean's", "a finch of Dean's")
	for _, name := range []string{"root", "ab", "", "--"} {
		if err := m.Learn(Person, name); !errors.Is(err, ErrShort) {
			t.Errorf("%q is learned: %v", name, err)
		}
	}
}

func TestPeople(t *testing.T) {
	f := func(principal string, want ...string) {
		t.Helper()
		if got := People(principal); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("People(%q) = %q, want %q", principal, got, want)
		}
	}
	f("arn:aws:iam::111122223333:user/ops/alice", "alice")
	f("arn:aws:sts::111122223333:assumed-role/Reader/alice@corp.example", "alice")
	f("arn:aws:sts::111122223333:assumed-role/Reader/i-0123456789abcdef0")
	f("arn:aws:iam::111122223333:role/Reader")
	f("AROAABCDEFGHIJKLMNOPQ:alice", "alice")
	f("alice@corp.example", "alice")
	f("deployer@shop-prod-1.iam.gserviceaccount.com")
	f("203.0.113.7")
	f("")
}

func TestJSON(t *testing.T) {
	m := masker(t)
	account, alice, bob := m.Account("111122223333"), m.Person("alice"), m.Person("bob")
	f := func(in, want string) {
		t.Helper()
		if got := string(m.JSON([]byte(in))); got != want {
			t.Errorf("%s\n became %s\n    want %s", in, got, want)
		}
	}
	f(`{"userIdentity":{"userName":"alice","accountId":"111122223333"}, "note":"alice was here"}`,
		`{"userIdentity":{"userName":"`+alice+`","accountId":"`+account+`"},"note":"`+alice+` was here"}`)
	f(`{"note":"al\u0069ce","userName":"alice"}`, `{"note":"`+alice+`","userName":"`+alice+`"}`)
	f(`{"arn":"arn:aws:iam::111122223333:user/alice","note":"alice was here"}`, `{"arn":"arn:aws:iam::`+account+`:user/`+alice+`","note":"`+alice+` was here"}`)
	f(`{"x":["alice@corp.example"],"note":"alice"}`, `{"x":["`+alice+`@masked.invalid"],"note":"`+alice+`"}`)
	f(`{"n":111122223333,"m":1.50,"big":12345678901234567890,"t":[true,null,{}]}`, `{"n":`+account+`,"m":1.50,"big":12345678901234567890,"t":[true,null,{}]}`)
	f(`{"user_name":["bob","<b>"],"x":"<b>bob</b>"}`, `{"user_name":["`+bob+`","<b>"],"x":"<b>`+bob+`</b>"}`)
	f(`{"by":"dean.finch@corp.example","why":"Dean Finch travels"}`, `{"by":"`+m.Person("dean.finch@corp.example")+`","why":"`+m.Person("dean.finch")+` travels"}`)
	f(`{"login":"dean_finch","why":"Dean Finch travels"}`, `{"login":"`+m.Person("dean_finch")+`","why":"`+m.Person("dean_finch")+` travels"}`)
	f(`{"111122223333":1}`, `{"`+account+`":1}`)
	f(`not JSON of 111122223333`, `not JSON of `+account)
	f(`{} {}`, `{} {}`)
	f(`{"project_id":"shop-prod-1","path":"gs://shop-prod-1-logs"}`, `{"project_id":"`+m.Project("shop-prod-1")+`","path":"gs://`+m.Project("shop-prod-1")+`-logs"}`)
}

func FuzzMask(f *testing.F) {
	f.Add("arn:aws:iam::111122223333:user/alice", `{"userName":"alice"}`)
	f.Add("a@b.c 1111-2222-3333", `[1,{"a":"AKIAABCDEFGHIJKLMNOP"}]`)
	f.Fuzz(func(t *testing.T, text, doc string) {
		m := masker(t)
		if err := m.Learn(Person, "alice"); err != nil {
			t.Fatal(err)
		}
		got := m.Text(text)
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Errorf("%q became %q, which is no UTF-8", text, got)
		}
		if got != m.Text(text) {
			t.Errorf("%q is masked in two ways", text)
		}
		if strings.Contains(text, " 111122223333 ") && strings.Contains(got, "111122223333") {
			t.Errorf("%q became %q, with its account", text, got)
		}
		if out := m.JSON([]byte(doc)); json.Valid([]byte(doc)) && !json.Valid(out) {
			t.Errorf("%q became %q, which is no JSON", doc, out)
		}
	})
}

// TestTogether: names are learned while texts are masked.
func TestTogether(t *testing.T) {
	m := masker(t)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 200 {
				if err := m.Learn(Person, fmt.Sprintf("person%dof%d", j, i)); err != nil {
					t.Error(err)
				}
				m.Text("person1of1 in 111122223333")
				m.JSON([]byte(`{"userName":"person1of1"}`))
			}
		})
	}
	wg.Wait()
	if got := m.Text("person199of3"); got != m.Person("person199of3") {
		t.Errorf("became %s", got)
	}
}

// BenchmarkText masks a sentence as findings have it, with 10,000 names known.
func BenchmarkText(b *testing.B) {
	m := masker(b)
	for i := range 10_000 {
		if err := m.Learn(Person, fmt.Sprintf("somebody%d", i)); err != nil {
			b.Fatal(err)
		}
	}
	const text = "arn:aws:sts::111122223333:assumed-role/Operator/somebody77 called StopLogging in account 111122223333 (shop-prod), where somebody78 has done it before, from 203.0.113.7 with Boto3/1.34 at 2026-03-01T12:00:00Z."
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		m.Text(text)
	}
}

// BenchmarkLong: what repeats a piece that something to be masked may begin with
// takes no time out of proportion to its length.
func BenchmarkLong(b *testing.B) {
	m := masker(b)
	for _, name := range []string{"alice", "佐藤花子", strings.Repeat("a", 60)} {
		if err := m.Learn(Person, name); err != nil {
			b.Fatal(err)
		}
	}
	for _, piece := range []string{"@", "a@", "a@b.", "あ", "あ@", "arn:aws", "arn:aws::::", "1-", "1111-", "projects/", "subscriptions/", "AKIA", "ASIAABCDEFGHIJKL:", "aaaa", "a ", "佐藤", "1", "alice", "-", "\xff"} {
		for _, size := range []int{32 << 10, 512 << 10} {
			b.Run(fmt.Sprintf("%q/%dk", piece, size>>10), func(b *testing.B) {
				text := strings.Repeat(piece, size/len(piece))
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					m.Text(text)
				}
			})
		}
	}
}
