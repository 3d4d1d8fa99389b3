package streams

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/yagura-sec/yagura/simulate/estate"
	"github.com/yagura-sec/yagura/simulate/logs"
)

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// billColumns are those of CUR 2.0 that we write
// (docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2.html).
var billColumns = []string{
	"bill_billing_entity", "bill_billing_period_end_date", "bill_billing_period_start_date", "bill_payer_account_id",
	"identity_line_item_id", "identity_time_interval", "line_item_currency_code", "line_item_line_item_description", "line_item_line_item_type",
	"line_item_operation", "line_item_product_code", "line_item_unblended_cost", "line_item_unblended_rate", "line_item_usage_account_id",
	"line_item_usage_account_name", "line_item_usage_amount", "line_item_usage_end_date", "line_item_usage_start_date", "line_item_usage_type",
	"pricing_term", "pricing_unit", "product_region_code", "product_servicecode",
}

// item is a line of the bill: one usage type of an account and region on a day.
type item struct {
	product, usage, operation, unit, what string
	amount, rate                          float64
}

// prefixes that usage types have by region, and the region's price beside that
// of North Virginia, roughly.
var prefixes = map[string]struct {
	name  string
	times float64
}{
	"us-east-1": {"USE1", 1}, "us-east-2": {"USE2", 1}, "us-west-2": {"USW2", 1}, "eu-west-1": {"EU", 1.08}, "eu-central-1": {"EUC1", 1.15}, "eu-north-1": {"EUN1", 1.04},
	"ap-northeast-1": {"APN1", 1.18}, "ap-northeast-3": {"APN3", 1.18}, "ap-southeast-1": {"APS1", 1.15},
}

// use is what there is in an account's region, counted in the world.
type use struct {
	secrets, keys int
	reads, uses   [7]float64 // a day of the week: of secrets, of keys
}

// uses counts the world: what is paid for by number, and how often it is called.
func (s *scene) uses(at time.Time) map[string]*use {
	out := map[string]*use{}
	of := func(a *estate.Account, region string) *use {
		k := a.ID + "/" + region
		if out[k] == nil {
			out[k] = &use{}
		}
		return out[k]
	}
	keys := map[string]bool{}
	for _, x := range s.w.Secrets {
		if !x.Created.IsZero() && !x.Created.Before(at) || !x.Deleted.IsZero() && x.Deleted.Before(at) {
			continue
		}
		u := of(x.Account, x.Region)
		switch x.Sort {
		case estate.SortSecret:
			u.secrets++
			for _, r := range x.Replicas {
				of(x.Account, r).secrets++
			}
		case estate.SortKey:
			u.keys++
		}
		if x.Key != "" && !keys[x.Key] {
			keys[x.Key] = true
			u.keys++
		}
	}
	for _, wl := range s.w.Workloads {
		for _, r := range wl.Reads {
			u := of(r.Secret.Account, r.Secret.Region)
			for day := range u.reads {
				n := callsOn(r, time.Weekday(day))
				switch r.Secret.Sort {
				case estate.SortSecret:
					u.reads[day] += n
					u.uses[day] += n
				default:
					u.uses[day] += n
				}
			}
		}
	}
	return out
}

// callsOn is about how often a reading takes place on a day of the week.
func callsOn(r *estate.Reading, day time.Weekday) float64 {
	weekend := day == time.Saturday || day == time.Sunday
	switch {
	case r.Rhythm == estate.Flat:
		return 24 * r.Rate
	case r.Rhythm == estate.Batch:
		return r.Rate
	case r.Rhythm == estate.Weekly && int(day) == r.Weekday:
		return r.Rate
	case r.Rhythm == estate.Weekly:
		return 0
	case weekend:
		return r.Rate
	}
	return 9 * r.Rate
}

// items are the lines of an account's region on a day.
func (s *scene) items(a *estate.Account, region string, u *use, day time.Time) []item {
	p := prefixes[region]
	if p.name == "" {
		p.name, p.times = strings.ToUpper(strings.ReplaceAll(region, "-", "")), 1.1
	}
	rng := s.chance("bill", a.ID, region, day.Unix())
	month := float64(time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day())
	swing := func() float64 { return 0.9 + 0.2*rng.Float64() }
	home := region == a.Home
	events := (idleFloor + eventsPerCall*u.reads[day.Weekday()]) * swing()
	if !home {
		events /= 8
	}
	out := []item{
		{"AWSSecretsManager", p.name + "-AWSSecretsManager-Secrets", "", "Secrets", "$0.40 per Secret per month", float64(u.secrets) / month, 0.40},
		{"AWSSecretsManager", p.name + "-AWSSecretsManagerAPIRequest", "GetSecretValue", "API Requests", "$0.05 per 10,000 API requests", u.reads[day.Weekday()] * swing(), 0.000005},
		{"awskms", region + "-KMS-Keys", "Unknown", "Keys", "$1 per customer managed KMS key version", float64(u.keys) / month, 1},
		{"awskms", region + "-KMS-Requests", "Decrypt", "Requests", "$0.03 per 10000 requests", u.uses[day.Weekday()] * swing(), 0.000003},
		{"AWSCloudTrail", p.name + "-FreeEventsRecorded", "None", "Events", "free management events", events, 0},
		{"AmazonGuardDuty", p.name + "-PaidEventsAnalyzed", "", "Events", "management events analysed", events, 4e-6 * p.times},
		{"AmazonGuardDuty", p.name + "-PaidEventsAnalyzed-Bytes", "", "GB", "flow and DNS logs analysed", 0.05 * events / idleFloor * swing(), 1 * p.times},
	}
	about := s.chance("account", a.ID)
	second, churns := about.Float64() < shareSecondTrail, about.Float64() < shareChurning
	if second {
		out = append(out, item{"AWSCloudTrail", p.name + "-PaidEventsRecorded", "None", "Events", "$2.00 per 100,000 management events, further copies", events, 0.00002})
	}
	config := configItems * swing()
	if churns && home {
		config *= churnFactor
	}
	if home {
		out = append(out, s.workloads(a, p.name, p.times, rng)...)
	} else {
		config /= 10
	}
	return append(out,
		item{"AWSConfig", p.name + "-ConfigurationItemRecorded", "", "ConfigurationItems", "$0.003 per configuration item", config, 0.003},
		item{"AWSConfig", p.name + "-ConfigRuleEvaluations", "", "ConfigRuleEvaluations", "$0.001 per rule evaluation, first 100,000", config * 3, 0.001},
		item{"AWSSecurityHub", p.name + "-PaidComplianceCheck", "", "Checks", "$0.001 per security check, first 100,000", config*1.5 + 120, 0.001})
}

// workloads are the account's own lines, beside which security has a share.
func (s *scene) workloads(a *estate.Account, prefix string, times float64, rng *rand.Rand) []item {
	n := s.programs[a]
	size := float64(n) * (0.95 + 0.1*rng.Float64())
	return []item{
		{"AmazonEC2", prefix + "-BoxUsage:m7g.large", "RunInstances", "Hrs", "On Demand Linux m7g.large", 24 * size, 0.0816 * times},
		{"AmazonRDS", prefix + "-InstanceUsage:db.r7g.large", "CreateDBInstance:0014", "Hrs", "db.r7g.large Single-AZ", 24 * float64((n+3)/4), 0.239 * times},
		{"AWSLambda", prefix + "-Lambda-GB-Second", "Invoke", "Lambda-GB-Second", "AWS Lambda - Compute", 20000 * size, 0.0000166667},
		{"AmazonS3", prefix + "-TimedStorage-ByteHrs", "StandardStorage", "GB-Mo", "first 50 TB of storage", 30 * size, 0.023 * times},
	}
}

// writeBill writes the bill, a file for each month.
func writeBill(ctx context.Context, dir string, s *scene) error {
	var out *csv.Writer
	var zip *gzip.Writer
	var file *os.File
	finish := func() error {
		if file == nil {
			return nil
		}
		out.Flush()
		err := errors.Join(out.Error(), zip.Close(), file.Close())
		file = nil
		return err
	}
	payer := ""
	if len(s.w.Accounts) > 0 {
		payer = s.w.Accounts[0].ID
	}
	for day := s.w.Start.Truncate(24 * time.Hour); day.Before(s.w.End); day = day.AddDate(0, 0, 1) {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, finish())
		}
		if file == nil || day.Day() == 1 {
			if err := finish(); err != nil {
				return err
			}
			path := filepath.Join(dir, "data", "BILLING_PERIOD="+day.Format("2006-01"), "hoshino-00001.csv.gz")
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			f, err := os.Create(path)
			if err != nil {
				return err
			}
			file, zip = f, logs.Packed(f)
			out = csv.NewWriter(zip)
			if err := out.Write(billColumns); err != nil {
				return errors.Join(err, finish())
			}
		}
		uses := s.uses(day)
		billed := s.billed(uses)
		for _, a := range s.w.Accounts {
			for _, region := range billed[a.ID] {
				u := uses[a.ID+"/"+region]
				if u == nil {
					u = &use{}
				}
				for _, x := range s.items(a, region, u, day) {
					if x.amount == 0 {
						continue
					}
					if err := out.Write(billRow(payer, a, region, day, x)); err != nil {
						return errors.Join(err, finish())
					}
				}
			}
		}
	}
	return finish()
}

// billed are the regions that cost something, by account.
func (s *scene) billed(uses map[string]*use) map[string][]string {
	all := map[string][]string{}
	for _, a := range s.w.Accounts {
		all[a.ID] = slices.Clone(a.Regions)
	}
	for k := range uses {
		if id, region, _ := strings.Cut(k, "/"); !slices.Contains(all[id], region) {
			all[id] = append(all[id], region)
		}
	}
	for _, regions := range all {
		slices.Sort(regions)
	}
	return all
}

func billRow(payer string, a *estate.Account, region string, day time.Time, x item) []string {
	const form = "2006-01-02T15:04:05.000Z"
	first := time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC)
	next := day.AddDate(0, 0, 1)
	exact := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	amount := roundTo(x.amount)
	id := digest(a.ID + region + x.usage + day.Format(time.DateOnly))[:52]
	return []string{
		"AWS", first.AddDate(0, 1, 0).Format(form), first.Format(form), payer,
		id, day.Format("2006-01-02T15:04:05Z") + "/" + next.Format("2006-01-02T15:04:05Z"), "USD", x.what, "Usage",
		x.operation, x.product, exact(roundTo(amount * x.rate)), fmt.Sprintf("%.10f", x.rate), a.ID,
		a.Name, exact(amount), next.Format(form), day.Format(form), x.usage,
		"OnDemand", x.unit, region, x.product,
	}
}

// roundTo keeps ten decimals, as the bill does.
func roundTo(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'f', 10, 64), 64)
	if err != nil {
		return v
	}
	return r
}
