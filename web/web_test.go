package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func built() http.Handler {
	return newHandler(fstest.MapFS{
		"index.html":      {Data: []byte(`<meta name="csp-nonce" content="__NONCE__">`)},
		"assets/a-1.js":   {Data: []byte(strings.Repeat("let a = 1;", 500))},
		"robots.txt":      {Data: []byte("User-agent: *\n")},
		"assets/a-1.woff": {Data: []byte("x")},
	})
}

func ask(h http.Handler, method, path string, head ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryPathIsThePageWithANonceOfItsOwn(t *testing.T) {
	h, seen := built(), map[string]bool{}
	for _, path := range []string{"/", "/index.html", "/findings", "/findings/abc.def", "/../../etc/passwd"} {
		r := ask(h, "GET", path)
		got := regexp.MustCompile(`content="([^"]+)"`).FindStringSubmatch(text(t, r))
		if r.StatusCode != http.StatusOK || got == nil {
			t.Fatalf("%s: %s without a nonce", path, r.Status)
		}
		if seen[got[1]] {
			t.Errorf("%s: a nonce was given twice", path)
		}
		seen[got[1]] = true
		csp := r.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "style-src 'self' 'nonce-"+got[1]+"'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: a page with a nonce may be kept", path)
		}
	}
}

func TestFilesAreKeptAndPacked(t *testing.T) {
	h := built()
	r := ask(h, "GET", "/assets/a-1.js", "Accept-Encoding", "gzip, br")
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || len(b) != 5000 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if got := r.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("Cache-Control %q", got)
	}
	if got := r.Header.Get("Content-Type"); !strings.Contains(got, "javascript") {
		t.Errorf("Content-Type %q", got)
	}
	if got := text(t, ask(h, "GET", "/assets/a-1.js")); len(got) != 5000 {
		t.Errorf("unpacked: %d bytes", len(got))
	}
	if r := ask(h, "GET", "/robots.txt"); strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
		t.Error("a file whose name stays may change")
	}
}

func TestWhatIsNotThere(t *testing.T) {
	if r := ask(built(), "GET", "/assets/gone-2.js"); r.StatusCode != http.StatusNotFound {
		t.Errorf("a piece of an older build: %s", r.Status)
	}
	if r := ask(built(), "POST", "/"); r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %s", r.Status)
	}
	if r := ask(built(), "HEAD", "/findings"); r.StatusCode != http.StatusOK || text(t, r) != "" {
		t.Errorf("HEAD: %s", r.Status)
	}
}

func TestHandlerSaysHowToBuild(t *testing.T) {
	r := ask(Handler(), "GET", "/")
	if Built() != (r.StatusCode == http.StatusOK) {
		t.Fatalf("built %v, and the page answers %s", Built(), r.Status)
	}
	if !Built() && !strings.Contains(text(t, r), "make build") {
		t.Error("does not say how to build it")
	}
}
