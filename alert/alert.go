// Package alert reads findings of other products, whatever they came in.
//
// A finding may be bare, inside an EventBridge event, an element of an API's
// answer, or inside the envelope of a forwarder (HEC, Splunk and Elastic
// exports, CloudWatch Logs, Pub/Sub). Find takes it out and says which format it
// is; Read makes an Alert of it; Parse does both.
//
// An Alert says what the product says, in one set of words: nothing is judged
// here. What a product does not say is empty, never guessed to be well.
package alert

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The formats.
const (
	GuardDuty      = "aws.guardduty"
	SecurityHub    = "aws.securityhub" // ASFF; Security Hub v2 as OCSF
	AccessAnalyzer = "aws.accessanalyzer"
	Inspector      = "aws.inspector"
	Macie          = "aws.macie"
	Config         = "aws.config"
	SCC            = "gcp.scc"
	Defender       = "azure.defender"
	Sysdig         = "sysdig"
	Falco          = "falco"
	Prowler        = "prowler"
	OCSF           = "ocsf" // findings in OCSF of any other product
)

// Formats lists every format, in order.
var Formats = []string{AccessAnalyzer, Config, GuardDuty, Inspector, Macie, SecurityHub, Defender, Falco, SCC, OCSF, Prowler, Sysdig}

// Class is OCSF's class_uid of a finding.
type Class int

// The classes. Products that know more of them are read as the nearest.
const (
	Vulnerability Class = 2002
	Compliance    Class = 2003
	Detection     Class = 2004
	DataSecurity  Class = 2006
	IAMAnalysis   Class = 2008
)

// Severity is OCSF's severity_id.
type Severity int

// The severities. Unknown: the product gives none.
const (
	Unknown       Severity = 0
	Informational Severity = 1
	Low           Severity = 2
	Medium        Severity = 3
	High          Severity = 4
	Critical      Severity = 5
)

// Status is where a finding is in its product's own hands.
type Status string

// The statuses.
const (
	Open       Status = "new"
	InProgress Status = "in_progress"
	Suppressed Status = "suppressed" // hidden there: archived by a person or a filter, muted, dismissed
	Resolved   Status = "resolved"   // gone there: passed, closed, inactive
)

// Ref names a finding across products: the product that made it and its id
// there, in a form that is the same whichever way the finding came.
type Ref struct {
	Source string // "guardduty"
	ID     string
}

// Alert is one record of a finding. Texts may share memory with the record.
type Alert struct {
	Format  string
	Ref            // what makes it the same finding
	Product string // as people call it: "GuardDuty"
	Via     string // who passed it on, if that was another: "Security Hub"
	UID     string // the id as the record gives it
	Parent  string // what the id is in, which the product's own API asks for: ProductArn, detector, source
	Class   Class
	Closed  bool // the record says that the finding is closed by it (OCSF activity Close, isDeleted)

	Type, Title, Description string

	Titled Note `json:",omitzero"` // what it is about, where the product gives no title

	Severity   Severity
	Level      string  // in the product's own words: "8", "HIGH"; empty: not given
	Confidence float64 // 0..1 by the product's word; 0: not given

	Cloud   string // "AWS", "GCP", "Azure"; empty: none or not told
	Account string // account, project or subscription
	Region  string

	Actor     Actor
	Resources []Resource // the one it is about first
	Host      string
	Process   string
	Attack    []string // ATT&CK ids as given: "T1098", "TA0006"
	Technique []string // techniques given by their names alone, in words: "account manipulation"
	CVE       []string

	At    time.Time // when the record was written; zero: it is a state, which says no time
	First time.Time // first seen by the product; zero: not given
	Last  time.Time
	Count int64 // how often by the product's word; 0: not given

	Status Status
	Said   string // the status in the product's own words

	Control   string   // of a compliance finding: "S3.1"
	Standards []string // that the control is of
	Verdict   string   // of a compliance finding, in its own words: "FAILED"

	Fix    string   // remediation, one text
	Links  []string // pages about it
	Notes  []Note   // what else the product says that a person should know
	Sample bool     // made up by the product to show what findings look like

	Related []Ref // findings that it names as belonging together
}

// Actor is who did it, as far as the product names somebody.
type Actor struct {
	UID        string // a stable name: an ARN, a service account, an address of mail
	Type       string // role, user, root, account, service, federated; empty: not told
	Name       string
	Account    string
	Session    string
	Credential string // access key id
	IP         string // where from
	Agent      string // user agent
}

// Resource is something that a finding is about.
type Resource struct {
	UID     string // full name, in the form that the provider's logs use
	Type    string // as the product writes it: "AwsS3Bucket", "AWS::S3::Bucket"
	Name    string
	Account string
	Region  string
}

// Parse finds the finding in body and reads it.
func Parse(body []byte) (Alert, error) {
	_, a, err := Take(body)
	return a, err
}

// Take is Find and Read together, and parses the finding once. Where it is found
// and cannot be read, the error says why and its format is told.
func Take(body []byte) (Found, Alert, error) {
	found, v, why := find(body)
	if why != "" {
		return Found{}, Alert{}, errors.New(why)
	}
	a, err := readParsed(found.Format, v)
	return found, a, err
}

// reader reads a finding that is known to be of its format.
type reader struct {
	read func(v value) (Alert, error) // errors name the field, not the product
	what string                       // what errors call a finding of the format
}

// readers by format. SecurityHub has two forms.
var readers = map[string]reader{
	GuardDuty: {readGuardDuty, "GuardDuty finding"}, SecurityHub: {readSecurityHub, "Security Hub finding"},
	AccessAnalyzer: {readAccessAnalyzer, "Access Analyzer finding"}, Inspector: {readInspector, "Inspector finding"},
	Macie: {readMacie, "Macie finding"}, Config: {readConfig, "Config rule result"}, SCC: {readSCC, "Security Command Center finding"},
	Defender: {readDefender, "Defender for Cloud finding"}, Sysdig: {readSysdig, "Sysdig event"}, Falco: {readFalco, "Falco alert"},
	Prowler: {readOCSF, "OCSF finding"}, OCSF: {readOCSF, "OCSF finding"},
}

// Read reads a bare finding of that format. The error is a sentence that names
// the field.
func Read(format string, body []byte) (Alert, error) {
	v, err := decode(body)
	if err != nil {
		return Alert{}, err
	}
	return readParsed(format, v)
}

func readParsed(format string, v value) (Alert, error) {
	of, ok := readers[format]
	if !ok {
		return Alert{}, fmt.Errorf("format %q is none of %s", format, strings.Join(Formats, ", "))
	}
	a, err := of.read(v)
	if err != nil {
		return Alert{}, fmt.Errorf("%s: %w", of.what, err)
	}
	a.Format = format
	a.Product = firstOf(names[a.Source], a.Product, a.Source)
	if a.ID == "" {
		return Alert{}, fmt.Errorf("%s finding without an id", a.Product)
	}
	a.finish()
	return a, nil
}

// names are what people call the products that are known by more than one name.
var names = map[string]string{
	"guardduty": "GuardDuty", "securityhub": "Security Hub", "inspector": "Inspector", "macie": "Macie", "config": "AWS Config",
	"accessanalyzer": "IAM Access Analyzer", "scc": "Security Command Center", "defender": "Microsoft Defender for Cloud",
}

// moves set records of one instant in order: a person's decision at Security Hub
// does not change the time that the product wrote the finding, and the same
// record comes from the product itself without that decision. So the record that
// tells of one counts as the later, by microseconds.
var moves = map[Status]time.Duration{InProgress: time.Microsecond, Resolved: 2 * time.Microsecond, Suppressed: 3 * time.Microsecond}

// finish fills in what follows from the rest.
func (a *Alert) finish() {
	if a.Title == "" && a.Titled.Kind == "" {
		a.Title = firstOf(a.Type, a.Description)
	}
	if a.Closed && a.Status != Suppressed {
		a.Status = Resolved
	}
	if a.Status == "" {
		a.Status = Open
	}
	if a.UID == "" {
		a.UID = a.ID
	}
	if a.Title == "" && a.Titled.Kind == "" {
		a.Titled = Note{Nameless, a.UID, ""}
	}
	if !a.At.IsZero() {
		a.At = a.At.Add(moves[a.Status])
	}
	if !a.First.IsZero() && !a.Last.IsZero() && a.Last.Before(a.First) {
		a.First, a.Last = a.Last, a.First
	}
	a.Links = slices.DeleteFunc(a.Links, func(l string) bool { return !isPage(l) })
	a.Attack, a.CVE, a.Links, a.Notes = once(a.Attack), once(a.CVE), once(a.Links), once(a.Notes)
	if a.Cloud == "AWS" {
		for i := range a.Resources {
			a.Resources[i].qualify(a.Account, a.Region)
		}
	}
	a.Standards, a.Related = once(a.Standards), a.Related[:min(len(a.Related), maxList)]
	var named []Resource
	for _, r := range a.Resources {
		if r.UID != "" {
			named = append(named, r)
		}
	}
	a.Resources = named
}

// isPage tells whether a link leads to a page. What does not is nothing to follow:
// whoever can write to a log could write javascript:.
func isPage(link string) bool {
	u, err := url.Parse(link)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// Resource is the one that the finding is about; empty where it names none.
func (a *Alert) Resource() Resource {
	if len(a.Resources) == 0 {
		return Resource{}
	}
	return a.Resources[0]
}

// Passing tells whether a compliance finding says that all is well, or that the
// check does not apply.
func (a *Alert) Passing() bool {
	if a.Class != Compliance {
		return false
	}
	switch strings.ToUpper(plain(a.Verdict)) {
	case "PASS", "PASSED", "COMPLIANT", "HEALTHY", "NOTAPPLICABLE":
		return true
	}
	return false
}
