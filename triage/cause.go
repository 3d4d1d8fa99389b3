package triage

import (
	"cmp"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

// Cause is what probably brought a finding about, for a person to take or leave.
type Cause struct {
	Cause finding.Cause `json:"cause"`
	// Confidence is 0 to 1: how much of what there is to see speaks for it, by the
	// weights in docs/triage.md. It is no probability.
	Confidence float64     `json:"confidence"`
	Text       say.Text    `json:"text"`     // what shows it, in a sentence
	Evidence   []event.UID `json:"evidence"` // the events that show it, at most maxShown
}

const (
	maxShown = 10
	// causeFloor is the least that is said: below it the cause is unknown.
	causeFloor = 0.3
)

// deploys are operations by which programs and what they run on are changed.
var deploys = []string{
	"UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias", "RegisterTaskDefinition", "UpdateService", "CreateDeployment",
	"CreateStack", "UpdateStack", "ExecuteChangeSet", "StartPipelineExecution", "StartBuild", "PutImage", "UpdateNodegroupVersion", "UpdateClusterVersion",
	"StartInstanceRefresh", "UpdateAutoScalingGroup", "CreateApplicationVersion", "UpdateEnvironment", "ReplaceService",
}

// covering are operations by which somebody gets more rights, stays, or hides.
var covering = []string{
	"StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors", "DeleteFlowLogs", "DeleteDetector", "DisableSecurityHub", "DeleteConfigurationRecorder",
	"StopConfigurationRecorder", "CreateAccessKey", "CreateLoginProfile", "UpdateLoginProfile", "AttachUserPolicy", "AttachRolePolicy", "PutUserPolicy",
	"PutRolePolicy", "UpdateAssumeRolePolicy", "DeactivateMFADevice", "CreateUser", "GetFederationToken", "ModifySnapshotAttribute", "PutBucketPolicy",
}

// ProposeCause says what probably brought f about, from the events around it:
// those of its principal, its resource and its account, in any order. Without
// anything that shows a cause it is unknown.
func ProposeCause(f *finding.Finding, around []event.Event) Cause {
	around = slices.Clone(around)
	slices.SortStableFunc(around, func(a, b event.Event) int { return a.Time.Compare(b.Time) })
	shown := map[event.UID]bool{}
	for _, list := range [][]finding.Sighting{f.Evidence.First, f.Evidence.Latest} {
		for _, s := range list {
			shown[s.UID] = true
		}
	}
	all := []Cause{
		deployCause(f, around), attackCause(f, around), providerCause(around, shown), personCause(f, around, shown), driftCause(f, around),
	}
	// Of equals the first: what is planned first, then what is worst.
	best := slices.MaxFunc(all, func(a, b Cause) int { return cmp.Compare(a.Confidence, b.Confidence) })
	for _, c := range all {
		if c.Confidence == best.Confidence {
			best = c
			break
		}
	}
	if best.Confidence < causeFloor {
		return Cause{Cause: finding.CauseUnknown, Text: say.T("cause.unknown", nil), Evidence: []event.UID{}}
	}
	return best
}

// made is a cause that these events show.
func made(c finding.Cause, confidence float64, text say.Text, shows []event.Event) Cause {
	out := Cause{Cause: c, Confidence: min(confidence, 0.95), Text: text, Evidence: []event.UID{}}
	for _, e := range shows[:min(len(shows), maxShown)] {
		out.Evidence = append(out.Evidence, e.UID)
	}
	return out
}

// told is an event in a few words.
func told(e *event.Event) say.Text {
	who := say.Plain(cmp.Or(e.ActorName, e.ActorUID, e.ActorInvokedBy))
	if who == (say.Text{}) {
		who = say.T("somebody", nil)
	}
	return say.T("cause.told", say.Values{"operation": e.APIOperation, "who": who, "at": e.Time.UTC()})
}

// apart says how far an event is from the finding's first.
func apart(e *event.Event, f *finding.Finding) say.Text {
	d := f.FirstSeen.Sub(e.Time).Round(time.Minute)
	switch {
	case d >= time.Minute:
		return say.T("cause.before", say.Values{"span": d.Seconds()})
	case d <= -time.Minute:
		return say.T("cause.after", say.Values{"span": -d.Seconds()})
	}
	return say.T("cause.minute", nil)
}

// nearest is the event closest to the finding's first.
func nearest(list []event.Event, f *finding.Finding) *event.Event {
	best := &list[0]
	for i := range list {
		if list[i].Time.Sub(f.FirstSeen).Abs() < best.Time.Sub(f.FirstSeen).Abs() {
			best = &list[i]
		}
	}
	return best
}

// deployCause: planned work covers it, or something was deployed shortly before.
func deployCause(f *finding.Finding, around []event.Event) Cause {
	for _, x := range f.Explained {
		switch {
		case x.Kind == "window" || x.Kind == "calendar":
			return made(finding.CauseDeploy, 0.8, say.T("cause.planned", say.Values{"work": x.Text}), nil)
		case x.ID == "deploy" || x.ID == "rotation" || x.ID == "rollout":
			return made(finding.CauseDeploy, 0.7, say.T("cause.context", say.Values{"why": x.Text}), nil)
		}
	}
	var shows []event.Event
	for _, e := range around {
		if e.Outcome == event.Success && !e.ReadOnly && slices.Contains(deploys, e.APIOperation) &&
			e.Time.After(f.FirstSeen.Add(-2*time.Hour)) && e.Time.Before(f.FirstSeen.Add(10*time.Minute)) && (f.Account == "" || e.AccountUID == f.Account) {
			shows = append(shows, e)
		}
	}
	if len(shows) == 0 {
		return Cause{}
	}
	e := nearest(shows, f)
	confidence := 0.45
	if e.ActorUID == f.Actor && f.Actor != "" || f.Resource != "" && slices.Contains(e.ResourceUIDs, f.Resource) {
		confidence += 0.2
	}
	if e.Caller == event.CallerCI {
		confidence += 0.15
	}
	if f.FirstSeen.Sub(e.Time).Abs() <= 15*time.Minute {
		confidence += 0.1
	}
	return made(finding.CauseDeploy, confidence, say.T("cause.deploy", say.Values{"told": told(e), "apart": apart(e, f)}), shows)
}

// attackCause: what attackers do beside it, by the same principal.
func attackCause(f *finding.Finding, around []event.Event) Cause {
	var refused, covered []event.Event
	addresses := map[string]bool{}
	for _, e := range around {
		if f.Actor != "" && e.ActorUID != f.Actor && e.SrcIP != f.Actor {
			continue
		}
		switch {
		case slices.Contains(covering, e.APIOperation):
			covered = append(covered, e)
		case e.Outcome == event.Denied || e.Outcome == event.AuthFailed || e.Outcome == event.DeniedByOrgPolicy:
			refused = append(refused, e)
		}
		if e.SrcIP != "" {
			addresses[e.SrcIP] = true
		}
	}
	confidence := 0.0
	var said []say.Text
	if f.Severity.Rank() >= finding.High.Rank() && len(f.Attack) > 0 {
		confidence += 0.2
		said = append(said, say.T("cause.technique", say.Values{"technique": f.Attack[0].ID, "severity": f.Severity.Said()}))
	}
	if len(covered) > 0 {
		confidence += 0.3
		said = append(said, say.T("cause.covering", say.Values{"told": told(nearest(covered, f))}))
	}
	if len(refused) >= 5 {
		confidence += 0.2
		said = append(said, say.T("cause.refused", say.Values{"n": len(refused)}))
	}
	if f.External != nil && !f.External.Sample && f.Severity.Rank() >= finding.High.Rank() {
		confidence += 0.2
		said = append(said, say.T("cause.product", say.Values{"product": f.External.Product}))
	}
	if len(addresses) >= 3 && f.Person() != "" {
		confidence += 0.1
		said = append(said, say.T("cause.addresses", say.Values{"n": len(addresses)}))
	}
	if len(said) == 0 {
		return Cause{}
	}
	return made(finding.CauseAttack, confidence, say.T("cause.attack", say.Values{"said": say.Each(said...)}), append(covered, refused...))
}

// providerCause: the provider's own service made the calls.
func providerCause(around []event.Event, shown map[event.UID]bool) Cause {
	var own []event.Event
	all := 0
	for _, e := range around {
		if !shown[e.UID] {
			continue
		}
		all++
		if e.ActorType == event.ActorService || e.Caller == event.CallerAWSService || e.ActorInvokedBy != "" {
			own = append(own, e)
		}
	}
	if len(own) == 0 || 2*len(own) < all {
		return Cause{}
	}
	e := &own[0]
	return made(finding.CauseProvider, 0.4+0.35*float64(len(own))/float64(all),
		say.T("cause.provider", say.Values{"n": len(own), "all": all, "service": cmp.Or(e.ActorInvokedBy, e.ActorName, e.ActorUID)}), own)
}

// personCause: a person made the calls by hand.
func personCause(f *finding.Finding, around []event.Event, shown map[event.UID]bool) Cause {
	var hand []event.Event
	all := 0
	for _, e := range around {
		if !shown[e.UID] {
			continue
		}
		all++
		if e.Caller == event.CallerConsole || e.Caller == event.CallerPersonCLI {
			hand = append(hand, e)
		}
	}
	who := f.Person()
	if len(hand) == 0 && who == "" {
		return Cause{}
	}
	confidence, text := 0.4, say.T("cause.person", say.Values{"who": who})
	if len(hand) > 0 {
		e := &hand[0]
		confidence += 0.2 * float64(len(hand)) / float64(all)
		how := say.T("cause.console", nil)
		if e.Caller == event.CallerPersonCLI {
			how = say.T("cause.cli", nil)
		}
		text = say.T("cause.hand", say.Values{"who": cmp.Or(who, e.ActorSession, e.ActorName, e.ActorUID), "how": how, "told": told(e)})
	}
	return made(finding.CausePerson, confidence, text, hand)
}

// driftCause: something is not as it should be, and the log has nobody who made
// it so.
func driftCause(f *finding.Finding, around []event.Event) Cause {
	posture := f.Kind == finding.KindPosture || f.Kind == finding.KindExposure || f.Kind == finding.KindUnused
	if !posture && f.Kind != finding.KindExternal || f.Resource == "" {
		return Cause{}
	}
	for _, e := range around {
		if !e.ReadOnly && e.Outcome == event.Success && slices.Contains(e.ResourceUIDs, f.Resource) {
			return Cause{} // somebody did
		}
	}
	confidence := 0.3
	if posture {
		confidence = 0.5
	}
	return made(finding.CauseDrift, confidence, say.T("cause.drift", nil), nil)
}
