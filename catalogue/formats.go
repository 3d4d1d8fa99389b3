package catalogue

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/yagura-sec/yagura/mappings"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/mapping"
)

// builtinMappings are the program's own; those that it ships hold, or its tests fail.
var builtinMappings = sync.OnceValues(func() ([]*mapping.Mapping, []*mapping.Error) {
	return mapping.Load(mappings.FS(), "builtin")
})

// Mappings are the program's and those of the user's folders or files. Every file
// that is refused is an error of its own.
func Mappings(paths []string) (*mapping.Set, []*mapping.Error) {
	ours, refused := builtinMappings()
	theirs, wrong := UserMappings(paths)
	return mapping.NewSet(ours, theirs), slices.Concat(refused, wrong)
}

// UserMappings are those of folders or files.
func UserMappings(paths []string) (all []*mapping.Mapping, refused []*mapping.Error) {
	for _, path := range paths {
		found, wrong := loadMappings(path)
		all, refused = append(all, found...), append(refused, wrong...)
	}
	return all, refused
}

func loadMappings(path string) ([]*mapping.Mapping, []*mapping.Error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, []*mapping.Error{{File: path, Line: 1, Col: 1, Reason: err.Error()}}
	}
	if info.IsDir() {
		return mapping.Load(os.DirFS(path), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, []*mapping.Error{{File: path, Line: 1, Col: 1, Reason: err.Error()}}
	}
	m, wrong := mapping.Parse(path, text)
	if wrong != nil {
		return nil, []*mapping.Error{wrong}
	}
	return []*mapping.Mapping{m}, nil
}

// FormatsWith are the formats that can be read, with those of the user's mappings.
func FormatsWith(paths []string) (normalise.Registry, []*mapping.Error) {
	set, refused := Mappings(paths)
	base := normalise.NewRegistry(normalisers()...)
	for _, c := range set.Clashes(base.Has) {
		refused = append(refused, &mapping.Error{File: c.Mapping, Line: 1, Col: 1,
			Reason: fmt.Sprintf("format %s is read by the program itself: choose another name, or say instead_of: [%s]", c.Format, c.Format)})
	}
	return normalise.NewRegistry(append(set.Formats(), normalisers()...)...).Mapped(set), refused
}

// Formats are the formats that the program reads by itself.
var Formats = sync.OnceValue(func() normalise.Registry {
	formats, _ := FormatsWith(nil) // what a mapping of ours lacks the tests say
	return formats
})

// Known tells whether a record, as a line or a row of text becomes one, is of one
// of the formats.
func Known(formats normalise.Registry) func([]byte) bool {
	return func(record []byte) bool {
		format, _ := formats.Recognise(record)
		return formats.Has(format)
	}
}

// formats are those that sources are to know.
func (a Asks) formats() normalise.Registry {
	if a.Formats != nil {
		return *a.Formats
	}
	return Formats()
}

// unread says that nobody reads the format.
func unread(format string, formats normalise.Registry) error {
	return fmt.Errorf("format %q is none of those that can be read: %s", format, strings.Join(formats.Formats(), ", "))
}
