package alert

import (
	"errors"
	"fmt"
	"strings"
)

func isConfig(v value) bool {
	return hasAll(v, "newEvaluationResult", "configRuleName") || hasAll(v, "evaluationResultIdentifier.evaluationResultQualifier", "complianceType")
}

// readConfig reads results of rules of AWS Config: changes of compliance as
// events and notices, and answers of GetComplianceDetailsByConfigRule.
func readConfig(v value) (Alert, error) {
	result := v.get("newEvaluationResult")
	if !result.exists() {
		result = v
	}
	q := result.get("evaluationResultIdentifier.evaluationResultQualifier")
	rule := firstOf(v.get("configRuleName").str(), q.get("configRuleName").str())
	r := Resource{UID: firstOf(v.get("resourceId").str(), q.get("resourceId").str()), Type: firstOf(v.get("resourceType").str(), q.get("resourceType").str())}
	a := Alert{
		Product: "AWS Config", Class: Compliance, Cloud: "AWS", Type: rule, Control: rule,
		Account: v.get("awsAccountId").str(), Region: v.get("awsRegion").str(),
		At:      firstTime(result.time("resultRecordedTime"), v.time("notificationCreationTime")),
		First:   result.time("evaluationResultIdentifier.orderingTimestamp"),
		Verdict: result.get("complianceType").str(), Resources: []Resource{r},
	}
	if rule == "" || r.UID == "" {
		return a, errors.New("configRuleName or resourceId is missing")
	}
	if a.At.IsZero() {
		return a, errors.New("resultRecordedTime is missing or no time")
	}
	a.Ref = configRef(a.Account, a.Region, rule, r.Type, r.UID)
	a.UID = firstOf(v.any("configRuleARN", "configRuleArn"), rule) + " " + r.UID
	a.Titled = Note{CompliesNot, shortName(r.UID), rule}
	a.Said = a.Verdict
	switch a.Verdict {
	case "NON_COMPLIANT":
		a.Severity = Medium // Config gives none
	case "COMPLIANT", "NOT_APPLICABLE":
		a.Severity, a.Status = Informational, Resolved
		a.Titled = Note{Complies, rule + ": " + shortName(r.UID), strings.ToLower(strings.ReplaceAll(a.Verdict, "_", " "))}
	case "INSUFFICIENT_DATA":
		a.Severity = Informational
		a.Titled = Note{CompliesMay, shortName(r.UID), rule}
	default:
		return a, fmt.Errorf("complianceType %q is not known", Plain(a.Verdict))
	}
	if note := result.get("annotation").str(); note != "" {
		a.note(OwnWords, note, "")
	}
	if was := v.get("oldEvaluationResult.complianceType").str(); was != "" {
		a.note(Before, was, "")
	}
	return a, nil
}

// configRef is the identity of a rule's result, which has no id of its own: what
// Security Hub passes on of it names the same four things.
func configRef(account, region, rule, typ, resource string) Ref {
	return Ref{"config", strings.Join([]string{account, region, rule, kind(typ), tail(resource, ":/")}, "|")}
}
