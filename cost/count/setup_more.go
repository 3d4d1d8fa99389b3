package count

import (
	"cmp"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
)

func (s *Setup) addPolicies(text []byte, _ place) error {
	var answer struct {
		Policies []struct{ ID, Name string }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	for _, x := range answer.Policies {
		s.policy(Policy{ID: x.ID, Name: x.Name})
		s.read++
	}
	return nil
}

// policy adds what is known of a policy to what is known of it already.
func (s *Setup) policy(p Policy) {
	i := slices.IndexFunc(s.Policies, func(q Policy) bool { return q.ID == p.ID })
	if i < 0 {
		s.Policies = append(s.Policies, p)
		return
	}
	s.Policies[i].Content = cmp.Or(s.Policies[i].Content, p.Content)
}

func (s *Setup) addPolicyText(text []byte, _ place) error {
	var answer struct {
		Policy struct {
			PolicySummary struct{ ID, Name string }
			Content       string
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	x := answer.Policy
	if x.PolicySummary.ID == "" {
		return errors.New("it names no policy")
	}
	s.named(x.PolicySummary.ID)
	s.policy(Policy{x.PolicySummary.ID, x.PolicySummary.Name, x.Content})
	s.read++
	return nil
}

// policyIn finds a policy's id in the name of a file: the answer about its targets
// does not say whose they are.
var policyIn = regexp.MustCompile(`\bp-[0-9a-z]{8,128}\b`)

func (s *Setup) addTargets(text []byte, from place) error {
	var answer struct {
		Targets []struct{ TargetID, Type string }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	s.named(from.name)
	for _, x := range answer.Targets {
		s.Targets = append(s.Targets, Target{ID: x.TargetID, Kind: x.Type, Policy: policyIn.FindString(from.name)})
		s.read++
	}
	return nil
}

func (s *Setup) addLandingZone(text []byte, from place) error {
	var answer struct {
		LandingZone struct {
			ARN, Version string
			DriftStatus  struct{ Status string }
			Manifest     json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	x := answer.LandingZone
	if x.ARN == "" && x.Version == "" {
		return errors.New("it has neither arn nor version")
	}
	at := s.found(placeOfARN(x.ARN).or(from))
	l := Landing{Place: at.place(), Version: x.Version, Drift: x.DriftStatus.Status}
	manifest := []byte(x.Manifest)
	var words string // some tools write the manifest as a text
	if json.Unmarshal(manifest, &words) == nil {
		manifest = []byte(words)
	}
	var m struct {
		GovernedRegions []string
		Config          *struct{ Enabled truth }
	}
	if len(manifest) > 0 && json.Unmarshal(manifest, &m) == nil {
		l.Governed = m.GovernedRegions
		if m.Config != nil {
			l.Config = m.Config.Enabled.is
		}
	}
	s.LandingZones = append(s.LandingZones, l)
	s.read++
	return nil
}

func (s *Setup) addLandingZones(text []byte, from place) error {
	var answer struct {
		LandingZones []struct{ ARN string }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	if answer.LandingZones == nil {
		return errors.New("landingZones is no list")
	}
	s.NoLandingZone = len(answer.LandingZones) == 0
	for _, x := range answer.LandingZones {
		s.found(placeOfARN(x.ARN).or(from))
		s.read++
	}
	return nil
}

func (s *Setup) addBaselines(text []byte, from place) error {
	var answer struct {
		EnabledBaselines []struct {
			ARN, BaselineIdentifier, TargetIdentifier string
			StatusSummary                             struct{ Status string }
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	for _, x := range answer.EnabledBaselines {
		s.found(placeOfARN(x.ARN).or(from))
		target := x.TargetIdentifier[strings.LastIndexByte(x.TargetIdentifier, '/')+1:]
		s.Enrolled = append(s.Enrolled, Enrolment{Target: target, Baseline: x.BaselineIdentifier, Status: x.StatusSummary.Status})
		s.read++
	}
	return nil
}

func (s *Setup) addTrails(text []byte, from place) error {
	var answer struct {
		TrailList []struct {
			Name, TrailARN, HomeRegion              string
			IsOrganizationTrail, IsMultiRegionTrail truth
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	for _, x := range answer.TrailList {
		at := s.found(from.or(placeOfARN(x.TrailARN)))
		s.Trails = append(s.Trails, Trail{Place: at.place(), Name: x.Name, ARN: x.TrailARN, Home: x.HomeRegion, Organisation: yes(x.IsOrganizationTrail), MultiRegion: yes(x.IsMultiRegionTrail)})
		s.read++
	}
	return nil
}

func yes(t truth) bool { return t.is != nil && *t.is }

func (s *Setup) addSelectors(text []byte, from place) error {
	var answer struct {
		TrailARN               string
		EventSelectors         json.RawMessage
		AdvancedEventSelectors json.RawMessage
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	var plain []struct {
		IncludeManagementEvents       *bool
		DataResources                 []struct{ Type string }
		ExcludeManagementEventSources []string
	}
	var advanced []struct {
		FieldSelectors []struct {
			Field                                      string
			Equals, NotEquals, StartsWith, NotEndsWith []string
		}
	}
	for raw, into := range map[*json.RawMessage]any{&answer.EventSelectors: &plain, &answer.AdvancedEventSelectors: &advanced} {
		if len(*raw) == 0 {
			continue
		}
		if err := json.Unmarshal(*raw, into); err != nil {
			return err
		}
	}
	s.found(placeOfARN(answer.TrailARN).or(from))
	s.named(answer.TrailARN)
	x := Selectors{ARN: answer.TrailARN, Described: Described{answer.EventSelectors, answer.AdvancedEventSelectors}}
	for _, p := range plain {
		x.Management = x.Management || p.IncludeManagementEvents == nil || *p.IncludeManagementEvents
		x.Data = x.Data || len(p.DataResources) > 0
		x.Excludes = append(x.Excludes, p.ExcludeManagementEventSources...)
	}
	for _, a := range advanced {
		for _, f := range a.FieldSelectors {
			switch f.Field {
			case "eventCategory":
				x.Management = x.Management || slices.Contains(f.Equals, "Management")
				x.Data = x.Data || slices.Contains(f.Equals, "Data")
			case "eventSource":
				x.Excludes = append(x.Excludes, f.NotEquals...)
			}
		}
	}
	s.Selectors = append(s.Selectors, x)
	s.read++
	return nil
}

func (s *Setup) addAnalyzers(text []byte, from place) error {
	var answer struct {
		Analyzers []struct {
			ARN, Name, Type, Status string
			Configuration           json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	for _, x := range answer.Analyzers {
		at := s.found(placeOfARN(x.ARN).or(from))
		s.Analyzers = append(s.Analyzers, Analyzer{at.place(), x.Name, x.ARN, x.Type, x.Status, x.Configuration})
		s.read++
	}
	return nil
}

func (s *Setup) addDetector(text []byte, from place) error {
	var answer struct {
		ServiceRole, Status string
		Features            []struct{ Name, Status string }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	at := s.found(place{account: placeOfARN(answer.ServiceRole).account}.or(from))
	d := DetectorOf{Place: at.place(), Status: answer.Status, Features: map[string]string{}}
	for _, f := range answer.Features {
		d.Features[f.Name] = f.Status
	}
	s.Detectors = append(s.Detectors, d)
	s.read++
	return nil
}

func (s *Setup) addStandards(text []byte, from place) error {
	var answer struct {
		StandardsSubscriptions []struct{ StandardsSubscriptionArn, StandardsArn, StandardsStatus string }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	for _, x := range answer.StandardsSubscriptions {
		at := s.found(placeOfARN(x.StandardsSubscriptionArn).or(from))
		s.Standards = append(s.Standards, Standard{at.place(), x.StandardsArn, x.StandardsStatus})
		s.read++
	}
	return nil
}

func (s *Setup) addSummary(text []byte, from place) error {
	var answer struct {
		SummaryMap struct{ Roles, Users int64 }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	if from.account == "" {
		return errors.New("it does not say of which account it is: put it into a folder of the account's id")
	}
	s.found(from)
	s.Summaries = append(s.Summaries, Summary{from.account, answer.SummaryMap.Roles, answer.SummaryMap.Users})
	s.read++
	return nil
}
