package group

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
)

func clock(t time.Time) string { return t.UTC().Format("15:04") }

// alike tells whether a resource's name and a role's have a word of five letters
// or more in common, from the beginning.
func alike(resource, role string) bool {
	tail := resource[strings.LastIndexAny(resource, ":/")+1:]
	n := 0
	for n < len(tail) && n < len(role) && tail[n] == role[n] {
		n++
	}
	return n >= 5 || n > 0 && n == min(len(tail), len(role))
}

func names(n *watch.Names, list []int32, most int) string {
	var out []string
	for i, x := range list {
		if i == most {
			out = append(out, fmt.Sprintf("%d more", len(list)-most))
			break
		}
		out = append(out, n.Secrets[x].Name)
	}
	return strings.Join(out, ", ")
}

func actorName(n *watch.Names, a int32) string {
	if strings.Contains(n.Actors[a].UID, ":role/") {
		return "role " + n.Actors[a].Name
	}
	return n.Actors[a].Name
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// tell is what a person reads of a part of a set.
func (s *sign) tell(day *watch.Day, i int, p *partial, score float64) watch.Told {
	n := day.Names
	missing := minus(p.set.secrets, p.secrets)
	who := actorName(n, p.actor)
	told := watch.Told{Attack: []string{"T1555.006"}}
	told.Title = fmt.Sprintf("%s read %d of %d secrets that are read together", upper(who), len(p.secrets), len(p.set.secrets))
	// The counts are whole starts while nothing was forgotten yet.
	told.Reasons = []finding.Reason{{
		Kind: "group", Observed: fmt.Sprintf("%d of %d", len(p.secrets), len(p.set.secrets)), Expected: fmt.Sprintf("%d of %d", len(p.set.secrets), len(p.set.secrets)),
		Text: fmt.Sprintf("The %d secrets %s were read together in %.0f of the last %.0f bursts on %d days; at %s only %s was read (%s not).",
			len(p.set.secrets), names(n, p.set.secrets, 4), p.set.whole, p.set.count, p.set.days, clock(p.first), names(n, p.secrets, 4), names(n, missing, 4)),
	}}
	if !p.insider {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "stranger",
			Text: fmt.Sprintf("%s never read any of them before; they are read by %s.", upper(who), s.readers(n, p.set))})
	} else if p.bursts > 1 {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "repeated", Text: fmt.Sprintf("In %d bursts between %s and %s it read just these of the set.", p.bursts, clock(p.first), clock(p.last))})
	}
	rare := fmt.Sprintf("Sets like this one are read in part in about 1 of %.0f bursts", (priorB+s.whole+s.part)/(0.5+s.part))
	if !p.insider {
		rare = fmt.Sprintf("A program comes new to such a set on about 1 of %.0f days", 1/s.chanceStranger())
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "chance",
		Text: fmt.Sprintf("%s; with what this set has shown itself the chance of this is about 1 in 10^%.1f.", rare, score)})
	told.Series = s.series(day, i, p)
	if s.days < 14 {
		told.Unseen = append(told.Unseen, fmt.Sprintf("Only %d days of log are known.", s.days))
	}
	told.Next = append(told.Next, fmt.Sprintf("yagura search 'actor_uid:%q and %s' --since %s --until %s", n.Actors[p.actor].UID, anyOf(n, p.secrets),
		p.first.UTC().Format(time.RFC3339), p.last.Add(watchBurst).UTC().Format(time.RFC3339)))
	for _, x := range p.secrets[:min(3, len(p.secrets))] {
		if show := novelty.Next(&n.Secrets[x]); len(show) > 0 {
			told.Next = append(told.Next, show[0])
		}
	}
	return told
}

// watchBurst is how long a burst lasts from its first read.
const watchBurst = 5 * time.Minute

func anyOf(n *watch.Names, secrets []int32) string {
	var out []string
	for _, x := range secrets[:min(4, len(secrets))] {
		out = append(out, fmt.Sprintf("resource_uid:%q", n.Secrets[x].UID))
	}
	if len(out) == 1 {
		return out[0]
	}
	return "(" + strings.Join(out, " or ") + ")"
}

func (s *sign) readers(n *watch.Names, x *set) string {
	var out []string
	for i, a := range x.readers {
		if i == 3 {
			out = append(out, fmt.Sprintf("%d more", len(x.readers)-3))
			break
		}
		out = append(out, actorName(n, a))
	}
	return strings.Join(out, ", ")
}

// series is by hour the share of the set that its bursts held.
func (s *sign) series(day *watch.Day, i int, p *partial) []finding.Point {
	var out []finding.Point
	all := float64(len(p.set.secrets))
	for k := max(0, i-23); k <= i; k++ {
		h := day.Hours[k]
		if h == nil {
			continue
		}
		least := -1
		for b := range h.Bursts {
			if held := len(intersection(p.set.secrets, h.Bursts[b].Secrets)); held > 0 && (least < 0 || held < least) &&
				(h.Bursts[b].Actor == p.actor || slices.Contains(p.set.readers, h.Bursts[b].Actor)) {
				least = held
			}
		}
		if least >= 0 {
			out = append(out, finding.Point{Time: h.Start, Seen: float64(least), Expected: all, Low: all, High: all})
		}
	}
	return out
}
