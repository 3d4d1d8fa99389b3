package advise

import (
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/count"
	"github.com/yagura-sec/yagura/internal/shell"
	"github.com/yagura-sec/yagura/say"
)

// protection is a feature of GuardDuty, how bills charge for it, and the services
// that it watches as bills name them.
type protection struct {
	feature, name string
	usage         []string // usage types of the feature, but for the Region before them
	watches       []string // product codes, without case and spaces
}

// protections have the usage types of AWS's price list of AmazonGuardDuty, as two
// public tools that go by it have them alike, read on 2026-11-22: a calculator of
// prices and a mapping of usage types for reports. What bills charge as
// PaidEventsAnalyzed-Bytes is of flow logs and of DNS logs, which cannot be told apart,
// and neither can be turned off.
var protections = []protection{
	{"S3_DATA_EVENTS", "S3 Protection", []string{"PaidS3DataEventsAnalyzed"}, []string{"amazons3", "amazonsimplestorageservice"}},
	{"EKS_AUDIT_LOGS", "EKS Protection", []string{"PaidKubernetesAuditLogsAnalyzed"}, []string{"amazoneks", "amazonelasticcontainerserviceforkubernetes", "amazonelastickubernetesservice"}},
	{"RDS_LOGIN_EVENTS", "RDS Protection", []string{"PaidRDSvCPUMonitored", "PaidRDSACUMonitored"}, []string{"amazonrds", "amazonrelationaldatabaseservice"}},
	{"LAMBDA_NETWORK_LOGS", "Lambda Protection", []string{"PaidLambdaNetworkLogsAnalyzed-Bytes"}, []string{"awslambda"}},
}

// detectors finds protections of GuardDuty that are paid for in accounts where what
// they watch is not in use: nothing is billed for it, and the log has no call of it.
func (j *judge) detectors() (out []cost.Advice) {
	month, ok := j.wholeMonth()
	if !ok {
		return nil
	}
	for _, p := range protections {
		paid := j.of(serviceDetector, func(s *cost.Sum) string {
			if !charges(s, p.usage...) {
				return ""
			}
			return s.Account + "/" + s.Region
		})
		for _, k := range inOrder(paid) {
			account, region, _ := strings.Cut(k, "/")
			inUse := slices.ContainsFunc(j.Bill, func(s cost.Sum) bool {
				return s.Account == account && s.Month.Equal(month) && s.Amount.IsPositive() && slices.Contains(p.watches, plain(s.Service))
			})
			if !inUse {
				out = append(out, j.idle(p, paid[k], account, region))
			}
		}
	}
	return out
}

// plain is a service's name without case and spaces.
func plain(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "")) }

// idle is a protection of nothing.
func (j *judge) idle(p protection, b billed, account, region string) cost.Advice {
	a := b.advice(cost.AboutDetector, account, region, "AWS::GuardDuty::Detector", account, region, p.feature)
	a.Sources = []cost.Source{sourceDetector}
	said := []say.Text{say.T("advice.detector", say.Values{"name": p.name, "amount": say.Money(b.amount, b.currency), "month": cost.MonthText(b.month)})}
	d := doubts{basis: a.Basis, guess: true}
	i := slices.IndexFunc(j.Setup.Detectors, func(x count.DetectorOf) bool { return x.Place == count.Place{Account: account, Region: region} })
	calls, logged := j.Uses.Services[Used{account, p.feature}]
	switch {
	case !logged:
		d.unknown = true
		unsure(&a)
		said = append(said, say.T("advice.detector.unlogged", nil))
	case calls > 0:
		a.Confidence = d.confidence()
		a.Reason = joined(append(said, say.T("advice.detector.used", say.Values{"n": calls})))
		return a
	}
	if ended, stale := j.ended(); logged && ended {
		said = append(said, j.endOfLog())
		if stale {
			logged, d.unknown = false, true
			unsure(&a)
		}
	}
	if logged {
		a.Verdict = cost.Change
		a.Lost = say.T("advice.detector.lost", say.Values{"name": p.name})
		if i >= 0 && j.Setup.Detectors[i].Features[p.feature] == "ENABLED" {
			a.Plan, a.Undo = []string{setFeature(region, p.feature, "DISABLED")}, []string{setFeature(region, p.feature, "ENABLED")}
		} else {
			said = append(said, say.T("advice.described.not", say.Values{"name": p.name}))
		}
	}
	a.Confidence = d.confidence()
	a.Reason = joined(said)
	return a
}

// setFeature turns a feature of the region's detector on or off; its id is asked for
// where the command runs.
func setFeature(region, feature, status string) string {
	type one struct{ Name, Status string }
	return `aws guardduty update-detector --region ` + shell.Command(region) + ` --detector-id "$(aws guardduty list-detectors --region ` + shell.Command(region) +
		` --query 'DetectorIds[0]' --output text)" --features ` + shell.Command(text([]one{{feature, status}}))
}

// Used names a service that a protection watches in an account, by the protection.
type Used struct{ Account, Feature string }

// Protections are the features that advice may be given about, each with the sources
// of the events that show use of what it watches.
func Protections() map[string][]string {
	return map[string][]string{
		"S3_DATA_EVENTS":      {"s3.amazonaws.com"},
		"EKS_AUDIT_LOGS":      {"eks.amazonaws.com"},
		"RDS_LOGIN_EVENTS":    {"rds.amazonaws.com"},
		"LAMBDA_NETWORK_LOGS": {"lambda.amazonaws.com"},
	}
}
