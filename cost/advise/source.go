package advise

import (
	"time"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/price"
)

// read is the day on which the pages below were read, priced the first of the month in
// which the price lists were.
var (
	read   = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	priced = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
)

// Where the provider says what advice goes by.
var (
	sourceDaily    = cost.Source{Title: "AWS Config API: RecordingModeOverride", URL: "https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingModeOverride.html", Date: read}
	sourceFirewall = cost.Source{Title: "AWS Firewall Manager: enable AWS Config", URL: "https://docs.aws.amazon.com/waf/latest/developerguide/enable-config.html", Date: read}
	sourceTower    = cost.Source{Title: "AWS Control Tower: control limitations", URL: "https://docs.aws.amazon.com/controltower/latest/userguide/control-limitations.html", Date: read}
	sourceGuard    = cost.Source{Title: "AWS Control Tower: mandatory controls (AWS-GR_CONFIG_CHANGE_PROHIBITED)", URL: "https://docs.aws.amazon.com/controltower/latest/controlreference/mandatory-controls.html", Date: read}
	sourceManifest = cost.Source{Title: "AWS Control Tower: landing zone manifest", URL: "https://docs.aws.amazon.com/controltower/latest/userguide/lz-manifest-file.html", Date: read}
	sourceSample   = cost.Source{Title: "aws-samples/aws-control-tower-config-customization", URL: "https://github.com/aws-samples/aws-control-tower-config-customization", Date: read}
	sourceTrails   = cost.Source{Title: "AWS CloudTrail pricing", URL: "https://aws.amazon.com/cloudtrail/pricing/", Date: priced}
	sourceUnused   = cost.Source{Title: "IAM Access Analyzer pricing", URL: "https://aws.amazon.com/iam/access-analyzer/pricing/", Date: priced}
	sourceDetector = cost.Source{Title: "Amazon GuardDuty pricing", URL: "https://aws.amazon.com/guardduty/pricing/", Date: priced}
	sourceHub      = cost.Source{Title: "AWS Security Hub CSPM: AWS Config", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-setup-prereqs.html", Date: read}
	sourceKeys     = cost.Source{Title: "AWS KMS: schedule key deletion", URL: "https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys-scheduling-key-deletion.html", Date: read}
	sourceSecrets  = cost.Source{Title: "AWS Secrets Manager: delete a secret", URL: "https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html", Date: read}
)

// sourcesOf are where prices were read, each once.
func sourcesOf(prices ...price.Price) (out []cost.Source) {
	for _, p := range prices {
		if len(out) == 0 || out[len(out)-1] != p.Source {
			out = append(out, p.Source)
		}
	}
	return out
}
