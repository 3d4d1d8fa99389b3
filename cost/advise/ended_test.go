package advise

import (
	"testing"
	"time"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/count"
)

// TestEndedLog: silence is judged up to where the log ends. Where that is days ago it
// is said, and where it is more than a week nothing is advised.
func TestEndedLog(t *testing.T) {
	const key = "arn:aws:kms:ap-northeast-1:444455556666:key/1234"
	paid := line(accountN, "awskms", serviceKMS, "ap-northeast-1-KMS-Keys", key, "1")
	f := func(verdict cost.Verdict, saving, words, plan string, days, covered int, last ...int) {
		t.Helper()
		end := now.AddDate(0, 0, -days)
		uses := Uses{End: end, Covered: map[string]time.Time{accountN: end.AddDate(0, 0, -covered)}, Keys: map[string]bool{accountN: true}, Last: map[string]time.Time{}}
		for _, n := range last {
			uses.Last[key] = end.AddDate(0, 0, -n)
		}
		a, ok := about(t, Input{Bill: []cost.Sum{paid}, Uses: uses}, cost.AboutUnusedKey)
		if ok != (words != "") {
			t.Fatalf("%d days ago: %s", days, a.Reason)
		}
		if ok {
			check(t, a, verdict, saving, words, plan)
		}
	}
	f(cost.Change, "1", "Nobody used", "schedule-key-deletion", 0, 95)
	f(cost.Change, "1", "The log ends on 2026-11-17", "schedule-key-deletion", 5, 95)
	f(cost.Keep, "0", "whether it was used since is not known", "", 8, 95)
	f(cost.Keep, "0", "whether it was used since is not known", "", 180, 95)
	f(cost.Keep, "0", "was last used on", "", 180, 200, 120)
	f("", "", "", "", 180, 95, 30)                             // it was used then: nothing is said of it
	f("", "", "", "", 40, 95, 60)                              // 100 days ago, and 60 before the log's end
	f(cost.Keep, "0", "does not go back 90 days", "", 180, 60) // its start is 240 days ago, and that is no past of it

	detector := line(accountN, "AmazonGuardDuty", serviceDetector, "APN1-PaidRDSvCPUMonitored", "", "12.5")
	on := fact(count.Detector, accountN, `{"Features":[{"Name":"RDS_LOGIN_EVENTS","Status":"ENABLED"}],"Status":"ENABLED","ServiceRole":"arn:aws:iam::`+accountN+`:role/x","FindingPublishingFrequency":"SIX_HOURS"}`)
	idle := map[Used]int64{{accountN, "RDS_LOGIN_EVENTS"}: 0}
	for days, want := range map[int]cost.Verdict{0: cost.Change, 5: cost.Change, 180: cost.Keep} {
		a, ok := about(t, Input{Bill: []cost.Sum{detector}, Setup: setup(t, on), Uses: Uses{End: now.AddDate(0, 0, -days), Services: idle}}, cost.AboutDetector)
		saving, words, plan := "12.5", "RDS Protection of GuardDuty", "DISABLED"
		if days > 0 {
			words = "The log ends on"
		}
		if want == cost.Keep {
			saving, plan = "0", ""
		}
		if !ok {
			t.Fatalf("%d days ago nothing is said", days)
		}
		check(t, a, want, saving, words, plan)
	}
}

// TestProtections: what bills charge for is told by its whole usage type.
func TestProtections(t *testing.T) {
	for usage, feature := range map[string]string{
		"APN1-PaidS3DataEventsAnalyzed": "S3_DATA_EVENTS", "EU-PaidKubernetesAuditLogsAnalyzed": "EKS_AUDIT_LOGS", "PaidRDSvCPUMonitored": "RDS_LOGIN_EVENTS",
		"USE2-PaidRDSACUMonitored": "RDS_LOGIN_EVENTS", "USE2-PaidLambdaNetworkLogsAnalyzed-Bytes": "LAMBDA_NETWORK_LOGS",
		"USE2-PaidEventsAnalyzed-Bytes": "", "USE2-PaidEKSvCPUMonitored": "", "USE2-FreeS3DataEventsAnalyzed": "", "USE2-PaidMalwareProtectionEBSDataScanned": "",
	} {
		a, ok := about(t, Input{Bill: []cost.Sum{line(accountN, "AmazonGuardDuty", serviceDetector, usage, "", "1")}}, cost.AboutDetector)
		want := ""
		if feature != "" {
			want = keyOf(cost.AboutDetector, accountN, region, feature)
		}
		if ok != (feature != "") || a.Key != want {
			t.Errorf("%s is %q, want %q", usage, a.Key, want)
		}
	}
}
