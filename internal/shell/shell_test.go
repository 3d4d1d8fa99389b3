package shell

import (
	"os/exec"
	"strings"
	"testing"
	"unicode"
)

func TestCommand(t *testing.T) {
	f := func(want string, words ...string) {
		t.Helper()
		if got := Command(words...); got != want {
			t.Errorf("%q: %s, want %s", words, got, want)
		}
	}
	f("aws iam get-role --role-name api", "aws", "iam", "get-role", "--role-name", "api")
	f("yagura search 'actor_uid:\"a b\"'", "yagura", "search", `actor_uid:"a b"`)
	f(`echo 'o'\''brien@example.com'`, "echo", "o'brien@example.com")
	f("echo '$(id)' '`id`' 'a;b' ''", "echo", "$(id)", "`id`", "a;b", "")
	f("echo 'a\uFFFDb'", "echo", "a\x1bb")
}

// FuzzWord: a shell reads any value as one word, the value itself but for its control
// characters.
func FuzzWord(f *testing.F) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		f.Skip("there is no sh")
	}
	for _, s := range []string{"", "a", "o'brien", "'; id; '", "$(id)", "`id`", "a\nb", "*", "~", "!x", "\\", "\xff", "長い"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		want := strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return '\uFFFD'
			}
			return r
		}, value)
		for _, word := range []string{Word(value), "'" + Quoted(value) + "'"} {
			got, err := exec.Command(sh, "-c", "printf '%s.' "+word).Output()
			if err != nil || string(got) != want+"." {
				t.Errorf("%q is written %s, and read as %q, %v", value, word, got, err)
			}
		}
	})
}
