package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/people"
)

// What an operation says of who may ask, as extensions of its description, so
// that clients and tests can read it.
const (
	roleNeeded  = "x-role"     // the least role; "none": no sign-in is needed
	accountsAre = "x-accounts" // "within": it keeps to the accounts of who asks; otherwise those who are limited are refused
	onlyPeople  = "x-people"   // true: API tokens are refused
	scopeOf     = "x-scope"    // the scope that a token which has scopes needs
)

const noRole = "none"

// need says that op is for people of that role and above. Whoever is limited to
// accounts is refused unless the operation is within. An operation without need
// or public is refused to everybody.
func need(role people.Role, op huma.Operation) huma.Operation {
	op = with(op, roleNeeded, string(role))
	return with(op, scopeOf, areaOf(op.Path))
}

// within says that op shows and changes only what lies in the accounts of who
// asks: see people.Who.Sees and Rooms.within.
func within(op huma.Operation) huma.Operation { return with(op, accountsAre, "within") }

// personal says that API tokens may not ask for op: what it makes would outlive
// them.
func personal(op huma.Operation) huma.Operation { return with(op, onlyPeople, true) }

// public says that op needs no sign-in. Its path is to be in openPaths too.
func public(op huma.Operation) huma.Operation {
	op.Security = []map[string][]string{{}}
	return with(op, roleNeeded, noRole)
}

func with(op huma.Operation, key string, value any) huma.Operation {
	extended := map[string]any{} // the caller's stays as it is
	maps.Copy(extended, op.Extensions)
	extended[key] = value
	op.Extensions = extended
	return op
}

// areas are the scopes that a token may be limited to, each with the first parts
// of the paths it opens.
var areas = map[string][]string{
	"triage":   {"findings", "cases", "decisions", "today", "exceptions", "windows", "window-links", "proposals", "tuning", "views", "live", "register", "companions"},
	"search":   {"search", "sql", "columns", "secrets", "people", "dashboards"},
	"rules":    {"rules"},
	"cost":     {"cost"},
	"ledger":   {"ledger", "sources"},
	"settings": {"settings", "users", "tokens", "audit"},
	everyToken: {"session", "signout"},
	"metrics":  {"metrics", "openapi.json"},
}

// everyToken is the area that every token may ask for, whatever its scopes.
const everyToken = "session"

// areaOf gives the scope of a path; empty: it has none, and tokens with scopes
// may not ask for it.
func areaOf(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(path, "/"), "api/"), "/")
	for area, parts := range areas {
		if slices.Contains(parts, first) {
			return area
		}
	}
	return ""
}

// who gives who asks: never nobody in an operation that has a need.
func who(ctx context.Context) people.Who { return people.From(ctx) }

// allowed is the one place where roles, scopes and limits are held against
// operations. It runs before every one of them.
func allowed(a huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if status, why := refusal(ctx.Operation(), people.From(ctx.Context())); status != 0 {
			// Nothing can be done about a caller that has gone away.
			_ = huma.WriteErr(a, ctx, status, why)
			return
		}
		next(ctx)
	}
}

// refusal says why w may not ask for op; status 0: w may.
func refusal(op *huma.Operation, w people.Who) (status int, why string) {
	needed, _ := op.Extensions[roleNeeded].(string)
	personal, _ := op.Extensions[onlyPeople].(bool)
	switch {
	case needed == noRole:
		return 0, ""
	case w.User == "":
		return http.StatusUnauthorized, people.ErrNobody.Error()
	case !w.Role.May(people.Role(needed)):
		return http.StatusForbidden, "this needs the role " + needed + "; yours is " + string(w.Role)
	case personal && w.Via == people.ViaToken:
		return http.StatusForbidden, "this is for people who have signed in, not for API tokens"
	case !scoped(w, op.Extensions[scopeOf]):
		return http.StatusForbidden, "this token is not for this part of the API"
	case w.Limited() && op.Extensions[accountsAre] != "within":
		return http.StatusForbidden, "this shows all accounts, and you are limited to some"
	}
	return 0, ""
}

// scoped tells whether the scopes of w, if it has any, cover the area.
func scoped(w people.Who, area any) bool {
	if len(w.Scopes) == 0 {
		return true
	}
	name, _ := area.(string)
	return name == everyToken || name != "" && slices.Contains(w.Scopes, name)
}
