package export

import (
	"io"
	"strings"

	"github.com/yagura-sec/yagura/finding"
)

// sarifWriter writes one log with one run: the results as they come, and the tool
// with the rules they refer to behind them (SARIF 2.1.0, OASIS).
type sarifWriter struct {
	w     io.Writer
	o     *Options
	n     int
	rules map[string]int // index of a rule by its id
	found []sarifRule
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifRule struct {
	ID         string         `json:"id"`
	Name       string         `json:"name,omitempty"`
	Short      sarifText      `json:"shortDescription"`
	Properties map[string]any `json:"properties,omitempty"`
}

type sarifResult struct {
	RuleID       string             `json:"ruleId"`
	RuleIndex    int                `json:"ruleIndex"`
	Kind         string             `json:"kind"`
	Level        string             `json:"level"`
	Message      sarifText          `json:"message"`
	Locations    []sarifLocation    `json:"locations"`
	Fingerprints map[string]string  `json:"partialFingerprints"`
	GUID         string             `json:"guid,omitempty"`
	Rank         float64            `json:"rank"`
	Occurrences  int64              `json:"occurrenceCount,omitempty"`
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	Properties   map[string]any     `json:"properties"`
}

type sarifLocation struct {
	Logical []sarifLogical `json:"logicalLocations"`
}

type sarifLogical struct {
	Name string `json:"name,omitempty"`
	Full string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Status        string `json:"status"`
	Justification string `json:"justification,omitempty"`
}

const sarifHead = `{"$schema":"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json","version":"2.1.0","runs":[{"results":[`

func (s *sarifWriter) add(f *finding.Finding) (bool, error) {
	before := sarifHead
	if s.n > 0 {
		before = ","
	}
	s.n++
	if _, err := io.WriteString(s.w, before); err != nil {
		return false, err
	}
	return true, encode(s.w, s.result(f))
}

func (s *sarifWriter) end() error {
	before := "],"
	if s.n == 0 {
		before = sarifHead + before
	}
	if _, err := io.WriteString(s.w, before+`"columnKind":"unicodeCodePoints","tool":`); err != nil {
		return err
	}
	driver := map[string]any{"name": "Yagura", "rules": list(s.found)}
	if s.o.Program != "" {
		driver["version"] = s.o.Program
	}
	if err := encode(s.w, map[string]any{"driver": driver}); err != nil {
		return err
	}
	_, err := io.WriteString(s.w, "}]}\n")
	return err
}

// sarifLevels are SARIF's three levels of a failure.
var sarifLevels = map[finding.Severity]string{
	finding.Critical: "error", finding.High: "error", finding.Medium: "warning", finding.Low: "note", finding.Informational: "note",
}

func (s *sarifWriter) result(f *finding.Finding) sarifResult {
	id := or(f.Rule, string(f.Kind))
	r := sarifResult{
		RuleID: id, RuleIndex: s.rule(id, f), Kind: "fail", Level: or(sarifLevels[f.Severity], "warning"),
		Message: sarifText{or(sentence(f), id)}, Locations: sarifLocations(f),
		Fingerprints: map[string]string{"yaguraKey/v1": f.Key}, Rank: float64(f.Priority), Occurrences: max(f.Count, 0),
		Properties: map[string]any{
			"title": f.Title, "severity": f.Severity, "status": f.Status, "verdict": f.Verdict, "cause": f.Cause, "actor": f.Actor,
			"account": f.Account, "region": f.Region, "firstSeen": stamp(f.FirstSeen), "lastSeen": stamp(f.LastSeen), "case": f.Case,
		},
	}
	if x := f.External; x != nil {
		r.Properties["product"] = x.Product
	}
	switch f.Status {
	case finding.Resolved, finding.Suppressed:
		why := string(f.Status)
		if f.Verdict != finding.NoVerdict {
			why += ": " + string(f.Verdict)
		}
		if d, ok := remark(f); ok {
			why += ": " + d.Comment
		}
		r.Suppressions = []sarifSuppression{{"external", "accepted", why}}
	}
	return r
}

// rule is the index of a rule, which is taken up when it is met first.
func (s *sarifWriter) rule(id string, f *finding.Finding) int {
	if i, ok := s.rules[id]; ok {
		return i
	}
	var tags []string
	for _, a := range f.Attack {
		tags = append(tags, "external/mitre-attack/"+a.ID)
	}
	rule := sarifRule{ID: id, Short: sarifText{or(f.Title, id)}}
	if f.Rule == "" {
		rule.Short.Text = id // the title is the finding's, not the sign's
	}
	if len(tags) > 0 {
		rule.Properties = map[string]any{"tags": tags}
	}
	s.rules[id] = len(s.found)
	s.found = append(s.found, rule)
	return s.rules[id]
}

// sarifLocations says where: clouds have no files, so it is the resource, or the
// account, by name.
func sarifLocations(f *finding.Finding) []sarifLocation {
	full := f.Resource
	if full == "" {
		full = strings.Trim(f.Account+"/"+f.Region, "/")
	}
	if full == "" {
		return []sarifLocation{}
	}
	return []sarifLocation{{[]sarifLogical{{Name: lastPart(full), Full: full, Kind: "resource"}}}}
}
