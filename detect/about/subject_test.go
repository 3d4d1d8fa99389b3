package about

import (
	"testing"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/say"
)

// What a normaliser wrote in English is said in both languages, and keeps its words.
func TestTold(t *testing.T) {
	at := event.Event{AccountUID: "111122223333", Region: "eu-west-1", SrcIP: "203.0.113.7"}
	f := func(line, want string) {
		t.Helper()
		e := at
		e.Message = line
		s := Subject(&e)
		if s.String() != line || s.In(say.Japanese) != want {
			t.Errorf("%q is told as %q and\n%q, want\n%q", line, s, s.In(say.Japanese), want)
		}
	}
	f("user mei called AttachUserPolicy on user export and others in 111122223333 eu-west-1 from 203.0.113.7",
		"ユーザー mei が AttachUserPolicy を呼び出し、対象: user export ほか、111122223333 eu-west-1、接続元: 203.0.113.7")
	f("role ops was denied GetSecretValue on secret prod/db in 111122223333 eu-west-1 from 203.0.113.7",
		"ロール ops が GetSecretValue を拒否された、対象: secret prod/db、111122223333 eu-west-1、接続元: 203.0.113.7")
	f("root signed in to the console without MFA in 111122223333 eu-west-1 from 203.0.113.7",
		"root がコンソールにサインイン(多要素認証なし)、111122223333 eu-west-1、接続元: 203.0.113.7")
	f("someone unnamed failed to sign in to the console in 111122223333 eu-west-1 from 203.0.113.7: Failed",
		"名前の記録がない主体がコンソールへのサインインに失敗、111122223333 eu-west-1、接続元: 203.0.113.7、エラー: Failed")
	f("user mei was denied by an organisation policy to call CreateTrail of cloudtrail in 111122223333 eu-west-1",
		"ユーザー mei が組織ポリシーにより CreateTrail を拒否された(cloudtrail)、111122223333 eu-west-1")
	f("service account job@shop was denied by constraints/gcp.resourceLocations to call compute.instances.insert on instance web-9",
		"サービスアカウント job@shop が constraints/gcp.resourceLocations により compute.instances.insert を拒否された、対象: instance web-9")

	// What is no such line stays as it is.
	for _, line := range []string{"Shell in a container", "user mei signed in to the console twice from 203.0.113.7", "user mei: login_failure from 203.0.113.7"} {
		f(line, line)
	}
}

func FuzzTold(f *testing.F) {
	f.Add("user mei called A on b and others in c d from e: F", "c", "d", "e")
	f.Add(" called ", "", "", "")
	f.Fuzz(func(t *testing.T, line, account, region, address string) {
		e := event.Event{Message: line, AccountUID: account, Region: region, SrcIP: address}
		if got := Subject(&e).String(); line != "" && got != line {
			t.Errorf("%q is told as %q", line, got)
		}
	})
}
