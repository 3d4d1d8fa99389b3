package api

import (
	"bytes"
	"crypto/sha256"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// How answers to requests with an Idempotency-Key are kept, in memory: for an
// hour, and no more than so many and so large; what is too much goes of whoever has
// the most, the oldest first. A request whose body is larger than onceBody is
// refused: it could not be told apart from another.
const (
	onceLasts = time.Hour
	onceMost  = 1000
	onceBytes = 32 << 20 // of all answers
	onceBody  = 8 << 20
	onceKey   = 128 // characters of a key
	onceReads = 30 * time.Second
)

// once answers a POST that comes again under the same Idempotency-Key as it was
// answered before, so that a caller that has not heard the answer can repeat it
// (draft-ietf-httpapi-idempotency-key-header). The zero once has answered nothing.
type once struct {
	mu    sync.Mutex // guards everything below
	kept  map[onceName]*answered
	users map[string]*onceUser // those that something is kept of
	bytes int
}

// onceUser is what is kept of one caller.
type onceUser struct {
	order []onceName // the oldest first
	bytes int
}

// onceName is whose request it is: nobody is answered what somebody else asked.
type onceName struct{ user, path, key string }

type answered struct {
	asked  [sha256.Size]byte // body and content type
	at     time.Time
	done   bool
	status int
	header http.Header
	body   []byte
}

// serve answers r as before, or by next.
func (o *once) serve(w http.ResponseWriter, r *http.Request, user string, now time.Time, next http.Handler) {
	key := r.Header.Get("Idempotency-Key")
	if r.Method != http.MethodPost || key == "" || user == "" {
		next.ServeHTTP(w, r)
		return
	}
	// A recorder of tests has no deadlines.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(onceReads))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, onceBody))
	switch {
	case err != nil:
		refuse(w, http.StatusRequestEntityTooLarge, "a request with an Idempotency-Key has a body of at most "+strconv.Itoa(onceBody>>20)+" MB")
		return
	case len(key) > onceKey:
		refuse(w, http.StatusUnprocessableEntity, "an Idempotency-Key has at most "+strconv.Itoa(onceKey)+" characters")
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	name := onceName{user, r.URL.RequestURI(), key}
	asked := sha256.Sum256(append([]byte(r.Header.Get("Content-Type")+"\x00"), body...))
	before, mine := o.begin(name, asked, now)
	switch {
	case mine:
		recorded := &recorder{ResponseWriter: w}
		finished := false
		defer func() { o.end(name, before, recorded, finished) }() // also when next panics
		next.ServeHTTP(recorded, r)
		finished = true
	case before.asked != asked:
		refuse(w, http.StatusUnprocessableEntity, "this Idempotency-Key was used for another request")
	case !before.done:
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusConflict, "the request with this Idempotency-Key is still being answered")
	default:
		maps.Copy(w.Header(), before.header)
		w.Header().Set("Idempotency-Replayed", "true")
		w.WriteHeader(before.status)
		_, _ = w.Write(before.body) // nothing can be done about a caller that has gone away
	}
}

// begin gives what is known of a request; mine: the caller is the one to answer it.
func (o *once) begin(name onceName, asked [sha256.Size]byte, now time.Time) (known *answered, mine bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kept == nil {
		o.kept, o.users = map[onceName]*answered{}, map[string]*onceUser{}
	}
	for _, u := range o.users {
		for len(u.order) > 0 && now.Sub(o.kept[u.order[0]].at) >= onceLasts {
			o.drop(u.order[0])
		}
	}
	if known, ok := o.kept[name]; ok {
		copied := *known
		return &copied, false
	}
	for len(o.kept) >= onceMost || o.bytes >= onceBytes {
		o.drop(o.greediest().order[0])
	}
	known = &answered{asked: asked, at: now}
	o.kept[name] = known
	u := o.users[name.user]
	if u == nil {
		u = &onceUser{}
		o.users[name.user] = u
	}
	u.order = append(u.order, name)
	return known, true
}

// greediest is the caller of whom the most is kept, of what there is too much of.
func (o *once) greediest() (most *onceUser) {
	for _, u := range o.users {
		if most == nil || o.bytes >= onceBytes && u.bytes > most.bytes || o.bytes < onceBytes && len(u.order) > len(most.order) {
			most = u
		}
	}
	return most
}

func (o *once) drop(name onceName) {
	a, u := o.kept[name], o.users[name.user]
	if a == nil {
		return
	}
	o.bytes -= len(a.body)
	u.bytes -= len(a.body)
	delete(o.kept, name)
	u.order = slices.DeleteFunc(u.order, func(n onceName) bool { return n == name })
	if len(u.order) == 0 {
		delete(o.users, name.user)
	}
}

// end keeps the answer. What failed for reasons of ours is to be tried again.
func (o *once) end(name onceName, a *answered, r *recorder, finished bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kept[name] != a {
		return // forgotten meanwhile
	}
	if !finished || r.status >= http.StatusInternalServerError || r.status == http.StatusTooManyRequests || r.over {
		o.drop(name)
		return
	}
	a.done, a.status, a.header, a.body = true, r.status, r.Header().Clone(), r.body
	o.bytes += len(a.body)
	o.users[name.user].bytes += len(a.body)
}

// recorder passes an answer on and keeps a copy.
type recorder struct {
	http.ResponseWriter
	status int
	body   []byte
	over   bool // too large to keep
}

// recordMost is how large an answer may be to be kept.
const recordMost = 1 << 20

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	if r.over = r.over || len(r.body)+len(b) > recordMost; r.over {
		r.body = nil
	} else {
		r.body = append(r.body, b...)
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach what is below.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
