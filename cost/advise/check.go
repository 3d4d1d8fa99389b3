package advise

import (
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/count"
	"github.com/yagura-sec/yagura/say"
)

// usageChecks is how Security Hub's checks are billed.
const usageChecks = "PaidComplianceCheck"

// checks finds standards of Security Hub of which several versions are on in a place.
// What the older ones cost is not known: a check that several standards share is
// paid for once. It is nothing to all that was billed, so that it is told and stays.
func (j *judge) checks() (out []cost.Advice) {
	paid := j.of(serviceHub, func(s *cost.Sum) string {
		if !charges(s, usageChecks) {
			return ""
		}
		return s.Account + "/" + s.Region
	})
	for _, k := range inOrder(paid) {
		account, region, _ := strings.Cut(k, "/")
		old := j.olderStandards(count.Place{Account: account, Region: region})
		if len(old) == 0 {
			continue
		}
		b := paid[k]
		a := b.advice(cost.AboutChecks, account, region, "AWS::SecurityHub::Standard", account, region)
		a.Sources = []cost.Source{sourceHub}
		a.Reason = say.T("advice.checks", say.Values{"amount": say.Money(b.amount, b.currency), "month": cost.MonthText(b.month), "standards": say.List(old, namesMost)})
		a.Lost = say.T("advice.checks.lost", nil)
		a.Confidence = doubts{basis: a.Basis, unknown: true}.confidence()
		unsure(&a)
		out = append(out, a)
	}
	return out
}

// olderStandards are the versions that are on in a place beside a newer one of the
// same standard. Those that Control Tower manages are its own.
func (j *judge) olderStandards(p count.Place) (old []string) {
	newest := map[string]string{}
	var all []string
	for _, s := range j.Setup.Standards {
		name, version, ok := versionOf(s.ARN)
		if s.Place != p || !ok || s.Status == "DELETING" || s.Status == "FAILED" || strings.Contains(name, "control-tower") {
			continue
		}
		all = append(all, name+"/"+version)
		if newer(version, newest[name]) {
			newest[name] = version
		}
	}
	for _, x := range slices.Compact(slices.Sorted(slices.Values(all))) {
		name, version, _ := strings.Cut(x, "/")
		if newest[name] != version {
			old = append(old, name+" "+version)
		}
	}
	return old
}

// versionOf reads arn:aws:securityhub:REGION::standards/NAME/v/VERSION, or ruleset for
// standards: the oldest are named so.
func versionOf(arn string) (name, version string, ok bool) {
	_, rest, found := strings.Cut(arn, "::standards/")
	if !found {
		_, rest, found = strings.Cut(arn, ":::ruleset/")
	}
	name, version, ok = strings.Cut(rest, "/v/")
	return name, version, found && ok && name != "" && version != ""
}

// newer compares versions number by number.
func newer(a, b string) bool {
	if b == "" {
		return true
	}
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		if m, n := major(x[i]), major(y[i]); m != n {
			return m > n
		}
	}
	return len(x) > len(y)
}

// hubKeepsItsOwn tells whether Security Hub has a recorder of its own in a place: it
// makes no use of the customer's then.
func (j *judge) hubKeepsItsOwn(p count.Place) bool {
	return slices.ContainsFunc(j.Setup.Recorders, func(r count.Recorder) bool { return r.Place == p && strings.HasPrefix(r.Service, "securityhub") })
}
