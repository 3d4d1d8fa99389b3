package failures

import (
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/tally"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/shell"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
)

func isRole(uid string) bool { return strings.Contains(uid, ":role/") }

// network is the network of an address as watch.SourceUse names it.
func network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	bits := 24
	if a.Is6() {
		bits = 48
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return ip
	}
	return p.String()
}

func name(n *watch.Names, d *denied) say.Text {
	if d.who.person != "" {
		return say.Plain(d.who.person)
	}
	return actorName(n, d.actor)
}

func actorName(n *watch.Names, actor int32) say.Text {
	if actor < 0 || int(actor) >= len(n.Actors) {
		return say.T("failures.unnamed", nil)
	}
	a := &n.Actors[actor]
	if isRole(a.UID) {
		return say.T("role", say.Values{"name": a.Name})
	}
	return say.Plain(a.Name)
}

func chance(score float64) say.Text {
	if score < 3 {
		return say.T("odds", say.Values{"n": math.Pow(10, score)})
	}
	if score > 15 {
		return say.T("odds.least", nil)
	}
	return say.T("odds.power", say.Values{"score": score})
}

func span(first, last time.Time) say.Text {
	m := int(last.Sub(first)/time.Minute) + 1
	if m < 90 {
		return say.T("minutes", say.Values{"n": m})
	}
	return say.T("hours", say.Values{"n": (m + 30) / 60})
}

func secretNames(n *watch.Names, list []int32, most int) []any {
	var names []string
	for _, x := range list {
		names = append(names, n.Secrets[x].Name)
	}
	return say.List(names, most)
}

// number is a count as what was seen.
func number(n int) say.Text { return say.Plain(strconv.Itoa(n)) }

// tell is what a person reads of a principal's denials.
func (s *sign) tell(day *watch.Day, i int, d *denied, c scores) watch.Told {
	n, u := day.Names, s.volume.Usual(d.who.id(), d.class)
	told := watch.Told{Attack: attack(d, c)}
	subject := name(n, d)
	usual := usually(u, say.T("failures.what.denials", nil))

	var on, most, retries say.Text
	if len(d.secrets) > 1 {
		on = say.T("failures.on.several", say.Values{"n": len(d.secrets), "secrets": secretNames(n, mostStriking(d.secrets, d), 4)})
	} else if len(d.secrets) == 1 {
		on = say.T("failures.on", say.Values{"secret": n.Secrets[d.secrets[0]].Name})
	}
	switch {
	case d.operation != "" && d.code != "":
		most = say.T("failures.most.code", say.Values{"operation": d.operation, "code": d.code})
	case d.operation != "":
		most = say.T("failures.most", say.Values{"operation": d.operation})
	}
	if d.raw > int64(d.calls) {
		retries = say.T("failures.retries", say.Values{"n": d.raw})
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "failures", Observed: number(d.calls), Expected: expected(u),
		Text: say.T("failures.sentence", say.Values{
			"who": subject, "n": d.calls, "span": span(d.first, d.last), "on": on, "most": most, "retries": retries, "usual": usual,
		})})

	if len(d.granted) > 0 {
		told.Reasons = slices.Insert(told.Reasons, 0, finding.Reason{Kind: "granted", Observed: number(len(d.granted)),
			Text: say.T("failures.granted", say.Values{"n": d.calls, "who": subject, "secrets": secretNames(n, d.granted, 4)})})
	}
	if d.breadth > 1 {
		b := s.breadth.Usual(d.who.id(), d.class)
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "breadth", Observed: number(d.breadth), Expected: expected(b),
			Text: say.T("failures.breadth", say.Values{"n": d.breadth, "usual": usually(b, say.T("failures.what.calls", nil))})})
	}
	if c.slowCount > len(d.fresh) {
		b := s.slow.Usual(d.who.id(), d.class)
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "slow", Observed: number(c.slowCount), Expected: expected(b),
			Text: say.T("failures.slow", say.Values{
				"since": c.slowSince.UTC(), "n": c.slowCount, "secrets": secretNames(n, c.slowSecrets, 4), "usual": b.High(),
			})})
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "chance", Text: say.T("failures.chance", say.Values{"odds": chance(c.best)})})
	told.Title = title(n, d, c, subject)
	told.Series = s.series(day, i, d, u)
	told.Unseen = s.unseen(day.Hours[i], d, u)
	told.Next = next(n, d)
	return told
}

func title(n *watch.Names, d *denied, c scores, who say.Text) say.Text {
	switch {
	case len(d.granted) > 0:
		return say.T("failures.title.granted", say.Values{"who": who, "n": d.calls, "secrets": secretNames(n, d.granted, 1)})
	case c.slowCount > len(d.fresh) && c.slow >= max(c.breadth, c.secrets, c.volume):
		return say.T("failures.title.slow", say.Values{"who": who, "n": c.slowCount})
	case len(d.fresh) > 1:
		return say.T("failures.title.fresh", say.Values{"who": who, "n": len(d.fresh)})
	case d.breadth > 1:
		return say.T("failures.title.breadth", say.Values{"who": who, "n": d.breadth})
	case len(d.secrets) == 1:
		return say.T("failures.title.secret", say.Values{"who": who, "secret": n.Secrets[d.secrets[0]].Name, "n": d.calls})
	}
	return say.T("failures.title", say.Values{"who": who, "n": d.calls})
}

// usually says what is usual, with the numbers it rests on.
func usually(u tally.Usual, what say.Text) say.Text {
	if u.Days == 0 {
		return say.T("failures.usual.never", say.Values{"share": percent(u.Chance)})
	}
	if u.DaysWith == 0 {
		return say.T("failures.usual.none", say.Values{"what": what, "days": u.Days})
	}
	return say.T("failures.usual.some", say.Values{"what": what, "n": u.DaysWith, "days": u.Days, "most": u.Highest})
}

func percent(p float64) say.Text {
	if p < 0.001 {
		return say.T("failures.percent.less", say.Values{"share": 0.001})
	}
	return say.T("failures.percent", say.Values{"share": p})
}

func expected(u tally.Usual) say.Text {
	return say.T("range", say.Values{"low": 0, "high": u.High()})
}

func attack(d *denied, c scores) []string {
	switch {
	case d.code == "InvalidClientTokenId" || d.code == "SignatureDoesNotMatch":
		return []string{"T1110", "T1078.004"}
	case len(d.fresh) > 0 || len(d.granted) > 0:
		if d.breadth > len(d.fresh) {
			return []string{"T1555.006", "T1580", "T1526"}
		}
		return []string{"T1555.006"}
	case d.breadth > 1:
		return []string{"T1580", "T1526"}
	}
	return []string{"T1078.004"}
}

func (s *sign) series(day *watch.Day, i int, d *denied, u tally.Usual) []finding.Point {
	var out []finding.Point
	for k := max(0, i-11); k <= i; k++ {
		h := day.Hours[k]
		if h == nil {
			continue
		}
		seen := 0
		for _, e := range s.gather(h) {
			if e.who == d.who {
				seen = e.calls
			}
		}
		out = append(out, finding.Point{Time: h.Start, Seen: float64(seen), Expected: u.Expected(), High: float64(u.High())})
	}
	return out
}

func (s *sign) unseen(h *watch.Hour, d *denied, u tally.Usual) []say.Text {
	var out []say.Text
	if !h.Events {
		out = append(out, say.T("failures.unseen.events", nil))
	}
	if u.Days < matureDays {
		out = append(out, say.T("unseen.young", say.Values{"days": u.Days}))
	}
	if d.network == "" {
		out = append(out, say.T("failures.unseen.endpoint", nil))
	}
	return out
}

func next(n *watch.Names, d *denied) []string {
	var out []string
	what := []query.Expr{watch.ByActor(actorUID(n, d.actor)), query.Eq{Field: "outcome", Value: string(event.Denied)}}
	if d.who.person != "" {
		what[0] = watch.ByPerson(d.who.person)
	}
	if d.account >= 0 && int(d.account) < len(n.Accounts) {
		what = append(what, query.Eq{Field: "account_uid", Value: n.Accounts[d.account]})
	}
	out = append(out, watch.Search(d.first, d.last.Add(time.Minute), what...))
	if len(d.granted) > 0 {
		for _, x := range d.granted[:min(3, len(d.granted))] {
			if change := novelty.Next(&n.Secrets[x]); len(change) > 0 {
				out = append(out, change[len(change)-1]) // what changes it
			}
		}
	}
	if uid := actorUID(n, d.actor); isRole(uid) {
		role := uid[strings.LastIndexByte(uid, '/')+1:]
		out = append(out, shell.Command("aws", "iam", "get-role", "--role-name", role), shell.Command("aws", "iam", "list-attached-role-policies", "--role-name", role))
	}
	return out
}

func (s *sign) tellSecret(day *watch.Day, x int32, r *hammer, score float64) watch.Told {
	n, u := day.Names, s.refused.Usual(x, 0)
	secret := n.Secrets[x].Name
	told := watch.Told{
		Title:  say.T("failures.secret.title", say.Values{"secret": secret, "n": r.calls, "who": name(n, r.most)}),
		Attack: []string{"T1555.006", "T1110"},
		Next:   next(n, r.most),
		Unseen: s.unseen(day.Hours[max(0, min(23, r.most.first.Hour()))], r.most, s.volume.Usual(r.most.who.id(), r.most.class)),
	}
	if len(r.all) > 1 {
		told.Title = say.T("failures.secret.title.several", say.Values{"secret": secret, "n": r.calls, "principals": len(r.all)})
	}
	var others say.Text
	if len(r.all) > 1 {
		others = say.T("failures.secret.others", say.Values{"n": len(r.all) - 1})
	}
	usual := say.T("failures.secret.never", say.Values{"days": u.Days})
	if u.DaysWith > 0 {
		usual = say.T("failures.secret.some", say.Values{"n": u.DaysWith, "days": u.Days, "most": u.Highest})
	}
	text := say.T("failures.secret", say.Values{
		"who": name(n, r.most), "secret": secret, "n": r.share, "span": span(r.most.first, r.most.last), "others": others, "usual": usual,
	})
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "failures", Text: text, Observed: number(r.calls), Expected: expected(u)})
	if slices.Contains(r.most.granted, x) {
		told.Reasons = slices.Insert(told.Reasons, 0, finding.Reason{Kind: "granted", Text: say.T("failures.secret.granted", say.Values{"secret": secret})})
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "chance", Text: say.T("failures.chance.hour", say.Values{"odds": chance(score)})})
	return told
}

func (s *sign) tellUser(t *tried, u tally.Usual, strange bool, score float64) watch.Told {
	user := say.Plain(t.users[0])
	if t.users[0] == "" {
		user = say.T("failures.user.hidden", nil)
	}
	told := watch.Told{Attack: []string{"T1110", "T1078.004"}}
	told.Title = say.T("failures.user.title", say.Values{"n": t.failed, "user": user})
	var won say.Text
	if t.won > 0 {
		told.Title = say.T("failures.user.title.won", say.Values{"n": t.failed, "user": user})
		won = say.T("failures.user.won", nil)
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "failures", Observed: number(t.failed), Expected: expected(u),
		Text: say.T("failures.user", say.Values{
			"n": t.failed, "user": user, "span": span(t.first, t.last), "addresses": t.ips, "won": won,
			"usual": usually(u, say.T("failures.what.signins", nil)),
		})})
	if strange {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "network", Text: say.T("failures.user.strange", say.Values{"user": user})})
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "chance", Text: say.T("failures.chance.day", say.Values{"odds": chance(score)})})
	told.Next = []string{signInsFrom(t.ips[0], t)}
	if t.users[0] != "" && t.won > 0 && !strings.Contains(t.users[0], "@") {
		told.Next = append(told.Next, shell.Command("aws", "iam", "update-login-profile", "--user-name", t.users[0], "--password-reset-required"))
	}
	return told
}

// signInsFrom is the search for sign-ins from an address, to the console of AWS and
// to Entra.
func signInsFrom(ip string, t *tried) string {
	return watch.Search(t.first, t.last.Add(time.Minute),
		query.Or{X: []query.Expr{query.Eq{Field: "api_operation", Value: "ConsoleLogin"}, query.Eq{Field: "api_operation", Value: "UserSignIn"}}},
		query.Eq{Field: "src_ip", Value: ip})
}

func (s *sign) tellAddress(ip string, t *tried, u tally.Usual, score float64) watch.Told {
	return watch.Told{
		Title:  say.T("failures.address.title", say.Values{"n": len(t.users), "address": ip}),
		Attack: []string{"T1110.003", "T1078.004"},
		Reasons: []finding.Reason{
			{Kind: "failures", Observed: number(len(t.users)), Expected: expected(u),
				Text: say.T("failures.address", say.Values{
					"n": t.failed, "users": len(t.users), "names": t.users[:min(4, len(t.users))], "address": ip, "span": span(t.first, t.last), "mean": 1 + u.Mean,
				})},
			{Kind: "chance", Text: say.T("failures.chance.address", say.Values{"odds": chance(score)})},
		},
		Next: []string{signInsFrom(ip, t)},
	}
}
