package advise

import (
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/cost/count"
)

// cannotBeDaily are the types that AWS Config does not record daily.
var cannotBeDaily = []string{"AWS::Config::ResourceCompliance", "AWS::Config::ConformancePackCompliance", "AWS::Config::ConfigurationRecorder"}

// firewallTypes are what Firewall Manager looks at beside the resources that a policy
// protects, by what the policy manages. See sourceFirewall.
var firewallTypes = map[string][]string{
	"WAFV2":                         {"AWS::CloudFront::Distribution", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ApiGateway::Stage", "AWS::WAFv2::WebACL"},
	"WAF":                           {"AWS::CloudFront::Distribution", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ApiGateway::Stage", "AWS::WAF::WebACL", "AWS::WAFRegional::WebACL"},
	"SHIELD_ADVANCED":               {"AWS::CloudFront::Distribution", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancing::LoadBalancer", "AWS::EC2::EIP", "AWS::ShieldRegional::Protection", "AWS::Shield::Protection"},
	"SECURITY_GROUPS_COMMON":        {"AWS::EC2::SecurityGroup", "AWS::EC2::Instance", "AWS::EC2::NetworkInterface", "AWS::EC2::VPC", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancing::LoadBalancer"},
	"SECURITY_GROUPS_CONTENT_AUDIT": {"AWS::EC2::SecurityGroup", "AWS::EC2::Instance", "AWS::EC2::NetworkInterface"},
	"SECURITY_GROUPS_USAGE_AUDIT":   {"AWS::EC2::SecurityGroup", "AWS::EC2::Instance", "AWS::EC2::NetworkInterface"},
	"NETWORK_ACL_COMMON":            {"AWS::EC2::Subnet", "AWS::EC2::NetworkAcl"},
	"NETWORK_FIREWALL":              {"AWS::EC2::VPC", "AWS::EC2::InternetGateway", "AWS::EC2::RouteTable", "AWS::EC2::Subnet"},
	"THIRD_PARTY_FIREWALL":          {"AWS::EC2::VPC", "AWS::EC2::InternetGateway", "AWS::EC2::RouteTable", "AWS::EC2::Subnet"},
	"IMPORT_NETWORK_FIREWALL":       {"AWS::EC2::VPC", "AWS::EC2::InternetGateway", "AWS::EC2::RouteTable", "AWS::EC2::Subnet"},
	"DNS_FIREWALL":                  {"AWS::EC2::VPC", "AWS::Route53Resolver::FirewallRuleGroupAssociation"},
}

// firewallService is how rules of Firewall Manager say who made them.
const firewallService = "fms.amazonaws.com"

// firewallFor names what of Firewall Manager needs continuous recording of a type in
// an account; none: nothing that is known.
func (j *judge) firewallFor(account, resourceType string) (names []string) {
	for _, r := range j.Setup.Rules {
		if r.Account == account && r.CreatedBy == firewallService && (len(r.Types) == 0 || slices.Contains(r.Types, resourceType)) {
			names = append(names, r.Name)
		}
	}
	for _, f := range j.Setup.FirewallPolicies {
		reaches := f.Account == account && len(f.Accounts) == 0 || slices.Contains(f.Accounts, account)
		// Of a policy of which nothing but its name is known every type may be its.
		needs := slices.Contains(f.Types, resourceType) || slices.Contains(firewallTypes[f.Service], resourceType) || len(f.Types) == 0 && firewallTypes[f.Service] == nil
		if reaches && needs {
			names = append(names, f.Name)
		}
	}
	if len(names) == 0 && slices.ContainsFunc(j.Traces, func(x Trace) bool { return x.Kind == SeenFirewall && x.Account == account }) && firewallMay(resourceType) {
		names = append(names, "AWSServiceRoleForFMS")
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// firewallMay tells whether any kind of policy looks at a type.
func firewallMay(resourceType string) bool {
	for _, types := range firewallTypes {
		if slices.Contains(types, resourceType) {
			return true
		}
	}
	return false
}

// rulesOn names the rules of a place that are evaluated when something of a type
// changes; known: its rules were described.
func (j *judge) rulesOn(p count.Place, resourceType string) (names []string, known bool) {
	known = slices.Contains(j.Setup.RulesKnown, p)
	for _, r := range j.Setup.Rules {
		if r.Place == p && r.OnChange && r.CreatedBy != firewallService && slices.Contains(r.Types, resourceType) {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), known
}

// rulesNeeding names all rules of a place that look at a type, and the conformance
// packs there, of which it is not known which types they need.
func (j *judge) rulesNeeding(p count.Place, resourceType string) (names []string, known bool) {
	known = slices.Contains(j.Setup.RulesKnown, p)
	for _, r := range j.Setup.Rules {
		if r.Place == p && slices.Contains(r.Types, resourceType) {
			names = append(names, r.Name)
		}
	}
	if strings.HasSuffix(resourceType, "Compliance") { // what rules and packs came to
		for _, r := range j.Setup.Rules {
			if r.Place == p {
				names = append(names, r.Name)
			}
		}
		for _, c := range j.Setup.Packs {
			if c.Place == p {
				names = append(names, c.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), known
}
