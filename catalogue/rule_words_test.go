package catalogue

import (
	"testing"

	"github.com/yagura-sec/yagura/detect/about"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/rules"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/sigma"
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
	const login = "77548322-a823-4f80-b4b0-e88999b2bca4" // aws/console-login-without-mfa.yml
	f(say.Japanese, login, "Ask tanaka whether the sign-in and its address were theirs", "サインインとそのアドレスが本人のものか tanaka に確認する")
	f(say.Japanese, "somebody-elses", "Ask tanaka whether the sign-in and its address were theirs", "Ask tanaka whether the sign-in and its address were theirs")
}

// Whatever one of our rules says is told, its next steps with values and without.
func TestRuleWordsOfAll(t *testing.T) {
	japanese, err := rules.Japanese()
	if err != nil {
		t.Fatal(err)
	}
	known := event.Event{
		AccountUID: "111122223333", Region: "eu-west-1", ActorUID: "arn:aws:iam::111122223333:user/it's", ActorName: "it's", ResourceUID: "arn:aws:s3:::in in of",
	}
	told := 0
	all := func(m *sigma.Meta, groupBy []string) {
		ja, ours := japanese[m.ID]
		if !ours {
			return
		}
		words := append([]string{m.Title, m.Description}, m.FalsePositives...)
		group := about.Group{Fields: groupBy, Values: make([]string, len(groupBy))}
		for i := range groupBy {
			group.Values[i] = "a value"
		}
		r := about.Of(m)
		for _, steps := range [][]string{about.Next(m), r.StepsOf(&known, group), r.StepsOf(&event.Event{}, about.Group{})} {
			for _, step := range steps {
				if _, note := rules.CutNote(step); note != "" || step[0] < 'a' || step[0] > 'z' {
					words = append(words, step)
				}
			}
		}
		for _, w := range words {
			if RuleWords(say.Japanese, m.ID, w) == w {
				t.Errorf("%s: %q is not told in Japanese", ja.File, w)
			}
			told++
		}
	}
	docs, _ := sigma.Load(rules.FS(), "builtin")
	for _, r := range docs.Rules {
		all(&r.Meta, nil)
	}
	for _, c := range docs.Correlations {
		all(&c.Meta, c.GroupBy)
	}
	if told < 1000 {
		t.Errorf("only %d texts were looked at", told)
	}
}
