package about

import (
	"cmp"
	"strings"
	"unicode"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
)

// Steps are the rule's next steps for an event.
//
// {account} and {region} are the event's. {resource} and {actor} are short names
// as commands want them (a bucket, a user, a role), but full ones behind
// resource_uid: and actor_uid:, and behind AttributeValue= an actor is whom
// CloudTrail's look-up calls the user name: of a role, the session. What the
// event does not say stands in capitals for a person to fill in.
func (r *Rule) Steps(e *event.Event) []string {
	var out []string
	for _, step := range r.next {
		out = append(out, fill(step, e))
	}
	return out
}

func fill(step string, e *event.Event) string {
	var b strings.Builder
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
		value, known := placeholder(name, b.String(), e)
		if !found || !known {
			b.WriteByte('{')
			step = step[i+1:]
			continue
		}
		b.WriteString(shell(value, quoted))
		step = rest
	}
	b.WriteString(step)
	return b.String()
}

// placeholder gives the value for a name that stands behind before.
func placeholder(name, before string, e *event.Event) (string, bool) {
	full := func(field, value string) string {
		return strings.TrimPrefix(query.String(query.Eq{Field: field, Value: value}), field+":")
	}
	switch name {
	case "account":
		return cmp.Or(e.AccountUID, "ACCOUNT"), true
	case "region":
		return cmp.Or(e.Region, "REGION"), true
	case "resource":
		if strings.HasSuffix(before, "resource_uid:") && e.ResourceUID != "" {
			return full("resource_uid", e.ResourceUID), true
		}
		return cmp.Or(ShortName(e.ResourceUID), "RESOURCE"), true
	case "actor":
		switch {
		case strings.HasSuffix(before, "actor_uid:") && e.ActorUID != "":
			return full("actor_uid", e.ActorUID), true
		case strings.HasSuffix(before, "AttributeValue=") && e.ActorSession != "":
			return e.ActorSession, true
		}
		return cmp.Or(e.ActorName, ShortName(e.ActorUID), "ACTOR"), true
	}
	return "", false
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

// shell makes a value from a log safe to paste: names in logs are chosen by
// whoever made the call.
func shell(value string, quoted bool) string {
	value = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '�'
		}
		return r
	}, value)
	safe := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_./:@+=,%^-", r)
	}
	if strings.IndexFunc(value, func(r rune) bool { return !safe(r) }) < 0 {
		return value
	}
	escaped := strings.ReplaceAll(value, "'", `'\''`)
	if quoted {
		return escaped
	}
	return "'" + escaped + "'"
}
