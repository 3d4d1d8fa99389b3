package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/cost/picture"
	sentences "github.com/yagura-sec/yagura/say" // a test of this package has another say
)

// pictureFlags say into which file something is drawn, and how it is to look.
type pictureFlags struct {
	file, language string
	dark           bool
	masked         bool // as tables are: the command's own flag
}

func (f *pictureFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.file, "picture", "", "draw it into this file, .svg or .png, in place of the table")
	c.Flags().StringVar(&f.language, "picture-language", "en", "with --picture: en or ja")
	c.Flags().BoolVar(&f.dark, "picture-dark", false, "with --picture: for a dark page")
}

// drawer is what can be drawn.
type drawer interface {
	Draw(picture.Look) *picture.Picture
}

// draws tells whether something is to be drawn, and what is wrong with how.
func (f *pictureFlags) draws() (bool, error) {
	switch {
	case f.file == "":
		return false, nil
	case !slices.Contains([]string{".svg", ".png"}, strings.ToLower(filepath.Ext(f.file))):
		return false, wrong("--picture %s: a name that ends in .svg or .png is needed", f.file)
	case !slices.Contains(sentences.Languages, sentences.Language(f.language)):
		return false, wrong("--picture-language %s: en or ja", f.language)
	}
	return true, nil
}

// drawInto draws x into the file.
func (p *program) drawInto(f pictureFlags, x drawer) error {
	look := picture.Look{Dark: f.dark, Language: sentences.Language(f.language)}
	if f.masked {
		m, err := p.masker()
		if err != nil {
			return err
		}
		look.Mask = m.Text
	}
	drawn := x.Draw(look)
	text := drawn.SVG()
	if strings.EqualFold(filepath.Ext(f.file), ".png") {
		var err error
		if text, err = drawn.PNG(); err != nil {
			return err
		}
	}
	if err := os.WriteFile(f.file, text, 0o600); err != nil {
		return err
	}
	p.warn("wrote %s", f.file)
	return nil
}
