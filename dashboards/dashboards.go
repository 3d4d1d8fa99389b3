// Package dashboards holds the program's dashboards. docs/dashboards.md describes the
// language.
package dashboards

import (
	"embed"
	"io/fs"
)

//go:embed *.yml
var files embed.FS

// FS holds the files.
func FS() fs.FS { return files }
