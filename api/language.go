package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
)

type languageKey struct{}

// speaking gives the request the language of its answer. An Accept-Language of one
// of our languages alone, as the console sends it, is what is asked for; browsers'
// lists of languages come after what a person who has signed in chose. Who asks for
// nothing gets English, as scripts do, whoever made their token.
func speaking(r *http.Request, who people.Who) context.Context {
	l := say.Language(who.Language)
	if asked := r.Header.Get("Accept-Language"); l == "" || slices.Contains(say.Languages, say.Language(asked)) {
		l = say.Preferred(asked)
	}
	return context.WithValue(r.Context(), languageKey{}, l)
}

// language is that of the answer.
func language(ctx context.Context) say.Language {
	if l, ok := ctx.Value(languageKey{}).(say.Language); ok {
		return l
	}
	return say.English
}

// inLanguage says every answer in its language; an answer's tag tells which.
func (r Rooms) inLanguage(ctx huma.Context, _ string, body any) (any, error) {
	l := language(ctx.Context())
	_, w := humago.Unwrap(ctx)
	h := w.Header()
	h.Set("Content-Language", string(l))
	h.Add("Vary", "Accept-Language, Cookie")
	if tag := h.Get("ETag"); tag != "" && l != say.English {
		h.Set("ETag", strings.TrimSuffix(tag, `"`)+"-"+string(l)+`"`)
	}
	return say.In(l, body, r.Console.RuleWords), nil
}
