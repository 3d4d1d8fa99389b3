// Package web holds the console: the pages that people use, built from the
// TypeScript beside this file by `make console` into dist, and embedded here.
//
// dist is not committed but for robots.txt, so that the program builds without
// Node; then Built is false, and Handler answers with how to build it.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed all:dist
var files embed.FS

// HowToBuild is what to tell a person who finds no console.
const HowToBuild = "the console was not built into this program: install Node.js 20.19 or newer and run make build"

// nonceHere stands in the page where the request's nonce goes.
const nonceHere = "__NONCE__"

// Built tells whether the console was built before the program was.
func Built() bool {
	_, err := fs.Stat(files, "dist/index.html")
	return err == nil
}

// Handler serves the console's files, and its page at every other path, since
// the page itself knows what a path shows. It needs no sign-in: nothing in it is
// secret, and all that is comes from the API. It sets the headers of its own
// answers, the Content-Security-Policy among them.
func Handler() http.Handler {
	if !Built() {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, HowToBuild, http.StatusNotFound)
		})
	}
	dist, err := fs.Sub(files, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path
	}
	return newHandler(dist)
}

type handler struct {
	files  fs.FS
	page   []byte // index.html
	packed sync.Map
}

func newHandler(dist fs.FS) http.Handler {
	page, err := fs.ReadFile(dist, "index.html")
	if err != nil {
		panic(err) // Built has seen it, and it is in memory
	}
	return &handler{files: dist, page: page}
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the console is only read", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	head := w.Header()
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	if name != "" && name != "index.html" {
		if body, err := fs.ReadFile(h.files, name); err == nil {
			h.file(w, r, name, body)
			return
		}
		// A page of an older build asks for pieces that are gone: it has to hear so,
		// and not get a page for a script.
		if strings.HasPrefix(name, "assets/") {
			http.NotFound(w, r)
			return
		}
	}
	nonce := newNonce()
	head.Set("Content-Security-Policy", policy(nonce))
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Cache-Control", "no-store") // each answer has its own nonce
	write(w, r, bytes.ReplaceAll(h.page, []byte(nonceHere), []byte(nonce)))
}

// file answers with one file of the build. Those in assets are named by their
// content, and so never change.
func (h *handler) file(w http.ResponseWriter, r *http.Request, name string, body []byte) {
	head := w.Header()
	head.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		head.Set("Content-Type", t)
	}
	head.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") {
		head.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	head.Set("Vary", "Accept-Encoding")
	if len(body) > 1024 && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		head.Set("Content-Encoding", "gzip")
		body = h.gzipped(name, body)
	}
	write(w, r, body)
}

// gzipped packs each file once.
func (h *handler) gzipped(name string, body []byte) []byte {
	if b, ok := h.packed.Load(name); ok {
		return b.([]byte)
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	// Writing to memory does not fail.
	_, _ = z.Write(body)
	_ = z.Close()
	h.packed.Store(name, out.Bytes())
	return out.Bytes()
}

// policy lets the page use its own files and this server, and nothing else.
func policy(nonce string) string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self' 'nonce-" + nonce + "'",
		"img-src 'self' data:",
		"font-src 'self'",
		"connect-src 'self'",
		"manifest-src 'self'",
		"form-action 'self'",
		"base-uri 'none'",
		"frame-ancestors 'none'",
	}, "; ")
}

func newNonce() string {
	var b [18]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	return base64.StdEncoding.EncodeToString(b[:])
}

func write(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.Method == http.MethodHead {
		return
	}
	// Nothing can be done about a caller that has gone away.
	_, _ = w.Write(body)
}
