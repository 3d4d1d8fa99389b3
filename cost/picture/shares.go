package picture

import (
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/say"
)

// share is a part of a whole in percent.
func share(part, whole decimal.Decimal) string {
	if !whole.IsPositive() {
		return ""
	}
	return part.Mul(decimal.NewFromInt(100)).Div(whole).StringFixed(1) + " %"
}

// Draw lays the picture out: a bar a service, its amount, its share of all security
// services, and how it came there.
func (s Shares) Draw(l Look) *Picture {
	currency := plain(s.Currency)
	below := say.T("picture.shares.below", say.Values{"amount": say.Money(s.Security, currency)})
	if s.Total != nil {
		below = say.T("picture.shares.of", say.Values{"amount": say.Money(s.Security, currency), "total": say.Money(*s.Total, currency), "share": share(s.Security, *s.Total)})
	}
	title := say.T("picture.shares", say.Values{"month": s.Month.UTC().Format("2006-01")})
	if s.Month.IsZero() { // there is no bill
		title, below = say.T("picture.shares.none", nil), say.Text{}
	}
	p, y := begin(l, 960, l.said(title), l.said(below))
	c := p.colour
	rows := s.rows(l)
	most := decimal.Zero
	for _, r := range rows {
		most = decimal.Max(most, r.Amount)
	}
	const names, bar, bars, amounts, trend, each = 250.0, margin + 250 + 12, 330.0, 700.0, 850.0, 30.0
	if len(rows) == 0 {
		p.text(margin, y+20, 13, c.faint, "start", false, l.said(say.T("picture.nothing", nil)), 0)
		y += each
	}
	for _, r := range rows {
		p.text(margin+names, y+19, 13, c.ink, "end", false, r.Name, names)
		part := share(r.Amount, s.Security)
		p.rect(bar, y+7, bars*ratio(r.Amount, most), 16, c.neutral, r.Name+": "+say.Money(r.Amount, currency)+" "+part)
		p.text(amounts, y+19, 13, c.ink, "end", false, say.Amount(r.Amount, s.Currency), 0)
		p.text(amounts+70, y+19, 12, c.faint, "end", false, part, 0)
		p.trend(r.Trend, trend-50, y+5, 110, 20)
		y += each
	}
	p.line(c.grid, 1, false, point{bar, 76}, point{bar, y})
	return p.notes(l, y+6, s.Notes)
}

// rows are those that are drawn, the rest together in the last.
func (s Shares) rows(l Look) (out []Share) {
	for _, r := range s.Rows {
		r.Name = l.name(r.Name)
		out = append(out, r)
	}
	if len(out) <= mostRows {
		return out
	}
	rest := Share{Name: l.said(say.T("picture.others", say.Values{"n": len(out) - mostRows + 1}))}
	for _, r := range out[mostRows-1:] {
		rest.Amount = rest.Amount.Add(r.Amount)
	}
	return append(out[:mostRows-1], rest)
}

// ratio is a part of a whole, 0 where it is below nothing.
func ratio(part, whole decimal.Decimal) float64 {
	if !whole.IsPositive() || !part.IsPositive() {
		return 0
	}
	return part.Div(whole).InexactFloat64()
}

// trend draws amounts as a line from left to right, the last one as a point.
func (p *Picture) trend(all []decimal.Decimal, x, y, w, h float64) {
	if len(all) < 2 {
		return
	}
	most := decimal.Zero
	for _, a := range all {
		most = decimal.Max(most, a)
	}
	var points []point
	for i, a := range all {
		points = append(points, point{x + w*float64(i)/float64(len(all)-1), y + h - h*ratio(a, most)})
	}
	p.line(p.colour.faint, 1.5, false, points...)
	last := points[len(points)-1]
	p.circle(last.x, last.y, 3, p.colour.neutral, "")
}

// count is a number with its thousands parted.
func count(n int64) string { return say.Grouped(strconv.FormatInt(n, 10)) }
