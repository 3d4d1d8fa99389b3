package about

import (
	"cmp"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/shell"
	"github.com/yagura-sec/yagura/query"
)

// Group is what a correlation's events have in common: the fields it groups by,
// and their values.
type Group struct{ Fields, Values []string }

// Steps are the rule's next steps for an event: see StepsOf.
func (r *Rule) Steps(e *event.Event) []string { return r.StepsOf(e, Group{}) }

// StepsOf are the rule's next steps for an event and a group.
//
// {account} and {region} are the event's. {resource} and {actor} are short names
// as commands want them (a bucket, a user, a role), but full ones behind
// resource_uid: and actor_uid:, and behind AttributeValue= an actor is whom
// CloudTrail's look-up calls the user name: of a role, the session. Where nobody
// is named, actor_uid:{actor} becomes src_ip: with the address.
// {group.FIELD} is the value of a field that the correlation groups by, and
// {group} are all of them.
//
// A step that needs what is not known is left out, unless none would be left:
// then what is not known stands in capitals for a person to fill in.
func (r *Rule) StepsOf(e *event.Event, g Group) []string {
	var known, all []string
	for _, step := range r.next {
		text, whole := filling{e, g}.fill(step)
		all = append(all, text)
		if whole {
			known = append(known, text)
		}
	}
	if len(known) == 0 {
		return all
	}
	return known
}

// filling is what placeholders are filled from.
type filling struct {
	e *event.Event
	g Group
}

// fill gives a step with its values, and whether all of them are known.
func (f filling) fill(step string) (text string, whole bool) {
	var b strings.Builder
	whole = true
	quoted := false // inside single quotes of the shell
	for step != "" {
		i := strings.IndexAny(step, "{'")
		if i < 0 {
			break
		}
		b.WriteString(step[:i])
		if step[i] == '\'' {
			quoted = !quoted
			b.WriteByte('\'')
			step = step[i+1:]
			continue
		}
		name, rest, found := strings.Cut(step[i+1:], "}")
		p, ok := f.placeholder(name, b.String())
		if !found || !ok {
			b.WriteByte('{')
			step = step[i+1:]
			continue
		}
		if p.instead != "" {
			before := strings.TrimSuffix(b.String(), "actor_uid:")
			b.Reset()
			b.WriteString(before + p.instead)
		}
		if p.value == "" {
			whole = false
		}
		if value := cmp.Or(p.value, p.capitals); quoted {
			b.WriteString(shell.Quoted(value))
		} else if value != "" {
			b.WriteString(shell.Word(value))
		}
		step = rest
	}
	b.WriteString(step)
	return b.String(), whole
}

// filled is what stands in a placeholder's place.
type filled struct {
	value    string
	capitals string // where there is no value
	instead  string // of actor_uid: before it
}

// placeholder gives what a name stands for behind before, if it is one.
func (f filling) placeholder(name, before string) (filled, bool) {
	e := f.e
	switch name {
	case "account":
		return filled{value: e.AccountUID, capitals: "ACCOUNT"}, true
	case "region":
		return filled{value: e.Region, capitals: "REGION"}, true
	case "resource":
		if strings.HasSuffix(before, "resource_uid:") && e.ResourceUID != "" {
			return filled{value: searched("resource_uid", e.ResourceUID)}, true
		}
		return filled{value: ShortName(e.ResourceUID), capitals: "RESOURCE"}, true
	case "actor":
		return f.actor(before), true
	case "group":
		return filled{value: strings.Join(f.g.Values, ", "), capitals: "GROUP"}, true
	}
	field, ok := strings.CutPrefix(name, "group.")
	if !ok {
		return filled{}, false
	}
	out := filled{capitals: strings.ToUpper(field[strings.LastIndexByte(field, '.')+1:])}
	if i := slices.Index(f.g.Fields, field); i >= 0 {
		out.value = f.g.Values[i]
		if column := columnBefore(before); column != "" && out.value != "" {
			out.value = searched(column, out.value)
		}
	}
	return out, true
}

func (f filling) actor(before string) filled {
	e := f.e
	if strings.HasSuffix(before, "actor_uid:") {
		switch {
		case e.ActorUID != "":
			return filled{value: searched("actor_uid", e.ActorUID)}
		case e.ActorName != "":
			return filled{value: searched("actor_name", e.ActorName), instead: "actor_name:"}
		case e.SrcIP != "":
			return filled{value: searched("src_ip", e.SrcIP), instead: "src_ip:"}
		}
	}
	if strings.HasSuffix(before, "AttributeValue=") && e.ActorSession != "" {
		return filled{value: e.ActorSession}
	}
	return filled{value: cmp.Or(e.ActorName, ShortName(e.ActorUID)), capitals: "ACTOR"}
}

// columnBefore is the column of a search that ends in its colon, or "".
func columnBefore(before string) string {
	before, ok := strings.CutSuffix(before, ":")
	if !ok {
		return ""
	}
	name := before[strings.LastIndexFunc(before, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') })+1:]
	if c, ok := query.Lookup(name); ok {
		return c.Name
	}
	return ""
}

// searched is a value as a search for it in a field is written.
func searched(field, value string) string {
	return strings.TrimPrefix(query.String(query.Eq{Field: field, Value: value}), field+":")
}

// ShortName is the name in an ARN: what follows the type of the resource. A
// secret keeps its ARN, because its name in there has six characters appended.
func ShortName(uid string) string {
	parts := strings.SplitN(uid, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return uid
	}
	service, name := parts[2], parts[5]
	switch service {
	case "secretsmanager":
		return uid
	case "s3", "sns", "sqs":
		return name
	case "iam", "sts":
		return name[strings.LastIndexByte(name, '/')+1:] // paths are no part of a name
	}
	if i := strings.IndexAny(name, ":/"); i >= 0 {
		name = name[i+1:]
	}
	return strings.TrimSuffix(name, ":*") // log groups
}
