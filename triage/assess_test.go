package triage

import (
	"slices"
	"testing"

	"github.com/yagura-sec/yagura/finding"
)

func TestReach(t *testing.T) {
	var r Reach
	for range 2 {
		r.Add("a", "1", "x")
		r.Add("a", "1", "y")
		r.Add("a", "2", "z")
		r.Add("b", "", "x")
		r.Add("", "1", "x")
		r.Add("c", "1", "")
	}
	want := []finding.Assessment{{Subject: "a", Secrets: 3, Accounts: 2}, {Subject: "b", Secrets: 1, Accounts: 1}}
	if got := r.Assessments(); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestExposures(t *testing.T) {
	says := func(title, resource string, change ...func(*finding.Finding)) finding.Finding {
		return like(1, append([]func(*finding.Finding){func(f *finding.Finding) {
			f.Kind, f.Source, f.Title, f.Resource = finding.KindExternal, "securityhub", title, resource
		}}, change...)...)
	}
	got := Exposures([]finding.Finding{
		says("Bucket allows Public read access", "r1"),
		says("Role allows cross-account access", "r1"), // public says more
		says("Role allows external access", "r2"),
		says("Trail is not encrypted", "r3"),
		says("Bucket is public", "r4", func(f *finding.Finding) { f.Status = finding.Resolved }),
		says("Bucket is public", "r5", func(f *finding.Finding) { f.External = &finding.External{Sample: true} }),
		like(1, func(f *finding.Finding) { f.Title = "Public bucket" }),
	})
	for title, want := range map[string]bool{"Bucket is PUBLIC": true, "db-1 can be used by anybody": true, "Trail is not encrypted": false} {
		f, x := says(title, "r"), Exposing()
		if x.Match(&f) != want {
			t.Errorf("%s is read: %v", title, !want)
		}
	}
	want := []finding.Assessment{
		{Subject: "r1", Exposure: finding.ExposurePublic, Why: "securityhub: Bucket allows Public read access"},
		{Subject: "r2", Exposure: finding.ExposureShared, Why: "securityhub: Role allows external access"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
