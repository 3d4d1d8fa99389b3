package picture

import (
	"math"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/say"
)

// The ends of the axis of a break-even picture, in items a changed resource and
// day; what lies beyond stands at the end, with an arrow.
const (
	axisLow, axisHigh = 0.5, 1000.0
)

// Draw lays the picture out: a row a resource type, a point at its items per
// changed resource and day, and the line above which daily recording is cheaper.
func (x BreakEven) Draw(l Look) *Picture {
	p, y := begin(l, 960, l.said(say.T("picture.breakeven", nil)), l.said(say.T("picture.breakeven.below", say.Values{"at": x.At})))
	c := p.colour
	const names, left, right, each = 330.0, margin + 330 + 20, 770.0, 28.0
	top := y + 22
	place := func(r float64) float64 {
		r = min(max(r, axisLow), axisHigh)
		return left + (right-left)*math.Log(r/axisLow)/math.Log(axisHigh/axisLow)
	}
	points := x.Points[:min(len(x.Points), mostPoints)]
	floor := top + each*float64(max(len(points), 1)) + 4
	for _, r := range []float64{1, 10, 100, 1000} {
		p.line(c.grid, 1, false, point{place(r), top}, point{place(r), floor})
		p.text(place(r), top-6, 12, c.faint, "middle", false, count(int64(r)), 0)
	}
	p.line(c.bad, 1.5, true, point{place(x.At), top}, point{place(x.At), floor})
	p.text(place(x.At), top-6, 12, c.bad, "middle", true, strconv.FormatFloat(x.At, 'f', -1, 64), 0)
	p.text(p.width-margin, top-6, 12, c.faint, "end", false, l.said(say.T("picture.breakeven.saving", nil)), 0)
	if len(points) == 0 {
		p.text(margin, top+20, 13, c.faint, "start", false, l.said(say.T("picture.nothing", nil)), 0)
	}
	most := decimal.Zero
	for _, q := range points {
		most = decimal.Max(most, q.Saving)
	}
	for i, q := range points {
		x.row(p, l, q, top+each*float64(i)+each/2, place, names, ratio(q.Saving, most))
	}
	notes := x.Notes
	if slices.ContainsFunc(points, func(q Point) bool { return q.Against }) {
		notes = append([]say.Text{say.T("picture.breakeven.against", nil)}, notes...)
	}
	if more := len(x.Points) - len(points); more > 0 {
		notes = append([]say.Text{say.T("picture.breakeven.more", say.Values{"n": more})}, notes...)
	}
	return p.notes(l, floor+10, notes)
}

// row draws one type at a height.
func (x BreakEven) row(p *Picture, l Look, q Point, y float64, place func(float64) float64, names, size float64) {
	c := p.colour
	name := l.name(q.Name)
	if q.Account != "" {
		name += "  " + l.name(q.Account)
	}
	p.text(margin+names, y+4, 12, c.ink, "end", false, name, names)
	ratio := math.Inf(1) // nothing differed at a day's end: daily recording makes no items
	if q.ResourceDays > 0 {
		ratio = float64(q.Items) / float64(q.ResourceDays)
	}
	colour, saving := c.neutral, say.Saving(q.Saving, plain(q.Currency))
	switch {
	case q.Cannot:
		colour, saving = c.faint, l.said(say.T("picture.breakeven.cannot", nil))
	case q.Against:
		colour = c.against
	case q.Saving.IsPositive():
		colour = c.good
	case q.Saving.IsNegative():
		colour = c.bad
	}
	p.line(c.grid, 1, false, point{place(axisLow), y}, point{place(axisHigh), y})
	at := place(ratio)
	told := strconv.FormatFloat(ratio, 'f', 2, 64)
	switch {
	case math.IsInf(ratio, 1):
		told = "∞"
	case ratio >= 100:
		told = count(int64(math.Round(ratio)))
	}
	p.circle(at, y, 4+7*math.Sqrt(size), colour, name+": "+told+", "+saving)
	switch {
	case ratio > axisHigh:
		p.text(at+16, y+4, 12, c.faint, "start", false, "→ "+told, 0)
	case ratio < axisLow:
		p.text(at+16, y+4, 12, c.faint, "start", false, "← "+told, 0)
	default:
		p.text(at+16, y+4, 11, c.faint, "start", false, told, 0)
	}
	p.text(p.width-margin, y+4, 12, c.ink, "end", q.Saving.IsPositive() && !q.Cannot && !q.Against, saving, 0)
}
