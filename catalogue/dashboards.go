package catalogue

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/yagura-sec/yagura/dashboard"
	"github.com/yagura-sec/yagura/dashboards"
	"github.com/yagura-sec/yagura/queries"
)

// builtinQueries and builtinDashboards are the program's own; those that it ships
// hold, or its tests fail.
var (
	builtinQueries = sync.OnceValues(func() ([]*dashboard.Query, []*dashboard.Error) {
		all, refused := dashboard.LoadQueries(queries.FS(), "builtin")
		for _, q := range all {
			q.Builtin = true
		}
		return all, refused
	})
	builtinDashboards = sync.OnceValues(func() ([]*dashboard.Dashboard, []*dashboard.Error) {
		all, refused := dashboard.LoadDashboards(dashboards.FS(), "builtin")
		for _, d := range all {
			d.Builtin = true
		}
		return all, refused
	})
)

// Dashboards are the program's queries and dashboards and those of the user's
// folders or files. Every file that is refused is an error of its own.
func Dashboards(queryPaths, dashboardPaths []string) (*dashboard.Book, []*dashboard.Error) {
	qs, wrongQueries := builtinQueries()
	ds, wrongDashboards := builtinDashboards()
	ownQueries, refused1 := UserQueries(queryPaths)
	var own []*dashboard.Dashboard
	var refused2 []*dashboard.Error
	for _, path := range dashboardPaths {
		found, wrong := fromPath(path, dashboard.LoadDashboards)
		own, refused2 = append(own, found...), append(refused2, wrong...)
	}
	book, refused3 := dashboard.NewBook(slices.Concat(qs, ownQueries), slices.Concat(ds, own))
	return book, slices.Concat(wrongQueries, wrongDashboards, refused1, refused2, refused3)
}

// UserQueries are the saved queries of folders or files.
func UserQueries(paths []string) (all []*dashboard.Query, refused []*dashboard.Error) {
	for _, path := range paths {
		found, wrong := fromPath(path, dashboard.LoadQueries)
		all, refused = append(all, found...), append(refused, wrong...)
	}
	return all, refused
}

// fromPath loads a folder, or one file of it.
func fromPath[T any](path string, load func(fs.FS, string) ([]*T, []*dashboard.Error)) ([]*T, []*dashboard.Error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, []*dashboard.Error{{File: path, Line: 1, Reason: err.Error()}}
	}
	if info.IsDir() {
		return load(os.DirFS(path), path)
	}
	dir, name := filepath.Split(path)
	return load(onlyFile{os.DirFS(filepath.Clean(dir)), name}, filepath.Clean(dir))
}

// onlyFile is a folder of which one file is seen.
type onlyFile struct {
	fs.FS
	name string
}

// ReadDir lists the one file.
func (o onlyFile) ReadDir(dir string) ([]fs.DirEntry, error) {
	info, err := fs.Stat(o.FS, o.name)
	if err != nil {
		return nil, err
	}
	return []fs.DirEntry{fs.FileInfoToDirEntry(info)}, nil
}
