package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/finding"
)

// csvHead names the columns, which are those of `findings list --format csv` and
// more behind them.
var csvHead = []string{
	"key", "kind", "title", "severity", "priority", "confidence", "status", "verdict", "cause", "actor", "resource", "account", "region",
	"first_seen", "last_seen", "count", "rule", "reason", "verdict_reason", "assignee", "account_name", "environment", "owner",
	"product", "attack", "explained_by", "case", "comment",
}

type csvWriter struct{ w *csv.Writer }

func newCSV(w io.Writer) (*csvWriter, error) {
	c := &csvWriter{csv.NewWriter(w)}
	return c, c.w.Write(csvHead)
}

func (c *csvWriter) add(f *finding.Finding) (bool, error) {
	var attack []string
	for _, a := range f.Attack {
		attack = append(attack, a.ID)
	}
	explained, product := "", finding.Ours
	if len(f.Explained) > 0 {
		explained = f.Explained[0].Text.String()
	}
	if f.External != nil {
		product = f.External.Product
	}
	d, _ := remark(f)
	row := []string{
		f.Key, string(f.Kind), f.Title, string(f.Severity), strconv.Itoa(f.Priority), fmt.Sprint(f.Confidence), string(f.Status), string(f.Verdict),
		string(f.Cause), f.Actor, f.Resource, f.Account, f.Region, when(f.FirstSeen), when(f.LastSeen), strconv.FormatInt(f.Count, 10), f.Rule,
		sentence(f), f.Reason, f.Assignee, f.AccountName, f.Environment, f.Owner, product, strings.Join(attack, " "), explained, f.Case, d.Comment,
	}
	for i := range row {
		row[i] = Cell(row[i])
	}
	return true, c.w.Write(row)
}

func (c *csvWriter) end() error {
	c.w.Flush()
	return c.w.Error()
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// Cell makes of s what no spreadsheet takes for a formula (OWASP, "CSV
// injection"): an apostrophe goes in front of what would start one, in whatever
// width it is written; also within a text, behind what separates cells or lines
// for a spreadsheet that reads the file in another way than it was written, as
// many do where the comma is the decimal sign. A number is no formula, also where
// it is negative. What is invisible, or turns the direction of writing, becomes an
// escape.
func Cell(s string) string {
	if strings.ContainsFunc(s, invisible) {
		var b strings.Builder
		for _, r := range s {
			if invisible(r) {
				fmt.Fprintf(&b, `\u%04x`, r)
				continue
			}
			b.WriteRune(r)
		}
		s = b.String()
	}
	s = inside.ReplaceAllString(s, "$1'$2")
	first, _ := utf8.DecodeRuneInString(s)
	if s == "" || !strings.ContainsRune("=+-@＝＋－＠\t\n", first) {
		return s
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return s
	}
	return "'" + s
}

var inside = regexp.MustCompile("([;\t\n])([-=+@＝＋－＠])")

func invisible(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar)
}
