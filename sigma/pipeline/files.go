package pipeline

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxValues is how large a file of values for placeholders may be, in bytes.
const maxValues = 10 << 20

// readFilePlaceholders reads placeholders whose values are in a file. The file is
// read once, with the pipeline.
func readFilePlaceholders(m *mapping) transformation {
	t := readPlaceholders(m, false).(placeholders)
	path, format := m.text("path", true), m.one("format", "plaintext", "csv", "json", "yaml")
	column, expression := m.text("csv_column", false), m.text("jq_expression", false)
	header := m.value["csv_has_header"] == nil
	header = m.flag("csv_has_header") || header
	var keep *regexp.Regexp
	if m.text("filter", false) != "" {
		keep = m.regex("filter", false)
	}
	if path == "" {
		return t
	}
	at := pos(m.value["path"])
	if m.r.files == nil {
		m.r.fail(at, "a pipeline may not read files here: Options.Files says where they are")
		return t
	}
	text, err := readValues(m.r.files, path)
	if err != nil {
		m.r.fail(at, "%v", err)
		return t
	}
	var values []string
	switch format {
	case "plaintext":
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" {
				values = append(values, line)
			}
		}
	case "csv":
		values, err = csvColumn(text, column, header)
	default:
		values, err = pathOf(text, expression)
	}
	if err != nil {
		m.r.fail(m.self, "%s: %s: %v", m.what, path, err)
		return t
	}
	t.values = slices.DeleteFunc(values, func(v string) bool { return keep != nil && !keep.MatchString(v) })
	if len(t.values) == 0 {
		m.r.fail(at, "%s gives no values", path)
	}
	return t
}

func readValues(files fs.FS, path string) ([]byte, error) {
	if !fs.ValidPath(path) {
		return nil, fmt.Errorf("path %q is not one within the folder of values: no leading slash, no dots", path)
	}
	f, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxValues+1))
	if err == nil && len(text) > maxValues {
		err = errors.New("has more than 10 MiB")
	}
	return text, err
}

// csvColumn gives a column by its name in the header, or by its place from 0.
func csvColumn(text []byte, column string, header bool) ([]string, error) {
	if column == "" {
		return nil, errors.New(`format csv needs "csv_column"`)
	}
	r := csv.NewReader(bufio.NewReader(bytes.NewReader(text)))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	at, err := strconv.Atoi(column)
	if err != nil {
		if at = -1; header && len(rows) > 0 {
			at = slices.Index(rows[0], column)
		}
	}
	if at < 0 {
		return nil, fmt.Errorf("there is no column %q", column)
	}
	if header && len(rows) > 0 {
		rows = rows[1:]
	}
	var out []string
	for _, row := range rows {
		if at < len(row) && row[at] != "" {
			out = append(out, row[at])
		}
	}
	return out, nil
}

// jqStep is one step of the paths that are understood of jq: .name or [].
var jqStep = regexp.MustCompile(`\A(?:\.?\[\]|\.([A-Za-z_][A-Za-z0-9_]*))`)

// pathOf gives the values at a path such as .items[].name in JSON or YAML.
func pathOf(text []byte, path string) ([]string, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil { // JSON is YAML
		return nil, err
	}
	if path == "" {
		return nil, errors.New(`formats json and yaml need "jq_expression"`)
	}
	nodes := root.Content
	for rest := path; rest != "" && rest != "."; {
		found := jqStep.FindStringSubmatch(rest)
		if found == nil {
			return nil, fmt.Errorf("jq_expression %q: only paths such as .items[].name are understood", path)
		}
		rest = rest[len(found[0]):]
		var next []*yaml.Node
		for _, n := range nodes {
			switch {
			case found[1] == "" && n.Kind == yaml.SequenceNode:
				next = append(next, n.Content...)
			case found[1] != "" && n.Kind == yaml.MappingNode:
				for i := 0; i+1 < len(n.Content); i += 2 {
					if n.Content[i].Value == found[1] {
						next = append(next, n.Content[i+1])
					}
				}
			default:
				return nil, fmt.Errorf("jq_expression %q finds %s where %s asks for more", path, describe(n), found[0])
			}
		}
		nodes = next
	}
	var out []string
	for _, n := range nodes {
		switch {
		case isNull(n):
		case n.Kind != yaml.ScalarNode:
			return nil, fmt.Errorf("jq_expression %q finds %s: expected texts or numbers", path, describe(n))
		default:
			out = append(out, n.Value)
		}
	}
	return out, nil
}
