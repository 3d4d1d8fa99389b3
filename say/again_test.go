package say

import (
	"strings"
	"testing"
)

func TestPair(t *testing.T) {
	f := func(from, to, words, want string) {
		t.Helper()
		got, ok := NewPair(from, to).Told(words)
		if got != want || ok != (want != "") {
			t.Errorf("%q, made of %q, is told as %q, %v, want %q", words, from, got, ok, want)
		}
	}
	f("Ask the owner of {account}", "{account} の所有者に確認する", "Ask the owner of 111122223333", "111122223333 の所有者に確認する")
	f("Ask the owner of {account}", "{account} の所有者に確認する", "ask the owner of 111122223333", "")
	f("Read {group.a_b} in {region}.", "{region} の {group.a_b} を読む", "Read 'x in y' in eu-west-1.", "y' in eu-west-1 の 'x を読む") // as good as can be told
	f("Block {actor}: az ad user update --id {actor}", "{actor} を止める: az ad user update --id {actor}", "Block mei: az ad user update --id 'mei x'", "mei を止める: az ad user update --id 'mei x'")
	f("Block {actor}: --id {actor}", "{actor} を止める", "Block a: --id b", "a を止める")
	f("Look for {a-b} and {}", "{a-b} と {}", "Look for {a-b} and {}", "{a-b} と {}")
	f("Look\nfor {x}", "{x}", "Look\nfor a\nb", "a\nb")
}

func FuzzPair(f *testing.F) {
	f.Add("Ask {actor} of {account}", "Ask mei of 1")
	f.Add("{a}{b}", "")
	f.Add("{a} {a} {", "x y {")
	f.Fuzz(func(t *testing.T, from, words string) {
		from, words = strings.ToValidUTF8(from, "\uFFFD"), strings.ToValidUTF8(words, "\uFFFD")
		if same, ok := NewPair(from, from).Told(words); ok && same != words {
			t.Errorf("%q, made of %q, comes back as %q", words, from, same)
		}
		if same, ok := NewPair(from, from).Told(from); !ok || same != from {
			t.Errorf("%q is not made of itself: %q, %v", from, same, ok)
		}
	})
}

func TestAgain(t *testing.T) {
	f := func(ids string, said Text) {
		t.Helper()
		if got := Again(ids, said.String()); got.ID() != said.ID() || got.In(Japanese) != said.In(Japanese) {
			t.Errorf("%q is known again as %q: %s", said, got.ID(), got.In(Japanese))
		}
	}
	f("external.", T("external.sample", Values{"product": "GuardDuty"}))
	f("external.", Plain("Something else"))
	f("finding.", Plain(T("external.sample", Values{"product": "GuardDuty"}).String()))
	f("correlation.", T("correlation.events", Values{"n": 1})) // a value that chooses words
	f("correlation.", T("correlation.events", Values{"n": 7}))
	f("correlation.", Plain("7 event"))
	f("external.", T("external.via", Values{"via": "Security Hub"}))
}

func FuzzAgain(f *testing.F) {
	f.Add("external.", "It came through x")
	f.Add("", "7 events")
	f.Fuzz(func(t *testing.T, ids, english string) {
		if said := Again(ids, english); said.String() != english {
			t.Errorf("%q is known again as %q", english, said)
		}
	})
}
