package frequency

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/stat"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/shell"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/usage"
)

// tellHour says what a person reads of an hour.
func (s *sign) tellHour(names *watch.Names, c *cell, at time.Time, series func() []finding.Point) watch.Told {
	st := s.state(c.secret)
	n := &names.Secrets[c.secret]
	p := &s.pools[s.home[c.secret].pool]
	class, hour := p.class(at)
	low, high := stat.Range(c.mean, c.k, 0.05)
	text := say.T("frequency.hour", say.Values{
		"secret": n.Name, "n": c.x, "at": at.UTC(), "until": at.Add(time.Hour).UTC(), "low": low, "high": high,
		"hours": st.samples[class][hour], "days": hourKind(class),
	})
	reasons := []finding.Reason{{Kind: "count", Text: text, Observed: whole(c.x), Expected: say.T("range", say.Values{"low": low, "high": high})}}
	if c.peak > 0 && c.peak >= 10 {
		usual := min(math.Exp(float64(st.peak))*usualPeak(max(c.mean, 1)), max(c.mean, 1))
		reasons = append(reasons, finding.Reason{Kind: "peak",
			Text:     say.T("frequency.peak", say.Values{"n": c.peak, "usual": math.Ceil(usual)}),
			Observed: whole(c.peak), Expected: whole(math.Ceil(usual))})
	}
	who := say.T("frequency.stranger", say.Values{"share": c.part, "who": actorName(names, c.actor)})
	if c.usual {
		who = say.T("frequency.reader", say.Values{"share": c.part, "who": actorName(names, c.actor), "usual": st.part(c.actor)})
	}
	reasons = append(reasons, finding.Reason{Kind: "actor", Text: who, Observed: actorName(names, c.actor)})
	reasons = append(reasons, finding.Reason{Kind: "chance", Text: chance(c.score), Observed: say.Plain(fmt.Sprintf("%.1f", c.score))})
	return watch.Told{
		Title:   say.T("frequency.title", say.Values{"secret": n.Name, "n": c.x, "low": low, "high": high}),
		Reasons: reasons, Series: series(), Unseen: unseen(st, c),
		Next: next(n, at, at.Add(time.Hour)), Attack: []string{"T1555.006"},
	}
}

// whole is a number without its fraction.
func whole(x float64) say.Text { return say.Plain(fmt.Sprintf("%.0f", x)) }

func hourKind(class int) say.Text {
	if class == 1 {
		return say.T("days.off", nil)
	}
	return say.T("days.working", nil)
}

// chance says a score in words.
func chance(score float64) say.Text {
	n := math.Pow(10, score)
	switch {
	case score < 3:
		return say.T("frequency.chance", say.Values{"n": n})
	case score < 6:
		return say.T("frequency.chance.thousand", say.Values{"n": n / 1e3})
	case score < 9:
		return say.T("frequency.chance.million", say.Values{"n": n / 1e6})
	}
	return say.T("frequency.chance.never", nil)
}

func unseen(st *state, c *cell) []say.Text {
	var out []say.Text
	if c.peak == 0 && c.x >= 10 {
		out = append(out, say.T("frequency.unseen.events", nil))
	}
	if st.days < 28 {
		out = append(out, say.T("frequency.unseen.days", say.Values{"n": int(st.days)}))
	}
	return out
}

func next(n *watch.Secret, since, until time.Time) []string {
	return []string{
		watch.Search(since, until, query.Eq{Field: "resource_uid", Value: n.UID}),
		describe(n),
	}
}

// describe is the command that shows what is known of a secret, a parameter or a
// key.
func describe(n *watch.Secret) string {
	if _, ok := usage.HeldIn(n.UID); ok {
		return novelty.Next(n)[0]
	}
	switch {
	case n.Key:
		return shell.Command("aws", "kms", "describe-key", "--key-id", n.UID, "--region", n.Region)
	case strings.Contains(n.UID, ":parameter/"):
		return shell.Command("aws", "ssm", "describe-parameters", "--parameter-filters", "Key=Name,Values="+n.UID[strings.Index(n.UID, ":parameter/")+len(":parameter"):], "--region", n.Region)
	}
	return shell.Command("aws", "secretsmanager", "describe-secret", "--secret-id", n.UID, "--region", n.Region)
}

// series is the secret's last days and the day up to hour i, with what is usual
// by what is known now.
func (s *sign) series(day *watch.Day, i int, secret int32) func() []finding.Point {
	st := *s.state(secret)
	p := s.pools[s.home[secret].pool]
	start := day.Start
	return func() []finding.Point {
		var points []finding.Point
		add := func(at time.Time, seen float64) {
			class, hour := p.class(at)
			mean, k := s.expectCell(&st, &p, class, hour)
			low, high := stat.Range(mean, k, 0.05)
			points = append(points, finding.Point{Time: at, Seen: seen, Expected: math.Round(mean*10) / 10, Low: low, High: high})
		}
		for h, n := range st.past {
			if n > 0 {
				add(start.Add(time.Duration(h-len(st.past))*time.Hour), float64(n-1))
			}
		}
		for h := 0; h <= i; h++ {
			if day.Hours[h] != nil {
				add(start.Add(time.Duration(h)*time.Hour), s.readsOf(day, h, secret))
			}
		}
		return points
	}
}

func (s *sign) readsOf(day *watch.Day, h int, secret int32) float64 {
	n := 0.0
	for j := range day.Hours[h].Uses {
		if u := &day.Hours[h].Uses[j]; u.Secret == secret && s.counts(u, day.Names) {
			n += float64(u.Count)
		}
	}
	return n
}

// list names at most n of the secrets.
func list(names *watch.Names, secrets []int32, n int) []any {
	var out []string
	for _, x := range secrets {
		out = append(out, names.Secrets[x].Name)
	}
	slices.SortFunc(out, cmp.Compare[string])
	return say.List(out, n)
}
