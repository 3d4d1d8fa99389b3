package configcost

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/logs"
)

// record is one of CloudTrail, in its order of fields
// (docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html).
type record struct {
	Version   string          `json:"eventVersion"`
	Who       identity        `json:"userIdentity"`
	Time      string          `json:"eventTime"`
	Source    string          `json:"eventSource"`
	Name      string          `json:"eventName"`
	Region    string          `json:"awsRegion"`
	Address   string          `json:"sourceIPAddress"`
	Agent     string          `json:"userAgent"`
	ErrorCode string          `json:"errorCode,omitempty"`
	Error     string          `json:"errorMessage,omitempty"`
	Request   json.RawMessage `json:"requestParameters"`
	Response  json.RawMessage `json:"responseElements"`
	RequestID string          `json:"requestID,omitempty"`
	ID        string          `json:"eventID"`
	ReadOnly  bool            `json:"readOnly"`
	Type      string          `json:"eventType"`
	Managed   bool            `json:"managementEvent"`
	Recipient string          `json:"recipientAccountId"`
	Details   json.RawMessage `json:"serviceEventDetails,omitempty"`
	Category  string          `json:"eventCategory"`
}

// identity is who called.
type identity struct {
	Type        string   `json:"type,omitempty"`
	PrincipalID string   `json:"principalId,omitempty"`
	ARN         string   `json:"arn,omitempty"`
	Account     string   `json:"accountId,omitempty"`
	Key         string   `json:"accessKeyId,omitempty"`
	Session     *session `json:"sessionContext,omitempty"`
	InvokedBy   string   `json:"invokedBy,omitempty"`
}

type session struct {
	Issuer struct {
		Type        string `json:"type"`
		PrincipalID string `json:"principalId"`
		ARN         string `json:"arn"`
		Account     string `json:"accountId"`
		Name        string `json:"userName"`
	} `json:"sessionIssuer"`
	Attributes struct {
		Created string `json:"creationDate"`
		MFA     string `json:"mfaAuthenticated"`
	} `json:"attributes"`
}

// caller is who calls, from where and with what.
type caller struct {
	who            identity
	address, agent string
}

// assumed is a session of a role; path is that of the role, with slashes.
func (w *world) assumed(a *account, path, name, session_ string, at time.Time) identity {
	id := identity{Type: "AssumedRole", PrincipalID: a.unique(w, name) + ":" + session_, Account: a.id,
		ARN: "arn:aws:sts::" + a.id + ":assumed-role/" + name + "/" + session_,
		Key: "ASIA" + a.unique(w, name)[4:20],
	}
	s := &session{}
	s.Issuer.Type, s.Issuer.PrincipalID, s.Issuer.Account, s.Issuer.Name = "Role", a.unique(w, name), a.id, name
	s.Issuer.ARN = "arn:aws:iam::" + a.id + ":role" + path + name
	s.Attributes.Created, s.Attributes.MFA = stamp(at.Add(-7*time.Minute)), "false"
	id.Session = s
	return id
}

// linked is a service that acts by its service-linked role.
func (w *world) linked(a *account, service, role, session string, at time.Time) caller {
	host := service + ".amazonaws.com"
	id := w.assumed(a, "/aws-service-role/"+host+"/", role, session, at)
	id.Key, id.InvokedBy = "", host
	return caller{id, host, host}
}

// by is a person, signed in by single sign-on.
func (w *world) by(p *person, a *account, at time.Time) caller {
	name := "AWSReservedSSO_PowerUser_" + logs.Drawn(w.chance("sso", a.id), 16, logs.Hexes)
	return caller{w.assumed(a, "/aws-reserved/sso.amazonaws.com/"+home+"/", name, p.email, at), p.address, agentBrowser}
}

const (
	agentBrowser = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
	agentCLI     = "aws-cli/2.31.9 md/awscrt#0.27.6 ua/2.1 os/macos#25.0.0 md/arch#arm64 lang/python#3.13.7 cfg/retry-mode#standard md/installer#exe"
	agentSDK     = "aws-sdk-go-v2/1.39.2 ua/2.1 os/linux lang/go#1.25.1 md/GOOS#linux md/GOARCH#arm64"
)

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// call is what is asked of a service, or what it says by itself.
type call struct {
	source, name     string // "ec2", "CreateNetworkInterface"
	request          string // JSON; empty: null
	response         string // the same
	errorCode, error string
	readOnly         bool
	serviceEvent     string // JSON of its details; empty: it is a call
	region           string // empty: home
	requestedBy      caller
	at               time.Time
	account          *account
}

// put writes the record of a call.
func (w *world) put(c call) error {
	if c.at.Before(w.start) || !c.at.Before(w.end) {
		return nil
	}
	rng := w.delivery.rng
	if c.region == "" {
		c.region = home
	}
	r := record{Version: "1.11", Who: c.requestedBy.who, Time: stamp(c.at), Source: c.source + ".amazonaws.com", Name: c.name, Region: c.region,
		Address: c.requestedBy.address, Agent: c.requestedBy.agent, ErrorCode: c.errorCode, Error: c.error,
		Request: raw(c.request), Response: raw(c.response), RequestID: logs.UUID(rng), ID: logs.UUID(rng), ReadOnly: c.readOnly,
		Type: "AwsApiCall", Managed: true, Recipient: c.account.id, Category: "Management"}
	if c.serviceEvent != "" {
		r.Type, r.Details, r.RequestID = "AwsServiceEvent", json.RawMessage(c.serviceEvent), ""
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", c.name, stamp(c.at), err)
	}
	if w.telling {
		w.told++
	} else {
		w.ordinary++
	}
	w.delivery.add(stream{c.account, c.region}, c.at.Add(time.Duration(90+rng.IntN(420))*time.Second), text)
	return nil
}

func raw(s string) json.RawMessage {
	if s == "" {
		return json.RawMessage("null")
	}
	return json.RawMessage(s)
}

// stream is what one account delivers from one region.
type stream struct {
	account *account
	region  string
}

// delivered is a record and when it is delivered.
type delivered struct {
	due  time.Time
	text []byte
}

// delivery puts records into objects as a trail does: one each hour for an account
// and region.
type delivery struct {
	w       *world
	root    string
	rng     *rand.Rand
	order   []stream
	pending map[stream][]delivered
}

func (d *delivery) add(s stream, due time.Time, text []byte) {
	if d.pending[s] == nil {
		d.order = append(d.order, s)
	}
	d.pending[s] = append(d.pending[s], delivered{due, text})
}

// flush writes the objects of all that is due before a time.
func (d *delivery) flush(until time.Time) error {
	for _, s := range d.order {
		all := d.pending[s]
		slices.SortStableFunc(all, func(a, b delivered) int { return a.due.Compare(b.due) })
		for len(all) > 0 && all[0].due.Before(until) {
			hour := all[0].due.Truncate(time.Hour).Add(time.Hour)
			n := 0
			for n < len(all) && all[n].due.Before(hour) {
				n++
			}
			if err := d.object(s, hour, all[:n]); err != nil {
				return err
			}
			all = all[n:]
		}
		d.pending[s] = all
	}
	return nil
}

// object writes one.
func (d *delivery) object(s stream, at time.Time, all []delivered) error {
	rng := d.w.chance("object", s.account.id, s.region, at.Unix())
	name := fmt.Sprintf("%s_CloudTrail_%s_%s_%s.json.gz", s.account.id, s.region, at.Format("20060102T1504Z"), logs.Drawn(rng, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"))
	dir := filepath.Join(d.root, "AWSLogs", d.w.org, s.account.id, "CloudTrail", s.region, filepath.FromSlash(at.Format("2006/01/02")))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var b bytes.Buffer
	zip := logs.Packed(&b)
	texts := make([][]byte, len(all))
	for i, x := range all {
		texts[i] = x.text
	}
	for _, part := range [][]byte{[]byte(`{"Records":[`), bytes.Join(texts, []byte{','}), []byte(`]}`)} {
		if _, err := zip.Write(part); err != nil {
			return err
		}
	}
	if err := zip.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644)
}

// quoted is a text as JSON has it.
func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return `""` // not of a string
	}
	return string(text)
}

// object is a JSON object of texts: keys and values in turn.
func object(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(quoted(pairs[i]) + ":" + quoted(pairs[i+1]))
	}
	b.WriteByte('}')
	return b.String()
}
