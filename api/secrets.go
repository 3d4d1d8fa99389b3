package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
	"github.com/yagura-sec/yagura/usage/secrets"
)

// Secret is a secret, key, parameter or certificate as usage shows it. There is
// never a value in it.
type Secret struct {
	Resource      string                `json:"resource"`
	Kind          secrets.Kind          `json:"kind" enum:"secret,key,parameter,certificate"`
	Name          string                `json:"name"`
	Forms         []string              `json:"forms" doc:"every name it is called by: with and without random suffix, as alias, as id"`
	Account       string                `json:"account"`
	AccountName   string                `json:"account_name"`
	Region        string                `json:"region" doc:"where it lies"`
	CloudProvider string                `json:"cloud_provider"`
	Confirmed     bool                  `json:"confirmed" doc:"a call on it succeeded: anyone may ask for what is not there"`
	FirstSeen     time.Time             `json:"first_seen" doc:"of any record that names it: it is at least as old"`
	Created       time.Time             `json:"created,omitzero" doc:"when it was made; absent: that was not seen"`
	LastUse       time.Time             `json:"last_use,omitzero" doc:"absent: no use was seen"`
	Calls         int64                 `json:"calls" doc:"uses: reads of the value, or operations with the key"`
	Actors        int                   `json:"actors" doc:"different principals that used it"`
	Callers       []secrets.CallerCalls `json:"callers" doc:"the most frequent first"`
	Regions       []string              `json:"regions" doc:"in which it was used"`
	Failures      int64                 `json:"failures" doc:"uses that did not succeed"`
	Findings      int                   `json:"findings" doc:"open findings on it"`
	QuietDays     int                   `json:"quiet_days" doc:"whole days from the last use to the end of its account's log; -1: no use was seen"`
	UnknownDays   int                   `json:"unknown_days" doc:"days since the first sight of which nothing is known: its account delivered no record, or its use is unseen"`
	Unseen        *UnseenUse            `json:"unseen,omitempty" doc:"why nothing can be known of its use; absent: its use is seen"`
	Rotation      secrets.Rotations     `json:"rotation" doc:"calls that rotate it, as far as they were seen"`
	Maturity      SecretMaturity        `json:"maturity"`
}

// UnseenUse says that nothing can be known of the use of a secret or key.
type UnseenUse struct {
	Log  secrets.Log `json:"log" enum:"data_access,audit_event" doc:"the log that would tell: data access logs of Google Cloud's project, or the AuditEvent log of Azure's vault"`
	Text say.Text    `json:"text" doc:"in the language of who asks"`
}

// unseen says it in words.
func unseen(s *secrets.Summary) *UnseenUse {
	switch s.Unseen {
	case secrets.DataAccess:
		return &UnseenUse{s.Unseen, say.T("unseen.data_access", say.Values{"project": s.Account})}
	case secrets.AuditEvents:
		return &UnseenUse{s.Unseen, say.T("unseen.audit_event", nil)}
	}
	return nil
}

// SecretMaturity is how far anomalies of its use can be told.
type SecretMaturity struct {
	State string `json:"state" enum:"learned,learning,unused,unseen" doc:"learned: its use can be judged; learning: too little was seen yet; unused: there is nothing to learn from; unseen: no log tells of its use"`
	Days  int    `json:"days" doc:"days with uses that succeeded"`
	Calls int64  `json:"calls" doc:"such uses"`

	NeedsDays  int   `json:"needs_days" doc:"how many days it takes"`
	NeedsCalls int64 `json:"needs_calls" doc:"and how many uses"`
}

// SecretDetail is all of one.
type SecretDetail struct {
	Secret
	Heat         []secrets.Heat        `json:"heat" doc:"uses by hour of the week, UTC; only those with calls"`
	HeatKnown    []secrets.Known       `json:"heat_known" doc:"of every hour of the week, how much of it is known"`
	Days         []secrets.DayCalls    `json:"days" doc:"only those with calls; gaps tells of what nothing is known"`
	ActorUse     []secrets.ActorUse    `json:"actor_use" doc:"by principal and class of caller, the most frequent first, at most 500"`
	Group        []secrets.GroupMember `json:"group" doc:"others that the same principals use in the same hours, at most 50"`
	FailureKinds []secrets.FailedUse   `json:"failure_kinds"`
	Gaps         []secrets.Unheard     `json:"gaps" doc:"stretches since its first sight in which its account delivered no record: unknown, not unused; the latest 2,000"`
	UnknownHours int64                 `json:"unknown_hours" doc:"hours of all such stretches"`
	FindingList  []Finding             `json:"finding_list" doc:"open and decided, the most pressing first, at most 50"`
	Since        time.Time             `json:"since" doc:"how far back its use is summed"`
	Until        time.Time             `json:"until" doc:"end of the log"`
}

// Secrets is a page of them.
type Secrets struct {
	Secrets []Secret    `json:"secrets"`
	Next    string      `json:"next" doc:"cursor of the following page; empty at the end"`
	Total   int         `json:"total" doc:"that the filter chooses"`
	Kinds   []KindCount `json:"kinds" doc:"of all that the filter chooses, each kind"`
	Since   time.Time   `json:"since,omitzero" doc:"how far back use is summed"`
	Until   time.Time   `json:"until,omitzero" doc:"end of the log; absent: nothing was summed yet"`
	Behind  int         `json:"behind" doc:"days whose usage is still to be summed: until 0 the figures are short"`
	Dropped bool        `json:"dropped" doc:"there are more secrets and keys than are kept track of"`
	// SilentVaults hold what nobody can see.
	SilentVaults []secrets.Vault `json:"silent_vaults,omitempty" doc:"vaults and managed HSMs of Azure that the activity log names and that wrote no audit event: nothing can be known of what lies in them and of its use; at most 1,000"`
}

// KindCount is how many there are of a kind.
type KindCount struct {
	Kind  secrets.Kind `json:"kind" enum:"secret,key,parameter,certificate"`
	Count int          `json:"count"`
}

// secretsInput chooses and orders them.
type secretsInput struct {
	Q         string       `query:"q" maxLength:"512" doc:"words that are all in its names, account, region, kind or callers, any case"`
	Account   string       `query:"account"`
	Kind      secrets.Kind `query:"kind" enum:"secret,key,parameter,certificate"`
	Caller    string       `query:"caller" doc:"used by this class of callers"`
	Quiet     int          `query:"quiet" minimum:"0" doc:"not used for at least so many days"`
	Confirmed bool         `query:"confirmed" doc:"none that only failed calls name"`
	Sort      string       `query:"sort" default:"-findings" enum:"name,-name,findings,-findings,calls,-calls,last_use,-last_use,first_seen,-first_seen,actors,-actors,quiet_days,-quiet_days,failures,-failures" doc:"ascending; a minus turns it round"`
	Limit     int          `query:"limit" default:"100" minimum:"1" maximum:"1000"`
	Cursor    string       `query:"cursor"`
}

func secretList(a huma.API, rooms Rooms) {
	type page struct{ Body Secrets }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "list-secrets", Method: http.MethodGet, Path: "/api/secrets", Summary: "Secrets, keys, parameters and certificates that were seen in use",
	})), func(ctx context.Context, in *secretsInput) (*page, error) {
		if rooms.Console.Secrets == nil {
			return nil, absent("usage of secrets and keys")
		}
		from, err := parseOffset(in.Cursor)
		if err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
		known, err := rooms.Console.Secrets(ctx)
		if err != nil {
			return nil, rooms.failure(err)
		}
		chosen := in.choose(ctx, known)
		in.order(chosen, known.Findings)
		out := Secrets{Secrets: []Secret{}, Total: len(chosen), Kinds: kindsOf(chosen), Behind: known.Behind, Dropped: known.Dropped > 0}
		out.Since, out.Until = known.Since, known.Until
		out.SilentVaults = in.silent(ctx, known)
		for i := from; i < len(chosen) && len(out.Secrets) < in.Limit; i++ {
			out.Secrets = append(out.Secrets, rooms.secret(chosen[i], known))
		}
		if end := from + in.Limit; end < len(chosen) {
			out.Next = offset(end)
		}
		return &page{out}, nil
	})
}

// silent gives the vaults that wrote nothing, of the account that is asked for, as
// far as who asks may see them.
func (in *secretsInput) silent(ctx context.Context, known KnownSecrets) (out []secrets.Vault) {
	const most = 1000
	for _, v := range known.Vaults {
		if len(out) < most && (in.Account == "" || in.Account == v.Account) && sees(ctx, v.Account) {
			out = append(out, v)
		}
	}
	return out
}

// offset is a cursor into a list that is sorted for every page.
func offset(n int) string { return "at" + strconv.Itoa(n) }

func parseOffset(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	digits, ok := strings.CutPrefix(s, "at")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 {
		return 0, fmt.Errorf("cursor %q: not one that this list gave", s)
	}
	return n, nil
}

// choose gives those that are asked for and may be seen.
func (in *secretsInput) choose(ctx context.Context, known KnownSecrets) []*secrets.Summary {
	words := strings.Fields(strings.ToLower(in.Q))
	var out []*secrets.Summary
	for i := range known.Book.Secrets {
		s := &known.Book.Secrets[i]
		if (in.Account == "" || in.Account == s.Account) && (in.Kind == "" || in.Kind == s.Kind) &&
			(in.Quiet == 0 || s.QuietDays >= in.Quiet) && (!in.Confirmed || s.Confirmed) &&
			(in.Caller == "" || usedBy(s, in.Caller)) && sees(ctx, s.Account) && names(s, words) {
			out = append(out, s)
		}
	}
	return out
}

func usedBy(s *secrets.Summary, caller string) bool {
	return slices.ContainsFunc(s.Callers, func(c secrets.CallerCalls) bool { return string(c.Caller) == caller })
}

// names tells whether each word is in what there is to read of s.
func names(s *secrets.Summary, words []string) bool {
	if len(words) == 0 {
		return true
	}
	text := strings.ToLower(strings.Join(s.Forms, "\n") + "\n" + s.Name + "\n" + string(s.Kind))
	for _, c := range s.Callers {
		text += "\n" + string(c.Caller)
	}
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

// order sorts by what is asked for, then by findings, calls and name.
func (in *secretsInput) order(all []*secrets.Summary, findings map[string]int) {
	key, down := strings.CutPrefix(in.Sort, "-")
	by := func(a, b *secrets.Summary) int {
		switch key {
		case "name":
			return strings.Compare(a.Name, b.Name)
		case "findings":
			return cmp.Compare(onIt(a, findings), onIt(b, findings))
		case "calls":
			return cmp.Compare(a.Calls, b.Calls)
		case "last_use":
			return a.LastUse.Compare(b.LastUse)
		case "first_seen":
			return a.First.Compare(b.First)
		case "actors":
			return cmp.Compare(a.Actors, b.Actors)
		case "quiet_days":
			return cmp.Compare(a.QuietDays, b.QuietDays)
		}
		return cmp.Compare(a.Failures, b.Failures)
	}
	slices.SortFunc(all, func(a, b *secrets.Summary) int {
		c := by(a, b)
		if down {
			c = -c
		}
		return cmp.Or(c, cmp.Compare(b.Calls, a.Calls), strings.Compare(a.Resource, b.Resource))
	})
}

// onIt counts the open findings on s under any of its names.
func onIt(s *secrets.Summary, findings map[string]int) (n int) {
	for _, f := range s.Forms {
		n += findings[f]
	}
	return n
}

func kindsOf(all []*secrets.Summary) []KindCount {
	n := map[secrets.Kind]int{}
	for _, s := range all {
		n[s.Kind]++
	}
	out := []KindCount{}
	for _, k := range secrets.Kinds {
		if n[k] > 0 {
			out = append(out, KindCount{k, n[k]})
		}
	}
	return out
}

func (r Rooms) secret(s *secrets.Summary, known KnownSecrets) Secret {
	return Secret{
		Resource: s.Resource, Kind: s.Kind, Name: s.Name, Forms: list(s.Forms), Account: s.Account, AccountName: r.accountName(s.Account),
		Region: s.Region, CloudProvider: s.CloudProvider, Confirmed: s.Confirmed, FirstSeen: s.First, Created: s.Created, LastUse: s.LastUse,
		Calls: s.Calls, Actors: s.Actors, Callers: list(s.Callers), Regions: list(s.Regions), Failures: s.Failures,
		Findings: onIt(s, known.Findings), QuietDays: s.QuietDays, UnknownDays: s.UnknownDays, Unseen: unseen(s), Rotation: s.Rotation, Maturity: maturityOf(s),
	}
}

// What the signs of anomalies ask for before they judge the use of one: see
// docs/anomalies.md.
const (
	learnDays  = 7
	learnCalls = 30
)

func maturityOf(s *secrets.Summary) SecretMaturity {
	m := SecretMaturity{State: "learning", Days: s.UsedDays, NeedsDays: learnDays, Calls: s.Calls - s.Failures, NeedsCalls: learnCalls}
	switch {
	case s.Unseen != "":
		m.State = "unseen"
	case m.Calls == 0:
		m.State = "unused"
	case m.Days >= learnDays && m.Calls >= learnCalls:
		m.State = "learned"
	}
	return m
}

func (r Rooms) accountName(account string) string {
	if r.Console.AccountName == nil {
		return ""
	}
	return r.Console.AccountName(account)
}

// findingsShown is how many findings are shown with one.
const findingsShown = 50

func secretDetail(a huma.API, rooms Rooms) {
	type one struct{ Body SecretDetail }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-secret", Method: http.MethodGet, Path: "/api/secrets/detail", Summary: "All that usage says of one secret or key",
	})), func(ctx context.Context, in *struct {
		Resource string `query:"resource" required:"true" doc:"any of its names"`
	}) (*one, error) {
		if rooms.Console.SecretUse == nil {
			return nil, absent("usage of secrets and keys")
		}
		known, err := rooms.Console.Secrets(ctx)
		if err != nil {
			return nil, rooms.failure(err)
		}
		use, ok, err := rooms.Console.SecretUse(ctx, in.Resource)
		if err != nil {
			return nil, rooms.failure(err)
		}
		if !ok || !sees(ctx, use.Account) {
			return nil, huma.Error404NotFound("no record names such a secret, key, parameter or certificate")
		}
		found, err := rooms.findingsOn(ctx, use.Forms)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &one{SecretDetail{
			Secret: rooms.secret(&use.Summary, known), Heat: list(use.Heat), HeatKnown: list(use.Known), Days: list(use.Days),
			ActorUse: list(use.ActorUse), Group: seenMembers(ctx, use.Group, known.Book), FailureKinds: list(use.Failed),
			Gaps: list(use.Unheard), UnknownHours: use.UnknownHours, FindingList: found, Since: known.Since, Until: known.Until,
		}}, nil
	})
}

// seenMembers are those of the group that who asks may see.
func seenMembers(ctx context.Context, all []secrets.GroupMember, b *secrets.Book) []secrets.GroupMember {
	out := []secrets.GroupMember{}
	for _, m := range all {
		if s, ok := b.Find(m.Resource); ok && sees(ctx, s.Account) {
			out = append(out, m)
		}
	}
	return out
}

// findingsOn are those on a resource by any of its names.
func (r Rooms) findingsOn(ctx context.Context, forms []string) ([]Finding, error) {
	var all []finding.Finding
	for _, name := range forms {
		some, _, err := r.Findings.List(ctx, triage.Filter{Resource: name, Limit: findingsShown})
		if err != nil {
			return nil, err
		}
		for _, f := range some {
			if sees(ctx, f.Account) {
				all = append(all, f)
			}
		}
	}
	slices.SortFunc(all, func(a, b finding.Finding) int { return cmp.Compare(b.Priority, a.Priority) })
	return ViewFindings(all[:min(len(all), findingsShown)], "").Findings, nil
}
