package count

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/cost"
)

// The kinds of facts, each with the command whose answer it is.
const (
	Recorders        = "config_recorders"         // aws configservice describe-configuration-recorders
	RecorderStatus   = "config_recorder_status"   // aws configservice describe-configuration-recorder-status
	RecorderList     = "config_recorder_list"     // aws configservice list-configuration-recorders
	ConfigRules      = "config_rules"             // aws configservice describe-config-rules
	ConformancePacks = "conformance_packs"        // aws configservice describe-conformance-packs
	PolicyList       = "organization_policies"    // aws organizations list-policies, list-policies-for-target
	PolicyText       = "organization_policy"      // aws organizations describe-policy
	PolicyTargets    = "policy_targets"           // aws organizations list-targets-for-policy
	LandingZone      = "landing_zone"             // aws controltower get-landing-zone
	LandingZones     = "landing_zones"            // aws controltower list-landing-zones
	Baselines        = "control_tower_baselines"  // aws controltower list-enabled-baselines --include-children
	Trails           = "trails"                   // aws cloudtrail describe-trails
	EventSelectors   = "trail_event_selectors"    // aws cloudtrail get-event-selectors
	Analyzers        = "access_analyzers"         // aws accessanalyzer list-analyzers
	Detector         = "guardduty_detector"       // aws guardduty get-detector
	FirewallPolicies = "firewall_policies"        // aws fms list-policies
	FirewallPolicy   = "firewall_policy"          // aws fms get-policy
	FirewallMembers  = "firewall_policy_accounts" // aws fms list-compliance-status
	Standards        = "security_hub_standards"   // aws securityhub get-enabled-standards
	AccountSummary   = "iam_summary"              // aws iam get-account-summary
)

// kind is a kind of fact and how its document is known.
type kind struct {
	name, form string
	keys       []string            // each of which it has
	read       func(*Setup) reader // into which part of a setup it is read
}

// reader reads a document into a part of a setup.
type reader func(text []byte, at place) error

// kinds is every kind of document that facts are read from. Of documents with the
// same keys the first that reads them is theirs.
var kinds = []kind{
	{Recorders, "configservice describe-configuration-recorders", []string{"ConfigurationRecorders"}, func(s *Setup) reader { return s.addRecorders }},
	{RecorderStatus, "configservice describe-configuration-recorder-status", []string{"ConfigurationRecordersStatus"}, func(s *Setup) reader { return s.addRecorderStatus }},
	{RecorderList, "configservice list-configuration-recorders", []string{"ConfigurationRecorderSummaries"}, func(s *Setup) reader { return s.addRecorderList }},
	{ConfigRules, "configservice describe-config-rules", []string{"ConfigRules"}, func(s *Setup) reader { return s.addRules }},
	{ConformancePacks, "configservice describe-conformance-packs", []string{"ConformancePackDetails"}, func(s *Setup) reader { return s.addPacks }},
	{PolicyList, "organizations list-policies", []string{"Policies"}, func(s *Setup) reader { return s.addPolicies }},
	{FirewallPolicy, "fms get-policy", []string{"Policy", "PolicyArn"}, func(s *Setup) reader { return s.addFirewallPolicy }},
	{PolicyText, "organizations describe-policy", []string{"Policy"}, func(s *Setup) reader { return s.addPolicyText }},
	{PolicyTargets, "organizations list-targets-for-policy", []string{"Targets"}, func(s *Setup) reader { return s.addTargets }},
	{LandingZone, "controltower get-landing-zone", []string{"landingZone"}, func(s *Setup) reader { return s.addLandingZone }},
	{LandingZones, "controltower list-landing-zones", []string{"landingZones"}, func(s *Setup) reader { return s.addLandingZones }},
	{Baselines, "controltower list-enabled-baselines", []string{"enabledBaselines"}, func(s *Setup) reader { return s.addBaselines }},
	{Trails, "cloudtrail describe-trails", []string{"trailList"}, func(s *Setup) reader { return s.addTrails }},
	{EventSelectors, "cloudtrail get-event-selectors", []string{"TrailARN", "EventSelectors"}, func(s *Setup) reader { return s.addSelectors }},
	{EventSelectors, "cloudtrail get-event-selectors", []string{"TrailARN", "AdvancedEventSelectors"}, func(s *Setup) reader { return s.addSelectors }},
	{Analyzers, "accessanalyzer list-analyzers", []string{"analyzers"}, func(s *Setup) reader { return s.addAnalyzers }},
	{Detector, "guardduty get-detector", []string{"ServiceRole", "Status", "FindingPublishingFrequency"}, func(s *Setup) reader { return s.addDetector }},
	{FirewallPolicies, "fms list-policies", []string{"PolicyList"}, func(s *Setup) reader { return s.addFirewallPolicies }},
	{FirewallMembers, "fms list-compliance-status", []string{"PolicyComplianceStatusList"}, func(s *Setup) reader { return s.addFirewallMembers }},
	{Standards, "securityhub get-enabled-standards", []string{"StandardsSubscriptions"}, func(s *Setup) reader { return s.addStandards }},
	{AccountSummary, "iam get-account-summary", []string{"SummaryMap"}, func(s *Setup) reader { return s.addSummary }},
}

// kindOf is the kind of a document with these keys; nil: none.
func kindOf(keys []string) *kind {
	for i := range kinds {
		if !slices.ContainsFunc(kinds[i].keys, func(k string) bool { return !slices.Contains(keys, k) }) {
			return &kinds[i]
		}
	}
	return nil
}

// readFact checks that a document reads as what it is, and keeps it as it is.
func (d *Document) readFact(text []byte, from place, at time.Time) error {
	k := kindOf(topKeys(text))
	if k == nil {
		return fmt.Errorf("%s: it is no JSON to its end", d.File.Form)
	}
	if !json.Valid(text) {
		return fmt.Errorf("%s: it is no JSON to its end", k.form)
	}
	var s Setup
	if err := k.read(&s)(text, from); err != nil {
		return fmt.Errorf("%s: %w", k.form, err)
	}
	here := s.here.or(from)
	d.File.Form, d.File.Rows = k.form, s.read
	d.Facts = []cost.Fact{{Kind: k.name, Account: here.account, Region: here.region, Name: s.here.name, At: at.UTC(), Document: text}}
	return nil
}

// SetupOf reads facts that were kept, in any order. A document that does not read
// any more is an error that names it and costs no other.
func SetupOf(facts []cost.Fact) (Setup, []error) {
	var s Setup
	var wrong []error
	done := map[string]bool{}
	for _, k := range kinds { // some add to what those before them said
		if done[k.name] {
			continue
		}
		done[k.name] = true
		for _, f := range facts {
			if f.Kind != k.name {
				continue
			}
			s.at = f.At
			if err := k.read(&s)(f.Document, place{account: f.Account, region: f.Region, name: f.Name}); err != nil {
				wrong = append(wrong, fmt.Errorf("%s of %s: %w", f.Kind, f.Account, err))
			}
		}
	}
	for _, f := range facts {
		if !done[f.Kind] {
			wrong = append(wrong, fmt.Errorf("facts of the kind %s are not known", f.Kind))
		}
	}
	return s, wrong
}
