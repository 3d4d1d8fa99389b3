package match

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestOnly(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 8))
	hits := 0
	for range 20 {
		s := randomSet(r, 20)
		if s.Len() < 3 {
			continue
		}
		rules := []int{r.IntN(s.Len()), r.IntN(s.Len())}
		some, all := s.Only(rules), s.NewScratch()
		one := some.Only(rules[:1])
		sc, scOne := some.NewScratch(), one.NewScratch()
		for range 50 {
			record := []byte(randomObject(r, 0))
			whole, err := s.MatchJSON(all, record, random)
			if err != nil {
				t.Fatal(err)
			}
			want := slices.DeleteFunc(slices.Clone(whole), func(i int) bool { return !slices.Contains(rules, i) })
			got, err := some.MatchJSON(sc, record, random)
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("%s: of rules %v %v match, %v; want %v", record, rules, got, err, want)
			}
			first, err := one.MatchJSON(scOne, record, random)
			if err != nil || slices.Contains(first, rules[0]) != slices.Contains(want, rules[0]) || len(first) > 1 {
				t.Fatalf("%s: of rule %d %v match, %v", record, rules[0], first, err)
			}
			hits += len(want)
		}
	}
	if hits == 0 {
		t.Error("nothing matched")
	}
}
