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
	"github.com/yagura-sec/yagura/usage"
)

// tellHour says what a person reads of an hour.
func (s *sign) tellHour(names *watch.Names, c *cell, at time.Time, series func() []finding.Point) watch.Told {
	st := s.state(c.secret)
	n := &names.Secrets[c.secret]
	p := &s.pools[s.home[c.secret].pool]
	class, hour := p.class(at)
	low, high := stat.Range(c.mean, c.k, 0.05)
	hours := fmt.Sprintf("%s-%s", at.Format("15:04"), at.Add(time.Hour).Format("15:04"))
	text := fmt.Sprintf("%s was read %.0f times %s UTC on %s; usual %.0f-%.0f in %d such hours (%s)",
		n.Name, c.x, hours, at.Format("Mon 2 January"), low, high, st.samples[class][hour], hourKind(class))
	reasons := []finding.Reason{{Kind: "count", Text: text, Observed: fmt.Sprintf("%.0f", c.x), Expected: fmt.Sprintf("%.0f-%.0f", low, high)}}
	if c.peak > 0 && c.peak >= 10 {
		usual := min(math.Exp(float64(st.peak))*usualPeak(max(c.mean, 1)), max(c.mean, 1))
		reasons = append(reasons, finding.Reason{Kind: "peak",
			Text:     fmt.Sprintf("%.0f of them came within five minutes, where about %.0f are usual", c.peak, math.Ceil(usual)),
			Observed: fmt.Sprintf("%.0f", c.peak), Expected: fmt.Sprintf("%.0f", math.Ceil(usual))})
	}
	who := fmt.Sprintf("%.0f %% came from %s", 100*c.part, actorName(names, c.actor))
	if c.usual {
		who += fmt.Sprintf(", which usually makes %.0f %% of its reads", 100*st.part(c.actor))
	} else {
		who += ", which is none of its usual readers"
	}
	reasons = append(reasons, finding.Reason{Kind: "actor", Text: who, Observed: actorName(names, c.actor)})
	reasons = append(reasons, finding.Reason{Kind: "chance", Text: chance(c.score), Observed: fmt.Sprintf("%.1f", c.score)})
	return watch.Told{
		Title:   fmt.Sprintf("%s was read %.0f times in an hour, usual are %.0f-%.0f", n.Name, c.x, low, high),
		Reasons: reasons, Series: series(), Unseen: unseen(st, c),
		Next: next(n, at, at.Add(time.Hour)), Attack: []string{"T1555.006"},
	}
}

func hourKind(class int) string {
	if class == 1 {
		return "days off"
	}
	return "working days"
}

// chance says a score in words.
func chance(score float64) string {
	n := math.Pow(10, score)
	switch {
	case score < 3:
		return fmt.Sprintf("under its usual pattern this comes about once in %.0f such hours", n)
	case score < 6:
		return fmt.Sprintf("under its usual pattern this comes about once in %.0f thousand such hours", n/1e3)
	case score < 9:
		return fmt.Sprintf("under its usual pattern this comes about once in %.0f million such hours", n/1e6)
	}
	return "under its usual pattern this comes less than once in a billion such hours"
}

func unseen(st *state, c *cell) []string {
	var out []string
	if c.peak == 0 && c.x >= 10 {
		out = append(out, "how the reads lie within the hour: its events are not held")
	}
	if st.days < 28 {
		out = append(out, fmt.Sprintf("more than %d days of its use", st.days))
	}
	return out
}

func next(n *watch.Secret, since, until time.Time) []string {
	return []string{
		fmt.Sprintf("yagura search 'resource_uid:%q' --since %s --until %s", n.UID, since.UTC().Format(time.RFC3339), until.UTC().Format(time.RFC3339)),
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
		return fmt.Sprintf("aws kms describe-key --key-id %s --region %s", n.UID, n.Region)
	case strings.Contains(n.UID, ":parameter/"):
		return fmt.Sprintf("aws ssm describe-parameters --parameter-filters Key=Name,Values=%s --region %s", n.UID[strings.Index(n.UID, ":parameter/")+len(":parameter"):], n.Region)
	}
	return fmt.Sprintf("aws secretsmanager describe-secret --secret-id %s --region %s", n.UID, n.Region)
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
func list(names *watch.Names, secrets []int32, n int) string {
	var out []string
	for _, x := range secrets {
		out = append(out, names.Secrets[x].Name)
	}
	slices.SortFunc(out, cmp.Compare[string])
	if len(out) > n {
		return strings.Join(out[:n], ", ") + fmt.Sprintf(" and %d more", len(out)-n)
	}
	return strings.Join(out, ", ")
}
