package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"strconv"

	"golang.org/x/image/vector"
)

// dots is how many points of a PNG a unit of a picture is, each way: screens have
// about so many.
const dots = 2

// PNG is the picture as PNG.
func (p *Picture) PNG() ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, int(math.Ceil(p.width*dots)), int(math.Ceil(p.height*dots))))
	draw.Draw(img, img.Bounds(), image.NewUniform(rgb(p.colour.paper)), image.Point{}, draw.Src)
	for i := range p.marks {
		p.marks[i].draw(img)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("write a picture: %w", err)
	}
	return b.Bytes(), nil
}

func (m *mark) draw(img *image.RGBA) {
	c := rgb(m.colour)
	switch m.kind {
	case rectangle:
		at := image.Rect(whole(m.x), whole(m.y), max(whole(m.x+m.w), whole(m.x)+1), max(whole(m.y+m.h), whole(m.y)+1))
		draw.Draw(img, at, image.NewUniform(c), image.Point{}, draw.Over)
	case circle:
		var around []point
		for i := range 48 {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / 48)
			around = append(around, point{m.x + m.radius*cos, m.y + m.radius*sin})
		}
		fill(img, c, around)
	case line:
		for i := 1; i < len(m.points); i++ {
			m.stretch(img, c, m.points[i-1], m.points[i])
		}
	case label:
		with(m.size*dots, m.bold, func(p *pen) {
			x := m.x * dots
			switch m.anchor {
			case "middle":
				x -= p.width(m.text) / 2
			case "end":
				x -= p.width(m.text)
			}
			p.write(img, x, m.y*dots, c, m.text)
		})
	}
}

func whole(x float64) int { return int(math.Round(x * dots)) }

// stretch draws one stretch of a line, in pieces where it is dashed.
func (m *mark) stretch(img *image.RGBA, c color.Color, from, to point) {
	dx, dy := to.x-from.x, to.y-from.y
	long := math.Hypot(dx, dy)
	if long == 0 {
		return
	}
	dx, dy = dx/long, dy/long
	on, off := long, 0.0
	if m.dashed {
		on, off = 5, 4
	}
	nx, ny := -dy*m.stroke/2, dx*m.stroke/2
	for at := 0.0; at < long; at += on + off {
		end := min(at+on, long)
		a, b := point{from.x + dx*at, from.y + dy*at}, point{from.x + dx*end, from.y + dy*end}
		fill(img, c, []point{{a.x + nx, a.y + ny}, {b.x + nx, b.y + ny}, {b.x - nx, b.y - ny}, {a.x - nx, a.y - ny}})
	}
}

// fill draws an area with smooth edges.
func fill(img *image.RGBA, c color.Color, around []point) {
	var b image.Rectangle // all that it may touch
	for _, q := range around {
		x, y := int(math.Floor(q.x*dots)), int(math.Floor(q.y*dots))
		b = b.Union(image.Rect(x-1, y-1, x+2, y+2))
	}
	z := vector.NewRasterizer(b.Dx(), b.Dy())
	for i, q := range around {
		x, y := float32(q.x*dots-float64(b.Min.X)), float32(q.y*dots-float64(b.Min.Y))
		if i == 0 {
			z.MoveTo(x, y)
		} else {
			z.LineTo(x, y)
		}
	}
	z.ClosePath()
	z.Draw(img, b, image.NewUniform(c), image.Point{})
}

// rgb reads a colour of a palette.
func rgb(s string) color.RGBA {
	n, _ := strconv.ParseUint(s[1:], 16, 32) // of our own palettes
	return color.RGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 0xff}
}
