package catalogue

import (
	"testing"

	"github.com/yagura-sec/yagura/say"
)

func TestRuleWords(t *testing.T) {
	const stopped = "c6efcc57-b334-43b4-a965-163d76c6f9ea" // aws/trail-stopped.yml
	const key = "75eec481-70fb-4674-a862-03e7968d03b9"     // aws/access-key-for-other-user.yml
	f := func(l say.Language, rule, words, want string) {
		t.Helper()
		if got := RuleWords(l, rule, words); got != want {
			t.Errorf("%q of %s in %s is\n%q, want\n%q", words, rule, l, got, want)
		}
	}
	f(say.Japanese, stopped, "CloudTrail trail stopped or deleted", "CloudTrail の証跡が停止または削除された")
	f(say.English, stopped, "CloudTrail trail stopped or deleted", "CloudTrail trail stopped or deleted")
	f(say.Japanese, stopped, "Ours, and changed", "Ours, and changed")
	f(say.Japanese, "somebody-elses", "CloudTrail trail stopped or deleted", "CloudTrail trail stopped or deleted")
	f(say.Japanese, key, "Administrators and infrastructure code that set up users of programs", "プログラム用のユーザーを用意する管理者や IaC")

	// Of commands only the note is told, however they are filled in; of sentences the
	// values stay.
	const update = "aws iam update-access-key --user-name '$(x)' --access-key-id KEY --status Inactive"
	f(say.Japanese, key, update+" # harmless to try first", update+" # まず試しても害はない")
	f(say.Japanese, key, update+" # something else", update+" # something else")
	f(say.Japanese, key, "aws iam list-access-keys --user-name x", "aws iam list-access-keys --user-name x")
	const leaked = "adcb7fca-82aa-4460-964f-01575a172e80" // aws/access-key-quarantined.yml
	f(say.Japanese, leaked, "Replace the key where it is used, then delete it", "使用箇所のキーを差し替え、その後このキーを削除する")
	const login = "4384" // no rule at all
	f(say.Japanese, login, "Ask tanaka whether the sign-in and its address were theirs", "Ask tanaka whether the sign-in and its address were theirs")
}
