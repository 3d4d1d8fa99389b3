package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// tagged is an answer with one thing, and the tag that it has.
type tagged[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

// tagging gives the answer of a thing in that state. Its tag has a part for the
// state, which changes ask for (If-Match), and one for the answer, which tells more
// than that, such as a probable cause (If-None-Match): what is not the same text
// has another tag, and nobody is refused for what people have not changed.
func tagging[T any](state any, body T) *tagged[T] {
	return &tagged[T]{`"` + sum(state) + tagParts + sum(body) + `"`, body}
}

// tagParts is between the parts of a tag.
const tagParts = "."

// sum names what something is: what is alike has the same.
func sum(x any) string {
	text, err := json.Marshal(x)
	if err != nil {
		panic(err) // of our own types, which are all marshalled into answers
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:15])
}

// Conditional is a parameter of operations that change one thing. It is exported
// because what is embedded in an input is not read otherwise.
type Conditional struct {
	IfMatch string `header:"If-Match" doc:"the ETag that was read: 412 when somebody changed it since"`
}

// fresh refuses a change of what is not as the caller has seen it; whoever shows
// no tag changes it whatever it is.
func (m Conditional) fresh(state any) error {
	if m.IfMatch == "" {
		return nil
	}
	return m.of(sum(state))
}

// matches is fresh of a thing whose tag is at hand.
func (m Conditional) matches(tag string) error {
	if m.IfMatch == "" {
		return nil
	}
	return m.of(stateOf(tag))
}

func (m Conditional) of(state string) error {
	for given := range strings.SplitSeq(m.IfMatch, ",") {
		if given = strings.TrimSpace(given); given == "*" || stateOf(given) == state {
			return nil
		}
	}
	return huma.Error412PreconditionFailed("somebody changed it meanwhile: look at it again")
}

// stateOf is the part of a tag that is for the state.
func stateOf(tag string) string {
	state, _, _ := strings.Cut(strings.Trim(tag, `"`), tagParts)
	return state
}

// unlessSame answers a question with an If-None-Match that names the tag of the
// answer by 304 without it (RFC 9110, 13.1.2).
func unlessSame(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if known := r.Header.Get("If-None-Match"); r.Method == http.MethodGet && known != "" {
			w = &sparing{ResponseWriter: w, known: known}
		}
		next.ServeHTTP(w, r)
	})
}

// sparing leaves out an answer that the caller has.
type sparing struct {
	http.ResponseWriter
	known   string // If-None-Match
	told    bool   // the status was written
	leftOut bool
}

func (s *sparing) WriteHeader(status int) {
	h := s.Header()
	if tag := h.Get("ETag"); !s.told && status == http.StatusOK && tag != "" && s.has(tag) {
		s.leftOut, status = true, http.StatusNotModified
		h.Del("Content-Type")
		h.Del("Content-Length")
	}
	s.told = true
	s.ResponseWriter.WriteHeader(status)
}

// has tells whether the caller has what that tag names; weak tags are as good.
func (s *sparing) has(tag string) bool {
	for given := range strings.SplitSeq(s.known, ",") {
		if given = strings.TrimPrefix(strings.TrimSpace(given), "W/"); given == "*" || given == tag {
			return true
		}
	}
	return false
}

func (s *sparing) Write(b []byte) (int, error) {
	if !s.told {
		s.WriteHeader(http.StatusOK)
	}
	if s.leftOut {
		return len(b), nil
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach what is below.
func (s *sparing) Unwrap() http.ResponseWriter { return s.ResponseWriter }
