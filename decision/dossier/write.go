package dossier

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
)

// Inline gives the address of a picture that stands in the text itself.
func Inline(p *Picture) string {
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(p.SVG)
}

// File gives the address of a picture that lies beside the text.
func File(p *Picture) string { return p.Name }

// Markdown is the dossier as Markdown, with pictures at the addresses that at gives:
// File or Inline. Words of people and names stand in it as words, whatever is in
// them.
func (d *Dossier) Markdown(at func(*Picture) string) []byte {
	title, below, sections := d.content()
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n%s\n", words(title), words(below))
	for _, s := range sections {
		fmt.Fprintf(&b, "\n## %s\n", words(s.Heading))
		for i := range s.Blocks {
			b.WriteString("\n")
			s.Blocks[i].markdown(&b, at)
		}
	}
	return b.Bytes()
}

func (x *block) markdown(b *bytes.Buffer, at func(*Picture) string) {
	switch {
	case x.Text != "":
		fmt.Fprintf(b, "%s\n", words(x.Text))
	case x.Quote != "":
		for line := range strings.SplitSeq(x.Quote, "\n") {
			fmt.Fprintf(b, "> %s\n", words(line))
		}
	case x.Picture != nil:
		fmt.Fprintf(b, "![%s](%s)\n", words(x.Picture.Title), at(x.Picture))
	case len(x.Rows) > 0:
		row := func(cells []string) {
			for _, c := range cells {
				fmt.Fprintf(b, "| %s ", words(c))
			}
			b.WriteString("|\n")
		}
		row(x.Head)
		b.WriteString(strings.Repeat("| --- ", len(x.Head)) + "|\n")
		for _, cells := range x.Rows {
			row(cells)
		}
	default:
		for _, i := range x.List {
			if i.Link != "" {
				fmt.Fprintf(b, "- %s: <%s>\n", words(i.Text), address(i.Link))
				continue
			}
			fmt.Fprintf(b, "- %s\n", words(i.Text))
		}
	}
}

// marks are letters that mean something in Markdown.
const marks = "\\`*_[]<>#|&~!"

// words are words in one line of Markdown, and nothing else.
func words(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(s), " ") {
		if strings.ContainsRune(marks, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	out := b.String()
	// What would begin a list or a heading by its place.
	if out != "" && strings.ContainsRune("+-=", rune(out[0])) {
		out = "\\" + out
	}
	if n := strings.IndexFunc(out, func(r rune) bool { return r < '0' || r > '9' }); n > 0 && (out[n] == '.' || out[n] == ')') && (n+1 == len(out) || out[n+1] == ' ') {
		out = out[:n] + "\\" + out[n:]
	}
	return out
}

// address is an address of the web, or words where it is none.
func address(s string) string {
	if !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") {
		return words(s)
	}
	return strings.NewReplacer("<", "%3C", ">", "%3E", " ", "%20", "\n", "", "\r", "").Replace(s)
}

// page is the dossier in HTML. Nothing in it is loaded or run.
var page = template.Must(template.New("dossier").Funcs(template.FuncMap{
	"svg":   func(p *Picture) template.HTML { return template.HTML(p.SVG) }, // of ours: see Picture
	"lines": func(s string) []string { return strings.Split(s, "\n") },
	"web":   func(s string) bool { return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") },
}).Parse(`<!doctype html>
<html lang="{{.Language}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<style>
body { font: 15px/1.6 system-ui, "Noto Sans JP", "Hiragino Sans", "Yu Gothic UI", sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2530; background: #fff; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.3; } h2 { font-size: 1.15rem; margin-top: 2rem; border-bottom: 1px solid #dfe4ea; }
blockquote { margin: .5rem 0; padding: .25rem 1rem; border-left: 3px solid #b8c2cc; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #dfe4ea; vertical-align: top; }
figure { margin: 1rem 0; } svg { max-width: 100%; height: auto; }
.below { color: #5a6675; }
</style>
</head>
<body>
<h1>{{.Title}}</h1>
<p class="below">{{.Below}}</p>
{{range .Sections}}<h2>{{.Heading}}</h2>
{{range .Blocks}}{{if .Text}}<p>{{.Text}}</p>
{{else if .Quote}}<blockquote>{{range $i, $l := lines .Quote}}{{if $i}}<br>{{end}}{{$l}}{{end}}</blockquote>
{{else if .Picture}}<figure>{{svg .Picture}}</figure>
{{else if .Rows}}<table><thead><tr>{{range .Head}}<th>{{.}}</th>{{end}}</tr></thead><tbody>
{{range .Rows}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>
{{end}}</tbody></table>
{{else}}<ul>
{{range .List}}<li>{{.Text}}{{if .Link}}: {{if web .Link}}<a href="{{.Link}}">{{.Link}}</a>{{else}}{{.Link}}{{end}}{{end}}</li>
{{end}}</ul>
{{end}}{{end}}{{end}}</body>
</html>
`))

// HTML is the dossier as one page.
func (d *Dossier) HTML() ([]byte, error) {
	title, below, sections := d.content()
	var b bytes.Buffer
	err := page.Execute(&b, struct {
		Language, Title, Below string
		Sections               []section
	}{string(d.Language), title, below, sections})
	if err != nil {
		return nil, fmt.Errorf("write a dossier: %w", err)
	}
	return b.Bytes(), nil
}
