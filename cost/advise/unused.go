package advise

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/count"
	"github.com/yagura-sec/yagura/internal/shell"
	"github.com/yagura-sec/yagura/say"
)

// unusedDays is after how long without a call a key or secret is said to be unused.
const unusedDays = 90

// Uses is what the log shows of use.
type Uses struct {
	// End is when the log ends, or Now if that is earlier; zero: Now. Use is judged in
	// the time before it: behind it nothing is logged, and nothing is known.
	End time.Time
	// Last is when a key or secret was last used or read, by its ARN; missing: never in
	// the time that the log covers.
	Last map[string]time.Time
	// Covered is since when the log has the calls of an account without a gap; missing:
	// it has none of it.
	Covered map[string]time.Time
	// Keys are accounts of which some use of a key of KMS is logged in that time: trails
	// may leave those calls out.
	Keys map[string]bool
	// Services counts calls of what protections watch, other than by services on their
	// own, in the 90 days before End; missing: the log has nothing of the account.
	Services map[Used]int64
}

// unusedKind is a thing that costs by the month whether it is used or not.
type unusedKind struct {
	kind, service, usage, resourceType, item string
	source                                   cost.Source
	lost                                     func() say.Text
	plan                                     func(arn, region string) (plan, undo []string)
}

func unusedKinds() []unusedKind {
	return []unusedKind{
		{cost.AboutUnusedKey, serviceKMS, "KMS-Keys", "AWS::KMS::Key", "key", sourceKeys, func() say.Text { return say.T("advice.key.lost", nil) }, keyPlan},
		{cost.AboutUnusedSecret, serviceSecrets, "AWSSecretsManager-Secrets", "AWS::SecretsManager::Secret", "secret", sourceSecrets, func() say.Text { return say.T("advice.secret.lost", nil) }, secretPlan},
	}
}

func keyPlan(arn, region string) (plan, undo []string) {
	return []string{shell.Command("aws", "kms", "schedule-key-deletion", "--region", region, "--key-id", arn, "--pending-window-in-days", "30")},
		[]string{shell.Command("aws", "kms", "cancel-key-deletion", "--region", region, "--key-id", arn),
			shell.Command("aws", "kms", "enable-key", "--region", region, "--key-id", arn)}
}

func secretPlan(arn, region string) (plan, undo []string) {
	return []string{shell.Command("aws", "secretsmanager", "delete-secret", "--region", region, "--secret-id", arn, "--recovery-window-in-days", "30")},
		[]string{shell.Command("aws", "secretsmanager", "restore-secret", "--region", region, "--secret-id", arn)}
}

// unused finds keys and secrets that are billed by name and that nobody used for 90
// days. Where the log does not reach back so far, or lacks such calls, it is said
// that nothing is known: once for an account.
func (j *judge) unused() (out []cost.Advice) {
	for _, k := range unusedKinds() {
		where := map[string]*cost.Sum{}
		paid := j.of(k.service, func(s *cost.Sum) string {
			if s.Resource == "" || !charges(s, k.usage) {
				return ""
			}
			where[s.Resource] = s
			return s.Resource
		})
		silent := map[string][]string{} // by account: of whose use nothing is known
		for _, arn := range inOrder(paid) {
			account := where[arn].Account
			if !j.hears(k, account) {
				silent[account] = append(silent[account], arn)
			} else if a, ok := j.idleThing(k, arn, where[arn], paid[arn]); ok {
				out = append(out, a)
			}
		}
		for _, account := range slices.Sorted(maps.Keys(silent)) {
			out = append(out, j.unheard(k, account, silent[account], paid))
		}
	}
	return out
}

// since is from when on a use counts.
func (j *judge) since() time.Time { return j.logEnd().AddDate(0, 0, -unusedDays) }

func (j *judge) logEnd() time.Time {
	if j.Uses.End.IsZero() {
		return j.Now
	}
	return j.Uses.End
}

// How long before now a log may end.
const (
	endTold  = 24 * time.Hour     // further back it is said
	endStale = 7 * 24 * time.Hour // and further back than this nothing is advised
)

// ended tells whether the log ends before now, and so long before that its silence
// says nothing about today.
func (j *judge) ended() (told, stale bool) {
	gap := j.Now.Sub(j.logEnd())
	return gap > endTold, gap > endStale
}

func (j *judge) endOfLog() say.Text { return say.T("advice.log.ended", say.Values{"end": j.logEnd()}) }

// hears tells whether the log would show that such a thing of an account is used.
func (j *judge) hears(k unusedKind, account string) bool {
	covered, known := j.Uses.Covered[account]
	return known && !covered.After(j.since()) && (k.kind != cost.AboutUnusedKey || j.Uses.Keys[account])
}

// unheard is what is said of an account of which it is not known what is used.
func (j *judge) unheard(k unusedKind, account string, arns []string, paid map[string]billed) cost.Advice {
	sum := paid[arns[0]]
	for _, arn := range arns[1:] {
		if paid[arn].currency == sum.currency {
			sum.amount = sum.amount.Add(paid[arn].amount)
		}
	}
	a := sum.advice(k.kind, account, "", k.resourceType, account)
	a.Sources = []cost.Source{k.source}
	a.Confidence = doubts{basis: a.Basis, guess: true, unknown: true}.confidence()
	amount := say.Money(sum.amount, sum.currency)
	if covered, known := j.Uses.Covered[account]; known && !covered.After(j.since()) {
		a.Reason = say.T("advice.unused.kms", say.Values{"n": len(arns), "amount": amount})
	} else {
		a.Reason = say.T("advice.unused.short", say.Values{"n": len(arns), "amount": amount, "days": unusedDays})
	}
	unsure(&a)
	return a
}

func (j *judge) idleThing(k unusedKind, arn string, s *cost.Sum, b billed) (cost.Advice, bool) {
	last, used := j.Uses.Last[arn]
	if used && last.After(j.since()) {
		return cost.Advice{}, false // it is in use: there is nothing to say
	}
	a := b.advice(k.kind, s.Account, s.Region, k.resourceType, arn)
	a.Sources, a.Verdict, a.Lost = []cost.Source{k.source}, cost.Change, k.lost()
	a.Plan, a.Undo = k.plan(arn, s.Region)
	a.Confidence = doubts{basis: a.Basis, guess: true}.confidence()
	amount, month := say.Money(b.amount, b.currency), cost.MonthText(b.month)
	if used {
		a.Reason = say.T("advice.unused.since", say.Values{"arn": arn, "last": last, "amount": amount, "month": month})
	} else {
		a.Reason = say.T("advice.unused.never", say.Values{"arn": arn, "since": j.Uses.Covered[s.Account], "amount": amount, "month": month})
	}
	if ended, stale := j.ended(); ended {
		a.Reason = joined([]say.Text{a.Reason, j.endOfLog()})
		if stale {
			a.Verdict, a.Lost, a.Plan, a.Undo = cost.Keep, say.Text{}, nil, nil
			a.Confidence = doubts{basis: a.Basis, guess: true, unknown: true}.confidence()
			unsure(&a)
		}
	}
	return a, true
}

// Reader is something here that looks at data events.
type Reader struct {
	Kind string // rule, query or dashboard
	Name string
}

// dataEvents finds data events that are paid for and that nothing here looks at.
func (j *judge) dataEvents() (out []cost.Advice) {
	paid := j.of(serviceTrail, func(s *cost.Sum) string {
		if !charges(s, usageData) {
			return ""
		}
		return s.Account
	})
	for _, account := range inOrder(paid) {
		b := paid[account]
		a := b.advice(cost.AboutDataEvents, account, "", "AWS::CloudTrail::Trail", account)
		a.Sources = []cost.Source{sourceTrails}
		said := []say.Text{say.T("advice.data", say.Values{"amount": say.Money(b.amount, b.currency), "month": cost.MonthText(b.month)})}
		d := doubts{basis: a.Basis, guess: true}
		if len(j.Readers) > 0 {
			var all []string
			for _, r := range j.Readers {
				all = append(all, r.Name)
			}
			said = append(said, say.T("advice.data.read", say.Values{"readers": say.List(all, namesMost), "n": len(all)}))
		} else {
			a.Verdict = cost.Change
			said = append(said, say.T("advice.data.unread", nil))
			a.Lost = say.T("advice.data.lost", nil)
			for _, t := range j.dataTrails(account) {
				if plan, undo, ok := j.quiet(t, true); ok {
					a.Plan, a.Undo = append(a.Plan, plan...), append(a.Undo, undo...)
				}
			}
			if len(a.Plan) == 0 {
				said = append(said, say.T("advice.data.unknown", nil))
			}
		}
		a.Confidence = d.confidence()
		a.Reason = joined(said)
		out = append(out, a)
	}
	return out
}

// dataTrails are the trails of an account that record data events, as far as it is
// known. Those of Control Tower are not to be changed.
func (j *judge) dataTrails(account string) (out []count.Trail) {
	seen := map[string]bool{}
	for _, t := range j.Setup.Trails {
		i := j.selectorsOf(t.ARN)
		if t.Owner() == account && !strings.HasPrefix(t.Name, towerPrefix) && !seen[t.ARN] && i >= 0 && j.Setup.Selectors[i].Data {
			seen[t.ARN] = true
			out = append(out, t)
		}
	}
	return out
}
