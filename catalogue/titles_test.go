package catalogue

import (
	"testing"

	"github.com/yagura-sec/yagura/say"
)

func TestTitles(t *testing.T) {
	const stopped = "c6efcc57-b334-43b4-a965-163d76c6f9ea" // aws/trail-stopped.yml
	f := func(l say.Language, rule, words, want string) {
		t.Helper()
		if got := Titles(l, rule, words); got != want {
			t.Errorf("%q of %s in %s is %q, want %q", words, rule, l, got, want)
		}
	}
	f(say.Japanese, stopped, "CloudTrail trail stopped or deleted", "CloudTrail の証跡が停止または削除された")
	f(say.English, stopped, "CloudTrail trail stopped or deleted", "CloudTrail trail stopped or deleted")
	f(say.Japanese, stopped, "Ours, and changed", "Ours, and changed")
	f(say.Japanese, "somebody-elses", "CloudTrail trail stopped or deleted", "CloudTrail trail stopped or deleted")
}
