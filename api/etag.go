package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// tagged is an answer with one thing, and the tag that its state has.
type tagged[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

// tag gives the tag of a state: what is alike has the same.
func tag(state any) string {
	text, err := json.Marshal(state)
	if err != nil {
		panic(err) // of our own types, which are all marshalled into answers
	}
	sum := sha256.Sum256(text)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`
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
	return m.matches(tag(state))
}

// matches is fresh of a state whose tag is at hand.
func (m Conditional) matches(now string) error {
	if m.IfMatch == "" {
		return nil
	}
	for given := range strings.SplitSeq(m.IfMatch, ",") {
		if given = strings.TrimSpace(given); given == "*" || given == now {
			return nil
		}
	}
	return huma.Error412PreconditionFailed("somebody changed it meanwhile: look at it again")
}
