package ruletest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

func readCases(fsys fs.FS, name string) ([]oneCase, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	var file struct{ Cases []oneCase }
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, inWords(err)
	}
	var places struct{ Cases []yaml.Node }
	if err := yaml.Unmarshal(text, &places); err != nil {
		return nil, err
	}
	for i := range file.Cases {
		file.Cases[i].line = places.Cases[i].Line
	}
	return file.Cases, nil
}

// What the YAML package says of a text that does not fit our types.
var (
	unknownKey = regexp.MustCompile(`^line (\d+): field (.*) not found in type (.*)$`)
	otherKind  = regexp.MustCompile("(?s)^line (\\d+): cannot unmarshal !!(\\w+)(?: `(.*)`)? into (.*)$")
)

// keys says by the end of a type's name what it stands for, and its keys.
var keys = map[string][2]string{
	"oneCase":  {"a case", "name, rule, fires and event, or for a correlation events, groups and until"},
	"oneEvent": {"an event of a correlation", "at, repeat, every and event"},
}

// shapes says what a type is as YAML.
var shapes = map[string]string{
	"bool": "true or false", "int": "a whole number", "string": "text", "[]string": "a list of texts", "[][]string": "a list of lists of texts",
	"[]ruletest.oneEvent": "a list of events", "[]ruletest.oneCase": "a list of cases", "ruletest.oneCase": "a case", "ruletest.oneEvent": "an event, with at and event",
}

// inWords says for people who write cases what the YAML package says of our types.
func inWords(err error) error {
	var mismatch *yaml.TypeError
	if !errors.As(err, &mismatch) {
		return err
	}
	var out []string
	for _, e := range mismatch.Errors {
		if m := unknownKey.FindStringSubmatch(e); m != nil {
			what := [2]string{"the file", "cases"}
			for end, k := range keys {
				if strings.HasSuffix(m[3], "."+end) {
					what = k
				}
			}
			e = fmt.Sprintf("line %s: %s has no key %q; the keys are %s", m[1], what[0], m[2], what[1])
		} else if m := otherKind.FindStringSubmatch(e); m != nil {
			is := map[string]string{"map": "a mapping", "seq": "a list"}[m[2]]
			if is == "" {
				is = fmt.Sprintf("%q", m[3])
			}
			want := shapes[m[4]]
			if want == "" {
				want = "a mapping with the key cases"
			}
			e = fmt.Sprintf("line %s: %s stands where %s is needed", m[1], is, want)
		}
		out = append(out, e)
	}
	return errors.New(strings.Join(out, "; "))
}
