package picture

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
)

// fonts are those that an SVG asks for; any will do.
const fonts = "system-ui, 'Noto Sans', 'Noto Sans JP', 'Hiragino Sans', 'Yu Gothic UI', sans-serif"

// SVG is the picture as SVG 1.1, with nothing in it that loads or runs something.
func (p *Picture) SVG() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" role="img" font-family="%s">`+"\n",
		number(p.width), number(p.height), number(p.width), number(p.height), fonts)
	fmt.Fprintf(&b, "<title>%s</title>\n", escaped(p.title))
	fmt.Fprintf(&b, `<rect width="%s" height="%s" fill="%s"/>`+"\n", number(p.width), number(p.height), p.colour.paper)
	for i := range p.marks {
		p.marks[i].svg(&b)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (m *mark) svg(b *bytes.Buffer) {
	switch m.kind {
	case rectangle:
		fmt.Fprintf(b, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s"`, number(m.x), number(m.y), number(m.w), number(m.h), m.colour)
		m.close(b, "rect", m.hint)
	case circle:
		fmt.Fprintf(b, `<circle cx="%s" cy="%s" r="%s" fill="%s"`, number(m.x), number(m.y), number(m.radius), m.colour)
		m.close(b, "circle", m.hint)
	case line:
		var at []string
		for _, q := range m.points {
			at = append(at, number(q.x)+","+number(q.y))
		}
		dash := ""
		if m.dashed {
			dash = ` stroke-dasharray="5 4"`
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="%s"%s/>`+"\n", strings.Join(at, " "), m.colour, number(m.stroke), dash)
	case label:
		bold := ""
		if m.bold {
			bold = ` font-weight="600"`
		}
		fmt.Fprintf(b, `<text x="%s" y="%s" font-size="%s" fill="%s" text-anchor="%s"%s>%s`, number(m.x), number(m.y), number(m.size), m.colour, m.anchor, bold, escaped(m.text))
		if m.full != m.text {
			fmt.Fprintf(b, "<title>%s</title>", escaped(m.full))
		}
		b.WriteString("</text>\n")
	}
}

// close ends an element, with what is told of it.
func (m *mark) close(b *bytes.Buffer, name, hint string) {
	if hint == "" {
		b.WriteString("/>\n")
		return
	}
	fmt.Fprintf(b, "><title>%s</title></%s>\n", escaped(hint), name)
}

// number is a length with at most two decimals.
func number(x float64) string {
	s := strconv.FormatFloat(x, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func escaped(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer takes everything
	return b.String()
}
