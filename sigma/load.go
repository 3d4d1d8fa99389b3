package sigma

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// CasesSuffix ends the name of a file that holds the cases of a rule.
const CasesSuffix = ".cases.yml"

// IsRuleFile tells whether a file of that name is read as rules.
func IsRuleFile(name string) bool {
	return (strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml")) &&
		!strings.HasSuffix(name, CasesSuffix) && !strings.HasSuffix(name, ".cases.yaml")
}

// Load reads every rule file of fsys, folders within included, in the order of
// their names. Messages name files as shown, a slash and the path in fsys; an
// empty shown stands for nothing. A file that cannot be read is refused like a
// rule that cannot be.
func Load(fsys fs.FS, shown string) (Documents, []*Error) {
	var docs Documents
	var refused []*Error
	refuse := func(name string, err error) {
		refused = append(refused, &Error{File: path.Join(shown, name), Pos: Pos{1, 1}, Reason: err.Error()})
	}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			refuse(name, err)
			return nil
		}
		if d.IsDir() {
			if name != "." && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir // .git, .github
			}
			return nil
		}
		if !IsRuleFile(d.Name()) {
			return nil
		}
		text, err := readFile(fsys, name)
		if err != nil {
			refuse(name, err)
			return nil
		}
		some, errs := Parse(path.Join(shown, name), text)
		docs.Add(some)
		refused = append(refused, errs...)
		return nil
	})
	if err != nil { // only what the function above returns, and it returns none
		refuse(".", err)
	}
	return docs, refused
}

// readFile reads at most a byte more than Parse takes.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxFile+1))
}

// LoadPath reads a folder, or one file whatever its name.
func LoadPath(name string) (Documents, []*Error) {
	info, err := os.Stat(name)
	if err != nil {
		return Documents{}, []*Error{{File: name, Pos: Pos{1, 1}, Reason: fmt.Sprint(err)}}
	}
	if info.IsDir() {
		return Load(os.DirFS(name), name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return Documents{}, []*Error{{File: name, Pos: Pos{1, 1}, Reason: err.Error()}}
	}
	return Parse(name, text)
}
