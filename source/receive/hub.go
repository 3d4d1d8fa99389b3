package receive

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Hub is where senders reach the sources: the handler of /ingest/ and
// /services/collector. The zero Hub is ready. Its paths have tokens of their own
// and need neither the API's token nor a session.
type Hub struct {
	mu    sync.RWMutex // guards names
	names map[string]*Source
}

var _ http.Handler = (*Hub)(nil)

// put makes s the source of its name: a source that is made anew takes the place
// of what it was. A token names one source of HEC, whose path has no name.
func (h *Hub) put(s *Source) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, other := range h.names {
		if name == s.cfg.Name || !other.cfg.HEC || !s.cfg.HEC {
			continue
		}
		if slices.ContainsFunc(s.cfg.Tokens, other.shows) {
			return fmt.Errorf("%s has the same token, and HEC tells sources apart by it alone", name)
		}
	}
	if h.names == nil {
		h.names = map[string]*Source{}
	}
	h.names[s.cfg.Name] = s
	return nil
}

func (h *Hub) get(name string) *Source {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.names[name]
}

// hec gives the sources of HEC.
func (h *Hub) hec() (all []*Source) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, s := range h.names {
		if s.cfg.HEC {
			all = append(all, s)
		}
	}
	return all
}

const (
	ingestPath = "/ingest/"
	hecPath    = "/services/collector"
)

// Handles tells whether a path is the hub's: those of sources that there are.
func (h *Hub) Handles(path string) bool {
	switch {
	case strings.HasPrefix(path, ingestPath):
		h.mu.RLock()
		defer h.mu.RUnlock()
		return len(h.names) > 0
	case path == hecPath, strings.HasPrefix(path, hecPath+"/"):
		return len(h.hec()) > 0
	}
	return false
}

// ServeHTTP answers senders.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if !h.Handles(r.URL.Path) {
		problem(w, http.StatusNotFound, "nothing is received here: no source of the configuration does")
		return
	}
	if name, ok := strings.CutPrefix(r.URL.Path, ingestPath); ok {
		h.ingest(w, r, name)
		return
	}
	h.collector(w, r)
}

// shows tells whether t is one of the source's tokens, in a time that does not
// depend on how much of it is right.
func (s *Source) shows(t string) bool {
	given := sha256.Sum256([]byte(t))
	ok := 0
	for _, token := range s.cfg.Tokens {
		want := sha256.Sum256([]byte(token))
		ok |= subtle.ConstantTimeCompare(given[:], want[:])
	}
	return ok == 1
}

// credential is the token that a request shows in its Authorization header:
// after Splunk or Bearer, or as the password of Basic, or bare. Wrong: there is a
// header, and it is none of these.
func credential(r *http.Request) (token string, wrong bool) {
	all := strings.TrimSpace(r.Header.Get("Authorization"))
	if all == "" {
		return "", false
	}
	scheme, rest, spaced := strings.Cut(all, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case !spaced:
		return all, strings.EqualFold(all, "splunk") || strings.EqualFold(all, "bearer") || strings.EqualFold(all, "basic")
	case strings.EqualFold(scheme, "splunk"), strings.EqualFold(scheme, "bearer"):
		return rest, rest == ""
	case strings.EqualFold(scheme, "basic"):
		_, password, ok := r.BasicAuth()
		return password, !ok
	}
	return "", true
}

// problem answers with problem details (RFC 9457), as the API does.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	w.WriteHeader(status)
	// Nothing can be done about a sender that has gone away.
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // as in problem
}

// Stats tells what each source did since it was made, by its name.
func (h *Hub) Stats() map[string]Stats {
	h.mu.RLock()
	defer h.mu.RUnlock()
	out := make(map[string]Stats, len(h.names))
	for name, s := range h.names {
		out[name] = s.Stats()
	}
	return out
}
