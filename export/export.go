// Package export writes findings in the forms that other tools read: OCSF, ASFF,
// SARIF, CSV, JSON, and events for Splunk's HTTP Event Collector; each folder is
// a place they are sent to.
//
// What is written follows the finding alone and the options: the same finding
// gives the same bytes, and the same id, however often it is written.
package export

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/mask"
)

// Format is a form of findings.
type Format string

// The formats.
const (
	OCSF  Format = "ocsf"  // one Detection Finding a line
	ASFF  Format = "asff"  // what BatchImportFindings takes, a hundred findings a line
	SARIF Format = "sarif" // one log of one run
	CSV   Format = "csv"
	JSON  Format = "json" // one object, {"findings": […]}
	JSONL Format = "jsonl"
	HEC   Format = "hec" // one event of Splunk's HTTP Event Collector a line
)

// Formats lists all of them.
var Formats = []Format{OCSF, ASFF, SARIF, CSV, JSON, JSONL, HEC}

// ContentType is the media type of a format.
func (f Format) ContentType() string {
	switch f {
	case SARIF:
		return "application/sarif+json"
	case CSV:
		return "text/csv; charset=utf-8"
	case JSON:
		return "application/json"
	}
	return "application/x-ndjson"
}

// Extension is what the names of its files end in.
func (f Format) Extension() string {
	switch f {
	case SARIF:
		return ".sarif"
	case CSV:
		return ".csv"
	case JSON:
		return ".json"
	case OCSF:
		return ".ocsf.jsonl"
	case ASFF:
		return ".asff.jsonl"
	case HEC:
		return ".hec.jsonl"
	}
	return ".jsonl"
}

// Versions are the versions of OCSF that can be written, the default first.
var Versions = []string{"1.6.0", "1.3.0", "1.1.0"}

// Options say how to write.
type Options struct {
	// Version of OCSF, in full or as "1.6"; empty: the first of Versions.
	Version string
	// Program is Yagura's own version.
	Program string
	// Mask, when set, puts aliases in the place of accounts, people and projects.
	Mask *mask.Masker
	// View is a finding as scripts read it, for JSON, JSONL and HEC; nil: as it is.
	View func(finding.Finding) any
	// Product is the ARN that ASFF's findings are said by; empty: the default
	// product of the account and region of each finding.
	Product string
	// Index and SourceType of HEC's events; empty: the token's own, and
	// "yagura:finding".
	Index, SourceType string
}

// ParseVersion reads a version of OCSF: "1.1", "1.1.0" or nothing.
func ParseVersion(s string) (string, error) {
	if s == "" {
		return Versions[0], nil
	}
	for _, v := range Versions {
		if s == v || s == strings.TrimSuffix(v, ".0") {
			return v, nil
		}
	}
	return "", fmt.Errorf("version %q of OCSF is none of those that are written: %s", s, strings.Join(Versions, ", "))
}

// Result counts what was written.
type Result struct {
	Written int
	// Skipped are findings that the format cannot hold: ASFF is about accounts of
	// AWS.
	Skipped int
}

// writer writes findings in one format.
type writer interface {
	// add writes a finding; false: the format cannot hold it.
	add(f *finding.Finding) (bool, error)
	end() error
}

// Write writes all findings, one after the other. It stops at the first error.
func Write(w io.Writer, format Format, all iter.Seq2[finding.Finding, error], o Options) (Result, error) {
	var r Result
	out, err := newWriter(w, format, &o)
	if err != nil {
		return r, err
	}
	for f, err := range all {
		if err != nil {
			return r, err
		}
		if o.Mask != nil {
			f = Masked(f, o.Mask)
		}
		written, err := out.add(&f)
		if err != nil {
			return r, fmt.Errorf("write finding %s as %s: %w", f.Key, format, err)
		}
		if written {
			r.Written++
		} else {
			r.Skipped++
		}
	}
	return r, out.end()
}

func newWriter(w io.Writer, format Format, o *Options) (writer, error) {
	version, err := ParseVersion(o.Version)
	if err != nil {
		return nil, err
	}
	o.Version = version
	o.SourceType = or(o.SourceType, "yagura:finding")
	if o.View == nil {
		o.View = func(f finding.Finding) any { return f }
	}
	switch format {
	case OCSF:
		return &lines{w, func(f *finding.Finding) any { return ocsfOf(f, o) }}, nil
	case JSONL:
		return &lines{w, func(f *finding.Finding) any { return o.View(*f) }}, nil
	case HEC:
		return &lines{w, func(f *finding.Finding) any { return Event(f, *o) }}, nil
	case JSON:
		return &jsonWriter{w: w, o: o}, nil
	case ASFF:
		return &asffWriter{w: w, o: o}, nil
	case SARIF:
		return &sarifWriter{w: w, o: o, rules: map[string]int{}}, nil
	case CSV:
		return newCSV(w)
	}
	return nil, fmt.Errorf("format %q is none of %v", format, Formats)
}

func or(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}

// encode writes v as one line of JSON.
func encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// lines writes a JSON value a line.
type lines struct {
	w  io.Writer
	of func(*finding.Finding) any
}

func (l *lines) add(f *finding.Finding) (bool, error) { return true, encode(l.w, l.of(f)) }
func (l *lines) end() error                           { return nil }

// jsonWriter writes {"findings": […]}.
type jsonWriter struct {
	w io.Writer
	o *Options
	n int
}

func (j *jsonWriter) add(f *finding.Finding) (bool, error) {
	before := `{"findings":[`
	if j.n > 0 {
		before = ","
	}
	j.n++
	if _, err := io.WriteString(j.w, before); err != nil {
		return false, err
	}
	return true, encode(j.w, j.o.View(*f))
}

func (j *jsonWriter) end() error {
	text := "]}\n"
	if j.n == 0 {
		text = `{"findings":[]}` + "\n"
	}
	_, err := io.WriteString(j.w, text)
	return err
}

// modified is when a finding last changed: it was seen, or somebody decided.
func modified(f *finding.Finding) time.Time {
	at := f.LastSeen
	for _, d := range f.Decisions {
		if d.At.After(at) {
			at = d.At
		}
	}
	return at
}

// sentence is a finding's first reason; every finding of ours has one.
func sentence(f *finding.Finding) string {
	if len(f.Reasons) == 0 {
		return f.Title
	}
	return f.Reasons[0].Text.String()
}

// remark is the last comment that holds, and its author.
func remark(f *finding.Finding) (finding.Decision, bool) {
	for _, d := range slices.Backward(f.Decisions) {
		if d.Comment != "" && !d.Undone {
			return d, true
		}
	}
	return finding.Decision{}, false
}

// Provider is the cloud that a finding is about, in OCSF's words; empty where
// neither its resource nor its account tells.
func provider(f *finding.Finding) string {
	for _, name := range []string{f.Resource, f.Actor} {
		switch {
		case strings.HasPrefix(name, "arn:"):
			return "AWS"
		case strings.HasPrefix(name, "//"), strings.HasPrefix(name, "projects/"), strings.HasSuffix(name, ".gserviceaccount.com"):
			return "GCP"
		case strings.HasPrefix(strings.ToLower(name), "/subscriptions/"):
			return "Azure"
		}
	}
	if isAccount(f.Account) {
		return "AWS"
	}
	return ""
}

// isAccount tells whether s is the number of an AWS account.
func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// partition of an AWS region or ARN.
func partition(f *finding.Finding) string {
	if parts := strings.SplitN(f.Resource, ":", 3); parts[0] == "arn" && len(parts) == 3 && parts[1] != "" {
		return parts[1]
	}
	switch {
	case strings.HasPrefix(f.Region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(f.Region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// resourceType is what a resource is, as far as its name tells: "secretsmanager
// secret" of an ARN.
func resourceType(uid string) string {
	parts := strings.SplitN(uid, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return ""
	}
	kind, _, named := strings.Cut(strings.ReplaceAll(parts[5], "/", ":"), ":")
	switch {
	case parts[2] == "s3" && !strings.Contains(parts[5], "/"):
		return "s3 bucket"
	case parts[2] == "s3":
		return "s3 object"
	case !named:
		return parts[2]
	}
	return parts[2] + " " + kind
}

// isAddress tells whether an actor is an address: nobody was named.
func isAddress(actor string) bool {
	if actor == "" {
		return false
	}
	return strings.Trim(actor, "0123456789.") == "" && strings.Count(actor, ".") == 3 ||
		strings.Contains(actor, ":") && strings.Trim(strings.ToLower(actor), "0123456789abcdef:.") == ""
}
