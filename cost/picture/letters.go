package picture

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"
	"sync"

	"github.com/hajimehoshi/bitmapfont/v3"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// typeface has the letters of Latin, Greek and Cyrillic script in two weights. What
// it has not comes from a bitmap font, which has those of Japanese and many more.
var typeface = sync.OnceValue(func() [2]*sfnt.Font {
	var out [2]*sfnt.Font
	for i, ttf := range [][]byte{goregular.TTF, gobold.TTF} {
		f, err := opentype.Parse(ttf)
		if err != nil {
			panic(fmt.Sprintf("the Go fonts: %v", err)) // they are part of the program
		}
		out[i] = f
	}
	return out
})

// bitmapSize is how large the letters of the bitmap font are.
const bitmapSize = 12

// pen writes letters of a size.
type pen struct {
	face  font.Face
	of    *sfnt.Font
	buf   sfnt.Buffer
	times int // how large bitmaps are drawn
	wide  map[rune]float64
}

func newPen(size float64, bold bool) *pen {
	p := &pen{of: typeface()[0], times: max(1, int(size/bitmapSize+0.4)), wide: map[rune]float64{}}
	if bold {
		p.of = typeface()[1]
	}
	face, err := opentype.NewFace(p.of, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		panic(fmt.Sprintf("the Go fonts: %v", err)) // as above
	}
	p.face = face
	return p
}

// has tells whether the typeface has a letter.
func (p *pen) has(r rune) bool {
	i, err := p.of.GlyphIndex(&p.buf, r)
	return err == nil && i != 0
}

// advance is how wide a letter is.
func (p *pen) advance(r rune) float64 {
	w, known := p.wide[r]
	if !known {
		w = p.measured(r)
		p.wide[r] = w
	}
	return w
}

func (p *pen) measured(r rune) float64 {
	if p.has(r) {
		if a, ok := p.face.GlyphAdvance(r); ok {
			return float64(a) / 64
		}
	}
	a, ok := bitmapfont.Face.GlyphAdvance(r)
	if !ok {
		a = fixed.I(bitmapSize)
	}
	return float64(a) / 64 * float64(p.times)
}

// write writes text from x on, at a baseline.
func (p *pen) write(dst draw.Image, x, y float64, c color.Color, text string) {
	src := image.NewUniform(c)
	for _, r := range text {
		if p.has(r) {
			dot := fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(y * 64)}
			if where, mask, at, _, ok := p.face.Glyph(dot, r); ok {
				draw.DrawMask(dst, where, src, image.Point{}, mask, at, draw.Over)
			}
		} else {
			p.bitmap(dst, int(x), int(y), c, r)
		}
		x += p.advance(r)
	}
}

// bitmap draws a letter of the bitmap font, each of its points so many large.
func (p *pen) bitmap(dst draw.Image, x, y int, c color.Color, r rune) {
	where, mask, at, _, ok := bitmapfont.Face.Glyph(fixed.Point26_6{}, r)
	if !ok {
		where, mask, at, _, ok = bitmapfont.Face.Glyph(fixed.Point26_6{}, '\uFFFD')
	}
	if !ok {
		return
	}
	src := image.NewUniform(c)
	for j := range where.Dy() {
		for i := range where.Dx() {
			if _, _, _, a := mask.At(at.X+i, at.Y+j).RGBA(); a == 0 {
				continue
			}
			px, py := x+(where.Min.X+i)*p.times, y+(where.Min.Y+j)*p.times
			draw.Draw(dst, image.Rect(px, py, px+p.times, py+p.times), src, image.Point{}, draw.Over)
		}
	}
}

// pens are those that were used, by size and weight.
var pens sync.Map

type penOf struct {
	size float64
	bold bool
}

// with lends out a pen, which is for one at a time.
func with(size float64, bold bool, use func(*pen)) {
	pool, _ := pens.LoadOrStore(penOf{size, bold}, &sync.Pool{New: func() any { return newPen(size, bold) }})
	p := pool.(*sync.Pool).Get().(*pen)
	defer pool.(*sync.Pool).Put(p)
	use(p)
}

// width is how wide a text is, in the units of a picture.
func width(text string, size float64, bold bool) (w float64) {
	with(size, bold, func(p *pen) { w = p.width(text) })
	return w
}

func (p *pen) width(text string) (w float64) {
	for _, r := range text {
		w += p.advance(r)
	}
	return w
}

// cut gives as much of a text as fits, with an ellipsis where that is not all.
func cut(text string, size float64, bold bool, most float64) (out string) {
	with(size, bold, func(p *pen) {
		if p.width(text) <= most {
			out = text
			return
		}
		w, end := p.advance('…'), 0
		for i, r := range text {
			if w += p.advance(r); w > most {
				break
			}
			end = i + len(string(r))
		}
		if end > 0 {
			out = strings.TrimRight(text[:end], " ") + "…"
		}
	})
	return out
}

// wrap breaks a text into rows, between words where there are any.
func wrap(text string, size, most float64) (rows []string) {
	letters := []rune(text)
	with(size, false, func(p *pen) {
		for len(letters) > 0 {
			n, broken, w := 0, 0, 0.0
			for n < len(letters) {
				if w += p.advance(letters[n]); w > most {
					break
				}
				n++
				if letters[n-1] == ' ' || letters[n-1] >= 0x2E80 { // after a letter of Japanese too
					broken = n
				}
			}
			if n < len(letters) && broken > 0 {
				n = broken
			}
			n = max(n, 1)
			rows = append(rows, strings.TrimSpace(string(letters[:n])))
			letters = letters[n:]
		}
	})
	return rows
}
