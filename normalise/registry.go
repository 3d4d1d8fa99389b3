package normalise

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unsafe"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

// Registry is the formats in use.
type Registry struct {
	normalisers map[string]Normaliser
	mappings    Recogniser
}

// A Recogniser tells the format of a record that files describe; each answer is
// empty where it does not know the record.
type Recogniser interface {
	// Ours are the files of the program.
	Ours(root jsontree.Value) string
	// Theirs are the user's. They are asked about what nobody else knows.
	Theirs(root jsontree.Value) string
	// Instead is the format that a user's file gives a record known as one of
	// another format. No file does unless Replaces is true of that format.
	Instead(root jsontree.Value, known string) string
	Replaces(format string) bool
}

// NewRegistry holds the given normalisers, each under its own format.
func NewRegistry(ns ...Normaliser) Registry {
	r := Registry{normalisers: make(map[string]Normaliser, len(ns))}
	for _, n := range ns {
		r.normalisers[n.Format()] = n
	}
	return r
}

// Mapped is r with records that mappings know, too. Their normalisers are among
// those of r.
func (r Registry) Mapped(m Recogniser) Registry {
	r.mappings = m
	return r
}

// Formats are the names of the formats, sorted.
func (r Registry) Formats() []string { return slices.Sorted(maps.Keys(r.normalisers)) }

// Has tells whether records of the format can be read.
func (r Registry) Has(format string) bool {
	_, ok := r.normalisers[format]
	return ok
}

// Recognise tells the format of a record as the function of the same name does,
// and knows what mappings describe besides.
func (r Registry) Recognise(body []byte) (format, why string) {
	if r.mappings == nil {
		return Recognise(body)
	}
	if isBareCloudTrail(body) && !r.mappings.Replaces(CloudTrail) {
		return CloudTrail, ""
	}
	tree := trees.Get().(*jsontree.Tree)
	defer func() {
		if !tree.Large() {
			trees.Put(tree)
		}
	}()
	trimmed := bytes.TrimSpace(body)
	root, err := tree.Parse(unsafe.String(unsafe.SliceData(trimmed), len(trimmed)))
	if err != nil {
		return Recognise(body)
	}
	if format = r.mappings.Ours(root); format == "" {
		format, why = Recognise(body)
	}
	if format == "" {
		if theirs := r.mappings.Theirs(root); theirs != "" {
			return theirs, ""
		}
		return "", why
	}
	if r.mappings.Replaces(format) {
		if instead := r.mappings.Instead(root, format); instead != "" {
			return instead, ""
		}
	}
	return format, ""
}

// Append appends the event of raw to dst: by the normaliser of raw.Format, or,
// if that is empty, of the format its content is recognised as. Errors are as
// those of Normaliser.Append, and tell their Format; for what nobody reads, they
// say what it is.
func (r Registry) Append(dst []event.Event, raw event.Raw) ([]event.Event, error) {
	format := raw.Format
	if format == "" {
		var why string
		if format, why = r.Recognise(raw.Body); format == "" {
			return dst, errors.New(why)
		}
	}
	n, ok := r.normalisers[format]
	if !ok {
		return dst, fmt.Errorf("format %q is none of those Yagura reads here: %s", format, strings.Join(r.Formats(), ", "))
	}
	dst, err := n.Append(dst, raw)
	if err != nil {
		return dst, unread{format, err}
	}
	return dst, nil
}

// unread is the error of a record whose format is known; it reads as the
// normaliser's own.
type unread struct {
	format string
	error
}

func (u unread) Unwrap() error { return u.error }

// Format that the record was recognised as, or that its source was told.
func (u unread) Format() string { return u.format }
