package advise

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/cost/count"
	"github.com/yagura-sec/yagura/say"
)

// Trace is something that the log shows of who governs an account.
type Trace struct {
	Kind    TraceKind
	Account string // that it is evidence for
	Name    string // of the role, trail, recorder, policy or event
	Last    time.Time
}

// TraceKind is what was seen.
type TraceKind string

// The kinds of traces. A successful call is meant by each.
const (
	SeenRole      TraceKind = "role"      // Control Tower's role was assumed in the account
	SeenRecorder  TraceKind = "recorder"  // its recorder was made, changed or started there
	SeenTrail     TraceKind = "trail"     // its trail was made or changed there
	SeenPolicy    TraceKind = "policy"    // its control was attached to the account
	SeenLifecycle TraceKind = "lifecycle" // it said that it made or changed the account
	SeenFirewall  TraceKind = "firewall"  // Firewall Manager's role works there
)

// governance is whose the configuration recorder of an account is.
type governance string

const (
	governed governance = "governed" // Control Tower's
	released governance = "released" // Control Tower governs the account, and leaves AWS Config to its owner
	free     governance = "free"     // nobody else's
	unknown  governance = "unknown"
)

// tower is what is known of Control Tower in an account.
type tower struct {
	state    governance
	evidence []say.Text
	version  string // of the landing zone; empty: not known
	recorder string // the customer's own, where it is released
}

// names that Control Tower gives to what is its own.
const (
	towerPrefix    = "aws-controltower-"
	towerRole      = "AWSControlTowerExecution"
	guardPrefix    = "aws-guardrails-"
	guardOnConfig  = "PutConfigurationRecorder"
	towerBaselines = "/17BSJV3IGJ2QSGA2" // AWSControlTowerBaseline, in every Region
)

// towerOf judges an account once.
func (j *judge) towerOf(account string) tower {
	t, ok := j.towers[account]
	if !ok {
		t = j.findTower(account)
		j.towers[account] = t
	}
	return t
}

func (j *judge) findTower(account string) (t tower) {
	zone := j.landingZone()
	if zone != nil {
		t.version = zone.Version
	}
	own, recorders := "", 0
	for i := range j.Setup.Recorders {
		r := &j.Setup.Recorders[i]
		if r.Account != account || r.Service != "" {
			continue
		}
		recorders++
		if isTowers(r) {
			t.evidence = append(t.evidence, say.T("advice.tower.recorder", say.Values{"name": r.Name, "region": r.Region}))
		} else {
			own = r.Name
		}
	}
	guarded := len(t.evidence) > 0
	more, onConfig := j.towerSigns(account)
	t.evidence = append(t.evidence, more...)
	switch {
	case len(t.evidence) == 0 && (own != "" || j.Setup.NoLandingZone):
		t.state = free
	case len(t.evidence) == 0:
		t.state = unknown
	case !guarded && !onConfig && own != "" && zone != nil && configIsOff(zone):
		t.state, t.recorder = released, own
	default:
		t.state = governed
	}
	return t
}

// isTowers tells whether Control Tower made the recorder: it names it, or the role
// that it runs as. Accounts that had a recorder when they were enrolled keep its name.
func isTowers(r *count.Recorder) bool {
	role := r.Role[strings.LastIndexByte(r.Role, '/')+1:]
	return strings.HasPrefix(r.Name, towerPrefix) || strings.HasPrefix(role, towerPrefix)
}

// towerSigns are signs of Control Tower besides the recorder, from what was described
// and from the log; onConfig: one of them forbids changes of AWS Config.
func (j *judge) towerSigns(account string) (signs []say.Text, onConfig bool) {
	for _, e := range j.Setup.Enrolled {
		if e.Target == account && strings.HasSuffix(e.Baseline, towerBaselines) && e.Status != "FAILED" {
			signs = append(signs, say.T("advice.tower.baseline", nil))
			break
		}
	}
	for _, p := range j.Setup.Policies {
		if !strings.HasPrefix(p.Name, guardPrefix) && !strings.Contains(p.Content, "AWS-GR_") {
			continue
		}
		attached := slices.ContainsFunc(j.Setup.Targets, func(x count.Target) bool { return x.Policy == p.ID && x.ID == account })
		if attached {
			signs = append(signs, say.T("advice.tower.policy", say.Values{"name": p.Name}))
			onConfig = onConfig || strings.Contains(p.Content, guardOnConfig) || p.Content == ""
		}
	}
	seen := map[TraceKind]bool{}
	for _, x := range j.Traces {
		if x.Account != account || x.Kind == SeenFirewall || seen[x.Kind] {
			continue
		}
		seen[x.Kind] = true
		signs = append(signs, say.T("advice.tower.trace", say.Values{"what": sayTrace(x), "at": x.Last}))
		onConfig = onConfig || x.Kind == SeenRecorder
	}
	return signs, onConfig
}

func sayTrace(x Trace) say.Text {
	switch x.Kind {
	case SeenRole:
		return say.T("advice.trace.role", say.Values{"name": x.Name})
	case SeenRecorder:
		return say.T("advice.trace.recorder", say.Values{"name": x.Name})
	case SeenTrail:
		return say.T("advice.trace.trail", say.Values{"name": x.Name})
	case SeenPolicy:
		return say.T("advice.trace.policy", say.Values{"name": x.Name})
	}
	return say.T("advice.trace.lifecycle", say.Values{"name": x.Name})
}

// landingZone is the organisation's; nil: not known.
func (j *judge) landingZone() *count.Landing {
	if len(j.Setup.LandingZones) == 0 {
		return nil
	}
	return &j.Setup.LandingZones[len(j.Setup.LandingZones)-1]
}

// configIsOff tells whether a landing zone leaves AWS Config to its accounts: it may
// since version 4.0, and says so in its manifest.
func configIsOff(l *count.Landing) bool {
	return major(l.Version) >= 4 && l.Config != nil && !*l.Config
}

// major is the first number of a version; 0: it has none.
func major(version string) int {
	text, _, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(text) // what is no number is version 0: older than all that matter
	return n
}

// onceAtHome is the landing zone since which global types of IAM are recorded in the
// home Region only.
const onceAtHome = 3

// sayTower is what speaks against touching the recorder of a governed account.
func (j *judge) sayTower(account string, daily []string) []say.Text {
	t := j.towerOf(account)
	if t.state == unknown {
		return []say.Text{say.T("advice.tower.unknown", say.Values{"command": askRecorders})}
	}
	version := say.T("advice.tower.version.unknown", nil)
	if t.version != "" {
		version = say.T("advice.tower.version", say.Values{"version": t.version})
	}
	out := []say.Text{say.T("advice.tower", say.Values{"evidence": say.Each(t.evidence...), "version": version})}
	if t.version != "" && major(t.version) < onceAtHome && slices.ContainsFunc(daily, isGlobal) {
		out = append(out, say.T("advice.tower.home", say.Values{"version": t.version}))
	}
	var words []string
	for _, p := range sampleOf(account, daily) {
		words = append(words, p.Name+"="+p.Value)
	}
	return append(out, say.T("advice.tower.sample", say.Values{"sample": sourceSample.Title, "parameters": strings.Join(words, " "), "role": towerRole}), say.T("advice.tower.ask", nil))
}

// isGlobal tells whether a type is IAM's, which is the same in every region.
func isGlobal(resourceType string) bool { return strings.HasPrefix(resourceType, "AWS::IAM::") }

// Parameter is one of the stack that AWS's own sample is.
type Parameter struct{ Name, Value string }

// sampleOf are the parameters that set types of an account to daily recording. They
// are printed for the talk with AWS, never run.
func sampleOf(account string, daily []string) []Parameter {
	var own, global []string
	for _, t := range daily {
		if isGlobal(t) {
			global = append(global, t)
		} else {
			own = append(own, t)
		}
	}
	out := []Parameter{{"AccountSelectionMode", "INCLUSION"}, {"IncludedAccounts", "['" + account + "']"}}
	if len(own) > 0 {
		out = append(out, Parameter{"ConfigRecorderDailyResourceTypes", strings.Join(own, ",")})
	}
	if len(global) > 0 {
		out = append(out, Parameter{"ConfigRecorderDailyGlobalResourceTypes", strings.Join(global, ",")})
	}
	return out
}
