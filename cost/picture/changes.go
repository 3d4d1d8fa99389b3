package picture

import (
	"math"
	"time"

	"github.com/yagura-sec/yagura/say"
)

// Draw lays the picture out: a column a day, stacked by name.
func (x Changes) Draw(l Look) *Picture {
	series := x.drawn(l)
	total, days := int64(0), make([]int64, len(x.Days))
	unknown := make([]bool, len(x.Days))
	for _, s := range series {
		for i := range x.Days {
			switch {
			case i >= len(s.Counts) || s.Counts[i] < 0:
				unknown[i] = true
			default:
				days[i] += s.Counts[i]
				total += s.Counts[i]
			}
		}
	}
	top := int64(0)
	for _, n := range days {
		top = max(top, n)
	}
	p, y := begin(l, 960, l.said(say.T("picture.changes", say.Values{"account": l.name(x.Account)})), l.said(say.T("picture.changes.below", say.Values{"n": count(total), "days": len(x.Days), "most": count(top)})))
	y = p.legend(series, y)
	c := p.colour
	const left, height = 84.0, 260.0
	right, floor := p.width-margin, y+height+10
	step := tick(float64(top))
	for at := 0.0; ; at += step {
		h := floor - height*at/max(step, math.Ceil(float64(top)/step)*step)
		p.line(c.grid, 1, false, point{left, h}, point{right, h})
		p.text(left-8, h+4, 12, c.faint, "end", false, count(int64(at)), 0)
		if at >= float64(top) {
			break
		}
	}
	scale := height / max(step, math.Ceil(float64(top)/step)*step)
	each := (right - left) / float64(max(len(x.Days), 1))
	every := int(math.Ceil(46 / each))
	for i, d := range x.Days {
		at, base := left+each*float64(i), floor
		for j, s := range series {
			if i >= len(s.Counts) || s.Counts[i] <= 0 {
				continue
			}
			h := scale * float64(s.Counts[i])
			base -= h
			p.rect(at+each*0.12, base, each*0.76, h, c.series[j%len(c.series)], d.UTC().Format(time.DateOnly)+" "+s.Name+": "+count(s.Counts[i]))
		}
		if unknown[i] {
			p.text(at+each/2, base-6, 13, c.bad, "middle", true, "?", 0)
		}
		if i%every == 0 {
			p.text(at+each/2, floor+18, 12, c.faint, "middle", false, d.UTC().Format("01-02"), 0)
		}
	}
	p.line(c.ink, 1, false, point{left, floor}, point{right, floor})
	notes := x.Notes
	for _, is := range unknown {
		if is {
			notes = append([]say.Text{say.T("picture.changes.unknown", nil)}, notes...)
			break
		}
	}
	return p.notes(l, floor+30, notes)
}

// drawn are the series that are told apart, the rest together in the last.
func (x Changes) drawn(l Look) (out []Series) {
	for i, s := range x.Series {
		if i < mostSeries {
			out = append(out, Series{l.name(s.Name), s.Counts})
			continue
		}
		if i == mostSeries {
			out = append(out, Series{l.said(say.T("picture.others", say.Values{"n": len(x.Series) - mostSeries})), make([]int64, len(x.Days))})
		}
		rest := &out[mostSeries]
		for j := range rest.Counts {
			switch {
			case j >= len(s.Counts) || s.Counts[j] < 0:
				rest.Counts[j] = -1 // a part of it is not known, so it is not
			case rest.Counts[j] >= 0:
				rest.Counts[j] += s.Counts[j]
			}
		}
	}
	return out
}

// legend writes which colour is which, and gives where the rest begins.
func (p *Picture) legend(series []Series, y float64) float64 {
	x := float64(margin)
	for i, s := range series {
		name := cut(s.Name, 12, false, 260)
		w := width(name, 12, false) + 34
		if x > margin && x+w > p.width-margin {
			x, y = margin, y+20
		}
		p.rect(x, y+2, 11, 11, p.colour.series[i%len(p.colour.series)], "")
		p.text(x+17, y+12, 12, p.colour.ink, "start", false, name, 0)
		x += w
	}
	return y + 22
}

// tick is a round step by which so much is told in about four.
func tick(top float64) float64 {
	if top <= 4 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(top/4)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if step := m * power; top/step <= 5 && step == math.Trunc(step) {
			return step
		}
	}
	return 10 * power
}
