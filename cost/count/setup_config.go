package count

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
)

func (s *Setup) addRecorders(text []byte, from place) error {
	var answer struct {
		All []json.RawMessage `json:"ConfigurationRecorders"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	for _, raw := range answer.All {
		var x struct {
			Name, RoleARN, ARN, ServicePrincipal, RecordingScope string
			RecordingGroup                                       Group
			RecordingMode                                        Mode
		}
		if err := json.Unmarshal(raw, &x); err != nil {
			return err
		}
		if x.Name == "" {
			return errors.New("a recorder has no name")
		}
		s.named(x.Name)
		at := s.found(placeOfARN(x.ARN).or(place{account: placeOfARN(x.RoleARN).account}).or(from))
		s.Recorders = append(s.Recorders, Recorder{
			Place: at.place(), Name: x.Name, Role: x.RoleARN, ARN: x.ARN, Service: x.ServicePrincipal, Scope: x.RecordingScope,
			Group: x.RecordingGroup, Mode: x.RecordingMode, At: s.at, Described: raw,
		})
		s.read++
	}
	return nil
}

func (s *Setup) addRecorderStatus(text []byte, from place) error {
	var answer struct {
		All []struct {
			Name, ARN, ServicePrincipal string
			Recording                   truth
		} `json:"ConfigurationRecordersStatus"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	for _, x := range answer.All {
		at := s.found(placeOfARN(x.ARN).or(from))
		s.read++
		for i := range s.Recorders {
			if r := &s.Recorders[i]; r.Name == x.Name && r.Place == at.place() {
				r.Recording = x.Recording.is
			}
		}
	}
	return nil
}

func (s *Setup) addRecorderList(text []byte, from place) error {
	var answer struct {
		All []struct{ ARN, Name, ServicePrincipal, RecordingScope string } `json:"ConfigurationRecorderSummaries"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	for _, x := range answer.All {
		at := s.found(placeOfARN(x.ARN).or(from))
		s.read++
		known := func(r Recorder) bool { return r.Name == x.Name && r.Place == at.place() }
		if i := slices.IndexFunc(s.Recorders, known); i >= 0 {
			s.Recorders[i].Service = cmp.Or(s.Recorders[i].Service, x.ServicePrincipal)
			s.Recorders[i].Scope = cmp.Or(s.Recorders[i].Scope, x.RecordingScope)
			continue
		}
		s.Recorders = append(s.Recorders, Recorder{Place: at.place(), Name: x.Name, ARN: x.ARN, Service: x.ServicePrincipal, Scope: x.RecordingScope, At: s.at})
	}
	return nil
}

func (s *Setup) addRules(text []byte, from place) error {
	var answer struct {
		All []struct {
			ConfigRuleName, ConfigRuleArn, CreatedBy, MaximumExecutionFrequency string
			Scope                                                               struct{ ComplianceResourceTypes []string }
			Source                                                              struct {
				SourceIdentifier string
				SourceDetails    []struct{ MessageType string }
			}
		} `json:"ConfigRules"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	at := from
	for _, x := range answer.All {
		at = s.found(placeOfARN(x.ConfigRuleArn).or(from))
		r := Rule{Place: at.place(), Name: x.ConfigRuleName, Source: x.Source.SourceIdentifier, Types: x.Scope.ComplianceResourceTypes, CreatedBy: x.CreatedBy}
		// A managed rule does not say what triggers it: one with a frequency is
		// evaluated at times, any other when something changes.
		r.OnChange = x.MaximumExecutionFrequency == "" && len(x.Source.SourceDetails) == 0
		for _, d := range x.Source.SourceDetails {
			r.OnChange = r.OnChange || d.MessageType == "ConfigurationItemChangeNotification" || d.MessageType == "OversizedConfigurationItemChangeNotification"
		}
		s.Rules = append(s.Rules, r)
		s.read++
	}
	s.RulesKnown = append(s.RulesKnown, at.place())
	return nil
}

func (s *Setup) addPacks(text []byte, from place) error {
	var answer struct {
		All []struct{ ConformancePackName, ConformancePackArn string } `json:"ConformancePackDetails"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	for _, x := range answer.All {
		at := s.found(placeOfARN(x.ConformancePackArn).or(from))
		s.Packs = append(s.Packs, Pack{at.place(), x.ConformancePackName})
		s.read++
	}
	return nil
}

func (s *Setup) addFirewallPolicies(text []byte, from place) error {
	var answer struct {
		All []struct{ PolicyArn, PolicyID, PolicyName, ResourceType, SecurityServiceType string } `json:"PolicyList"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	for _, x := range answer.All {
		at := s.found(from.or(placeOfARN(x.PolicyArn)))
		s.Firewall(Firewall{Place: at.place(), ID: x.PolicyID, Name: x.PolicyName, Service: x.SecurityServiceType, Types: listed(x.ResourceType, nil)})
		s.read++
	}
	return nil
}

func (s *Setup) addFirewallPolicy(text []byte, from place) error {
	var answer struct {
		PolicyArn string
		Policy    struct {
			PolicyID, PolicyName, ResourceType string
			ResourceTypeList                   []string
			SecurityServicePolicyData          struct{ Type string }
			IncludeMap                         map[string][]string
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	x := answer.Policy
	at := s.found(from.or(placeOfARN(answer.PolicyArn)))
	s.named(x.PolicyID)
	s.Firewall(Firewall{Place: at.place(), ID: x.PolicyID, Name: x.PolicyName, Service: x.SecurityServicePolicyData.Type,
		Types: listed(x.ResourceType, x.ResourceTypeList), Accounts: x.IncludeMap["ACCOUNT"]})
	s.read++
	return nil
}

func (s *Setup) addFirewallMembers(text []byte, _ place) error {
	var answer struct {
		All []struct{ PolicyID, PolicyName, MemberAccount string } `json:"PolicyComplianceStatusList"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	for _, x := range answer.All {
		s.named(x.PolicyID)
		s.Firewall(Firewall{ID: x.PolicyID, Name: x.PolicyName, Accounts: []string{x.MemberAccount}})
		s.read++
	}
	return nil
}

// Firewall adds what is known of a policy to what is known of it already.
func (s *Setup) Firewall(f Firewall) {
	i := slices.IndexFunc(s.FirewallPolicies, func(g Firewall) bool { return f.ID != "" && g.ID == f.ID })
	if i < 0 {
		s.FirewallPolicies = append(s.FirewallPolicies, f)
		return
	}
	g := &s.FirewallPolicies[i]
	if g.Account == "" {
		g.Place = f.Place
	}
	g.Name, g.Service = cmp.Or(g.Name, f.Name), cmp.Or(g.Service, f.Service)
	for _, t := range f.Types {
		if !slices.Contains(g.Types, t) {
			g.Types = append(g.Types, t)
		}
	}
	for _, a := range f.Accounts {
		if !slices.Contains(g.Accounts, a) {
			g.Accounts = append(g.Accounts, a)
		}
	}
}

// listed are the types of a policy, which names one or lists several.
func listed(one string, several []string) []string {
	if len(several) > 0 || one == "" || one == "ResourceTypeList" {
		return several
	}
	return []string{one}
}
