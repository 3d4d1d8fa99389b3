package api

import (
	"fmt"

	"github.com/danielgtaylor/huma/v2"
)

// file is an answer that a browser keeps as a file: as a whole, or written as it is
// made.
type file[Body []byte | func(huma.Context)] struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        Body
}

// fileOf is a file of a media type, under a name.
func fileOf[Body []byte | func(huma.Context)](kind, name string, body Body) *file[Body] {
	return &file[Body]{kind, fmt.Sprintf("attachment; filename=%q", name), body}
}

// filesOf is what is answered where it is a file of one of these media types; format
// is OpenAPI's, such as binary.
func filesOf(format string, kinds ...string) map[string]*huma.Response {
	content := map[string]*huma.MediaType{}
	for _, kind := range kinds {
		content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: format}}
	}
	return map[string]*huma.Response{"200": {Description: "OK", Content: content}}
}
