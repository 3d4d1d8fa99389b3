// Package queries holds the program's saved queries, each with its cases.
// docs/dashboards.md describes the language.
package queries

import (
	"embed"
	"io/fs"
)

//go:embed */*.yml
var files embed.FS

// FS holds the files.
func FS() fs.FS { return files }
