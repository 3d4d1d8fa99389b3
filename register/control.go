package register

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// controlPolicy is a service or resource control policy.
type controlPolicy struct{ statements []controlStatement }

// everything is what AWS attaches where nothing is to be shut out.
var everything = &controlPolicy{[]controlStatement{{allow: true, whole: true, actions: []string{"*"}}}}

// controlStatement is one of its statements.
type controlStatement struct {
	allow   bool
	whole   bool     // of all resources and callers, without a condition
	actions []string // patterns, in small letters
	but     bool     // all actions but these
}

// texts is one text or several.
type texts []string

// UnmarshalJSON reads either.
func (t *texts) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// parseControl reads the text of a policy. What it does not understand is an error:
// a policy that is not understood is taken for unknown, never for none.
func parseControl(text []byte) (*controlPolicy, error) {
	var doc struct{ Statement json.RawMessage }
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	type statement struct {
		Effect                                   string
		Action, NotAction, Resource, NotResource texts
		Condition, Principal, NotPrincipal       json.RawMessage
	}
	var all []statement
	if json.Unmarshal(doc.Statement, &all) != nil {
		var one statement
		if err := json.Unmarshal(doc.Statement, &one); err != nil {
			return nil, err
		}
		all = []statement{one}
	}
	out := &controlPolicy{}
	for _, s := range all {
		if s.Effect != "Allow" && s.Effect != "Deny" || (len(s.Action) == 0) == (len(s.NotAction) == 0) {
			return nil, fmt.Errorf("a statement with Effect %q that has not either Action or NotAction", s.Effect)
		}
		c := controlStatement{allow: s.Effect == "Allow", but: len(s.NotAction) > 0}
		for _, a := range append(s.Action, s.NotAction...) {
			c.actions = append(c.actions, strings.ToLower(a))
		}
		c.whole = nothing(s.Condition) && len(s.NotResource) == 0 && nothing(s.NotPrincipal) &&
			(len(s.Resource) == 0 || slices.Contains(s.Resource, "*")) && anybody(s.Principal)
		out.statements = append(out.statements, c)
	}
	return out, nil
}

// nothing tells whether a part of a statement is not there, or empty.
func nothing(part json.RawMessage) bool {
	return slices.Contains([]string{"", "null", "{}"}, string(part))
}

// anybody tells whether a statement is about all callers.
func anybody(principal json.RawMessage) bool {
	var by struct{ AWS texts }
	return nothing(principal) || string(principal) == `"*"` || json.Unmarshal(principal, &by) == nil && slices.Contains(by.AWS, "*")
}

// How much of a service something is about.
type extent int

const (
	none extent = iota
	part
	whole
)

// of tells how much of a service's actions the statement is about.
func (s *controlStatement) of(prefix string) extent {
	most := none
	for _, pattern := range s.actions {
		most = max(most, covers(pattern, prefix))
	}
	if s.but {
		return whole - most
	}
	return most
}

// covers tells how much of a service's actions a pattern is about.
func covers(pattern, prefix string) extent {
	service, action, ok := strings.Cut(pattern, ":")
	switch {
	case !ok && strings.Trim(pattern, "*") == "" && pattern != "":
		return whole
	case strings.ContainsAny(service, `[]\`):
		return part // no service is called so, and to path.Match they mean something else
	case !ok || !matches(service, prefix):
		return none
	case action != "" && strings.Trim(action, "*") == "":
		return whole
	}
	return part
}

// matches tells whether a pattern with * and ? is about a name.
func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// level is the policies of one type that lie on an account, a unit or the root.
type level struct {
	policies []*controlPolicy
	whole    bool // these are all, and all are read
	denies   bool // they deny alone: what no policy allows is left all the same
}

// prefixes are of the services whose actions begin otherwise than their calls are
// logged. https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var prefixes = map[string]string{"monitoring": "cloudwatch", "email": "ses", "tagging": "tag", "amazonmq": "mq"}

const amazon = ".amazonaws.com"

// judge tells whether policies leave a service to an account: false where some shut
// all of it out, true where all of it is left, nil where neither is known. whole: all
// that lies above the account is known.
func judge(levels []level, service string, whole bool) *bool {
	name, ok := strings.CutSuffix(ServiceID(service), amazon)
	if !ok || name == "" {
		return nil
	}
	if p := prefixes[name]; p != "" {
		name = p
	}
	yes, no := true, false
	doubt := !whole
	for i := range levels {
		shut, open := levels[i].judge(name)
		if shut {
			return &no
		}
		doubt = doubt || !open
	}
	if doubt {
		return nil
	}
	return &yes
}

// judge tells whether the level shuts a service out, or leaves all of it open.
func (l *level) judge(prefix string) (shut, open bool) {
	allowed, touched := none, false
	if l.denies {
		allowed = whole
	}
	for _, p := range l.policies {
		for i := range p.statements {
			s := &p.statements[i]
			n := s.of(prefix)
			switch {
			case n == none:
			case !s.allow && n == whole && s.whole:
				return true, false
			case !s.allow:
				touched = true
			case s.whole:
				allowed = max(allowed, n)
			default:
				allowed = max(allowed, part)
			}
		}
	}
	if allowed == none && l.whole {
		return true, false // what no policy of a level allows is denied
	}
	return false, l.whole && allowed == whole && !touched
}

// named are the services that policies allow by name, and that are left by all.
func named(levels []level, allows func(service string) *bool) []string {
	out := []string{}
	for i := range levels {
		for _, p := range levels[i].policies {
			for k := range p.statements {
				s := &p.statements[k]
				if !s.allow || s.but {
					continue
				}
				for _, pattern := range s.actions {
					prefix, _, _ := strings.Cut(pattern, ":")
					if prefix == "" || strings.ContainsAny(prefix, "*?") || covers(pattern, prefix) != whole {
						continue
					}
					service := prefix + amazon
					for logged, p := range prefixes {
						if p == prefix {
							service = logged + amazon
						}
					}
					if yes := allows(service); yes != nil && *yes {
						out = append(out, service)
					}
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
