package denials

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/tally"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
)

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

func list(words []string, most int) string {
	if len(words) > most {
		return strings.Join(words[:most], ", ") + fmt.Sprintf(" and %d more", len(words)-most)
	}
	return strings.Join(words, ", ")
}

func length(from, to time.Time) string {
	return count(int(to.Sub(from)/time.Minute)+1, "minute", "minutes")
}

// tell is what a person reads of a run.
func (s *sign) tell(d *watch.Day, i int, r *run, slow slowly, score float64) watch.Told {
	n := d.Names
	who := r.who.person
	if who == "" {
		who = n.Actors[r.actor].Name
		if strings.Contains(n.Actors[r.actor].UID, ":role/") {
			who = "Role " + who
		}
	}
	account := ""
	if r.account >= 0 && int(r.account) < len(n.Accounts) {
		account = n.Accounts[r.account]
	}
	u := s.volume.Usual(r.who.id(), r.class)
	usual := fmt.Sprintf("it had none on %s before", count(u.Days, "day", "days"))
	switch {
	case u.Days == 0:
		usual = "it was never seen before"
	case u.DaysWith > 0:
		usual = fmt.Sprintf("it had some on %d of %s before, at most %d an hour", u.DaysWith, count(u.Days, "day", "days"), u.Highest)
	}
	retries := ""
	if r.raw > int64(r.calls) {
		retries = fmt.Sprintf(" (%d calls with retries)", r.raw)
	}
	told := watch.Told{
		Title: fmt.Sprintf("%s ran into policies of the organisation %s", who, count(r.calls, "time", "times")),
		Reasons: []finding.Reason{{
			Kind: "denials", Observed: strconv.Itoa(r.calls), Expected: fmt.Sprintf("0-%d", u.High()),
			Text: fmt.Sprintf("%s was denied by policy of the organisation %s%s in %s in account %s: %s in %s; %s.",
				who, count(r.calls, "time", "times"), retries, length(r.first, r.last), account, list(r.ops, 5), list(r.regions, 4), usual),
		}},
		Attack: []string{"T1580", "T1526"},
	}
	if n := len(r.pairs); n > 1 {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "breadth", Observed: strconv.Itoa(n),
			Text: fmt.Sprintf("%d of these calls were never denied in the account before, in this region.", n)})
	}
	if slow.days >= slowLeast {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "slow", Observed: strconv.Itoa(slow.days),
			Text: fmt.Sprintf("It was denied so on %d of the last %d days, %s since %s (%s).",
				slow.days, slowDays, count(slow.calls, "time", "times"), slow.since.UTC().Format("2 January 15:04"), list(slow.ops, 4))})
	}
	if a := s.account.Usual(r.account, 0); a.Days > 0 {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "account",
			Text: fmt.Sprintf("All principals of the account together had such denials on %d of %s, at most %d an hour.", a.DaysWith, count(a.Days, "day", "days"), a.Highest)})
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "chance",
		Text: fmt.Sprintf("The chance of this under what is usual for it and its peers is about 1 in 10^%.1f an hour.", math.Min(score, 15))})
	if len(r.secrets) > 0 {
		told.Attack = append(told.Attack, "T1555.006")
	}
	told.Series = s.series(d, i, r, u)
	if u.Days < matureDays {
		told.Unseen = append(told.Unseen, fmt.Sprintf("It was seen on %s only: it is judged by its peers.", count(u.Days, "day", "days")))
	}
	told.Unseen = append(told.Unseen, "Which policy denied it is not in the log: only its sort is.")
	query := fmt.Sprintf("actor_uid:%q", n.Actors[r.actor].UID)
	if r.who.person != "" {
		query = watch.PersonQuery(r.who.person)
	}
	told.Next = []string{
		fmt.Sprintf("yagura search '%s and outcome:denied_by_org_policy' --since %s --until %s", query, r.first.UTC().Format(time.RFC3339), r.last.Add(time.Minute).UTC().Format(time.RFC3339)),
		"aws organizations list-policies-for-target --filter SERVICE_CONTROL_POLICY --target-id " + account,
	}
	return told
}

// series is the principal's denials in the last twelve hours.
func (s *sign) series(d *watch.Day, i int, r *run, u tally.Usual) []finding.Point {
	var out []finding.Point
	for k := max(0, i-11); k <= i; k++ {
		if d.Hours[k] == nil {
			continue
		}
		seen := 0
		for _, x := range s.runs(d.Hours[k]) {
			if x.who == r.who && x.account == r.account {
				seen = x.calls
			}
		}
		out = append(out, finding.Point{Time: d.Hours[k].Start, Seen: float64(seen), Expected: u.Expected(), High: float64(u.High())})
	}
	return out
}
