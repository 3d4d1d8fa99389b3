package failures

import (
	"fmt"
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
)

func clock(t time.Time) string { return t.UTC().Format("15:04") }

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

func name(n *watch.Names, d *denied) string {
	if d.who.person != "" {
		return d.who.person
	}
	return actorName(n, d.actor)
}

func actorName(n *watch.Names, actor int32) string {
	if actor < 0 || int(actor) >= len(n.Actors) {
		return "an unnamed principal"
	}
	a := &n.Actors[actor]
	if isRole(a.UID) {
		return "role " + a.Name
	}
	return a.Name
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

func chance(score float64) string {
	if score < 3 {
		return fmt.Sprintf("about 1 in %.0f", math.Pow(10, score))
	}
	if score > 15 {
		return "below 1 in 10^15"
	}
	return fmt.Sprintf("about 1 in 10^%.1f", score)
}

func span(first, last time.Time) string {
	m := int(last.Sub(first)/time.Minute) + 1
	if m < 90 {
		return plural(m, "minute", "minutes")
	}
	return plural((m+30)/60, "hour", "hours")
}

func secretNames(n *watch.Names, list []int32, most int) string {
	var names []string
	for i, x := range list {
		if i == most {
			names = append(names, fmt.Sprintf("%d more", len(list)-most))
			break
		}
		names = append(names, n.Secrets[x].Name)
	}
	return strings.Join(names, ", ")
}

// tell is what a person reads of a principal's denials.
func (s *sign) tell(day *watch.Day, i int, d *denied, c scores) watch.Told {
	n, u := day.Names, s.volume.Usual(d.who.id(), d.class)
	told := watch.Told{Attack: attack(d, c)}
	subject := name(n, d)
	usual := usually(u, "denials")

	axis := finding.Reason{Kind: "failures", Observed: strconv.Itoa(d.calls), Expected: expected(u)}
	sentence := fmt.Sprintf("%s had %s in %s", upper(subject), plural(d.calls, "denial", "denials"), span(d.first, d.last))
	if len(d.secrets) > 1 {
		sentence += fmt.Sprintf(" on %d different secrets (%s)", len(d.secrets), secretNames(n, mostStriking(d.secrets, d), 4))
	} else if len(d.secrets) == 1 {
		sentence += " on " + n.Secrets[d.secrets[0]].Name
	}
	if d.operation != "" {
		sentence += ", most of " + d.operation
		if d.code != "" {
			sentence += " (" + d.code + ")"
		}
	}
	if d.raw > int64(d.calls) {
		sentence += fmt.Sprintf(", %d calls with retries", d.raw)
	}
	axis.Text = sentence + "; " + usual + "."
	told.Reasons = append(told.Reasons, axis)

	if len(d.granted) > 0 {
		told.Reasons = slices.Insert(told.Reasons, 0, finding.Reason{Kind: "granted", Observed: strconv.Itoa(len(d.granted)),
			Text: fmt.Sprintf("After %s %s was given %s.", plural(d.calls, "denial", "denials"), subject, secretNames(n, d.granted, 4))})
	}
	if d.breadth > 1 {
		b := s.breadth.Usual(d.who.id(), d.class)
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "breadth", Observed: strconv.Itoa(d.breadth), Expected: expected(b),
			Text: fmt.Sprintf("Within ten minutes %d different calls were denied that were never denied to it before; %s.", d.breadth, usually(b, "such calls"))})
	}
	if c.slowCount > len(d.fresh) {
		b := s.slow.Usual(d.who.id(), d.class)
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "slow", Observed: strconv.Itoa(c.slowCount), Expected: expected(b),
			Text: fmt.Sprintf("Since %s it was denied %d secrets that it had never touched (%s), a few at a time; usual is at most %d a day.",
				c.slowSince.UTC().Format("2 January 15:04"), c.slowCount, secretNames(n, c.slowSecrets, 4), b.High())})
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "chance", Text: "The chance of this under what is usual for it and its peers is " + chance(c.best) + " an hour."})
	told.Title = title(n, d, c, subject)
	told.Series = s.series(day, i, d, u)
	told.Unseen = s.unseen(day.Hours[i], d, u)
	told.Next = next(n, d)
	return told
}

func title(n *watch.Names, d *denied, c scores, subject string) string {
	switch {
	case len(d.granted) > 0:
		return fmt.Sprintf("%s was denied %d times, then given %s", upper(subject), d.calls, secretNames(n, d.granted, 1))
	case c.slowCount > len(d.fresh) && c.slow >= max(c.breadth, c.secrets, c.volume):
		return fmt.Sprintf("%s tries secret after secret, slowly: %d denied in a day", upper(subject), c.slowCount)
	case len(d.fresh) > 1:
		return fmt.Sprintf("%s was denied %d secrets it had never touched", upper(subject), len(d.fresh))
	case d.breadth > 1:
		return fmt.Sprintf("%s was denied %d different calls in ten minutes", upper(subject), d.breadth)
	case len(d.secrets) == 1:
		return fmt.Sprintf("%s was denied %s %d times in an hour", upper(subject), n.Secrets[d.secrets[0]].Name, d.calls)
	}
	return fmt.Sprintf("%s was denied %d times in an hour", upper(subject), d.calls)
}

func upper(s string) string {
	if strings.HasPrefix(s, "role ") || strings.HasPrefix(s, "an ") {
		return strings.ToUpper(s[:1]) + s[1:]
	}
	return s
}

// usually says what is usual, with the numbers it rests on.
func usually(u tally.Usual, what string) string {
	if u.Days == 0 {
		return fmt.Sprintf("it was never seen before, and of its like about %s of the hours have any", percent(u.Chance))
	}
	if u.DaysWith == 0 {
		return fmt.Sprintf("it had no %s on %s before", what, plural(u.Days, "day", "days"))
	}
	return fmt.Sprintf("it had %s on %d of %s before, never more than %d in an hour", what, u.DaysWith, plural(u.Days, "day", "days"), u.Highest)
}

func percent(p float64) string {
	if p < 0.001 {
		return "less than 0.1 %"
	}
	return strconv.FormatFloat(100*p, 'f', 1, 64) + " %"
}

func expected(u tally.Usual) string { return fmt.Sprintf("0-%d", u.High()) }

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

func (s *sign) unseen(h *watch.Hour, d *denied, u tally.Usual) []string {
	var out []string
	if !h.Events {
		out = append(out, "The events of this hour are not held any more: retries are folded by hours, and which person it was is not known.")
	}
	if u.Days < matureDays {
		out = append(out, fmt.Sprintf("It was seen on %s only: it is judged by its peers.", plural(u.Days, "day", "days")))
	}
	if d.network == "" {
		out = append(out, "Calls that an endpoint's policy denied are in no log of management events.")
	}
	return out
}

// period is a search's from and to.
func period(first, last time.Time) string {
	return "--since " + first.UTC().Format(time.RFC3339) + " --until " + last.Add(time.Minute).UTC().Format(time.RFC3339)
}

func next(n *watch.Names, d *denied) []string {
	var out []string
	account := ""
	if d.account >= 0 && int(d.account) < len(n.Accounts) {
		account = " account_uid:" + n.Accounts[d.account]
	}
	query := fmt.Sprintf("actor_uid:%q", actorUID(n, d.actor))
	if d.who.person != "" {
		query = watch.PersonQuery(d.who.person)
	}
	out = append(out, fmt.Sprintf("yagura search '%s%s and outcome:%s' %s", query, account, event.Denied, period(d.first, d.last)))
	if len(d.granted) > 0 {
		for _, x := range d.granted[:min(3, len(d.granted))] {
			if change := novelty.Next(&n.Secrets[x]); len(change) > 0 {
				out = append(out, change[len(change)-1]) // what changes it
			}
		}
	}
	if uid := actorUID(n, d.actor); isRole(uid) {
		role := uid[strings.LastIndexByte(uid, '/')+1:]
		out = append(out, "aws iam get-role --role-name "+role, "aws iam list-attached-role-policies --role-name "+role)
	}
	return out
}

func (s *sign) tellSecret(day *watch.Day, x int32, r *hammer, score float64) watch.Told {
	n, u := day.Names, s.refused.Usual(x, 0)
	secret := n.Secrets[x].Name
	by := upper(name(n, r.most))
	told := watch.Told{
		Title:  fmt.Sprintf("%s was refused %d times to %s", secret, r.calls, name(n, r.most)),
		Attack: []string{"T1555.006", "T1110"},
		Next:   next(n, r.most),
		Unseen: s.unseen(day.Hours[max(0, min(23, r.most.first.Hour()))], r.most, s.volume.Usual(r.most.who.id(), r.most.class)),
	}
	if len(r.all) > 1 {
		told.Title = fmt.Sprintf("%s was refused %d times to %d principals that never had it", secret, r.calls, len(r.all))
	}
	text := fmt.Sprintf("%s asked for %s %d times in %s, retries taken as one, and was denied", by, secret, r.share, span(r.most.first, r.most.last))
	if len(r.all) > 1 {
		text += fmt.Sprintf(", as were %s", plural(len(r.all)-1, "other principal", "other principals"))
	}
	if u.DaysWith == 0 {
		text += fmt.Sprintf("; in %s nobody who had not been given it before was denied it.", plural(u.Days, "day", "days"))
	} else {
		text += fmt.Sprintf("; that happened on %d of %s before, at most %d times an hour.", u.DaysWith, plural(u.Days, "day", "days"), u.Highest)
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "failures", Text: text, Observed: strconv.Itoa(r.calls), Expected: expected(u)})
	if slices.Contains(r.most.granted, x) {
		told.Reasons = slices.Insert(told.Reasons, 0, finding.Reason{Kind: "granted", Text: fmt.Sprintf("Then it was given %s.", secret)})
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "chance", Text: "The chance of this is " + chance(score) + " an hour."})
	return told
}

func (s *sign) tellUser(t *tried, u tally.Usual, strange bool, score float64) watch.Told {
	user := t.users[0]
	if user == "" {
		user = "a user whose name the provider hides"
	}
	told := watch.Told{Attack: []string{"T1110", "T1078.004"}}
	told.Title = fmt.Sprintf("%d failed sign-ins of %s", t.failed, user)
	text := fmt.Sprintf("%d sign-ins of %s failed in %s from %s", t.failed, user, span(t.first, t.last), strings.Join(t.ips, ", "))
	if t.won > 0 {
		told.Title += ", then one that succeeded"
		text += ", then one succeeded"
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "failures", Observed: strconv.Itoa(t.failed), Expected: expected(u),
		Text: text + "; " + usually(u, "failed sign-ins") + "."})
	if strange {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "network", Text: user + " never came from there before."})
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "chance", Text: "The chance of this is " + chance(score) + " a day."})
	told.Next = []string{signInsFrom(t.ips[0], t)}
	if t.users[0] != "" && t.won > 0 && !strings.Contains(t.users[0], "@") {
		told.Next = append(told.Next, "aws iam update-login-profile --user-name "+t.users[0]+" --password-reset-required")
	}
	return told
}

// signInsFrom is the search for sign-ins from an address, to the console of AWS and
// to Entra.
func signInsFrom(ip string, t *tried) string {
	return fmt.Sprintf("yagura search '(api_operation:ConsoleLogin or api_operation:UserSignIn) and src_ip:%s' %s", ip, period(t.first, t.last))
}

func (s *sign) tellAddress(ip string, t *tried, u tally.Usual, score float64) watch.Told {
	return watch.Told{
		Title:  fmt.Sprintf("Sign-ins of %d users failed from %s", len(t.users), ip),
		Attack: []string{"T1110.003", "T1078.004"},
		Reasons: []finding.Reason{
			{Kind: "failures", Observed: strconv.Itoa(len(t.users)), Expected: expected(u),
				Text: fmt.Sprintf("%d sign-ins of %d users (%s) failed from %s in %s; an address where any fail has %.1f users on average.",
					t.failed, len(t.users), strings.Join(t.users[:min(4, len(t.users))], ", "), ip, span(t.first, t.last), 1+u.Mean)},
			{Kind: "chance", Text: "The chance of this is " + chance(score) + " an hour of such an address."},
		},
		Next: []string{signInsFrom(ip, t)},
	}
}
