package cloudtrail

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/event"
)

// maxName is how many bytes of one name go into a message.
const maxName = 120

// message writes the event as one line: "role ci-deploy was denied
// GetSecretValue on secret prod/db in 111122223333 ap-northeast-1 from
// 203.0.113.7".
func (rd *reader) message(e *event.Event, rec *record, signIn string) string {
	w := line{rd.line[:0]}
	switch {
	case rec.insight.Exists():
		w.insight(rec)
	case rec.name == "ConsoleLogin":
		w.actor(e)
		if e.Outcome == event.Success {
			w.words(" signed in to the console")
			if e.ActorType == event.ActorRoot || e.ActorType == event.ActorUser {
				if e.ActorMFA {
					w.words(" with MFA")
				} else {
					w.words(" without MFA")
				}
			}
		} else {
			w.words(" failed to sign in to the console")
		}
	default:
		w.actor(e)
		w.call(e)
		w.resource(e)
	}
	if e.AccountUID != "" {
		w.words(" in ")
		w.name(e.AccountUID)
		if e.Region != "" {
			w.words(" ")
			w.name(e.Region)
		}
	} else if e.Region != "" {
		w.words(" in ")
		w.name(e.Region)
	}
	if from := e.SrcIP + e.SrcHost; from != "" && from != e.ActorName {
		w.words(" from ")
		w.name(from)
	}
	if e.StatusCode != "" && !saidByVerb(e.Outcome) {
		w.words(": ")
		w.name(e.StatusCode)
	}
	rd.line = w.b
	return string(w.b)
}

type line struct{ b []byte }

func (w *line) words(s string) { w.b = append(w.b, s...) }

// name writes a text that came from outside: shortened, and with everything
// that would break the line or steer a terminal taken out.
func (w *line) name(s string) {
	cut := false
	if len(s) > maxName {
		n := maxName
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s, cut = s[:n], true
	}
	plain := true
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		w.b = append(w.b, s...)
	} else {
		for _, r := range s {
			if !unicode.IsPrint(r) {
				r = ' '
			}
			w.b = utf8.AppendRune(w.b, r)
		}
	}
	if cut {
		w.words("…")
	}
}

func (w *line) insight(rec *record) {
	w.words("CloudTrail Insights saw an unusual ")
	if kind := rec.insight.Get("insightType").String(); kind == "ApiErrorRateInsight" {
		w.words("rate of errors of ")
	} else {
		w.words("rate of calls of ")
	}
	w.name(rec.name)
	if rec.source != "" {
		w.words(" of ")
		w.name(strings.TrimSuffix(rec.source, ".amazonaws.com"))
	}
	switch rec.insight.Get("state").String() {
	case "Start":
		w.words(" begin")
	case "End":
		w.words(" end")
	}
}

func (w *line) actor(e *event.Event) {
	who := e.ActorName
	if who == "" {
		who = afterLast(e.ActorUID, '/')
	}
	switch e.ActorType {
	case event.ActorRole:
		w.words("role ")
	case event.ActorUser:
		w.words("user ")
	case event.ActorRoot:
		w.words("root")
		return
	case event.ActorFederated:
		w.words("federated user ")
	case event.ActorService:
		w.words("service ")
	case event.ActorAnonymous:
		w.words("an anonymous caller")
		return
	case event.ActorAccount:
		w.words("a principal of account ")
		if e.ActorAccountUID != "" {
			who = e.ActorAccountUID
		}
	case event.ActorMasked:
		w.words("someone unnamed")
		return
	default:
		w.words("principal ")
	}
	w.name(who)
}

func saidByVerb(o event.Outcome) bool {
	return o == event.Success || o == event.Denied || o == event.DeniedByOrgPolicy || o == event.Throttled
}

func (w *line) call(e *event.Event) {
	switch e.Outcome {
	case event.Denied:
		w.words(" was denied ")
	case event.DeniedByOrgPolicy:
		w.words(" was denied by an organisation policy to call ")
	case event.AuthFailed:
		w.words(" failed to authenticate for ")
	case event.Throttled:
		w.words(" was throttled at ")
	case event.Success:
		w.words(" called ")
	default:
		w.words(" tried ")
	}
	w.name(e.APIOperation)
}

func (w *line) resource(e *event.Event) {
	if e.ResourceUID == "" {
		if service, _, _ := strings.Cut(e.APIService, "."); service != "" {
			w.words(" of ")
			w.name(service)
		}
		return
	}
	w.words(" on ")
	w.noun(e.ResourceType)
	w.name(shortName(e.ResourceUID))
	// A twin's key and an object's bucket are not further things acted on.
	if len(e.ResourceUIDs) > 1 && !e.Twin && e.ResourceType != "AWS::S3::Object" {
		w.words(" and others")
	}
}

// noun writes the last word of a type in small letters: "secret" for
// AWS::SecretsManager::Secret, "db instance" for AWS::RDS::DBInstance.
func (w *line) noun(typ string) {
	s := typ[strings.LastIndex(typ, "::")+1:]
	s = strings.TrimPrefix(s, ":")
	if typ == "" || len(s) > 40 {
		return
	}
	for i := range len(s) {
		c := s[i]
		upper := 'A' <= c && c <= 'Z'
		begins := upper && i > 0 && (s[i-1] >= 'a' || i+1 < len(s) && s[i+1] >= 'a')
		if begins {
			w.b = append(w.b, ' ')
		}
		switch {
		case upper:
			c += 'a' - 'A'
		case c < 0x20 || c >= 0x7f:
			c = ' '
		}
		w.b = append(w.b, c)
	}
	w.b = append(w.b, ' ')
}

// shortName is what a person calls the resource: the ARN's last part without
// the word that says what it is.
func shortName(uid string) string {
	if !isARN(uid) {
		return uid
	}
	rest := uid
	service := ""
	for i := range 5 {
		part, after, _ := strings.Cut(rest, ":")
		if i == 2 {
			service = part
		}
		rest = after
	}
	if service == "s3" {
		return rest
	}
	if i := strings.IndexAny(rest, ":/"); i > 0 && i+1 < len(rest) {
		return rest[i+1:]
	}
	return rest
}
