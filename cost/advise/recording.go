package advise

import (
	"slices"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/price"
	"github.com/yagura-sec/yagura/say"
)

// recording is one type that is judged.
type recording struct {
	tallied
	continuous, daily price.Price
	priced            bool
	now               decimal.Decimal // a month's items at the price of continuous recording
	then              decimal.Decimal // a month's changed resource-days at that of daily; zero: not known
	advice            cost.Advice
	said              []say.Text
	lost              []say.Text
}

// recordings judges daily recording against continuous, type by type.
func (j *judge) recordings() []cost.Advice {
	var all []*recording
	for _, t := range tally(j.Counts) {
		all = append(all, j.recording(t))
	}
	for _, r := range all {
		j.govern(r, all)
	}
	var out []cost.Advice
	for _, r := range all {
		r.finish()
		out = append(out, r.advice)
		if x, ok := j.exclusion(r); j.Exclusions && ok {
			out = append(out, x)
		}
	}
	return out
}

// recording judges one type by its counts and prices alone, and by what needs it.
func (j *judge) recording(t tallied) *recording {
	r := &recording{tallied: t, advice: cost.Advice{
		Key: keyOf(cost.AboutRecording, t.Account, t.Region, t.resourceType), Kind: cost.AboutRecording,
		Account: t.Account, Region: t.Region, ResourceType: t.resourceType, Basis: t.basis, Until: t.during.last, Verdict: cost.Keep,
		Items: monthly(t.items, t.during).Round(0).IntPart(), ResourceDays: -1,
	}}
	if t.resourceDays >= 0 {
		r.advice.ResourceDays = monthly(t.resourceDays, t.changing).Round(0).IntPart()
	}
	at := t.during.last
	var known bool
	r.continuous, r.priced = j.Prices.Find(aws, serviceConfig, "configuration_item", t.Region, at)
	if r.daily, known = j.Prices.Find(aws, serviceConfig, "configuration_item_daily", t.Region, at); !known || r.daily.Currency != r.continuous.Currency {
		r.priced = false
	}
	r.count(j)
	switch {
	case slices.Contains(cannotBeDaily, t.resourceType):
		r.advice.Verdict = cost.Cannot
		r.say(say.T("advice.cannot", say.Values{"type": t.resourceType}))
		r.advice.Sources = append(r.advice.Sources, sourceDaily)
	case !r.priced:
		r.say(say.T("advice.price.unknown", say.Values{"region": t.Region}))
	case j.recordedAs(t) == frequencyDaily:
		r.say(say.T("advice.already", nil))
	case j.recordedAs(t) == frequencyNever:
		r.say(say.T("advice.unrecorded", nil))
	default:
		r.weigh(j)
	}
	return r
}

func (r *recording) say(t say.Text) { r.said = append(r.said, t) }

// count says what was counted, and what that costs.
func (r *recording) count(j *judge) {
	d := doubts{basis: r.basis, days: int(r.during.days()), age: j.Now.Sub(r.during.last)}
	if r.priced {
		d.price = lower(r.continuous.Confidence, r.daily.Confidence)
		r.now = r.continuous.Of(monthly(r.items, r.during))
		if r.resourceDays >= 0 {
			r.then = r.daily.Of(monthly(r.resourceDays, r.changing))
		}
		r.advice.Currency = r.continuous.Currency
		r.advice.Sources = sourcesOf(r.continuous, r.daily)
	}
	_, rules := j.rulesOn(r.Place, r.resourceType)
	d.unknown = !rules
	r.advice.Confidence = d.confidence()
	values := say.Values{"items": r.advice.Items, "basis": sayBasis(r.basis), "days": r.during.days(), "until": r.during.last, "resources": sayDays(r.advice.ResourceDays)}
	r.say(say.T("advice.counted", values))
}

// lower is the less sure of two prices.
func lower(a, b price.Confidence) price.Confidence {
	for _, c := range []price.Confidence{price.Low, price.Medium} {
		if a == c || b == c {
			return c
		}
	}
	return price.High
}

func sayBasis(b cost.Basis) say.Text {
	switch b {
	case cost.Metric:
		return say.T("advice.basis.metric", nil)
	case cost.History:
		return say.T("advice.basis.history", nil)
	}
	return say.T("advice.basis.estimate", nil)
}

func sayDays(resourceDays int64) say.Text {
	if resourceDays < 0 {
		return say.T("advice.resources.unknown", nil)
	}
	return say.T("advice.resources", say.Values{"n": resourceDays})
}

// weigh holds what daily recording would cost against what continuous recording
// does. The comparison is exact whatever the days: only what is shown is rounded. A
// tie changes nothing.
func (r *recording) weigh(j *judge) {
	low, high := r.bounds()
	r.advice.Sources = append(r.advice.Sources, sourceDaily)
	if r.resourceDays >= 0 {
		r.advice.Saving = r.now.Sub(r.then)
	}
	if r.basis == cost.Estimate || r.resourceDays < 0 {
		r.advice.Low, r.advice.High = &low, &high
		r.say(say.T("advice.between", say.Values{"low": say.Saving(low, r.advice.Currency), "high": say.Saving(high, r.advice.Currency)}))
		if !low.IsPositive() && high.IsPositive() {
			r.say(say.T("advice.straddles", nil))
			return
		}
	}
	if r.resourceDays < 0 {
		r.say(say.T("advice.dearer.surely", nil)) // high is not above nothing
		return
	}
	if r.resourceDays > 0 && r.items > 0 {
		ratio := decimal.NewFromInt(r.items*r.changing.days()).DivRound(decimal.NewFromInt(r.resourceDays*r.during.days()), 9)
		r.say(say.T("advice.ratio", say.Values{"ratio": say.Grouped(ratio.Round(apart(ratio, r.even())).String()), "even": r.even().String()}))
	}
	saves := r.saves()
	daily, now := say.Apart(r.then, r.now, r.advice.Currency)
	values := say.Values{"daily": daily, "now": now}
	switch {
	case saves > 0:
		r.say(say.T("advice.saves", values))
		r.need(j)
	case saves == 0:
		r.advice.Saving = decimal.Zero
		r.say(say.T("advice.tie", values))
	default:
		r.say(say.T("advice.dearer", values))
	}
}

// even is how many items a changed resource-day has at the break-even.
func (r *recording) even() decimal.Decimal {
	return r.daily.Of(decimal.NewFromInt(1)).DivRound(r.continuous.Of(decimal.NewFromInt(1)), 2)
}

// saves compares both prices without rounding: above 0 daily recording is cheaper.
// A month's items are items times 30 by the days that were counted.
func (r *recording) saves() int {
	each, flat := r.continuous.Flat()
	once, also := r.daily.Flat()
	if !flat || !also {
		return r.now.Cmp(r.then)
	}
	now := each.Mul(decimal.NewFromInt(r.items * r.changing.days()))
	return now.Cmp(once.Mul(decimal.NewFromInt(r.resourceDays * r.during.days())))
}

// bounds are the least and the most that daily recording saves. Where it is not known
// which resources changed, it was any number up to that of items.
func (r *recording) bounds() (low, high decimal.Decimal) {
	if r.resourceDays >= 0 {
		return r.continuous.Of(monthly(r.low, r.during)).Sub(r.then), r.continuous.Of(monthly(r.high, r.during)).Sub(r.then)
	}
	most := monthly(r.high, r.during)
	return r.continuous.Of(most).Sub(r.daily.Of(most)), r.continuous.Of(most)
}

// need says what is lost by daily recording, and keeps what needs continuous.
func (r *recording) need(j *judge) {
	r.lost = append(r.lost, say.T("advice.lost.delay", nil))
	rules, known := j.rulesOn(r.Place, r.resourceType)
	switch {
	case len(rules) > 0:
		r.lost = append(r.lost, say.T("advice.lost.rules", say.Values{"rules": say.List(rules, namesMost)}))
	case !known:
		r.lost = append(r.lost, say.T("advice.lost.rules.unknown", nil))
	}
	if names := j.firewallFor(r.Account, r.resourceType); len(names) > 0 {
		r.advice.Sources = append(r.advice.Sources, sourceFirewall)
		r.say(say.T("advice.firewall", say.Values{"names": say.List(names, namesMost)}))
		return
	}
	if len(j.Setup.FirewallPolicies) > 0 && firewallMay(r.resourceType) {
		r.lost = append(r.lost, say.T("advice.lost.firewall", nil))
	}
	r.advice.Verdict = cost.Change
}

// namesMost is how many names a sentence lists.
const namesMost = 5

// govern takes the account's governance into account: the verdict, and the plan.
// All is what was judged, for what is advised of one recorder is one command.
func (j *judge) govern(r *recording, all []*recording) {
	if r.advice.Verdict != cost.Change {
		return
	}
	t := j.towerOf(r.Account)
	if t.state == governed || t.state == unknown {
		r.advice.Verdict = cost.NotAdvised
		r.said = append(r.said, j.sayTower(r.Account, []string{r.resourceType})...)
		r.advice.Sources = append(r.advice.Sources, sourceTower, sourceGuard, sourceSample)
		return
	}
	if t.state == released {
		r.say(say.T("advice.tower.off", say.Values{"version": t.version, "name": t.recorder}))
		r.advice.Sources = append(r.advice.Sources, sourceManifest)
	}
	recorder := j.recorderOf(r.Place)
	if recorder == nil {
		r.say(say.T("advice.recorder.unknown", say.Values{"command": askRecorders}))
		return
	}
	var types []string
	for _, x := range all {
		if x.Place == r.Place && x.advice.Verdict == cost.Change {
			types = append(types, x.resourceType)
		}
	}
	if len(types) > 1 {
		r.say(say.T("advice.together", say.Values{"types": types}))
	}
	var ok bool
	if r.advice.Plan, r.advice.Undo, ok = dailyPlan(recorder, types); !ok {
		r.say(say.T("advice.recorder.unknown", say.Values{"command": askRecorders}))
	}
}

func (r *recording) finish() {
	r.advice.Reason = joined(r.said)
	r.advice.Lost = joined(r.lost)
}

// joined makes one text of sentences; of none nothing.
func joined(all []say.Text) say.Text {
	if len(all) == 0 {
		return say.Text{}
	}
	return say.T("advice.sentences", say.Values{"said": say.Each(all...)})
}

// exclusion judges leaving a type out altogether. It is told for what costs at least
// exclusionLeast a month.
func (j *judge) exclusion(r *recording) (x cost.Advice, ok bool) {
	if !r.priced || r.now.LessThan(exclusionLeast) || j.recordedAs(r.tallied) == frequencyNever {
		return x, false
	}
	x = r.advice
	x.Key, x.Kind = keyOf(cost.AboutExclusion, r.Account, r.Region, r.resourceType), cost.AboutExclusion
	x.Saving, x.Low, x.High, x.Verdict, x.Plan, x.Undo = r.now, nil, nil, cost.Keep, nil, nil
	if r.basis == cost.Estimate {
		low, high := r.continuous.Of(monthly(r.low, r.during)), r.continuous.Of(monthly(r.high, r.during))
		x.Low, x.High = &low, &high
	}
	x.Sources = sourcesOf(r.continuous)
	said := []say.Text{r.said[0], say.T("advice.exclude", say.Values{"saving": say.Saving(r.now, x.Currency)})}
	lost := []say.Text{say.T("advice.lost.all", say.Values{"type": r.resourceType})}
	if j.hubKeepsItsOwn(r.Place) {
		lost = append(lost, say.T("advice.lost.hub", nil))
		x.Sources = append(x.Sources, sourceHub)
	}
	needs, known := j.rulesNeeding(r.Place, r.resourceType)
	needs = append(needs, j.firewallFor(r.Account, r.resourceType)...)
	t := j.towerOf(r.Account)
	switch {
	case len(needs) > 0:
		said = append(said, say.T("advice.exclude.needed", say.Values{"rules": say.List(needs, namesMost)}))
	case !known:
		said = append(said, say.T("advice.exclude.unknown", nil))
	case t.state == governed || t.state == unknown:
		x.Verdict = cost.NotAdvised
		said = append(said, j.sayTower(r.Account, []string{r.resourceType})[0])
		x.Sources = append(x.Sources, sourceTower, sourceGuard)
	default:
		x.Verdict = cost.Change
		if recorder := j.recorderOf(r.Place); recorder != nil {
			x.Plan, x.Undo, _ = exclusionPlan(recorder, r.resourceType)
		}
		if len(x.Plan) == 0 {
			said = append(said, say.T("advice.recorder.unknown", say.Values{"command": askRecorders}))
		}
	}
	x.Reason, x.Lost = joined(said), joined(lost)
	return x, true
}

// exclusionLeast is below what leaving a type out is not worth a word, a month.
var exclusionLeast = decimal.NewFromInt(10)
