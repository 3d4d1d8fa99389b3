package costtest

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
)

// curColumns are those of CUR 2.0 that a row below fills, in their order; others,
// which most rows leave empty, follow.
var curColumns = []string{
	"identity_line_item_id", "identity_time_interval", "bill_invoicing_entity", "bill_billing_entity", "bill_bill_type", "bill_payer_account_id",
	"bill_billing_period_start_date", "bill_billing_period_end_date", "line_item_usage_account_id", "line_item_line_item_type",
	"line_item_usage_start_date", "line_item_usage_end_date", "line_item_product_code", "line_item_usage_type", "line_item_operation",
	"line_item_resource_id", "line_item_usage_amount", "line_item_currency_code", "line_item_unblended_rate", "line_item_unblended_cost",
	"line_item_line_item_description", "product", "product_region_code", "product_servicecode", "resource_tags", "pricing_unit", "pricing_term",
}

// curEmpty is how many more columns there are: reservations, savings plans, discounts.
const curEmpty = 88

// curServices are what rows are about: code, usage type, operation, resource, unit.
var curServices = [][5]string{
	{"AmazonEC2", "BoxUsage:m7g.large", "RunInstances", "i-%016x", "Hrs"},
	{"AmazonEC2", "EBS:VolumeUsage.gp3", "CreateVolume-Gp3", "vol-%016x", "GB-Mo"},
	{"AmazonEC2", "DataTransfer-Regional-Bytes", "InterZone-In", "i-%016x", "GB"},
	{"AmazonECS", "Fargate-vCPU-Hours:perCPU", "FargateTask", "arn:aws:ecs:us-east-1:444455556666:task/kite/%016x", "hours"},
	{"AmazonS3", "Requests-Tier1", "PutObject", "kite-%016x", "Requests"},
	{"AmazonS3", "TimedStorage-ByteHrs", "StandardStorage", "kite-%016x", "GB-Mo"},
	{"AWSLambda", "Lambda-GB-Second", "Invoke", "arn:aws:lambda:us-east-1:444455556666:function:f%016x", "Second"},
	{"AmazonCloudWatch", "CW:MetricMonitorUsage", "MetricStorage", "", "Metrics"},
	// From here on they are there for security: one row in ten.
	{"AWSConfig", "ConfigurationItemRecorded", "None", "", "ConfigurationItemRecorded"},
	{"AmazonGuardDuty", "PaidEventsAnalyzed", "None", "", "Events"},
	{"awskms", "KMS-Keys", "Unknown", "arn:aws:kms:us-east-1:444455556666:key/%08x", "Keys"},
	{"AWSSecretsManager", "AWSSecretsManager-Secrets", "", "arn:aws:secretsmanager:us-east-1:444455556666:secret:s%03x", "Secrets"},
}

// curSecurity is where those begin.
const curSecurity = 8

// WriteCUR writes rows of a Cost and Usage Report, about size bytes of them, under
// their header: those of a month of 200 accounts in six regions, 110 columns and 1 kB
// each. The same seed gives the same rows.
func WriteCUR(to io.Writer, size int64, seed uint64) (rows int64, err error) {
	w := bufio.NewWriterSize(to, 1<<16)
	r := rand.New(rand.NewPCG(seed, 1))
	n, err := fmt.Fprintln(w, strings.Join(curColumns, ",")+emptyNames())
	written := int64(n)
	empty := strings.Repeat(",", curEmpty)
	regions := []string{"us-east-1", "us-west-2", "eu-central-1", "ap-northeast-1", "ap-southeast-2", "ca-central-1"}
	for err == nil && written < size {
		s, ids := curServices[r.IntN(curSecurity)], uint64(1<<16)
		if r.IntN(10) == 0 {
			s, ids = curServices[curSecurity+r.IntN(len(curServices)-curSecurity)], 4 // keys of an account and region
		}
		region := regions[r.IntN(len(regions))]
		resource := s[3]
		if resource != "" {
			resource = fmt.Sprintf(resource, r.Uint64N(ids))
		}
		day, hour := 1+r.IntN(28), r.IntN(23)
		start, end := fmt.Sprintf("2026-04-%02dT%02d:00:00Z", day, hour), fmt.Sprintf("2026-04-%02dT%02d:00:00Z", day, hour+1)
		kind := "Usage"
		if r.IntN(50) == 0 {
			kind = "SavingsPlanCoveredUsage"
		}
		n, err = fmt.Fprintf(w, "%052x,%s/%s,\"Amazon Web Services, Inc.\",AWS,Anniversary,111122223333,2026-04-01T00:00:00Z,2026-05-01T00:00:00Z,4444%08d,%s,%s,%s,%s,%s-%s,%s,%s,%d.%010d,USD,0.00%02d,0.%010d,"+
			"\"$0.00 per %s of %s in the region, or part of it, of the first tier\",\"{\"\"region\"\":\"\"%s\"\",\"\"product_name\"\":\"\"%s\"\",\"\"servicename\"\":\"\"%s\"\",\"\"location_type\"\":\"\"AWS Region\"\"}\",%s,%s,"+
			"\"{\"\"user_team\"\":\"\"team-%02d\"\",\"\"user_stage\"\":\"\"production\"\",\"\"aws_created_by\"\":\"\"AssumedRole:AROAEXAMPLE:deploy\"\"}\",%s,OnDemand%s\n",
			r.Uint64(), start, end, r.IntN(200), kind, start, end, s[0], strings.ToUpper(region[:4]), s[1], s[2], resource,
			r.IntN(10), r.Uint64N(1e10), r.IntN(100), r.Uint64N(1e10), s[4], s[0], region, s[0], s[0], region, s[0], r.IntN(40), s[4], empty)
		written += int64(n)
		rows++
	}
	if err == nil {
		err = w.Flush()
	}
	return rows, err
}

func emptyNames() string {
	var b strings.Builder
	for i := range curEmpty {
		fmt.Fprintf(&b, ",reservation_column_%d", i)
	}
	return b.String()
}
