package frequency

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"testing"
)

var measure = flag.Bool("measure", false, "print recall and calibration on toy organisations")
var ablate = flag.Int("ablate", 1, "how many sets of options to measure")

// outcome is what one run of a sign over a toy came to.
type outcome struct {
	hits   map[burst]float64 // score of the burst's hour, 0 where nothing was said or it was explained
	clean  []float64         // best score of every other secret and day with one
	clean1 []float64         // of hours that are not explained
	judged float64           // hours of mature secrets
	trials float64           // of the last alarm
	what   []string
}

func play(t *toy, o Options, days, from int, bursts []burst, class string) outcome {
	s := New(o)
	out := outcome{hits: map[burst]float64{}}
	for d := range days {
		day := t.day(d, bursts)
		if d >= from {
			out.judged += 24 * float64(len(t.secrets))
			best := map[int32]float64{}
			what := map[int32]string{}
			for h := range 24 {
				for _, a := range s.Judge(day, h) {
					if a.Class != class || !a.Mature || len(a.Context) > 0 || a.Secret < 0 {
						continue
					}
					out.trials = a.Trials
					hit := false
					for _, b := range bursts {
						if b.secret == int(a.Secret) && b.hour/24 == d {
							hit = true
							if b.hour == 24*d+h {
								out.hits[b] = a.Score
							}
						}
					}
					if !hit {
						out.clean1 = append(out.clean1, a.Score)
						if a.Score > best[a.Secret] {
							best[a.Secret] = a.Score
							x := &t.secrets[a.Secret]
							what[a.Secret] = fmt.Sprintf("%4.1f %s rate %.1f k %.1f day %d hour %d x %d step %.1f at %d", a.Score, x.rhythm, x.rate, x.k, d, h, a.Count, x.step, x.stepAt)
						}
					}
				}
			}
			for i, b := range best {
				out.clean = append(out.clean, b)
				if b > 4 {
					out.what = append(out.what, what[i])
				}
			}
		}
		s.Learn(day)
	}
	return out
}

// recall at so many false alerts a day and 1,000 secrets.
func (o *outcome) recall(bursts []burst, budget float64, secrets, days int) (recall, threshold float64) {
	allowed := int(budget * float64(secrets) * float64(days) / 1000)
	sorted := slices.Clone(o.clean)
	slices.SortFunc(sorted, func(a, b float64) int { return cmp.Compare(b, a) })
	threshold = 2
	if allowed < len(sorted) {
		threshold = sorted[allowed]
	}
	n := 0
	for _, b := range bursts {
		if o.hits[b] > threshold {
			n++
		}
	}
	return float64(n) / float64(len(bursts)), threshold
}

func TestMeasure(t *testing.T) {
	if !*measure {
		t.Skip("with -measure")
	}
	for _, bursty := range []bool{false, true} {
		for _, o := range []Options{{}, {NoContext: true}, {NoPeers: true}, {NoShrinkage: true}}[:*ablate] {
			var all outcome
			var bursts []burst
			all.hits = map[burst]float64{}
			for seed := range uint64(4) {
				toy := newToy(seed+1, 75, bursty)
				b := toy.troubled(20, 28, 60)
				out := play(toy, o, 60, 28, b, ClassHour)
				for _, x := range b {
					y := x
					y.secret += 1000 * int(seed)
					bursts = append(bursts, y)
					all.hits[y] = out.hits[x]
					if out.hits[x] < 4.5 {
						s := toy.secrets[x.secret]
						fmt.Printf("    missed %.1f: %+v %s rate %.1f\n", out.hits[x], x, s.rhythm, s.rate)
					}
				}
				all.clean = append(all.clean, out.clean...)
				all.clean1 = append(all.clean1, out.clean1...)
				all.what = append(all.what, out.what...)
				all.judged += out.judged
				all.trials = out.trials
			}
			fmt.Printf("bursty %v %+v:", bursty, o)
			for _, b := range []float64{0.05, 0.15, 0.5, 1, 5} {
				r, th := all.recall(bursts, b, 1200, 32)
				fmt.Printf("  %.2f@%v (%.1f)", r, b, th)
			}
			fmt.Printf("  trials %.2f", all.trials)
			for _, at := range []float64{2, 3, 4, 5} {
				n := 0
				for _, x := range all.clean1 {
					if x >= at {
						n++
					}
				}
				fmt.Printf("  1e-%.0f:%.1e", at, float64(n)/all.judged)
			}
			fmt.Println()
			slices.SortFunc(all.what, func(a, b string) int { return cmp.Compare(b, a) })
			for _, w := range all.what[:min(12, len(all.what))] {
				fmt.Println("   ", w)
			}
		}
	}
}
