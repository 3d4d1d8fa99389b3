// Package picture draws what is told of cost, as SVG and as PNG: what security
// services cost, ranked; what changes an account a day; and how far each resource
// type is from the point at which daily recording is cheaper than continuous.
//
// It draws what it is given and works nothing out. A picture is self-contained: an
// SVG of ours names no font that it needs, loads nothing and runs nothing, and a PNG
// has its letters drawn. Names are drawn as text and nothing else, whatever is in
// them; with a Mask no name is drawn that the mask does not give.
package picture

import (
	"strings"
	"time"
	"unicode"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/say"
)

// Look is how a picture is to look.
type Look struct {
	Dark     bool         // for a dark page
	Language say.Language // of its words; empty: English
	// Mask gives what stands in the place of a name; nil: the name.
	Mask func(string) string
}

// name is a name as it is drawn: one line, without what would change the direction
// or the look of the rest.
func (l Look) name(s string) string {
	if l.Mask != nil {
		s = l.Mask(s)
	}
	return plain(s)
}

// said is a sentence as it is drawn, whose names were masked before.
func (l Look) said(t say.Text) string {
	return plain(t.In(l.Language))
}

// longest is how many letters of a name or sentence are drawn at most.
const longest = 600

// plain replaces what is no letter, sign or space.
func plain(s string) string {
	if n := 4 * longest; len(s) > n {
		s = s[:n]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), r == unicode.ReplacementChar:
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if letters := []rune(s); len(letters) > longest {
		s = string(letters[:longest]) + "…"
	}
	return strings.TrimSpace(s)
}

// Shares is what security services cost in a month, what costs most first.
type Shares struct {
	Month    time.Time // its first day, UTC
	Currency string
	Security decimal.Decimal // of all security services
	// Total is the whole bill without tax, credit and refund; nil: not to be told.
	Total *decimal.Decimal
	Rows  []Share
	Notes []say.Text // what is missing, or else to be said
}

// Share is what one service costs.
type Share struct {
	Name   string
	Amount decimal.Decimal
	// Trend are the amounts of the months up to this one, the earliest first; of
	// fewer than two none is drawn.
	Trend []decimal.Decimal
}

// Changes is how much an account changes a day.
type Changes struct {
	Account string
	Days    []time.Time // in order
	Series  []Series    // what counts most first
	Notes   []say.Text  // who makes them, what runs in circles
}

// Series is one operation, or maker, over the days of Changes.
type Series struct {
	Name   string
	Counts []int64 // one a day; -1: not known
}

// BreakEven is how many configuration items a changed resource makes on a day,
// against how many times dearer a daily item is.
type BreakEven struct {
	At     float64 // the ratio above which daily recording is cheaper
	Points []Point // what saves most first
	Notes  []say.Text
}

// Point is one resource type in one account.
type Point struct {
	Name         string // the resource type
	Account      string
	Items        int64
	ResourceDays int64           // 0: nothing differed at any day's end
	Saving       decimal.Decimal // a month; below zero: daily is dearer
	Currency     string
	Cannot       bool // the provider does not offer daily recording of it
	Against      bool // it is possible, and a reason is against it
}

// Most is how many rows, operations or types a picture names; the rest is drawn
// together or counted.
const (
	mostRows   = 14
	mostSeries = 7
	mostPoints = 24
)

// Picture is one that was laid out.
type Picture struct {
	title  string
	width  float64
	height float64
	colour palette
	marks  []mark
}

// Title is what the picture is of, in the words that stand above it.
func (p *Picture) Title() string { return p.title }

// palette is the colours of a look.
type palette struct {
	paper, ink, faint, grid string
	good, bad, neutral      string
	against                 string   // possible, and not advised
	series                  []string // told apart by people who see colours otherwise too
}

var (
	light = palette{
		paper: "#ffffff", ink: "#1c2530", faint: "#5a6675", grid: "#dfe4ea", good: "#1a7f5a", bad: "#b5402a", neutral: "#2f6db3", against: "#d98e04",
		series: []string{"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a7a00", "#8c96a3"},
	}
	dark = palette{
		paper: "#161b22", ink: "#e8edf3", faint: "#a3afbd", grid: "#303844", good: "#4cc38a", bad: "#ff8b73", neutral: "#6fb1f2", against: "#f0b429",
		series: []string{"#4ea8de", "#f0b429", "#35c29a", "#e29bc4", "#9bd3f5", "#ff8a4c", "#d0c24a", "#7d8896"},
	}
)

func (l Look) palette() palette {
	if l.Dark {
		return dark
	}
	return light
}

// mark is something that is drawn.
type mark struct {
	kind       markKind
	x, y       float64 // of text: where it begins, ends or is centred, and its baseline
	w, h       float64 // of a rectangle
	points     []point // of lines and areas
	radius     float64
	stroke     float64 // width of a line
	colour     string
	text, full string // full: before it was cut to fit
	size       float64
	bold       bool
	anchor     string // start, middle, end
	dashed     bool
	hint       string // what is told of it to who points at it
}

type point struct{ x, y float64 }

type markKind byte

const (
	rectangle markKind = iota
	line
	circle
	label
)

func (p *Picture) rect(x, y, w, h float64, colour, hint string) {
	if w > 0 && h > 0 {
		p.marks = append(p.marks, mark{kind: rectangle, x: x, y: y, w: w, h: h, colour: colour, hint: hint})
	}
}

func (p *Picture) line(colour string, stroke float64, dashed bool, points ...point) {
	p.marks = append(p.marks, mark{kind: line, points: points, colour: colour, stroke: stroke, dashed: dashed})
}

func (p *Picture) circle(x, y, radius float64, colour, hint string) {
	p.marks = append(p.marks, mark{kind: circle, x: x, y: y, radius: radius, colour: colour, hint: hint})
}

// text writes text that may be most wide; 0: it is short.
func (p *Picture) text(x, y, size float64, colour, anchor string, bold bool, text string, most float64) {
	m := mark{kind: label, x: x, y: y, size: size, colour: colour, anchor: anchor, bold: bold, text: text, full: text}
	if most > 0 {
		m.text = cut(text, size, bold, most)
	}
	if m.text != "" {
		p.marks = append(p.marks, m)
	}
}

// begin lays out the title and what stands below it, and gives where the rest
// begins.
func begin(l Look, width float64, title, below string) (*Picture, float64) {
	c := l.palette()
	p := &Picture{title: title, width: width, colour: c}
	p.text(margin, 34, 18, c.ink, "start", true, title, width-2*margin)
	if below == "" {
		return p, 56
	}
	p.text(margin, 56, 13, c.faint, "start", false, below, width-2*margin)
	return p, 76
}

// margin is the room at the edges.
const margin = 24

// notes writes sentences from y on, and ends the picture.
func (p *Picture) notes(l Look, y float64, all []say.Text) *Picture {
	for _, t := range all {
		for _, row := range wrap(l.name(t.In(l.Language)), 12, p.width-2*margin) { // masked whole: it may name somebody
			p.text(margin, y+12, 12, p.colour.faint, "start", false, row, 0)
			y += 18
		}
	}
	p.height = y + margin/2
	return p
}
