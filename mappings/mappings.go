// Package mappings holds the formats that the program reads by mapping files, each
// with its cases. docs/mappings.md describes the language.
package mappings

import (
	"embed"
	"io/fs"
)

//go:embed *.yml
var files embed.FS

// FS holds the files.
func FS() fs.FS { return files }
