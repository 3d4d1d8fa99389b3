package ruletest

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"
)

// Case is what became of one case beside a rule, or of something that kept a
// file's cases from being run.
type Case struct {
	File    string // of the rule, as it is shown
	Name    string
	Took    time.Duration
	Skipped string   // why it was not run; empty: it was
	Failure *Failure // nil: it went as its label says
}

// The form that build servers read ("JUnit XML"): Jenkins' schema and Surefire's
// both take it.
type (
	xmlSuites struct {
		XMLName  xml.Name   `xml:"testsuites"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Time     string     `xml:"time,attr"`
		Suites   []xmlSuite `xml:"testsuite"`
	}
	xmlSuite struct {
		Name     string    `xml:"name,attr"`
		Tests    int       `xml:"tests,attr"`
		Failures int       `xml:"failures,attr"`
		Errors   int       `xml:"errors,attr"`
		Skipped  int       `xml:"skipped,attr"`
		Time     string    `xml:"time,attr"`
		Cases    []xmlCase `xml:"testcase"`
	}
	xmlCase struct {
		Name      string      `xml:"name,attr"`
		ClassName string      `xml:"classname,attr"`
		Time      string      `xml:"time,attr"`
		Skipped   *xmlSkipped `xml:"skipped"`
		Failure   *xmlProblem `xml:"failure"`
		Error     *xmlProblem `xml:"error"`
	}
	xmlSkipped struct {
		Message string `xml:"message,attr"`
	}
	xmlProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the cases as JUnit XML: a suite a rule file, in the order
// of r.Cases. What could not be run at all is an error, what went otherwise a
// failure.
func (r Result) WriteJUnit(w io.Writer) error {
	all := xmlSuites{Name: "yagura rules test"}
	at := map[string]int{}
	took := map[string]time.Duration{}
	var total time.Duration
	for _, c := range r.Cases {
		i, met := at[c.File]
		if !met {
			i = len(all.Suites)
			at[c.File] = i
			all.Suites = append(all.Suites, xmlSuite{Name: c.File})
		}
		all.Suites[i].add(c)
		took[c.File] += c.Took
		total += c.Took
	}
	for i := range all.Suites {
		s := &all.Suites[i]
		s.Time = seconds(took[s.Name])
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	all.Time = seconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *xmlSuite) add(c Case) {
	x := xmlCase{Name: c.Name, ClassName: c.File, Time: seconds(c.Took)}
	s.Tests++
	switch f := c.Failure; {
	case c.Skipped != "":
		s.Skipped++
		x.Skipped = &xmlSkipped{c.Skipped}
	case f == nil:
	case f.Got == gotError:
		s.Errors++
		x.Error = &xmlProblem{f.Why, gotError, f.text()}
	default:
		s.Failures++
		x.Failure = &xmlProblem{fmt.Sprintf("expected %s, got %s", f.Expected, f.Got), "case", f.text()}
	}
	s.Cases = append(s.Cases, x)
}

// text is the failure for a person, over as many lines as it needs.
func (f *Failure) text() string {
	if f.Diff != "" {
		return f.Diff
	}
	return f.Why
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
