package export

import (
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// Detection Finding, class 2004 of the category Findings (schema.ocsf.io). What
// differs between versions: since 1.4 there are is_alert, uid_alt, related counts
// and the partition; before, a product needs its vendor and a finding its title,
// which are always written; sub-techniques have a field of their own since 1.3.

type ocsfEvent struct {
	ActivityID      int             `json:"activity_id"`
	ActivityName    string          `json:"activity_name"`
	CategoryUID     int             `json:"category_uid"`
	CategoryName    string          `json:"category_name"`
	ClassUID        int             `json:"class_uid"`
	ClassName       string          `json:"class_name"`
	TypeUID         int             `json:"type_uid"`
	TypeName        string          `json:"type_name"`
	Time            int64           `json:"time"` // milliseconds since 1970, as all times of OCSF
	StartTime       int64           `json:"start_time"`
	EndTime         int64           `json:"end_time"`
	Count           int64           `json:"count"`
	Metadata        ocsfMetadata    `json:"metadata"`
	SeverityID      int             `json:"severity_id"`
	Severity        string          `json:"severity"`
	StatusID        int             `json:"status_id"`
	Status          string          `json:"status"`
	Message         string          `json:"message"`
	ConfidenceID    int             `json:"confidence_id"`
	Confidence      string          `json:"confidence"`
	ConfidenceScore int             `json:"confidence_score"`
	RiskScore       int             `json:"risk_score"`
	RiskLevelID     int             `json:"risk_level_id"`
	RiskLevel       string          `json:"risk_level"`
	IsAlert         *bool           `json:"is_alert,omitempty"`
	FindingInfo     ocsfFindingInfo `json:"finding_info"`
	Cloud           *ocsfCloud      `json:"cloud,omitempty"`
	Resources       []ocsfResource  `json:"resources,omitempty"`
	Evidences       []ocsfEvidence  `json:"evidences,omitempty"`
	Remediation     *ocsfDesc       `json:"remediation,omitempty"`
	Comment         string          `json:"comment,omitempty"`
	Unmapped        ocsfUnmapped    `json:"unmapped"`
}

type ocsfMetadata struct {
	Version        string      `json:"version"`
	Product        ocsfProduct `json:"product"`
	UID            string      `json:"uid"`
	CorrelationUID string      `json:"correlation_uid,omitempty"`
	Profiles       []string    `json:"profiles,omitempty"`
}

type ocsfProduct struct {
	Name       string `json:"name"`
	VendorName string `json:"vendor_name"`
	Version    string `json:"version,omitempty"`
}

type ocsfFindingInfo struct {
	UID                string        `json:"uid"`
	UIDAlt             string        `json:"uid_alt,omitempty"`
	Title              string        `json:"title"`
	Desc               string        `json:"desc"`
	CreatedTime        int64         `json:"created_time"`
	FirstSeenTime      int64         `json:"first_seen_time"`
	LastSeenTime       int64         `json:"last_seen_time"`
	ModifiedTime       int64         `json:"modified_time"`
	Types              []string      `json:"types"`
	DataSources        []string      `json:"data_sources,omitempty"`
	SrcURL             string        `json:"src_url,omitempty"`
	RelatedEventsCount int64         `json:"related_events_count,omitempty"`
	Analytic           *ocsfAnalytic `json:"analytic,omitempty"`
	Attacks            []ocsfAttack  `json:"attacks,omitempty"`
}

type ocsfAnalytic struct {
	UID    string `json:"uid,omitempty"`
	Name   string `json:"name"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
}

type ocsfNamed struct {
	UID  string `json:"uid,omitempty"`
	Name string `json:"name,omitempty"`
}

type ocsfAttack struct {
	Version      string      `json:"version"`
	Tactic       *ocsfNamed  `json:"tactic,omitempty"`
	Tactics      []ocsfNamed `json:"tactics,omitempty"`
	Technique    *ocsfNamed  `json:"technique,omitempty"`
	SubTechnique *ocsfNamed  `json:"sub_technique,omitempty"`
}

type ocsfCloud struct {
	Provider       string       `json:"provider"`
	Account        *ocsfAccount `json:"account,omitempty"`
	Region         string       `json:"region,omitempty"`
	CloudPartition string       `json:"cloud_partition,omitempty"`
}

type ocsfAccount struct {
	UID    string `json:"uid"`
	Name   string `json:"name,omitempty"`
	TypeID int    `json:"type_id,omitempty"`
	Type   string `json:"type,omitempty"`
}

type ocsfResource struct {
	UID            string     `json:"uid"`
	Type           string     `json:"type,omitempty"`
	Region         string     `json:"region,omitempty"`
	CloudPartition string     `json:"cloud_partition,omitempty"`
	Criticality    string     `json:"criticality,omitempty"`
	Owner          *ocsfNamed `json:"owner,omitempty"`
}

type ocsfEvidence struct {
	Actor       *ocsfActor    `json:"actor,omitempty"`
	SrcEndpoint *ocsfEndpoint `json:"src_endpoint,omitempty"`
	Data        any           `json:"data,omitempty"`
}

type ocsfActor struct {
	User ocsfNamed `json:"user"`
}

type ocsfEndpoint struct {
	IP string `json:"ip"`
}

type ocsfDesc struct {
	Desc string `json:"desc"`
}

// ocsfUnmapped is what OCSF has no field for.
type ocsfUnmapped struct {
	Kind          finding.Kind          `json:"kind"`
	Verdict       finding.Verdict       `json:"verdict"`
	VerdictReason string                `json:"verdict_reason,omitempty"`
	Cause         finding.Cause         `json:"cause"`
	Assignee      string                `json:"assignee,omitempty"`
	Environment   string                `json:"environment,omitempty"`
	Reasons       []finding.Reason      `json:"reasons"`
	ExplainedBy   []finding.Explanation `json:"explained_by"`
	Related       []string              `json:"related,omitempty"`
}

var ocsfSeverities = map[finding.Severity]struct {
	id   int
	name string
}{
	finding.Informational: {1, "Informational"}, finding.Low: {2, "Low"}, finding.Medium: {3, "Medium"},
	finding.High: {4, "High"}, finding.Critical: {5, "Critical"},
}

var ocsfStatuses = map[finding.Status]struct {
	id   int
	name string
}{
	finding.New: {1, "New"}, finding.InProgress: {2, "In Progress"}, finding.Suppressed: {3, "Suppressed"}, finding.Resolved: {4, "Resolved"},
}

func ocsfOf(f *finding.Finding, o *Options) ocsfEvent {
	activity, name := ocsfActivity(f)
	const class = int(event.ClassDetectionFinding)
	e := ocsfEvent{
		ActivityID: activity, ActivityName: name, CategoryUID: 2, CategoryName: "Findings",
		ClassUID: class, ClassName: "Detection Finding", TypeUID: class*100 + activity, TypeName: "Detection Finding: " + name,
		Time: f.LastSeen.UnixMilli(), StartTime: f.FirstSeen.UnixMilli(), EndTime: f.LastSeen.UnixMilli(), Count: f.Count,
		Metadata: ocsfMetadata{
			Version: o.Version, Product: ocsfProduct{"Yagura", "Yagura", o.Program}, UID: revision(f), CorrelationUID: f.Case,
		},
		Severity: "Unknown", Status: "Unknown", Message: sentence(f),
		ConfidenceScore: percent(f.Confidence), RiskScore: f.Priority,
		FindingInfo: ocsfInfo(f, o), Resources: ocsfResources(f), Evidences: ocsfEvidences(f),
		Unmapped: ocsfUnmapped{
			Kind: f.Kind, Verdict: f.Verdict, VerdictReason: f.Reason, Cause: f.Cause, Assignee: f.Assignee, Environment: f.Environment,
			Reasons: list(f.Reasons), ExplainedBy: list(f.Explained), Related: f.Related,
		},
	}
	if s, ok := ocsfSeverities[f.Severity]; ok {
		e.SeverityID, e.Severity = s.id, s.name
	}
	if s, ok := ocsfStatuses[f.Status]; ok {
		e.StatusID, e.Status = s.id, s.name
	}
	e.ConfidenceID, e.Confidence = band(e.ConfidenceScore, []int{40, 75}, []string{"Low", "Medium", "High"}, 1)
	e.RiskLevelID, e.RiskLevel = band(f.Priority, []int{10, 35, 60, 80}, []string{"Info", "Low", "Medium", "High", "Critical"}, 0)
	if e.Cloud = ocsfCloudOf(f, o); e.Cloud != nil {
		e.Metadata.Profiles = []string{"cloud"}
	}
	if len(f.Next) > 0 {
		e.Remediation = &ocsfDesc{strings.Join(f.Next, "\n")}
	}
	if d, ok := remark(f); ok {
		e.Comment = d.Comment
	}
	if o.since(4) {
		alert := activity != 3 && !f.Demoted
		e.IsAlert = &alert
		e.FindingInfo.RelatedEventsCount = f.Count
	}
	return e
}

// since tells whether OCSF 1.minor's attributes may be written.
func (o *Options) since(minor byte) bool { return o.Version[2] >= '0'+minor }

// ocsfActivity is what happened to the finding last.
func ocsfActivity(f *finding.Finding) (int, string) {
	switch {
	case f.Status == finding.Resolved || f.Status == finding.Suppressed:
		return 3, "Close"
	case f.Status == finding.New && len(f.Decisions) == 0:
		return 1, "Create"
	}
	return 2, "Update"
}

func percent(share float64) int { return int(100*min(max(share, 0), 1) + 0.5) }

// band is the place of n among limits, and its name.
func band(n int, limits []int, names []string, first int) (int, string) {
	i := 0
	for i < len(limits) && n >= limits[i] {
		i++
	}
	return first + i, names[i]
}

func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

func ocsfInfo(f *finding.Finding, o *Options) ocsfFindingInfo {
	milli := func(t time.Time) int64 { return t.UnixMilli() }
	info := ocsfFindingInfo{
		UID: f.Key, Title: f.Title, Desc: sentence(f), CreatedTime: milli(f.FirstSeen), FirstSeenTime: milli(f.FirstSeen),
		LastSeenTime: milli(f.LastSeen), ModifiedTime: milli(modified(f)), Types: []string{string(f.Kind)},
		Analytic: ocsfAnalyticOf(f), Attacks: ocsfAttacks(f, o),
	}
	if f.LogSource != "" {
		info.DataSources = []string{f.LogSource}
	}
	if x := f.External; x != nil {
		info.DataSources = append(info.DataSources, x.Product)
		if x.Type != "" {
			info.Types = append(info.Types, x.Type)
		}
		if len(x.Links) > 0 && strings.HasPrefix(x.Links[0], "http") {
			info.SrcURL = x.Links[0]
		}
		if o.since(4) {
			info.UIDAlt = x.UID
		}
	}
	return info
}

func ocsfAnalyticOf(f *finding.Finding) *ocsfAnalytic {
	switch {
	case f.Anomaly != nil:
		return &ocsfAnalytic{UID: string(f.Kind), Name: f.Anomaly.Sign, TypeID: 3, Type: "Statistical"}
	case f.Rule != "":
		return &ocsfAnalytic{UID: f.Rule, Name: f.Title, TypeID: 1, Type: "Rule"}
	}
	return nil
}

// ocsfAttacks gives techniques, each with the tactics that are named beside
// them, or the tactics alone.
func ocsfAttacks(f *finding.Finding, o *Options) (out []ocsfAttack) {
	var tactics []ocsfNamed
	version := ""
	for _, a := range f.Attack {
		version = a.Version
		if strings.HasPrefix(a.ID, "TA") {
			tactics = append(tactics, ocsfNamed{a.ID, a.Name})
		}
	}
	for _, a := range f.Attack {
		if strings.HasPrefix(a.ID, "TA") {
			continue
		}
		x := ocsfAttack{Version: a.Version, Technique: &ocsfNamed{a.ID, a.Name}}
		if parent, _, sub := strings.Cut(a.ID, "."); sub && o.since(3) {
			x.Technique, x.SubTechnique = &ocsfNamed{UID: parent}, &ocsfNamed{a.ID, a.Name}
		}
		switch {
		case !o.since(3):
			x.Tactics = tactics
		case len(tactics) == 1: // of several nobody says which is whose
			x.Tactic = &tactics[0]
		}
		out = append(out, x)
	}
	for i := range tactics {
		if len(out) > 0 && (len(tactics) == 1 || !o.since(3)) {
			break // they stand with the techniques
		}
		x := ocsfAttack{Version: version, Tactic: &tactics[i]}
		if !o.since(3) {
			x.Tactics = tactics[i : i+1]
		}
		out = append(out, x)
	}
	return out
}

func ocsfCloudOf(f *finding.Finding, o *Options) *ocsfCloud {
	p := provider(f)
	if p == "" {
		return nil
	}
	c := &ocsfCloud{Provider: p, Region: f.Region}
	if f.Account != "" {
		c.Account = &ocsfAccount{UID: f.Account, Name: f.AccountName}
		if p == "AWS" {
			c.Account.TypeID, c.Account.Type = 10, "AWS Account"
		}
	}
	if p == "AWS" && o.since(4) {
		c.CloudPartition = partition(f)
	}
	return c
}

func ocsfResources(f *finding.Finding) []ocsfResource {
	if f.Resource == "" {
		return nil
	}
	r := ocsfResource{UID: f.Resource, Type: resourceType(f.Resource), Region: f.Region, Criticality: f.Criticality}
	if provider(f) == "AWS" {
		r.CloudPartition = partition(f)
	}
	if f.Owner != "" {
		r.Owner = &ocsfNamed{Name: f.Owner}
	}
	return []ocsfResource{r}
}

// ocsfEvidences are who did it, and the events that show it.
func ocsfEvidences(f *finding.Finding) (out []ocsfEvidence) {
	switch {
	case f.Actor == "":
	case isAddress(f.Actor):
		out = append(out, ocsfEvidence{SrcEndpoint: &ocsfEndpoint{f.Actor}})
	default:
		out = append(out, ocsfEvidence{Actor: &ocsfActor{ocsfNamed{UID: f.Actor, Name: lastPart(f.Actor)}}})
	}
	var uids []string
	for _, s := range f.Evidence.First {
		uids = append(uids, s.UID.String())
	}
	for _, s := range f.Evidence.Latest {
		uids = append(uids, s.UID.String())
	}
	if len(uids) > 0 {
		out = append(out, ocsfEvidence{Data: map[string]any{"event_uids": uids}})
	}
	return out
}

// lastPart is a name without what it is in.
func lastPart(name string) string {
	return name[strings.LastIndexAny(name, "/:")+1:]
}

// OCSFEvent is f as a Detection Finding of o.Version.
func OCSFEvent(f finding.Finding, o Options) any {
	// A version that there is not is refused where one is named; none is the first.
	if v, err := ParseVersion(o.Version); err == nil {
		o.Version = v
	} else {
		o.Version = Versions[0]
	}
	return ocsfOf(&f, &o)
}
