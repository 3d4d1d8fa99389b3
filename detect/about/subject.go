package about

import (
	"cmp"
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/say"
)

// Subject says what happened in one line.
func Subject(e *event.Event) say.Text {
	if e.Message != "" {
		return told(e)
	}
	what, on, by, from := say.Plain(e.APIOperation), say.Text{}, say.Text{}, say.Text{}
	if e.APIOperation == "" {
		what = say.T("event.an", nil)
	}
	if e.ResourceUID != "" {
		on = say.T("event.on", say.Values{"resource": ShortName(e.ResourceUID)})
	}
	if who := cmp.Or(e.ActorName, e.ActorUID); who != "" {
		by = say.T("event.by", say.Values{"type": typeOf(e.ActorType), "who": who})
	}
	if address := cmp.Or(e.SrcIP, e.SrcHost); address != "" {
		from = say.T("event.from", say.Values{"address": address})
	}
	return say.T("event.subject", say.Values{"what": what, "on": on, "by": by, "from": from})
}

// verbs are the words by which normalisers tell in English how a call ended, and
// what says the same in both languages. Of two of which one begins like the other,
// the longer comes first.
var verbs = []struct{ words, id string }{
	{" called ", "called"}, {" began ", "began"}, {" tried ", "tried"},
	{" was denied by an organisation policy to call ", "policy"}, {" was denied ", "denied"},
	{" failed to authenticate for ", "auth"}, {" was throttled at ", "throttled"},
}

// logins are those that tell of sign-ins, which name no operation.
var logins = []struct{ words, id string }{
	{" signed in to the console with MFA", "mfa"}, {" signed in to the console without MFA", "alone"},
	{" signed in to the console", "console"}, {" failed to sign in to the console", "failed"},
}

// told is the English line of a normaliser (event.Message) as a sentence in both
// languages. The line is taken apart by its verb and, from its end, by the columns
// that it names; it stays as it is where that does not give back its very words.
func told(e *event.Event) say.Text {
	plain := say.Plain(e.Message)
	who, login, rest, ok := cutVerb(e.Message)
	if !ok {
		return plain
	}
	var code, from, in, thing say.Text
	// A code has no spaces; what else follows a colon is part of a name.
	if i := strings.LastIndex(rest, ": "); i >= 0 && !strings.Contains(rest[i+2:], " ") {
		code, rest = say.T("event.code", say.Values{"code": rest[i+2:]}), rest[:i]
	}
	if address := e.SrcIP + e.SrcHost; address != "" {
		if before, ok := strings.CutSuffix(rest, " from "+address); ok {
			from, rest = say.T("event.from", say.Values{"address": address}), before
		}
	}
	if where := strings.TrimSpace(e.AccountUID + " " + e.Region); where != "" {
		if before, ok := strings.CutSuffix(rest, " in "+where); ok {
			in, rest = say.T("event.in", say.Values{"where": where}), before
		}
	}
	var did say.Text
	switch {
	case login == "":
		operation, on, found := strings.Cut(rest, " on ")
		if found {
			thing = thingOf(on)
		} else if op, service, found := strings.Cut(rest, " of "); found {
			operation, thing = op, say.T("event.of", say.Values{"service": service})
		}
		did = doing(operation)
	case rest == "":
		did = say.T("event.login."+login, nil)
	}
	out := say.T("event.told", say.Values{"who": Whom(who), "did": did, "thing": thing, "in": in, "from": from, "code": code})
	if out.String() != e.Message {
		return plain
	}
	return out
}

// cutVerb parts a line at its verb. login is how somebody signed in, and then rest
// is what follows the verb; else rest begins with it.
func cutVerb(line string) (who, login, rest string, ok bool) {
	for _, v := range logins {
		if who, rest, ok = strings.Cut(line, v.words); ok {
			return who, v.id, rest, true
		}
	}
	first := -1
	for _, v := range verbs {
		if i := strings.Index(line, v.words); i >= 0 && (first < 0 || i < first) {
			first = i
		}
	}
	if first < 0 {
		return "", "", "", false
	}
	return line[:first], "", line[first:], true
}

// doing says what was done and how it ended, of the words that begin with the verb.
func doing(words string) say.Text {
	for _, v := range verbs {
		operation, ok := strings.CutPrefix(words, v.words)
		if !ok {
			continue
		}
		if policy, operation, named := strings.Cut(strings.TrimPrefix(operation, "by "), " to call "); named {
			return say.T("event.by.policy", say.Values{"policy": policy, "operation": operation})
		}
		return say.T("event.did."+v.id, say.Values{"operation": operation})
	}
	return say.Text{}
}

// thingOf says what was acted on.
func thingOf(name string) say.Text {
	if name, several := strings.CutSuffix(name, " and others"); several {
		return say.T("event.thing.others", say.Values{"name": name})
	}
	return say.T("event.thing.one", say.Values{"name": name})
}

// kinds are the words that stand before the name of a principal in English.
var kinds = []struct{ word, id string }{
	{"role ", "role"}, {"user ", "user"}, {"federated user ", "federated"}, {"service account ", "robot"}, {"service ", "service"},
	{"application ", "application"}, {"principal ", "principal"}, {"a principal of account ", "account"},
}

// Whom says who it was in both languages, of the English words with which
// normalisers and correlations name principals: "user mei".
func Whom(words string) say.Text {
	switch words {
	case "an anonymous caller":
		return say.T("event.anonymous", nil)
	case "someone unnamed":
		return say.T("event.unnamed", nil)
	}
	for _, k := range kinds {
		if name, ok := strings.CutPrefix(words, k.word); ok {
			return say.T("event.who."+k.id, say.Values{"name": name})
		}
	}
	return say.Plain(words)
}

// typeOf is a kind of principal as a word.
func typeOf(t event.ActorType) say.Text {
	switch t {
	case "":
		return say.T("word.principal", nil)
	case event.ActorRole, event.ActorUser, event.ActorRoot, event.ActorFederated, event.ActorService, event.ActorAccount, event.ActorAnonymous, event.ActorMasked, event.ActorUnknown:
		return say.T("type."+string(t), nil)
	}
	return say.Plain(string(t))
}
