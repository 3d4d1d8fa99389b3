package denials

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/tally"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/shell"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
)

func length(from, to time.Time) say.Text {
	return say.T("minutes", say.Values{"n": int(to.Sub(from)/time.Minute) + 1})
}

// tell is what a person reads of a run.
func (s *sign) tell(d *watch.Day, i int, r *run, slow slowly, score float64) watch.Told {
	n := d.Names
	who := say.Plain(r.who.person)
	if r.who.person == "" {
		who = say.Plain(n.Actors[r.actor].Name)
		if strings.Contains(n.Actors[r.actor].UID, ":role/") {
			who = say.T("role", say.Values{"name": n.Actors[r.actor].Name})
		}
	}
	account := ""
	if r.account >= 0 && int(r.account) < len(n.Accounts) {
		account = n.Accounts[r.account]
	}
	u := s.volume.Usual(r.who.id(), r.class)
	usual := say.T("denials.none", say.Values{"days": u.Days})
	switch {
	case u.Days == 0:
		usual = say.T("denials.never", nil)
	case u.DaysWith > 0:
		usual = say.T("denials.some", say.Values{"n": u.DaysWith, "days": u.Days, "most": u.Highest})
	}
	var retries say.Text
	if r.raw > int64(r.calls) {
		retries = say.T("denials.retries", say.Values{"n": r.raw})
	}
	told := watch.Told{
		Title: say.T("denials.title", say.Values{"who": who, "n": r.calls}),
		Reasons: []finding.Reason{{
			Kind: "denials", Observed: say.Plain(strconv.Itoa(r.calls)), Expected: say.T("range", say.Values{"low": 0, "high": u.High()}),
			Text: say.T("denials.sentence", say.Values{
				"who": who, "n": r.calls, "retries": retries, "span": length(r.first, r.last), "account": account,
				"operations": say.List(r.ops, 5), "regions": say.List(r.regions, 4), "usual": usual,
			}),
		}},
		Attack: []string{"T1580", "T1526"},
	}
	if n := len(r.pairs); n > 1 {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "breadth", Observed: say.Plain(strconv.Itoa(n)),
			Text: say.T("denials.breadth", say.Values{"n": n})})
	}
	if slow.days >= slowLeast {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "slow", Observed: say.Plain(strconv.Itoa(slow.days)),
			Text: say.T("denials.slow", say.Values{
				"n": slow.days, "days": slowDays, "times": slow.calls, "since": slow.since.UTC(), "operations": say.List(slow.ops, 4),
			})})
	}
	if a := s.account.Usual(r.account, 0); a.Days > 0 {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "account",
			Text: say.T("denials.account", say.Values{"n": a.DaysWith, "days": a.Days, "most": a.Highest})})
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "chance",
		Text: say.T("denials.chance", say.Values{"score": math.Min(score, 15)})})
	if len(r.secrets) > 0 {
		told.Attack = append(told.Attack, "T1555.006")
	}
	told.Series = s.series(d, i, r, u)
	if u.Days < matureDays {
		told.Unseen = append(told.Unseen, say.T("unseen.young", say.Values{"days": u.Days}))
	}
	told.Unseen = append(told.Unseen, say.T("denials.unseen", nil))
	by := watch.ByActor(n.Actors[r.actor].UID)
	if r.who.person != "" {
		by = watch.ByPerson(r.who.person)
	}
	told.Next = []string{
		watch.Search(r.first, r.last.Add(time.Minute), by, query.Eq{Field: "outcome", Value: string(event.DeniedByOrgPolicy)}),
		shell.Command("aws", "organizations", "list-policies-for-target", "--filter", "SERVICE_CONTROL_POLICY", "--target-id", account),
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
