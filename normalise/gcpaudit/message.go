package gcpaudit

import (
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/column"
)

// message writes the event as one line: "user mei@example.com was denied by
// constraints/gcp.resourceLocations to call compute.instances.insert on instance
// web-9 in harbour-prod europe-west3 from 203.0.113.7".
func (rd *reader) message(e *event.Event, en *entry, a *actor) string {
	w := column.NewLine(rd.line)
	subject(&w, e, a)
	if e.Format == Format {
		called(&w, e)
	} else { // the name of an activity says what came of it
		w.Words(": ")
		w.Name(e.APIOperation)
	}
	if e.ResourceUID != "" {
		w.Words(" on ")
		noun(&w, e.ResourceType)
		w.Name(shortName(e.ResourceUID))
	} else if e.APIService != "" {
		w.Words(" of ")
		w.Name(strings.TrimSuffix(e.APIService, ".googleapis.com"))
	}
	if e.AccountUID != "" && !strings.HasSuffix(e.ResourceUID, "/"+e.AccountUID) {
		w.Words(" in ")
		w.Name(e.AccountUID)
		if e.Region != "" {
			w.Words(" ")
			w.Name(e.Region)
		}
	}
	if from := e.SrcIP + e.SrcHost; from != "" {
		w.Words(" from ")
		w.Name(from)
	}
	switch e.Outcome {
	case event.Success, event.Denied, event.DeniedByOrgPolicy, event.Throttled:
	default:
		if e.StatusCode != "" {
			w.Words(": ")
			w.Name(e.StatusCode)
		}
	}
	if e.Twin && en.repeats() {
		w.Words(" (end of an operation)")
	}
	rd.line = w.Bytes()
	return w.String()
}

// subject writes who acted.
func subject(w *column.Line, e *event.Event, a *actor) {
	switch e.ActorType {
	case event.ActorUser:
		w.Words("user ")
	case event.ActorRole:
		w.Words("service account ")
	case event.ActorFederated:
		w.Words("federated ")
	case event.ActorService:
		w.Words("Google's ")
	case event.ActorAnonymous:
		w.Words("an anonymous caller")
		return
	case event.ActorMasked:
		if a.uid == "" {
			w.Words("someone unnamed")
			return
		}
		w.Words("someone through the service agent ")
	default:
		w.Words("principal ")
	}
	w.Name(e.ActorUID)
	if a.impersonate {
		w.Words(" (")
		w.Name(a.delegate)
		w.Words(")")
	}
}

// called writes what was done and how it ended.
func called(w *column.Line, e *event.Event) {
	switch e.Outcome {
	case event.Success:
		if e.StatusCode == VPCServiceControls {
			w.Words(" would be denied by a service perimeter on trial: ")
		} else {
			w.Words(" called ")
		}
	case event.Denied:
		w.Words(" was denied ")
	case event.DeniedByOrgPolicy:
		w.Words(" was denied by ")
		if e.StatusCode == VPCServiceControls {
			w.Words("VPC Service Controls")
		} else {
			w.Name(e.StatusCode)
		}
		w.Words(" to call ")
	case event.AuthFailed:
		w.Words(" failed to authenticate for ")
	case event.Throttled:
		w.Words(" was throttled at ")
	default:
		w.Words(" tried ")
	}
	w.Name(methodName(e.APIOperation))
}

// methodName is a method as people say it: "CreateInstance" for what belongs to
// an interface, "compute.instances.insert" for what is named by a path.
func methodName(method string) string {
	last := lastPart(method)
	if last != "" && last[0] >= 'A' && last[0] <= 'Z' {
		return last
	}
	for _, version := range []string{"v1.", "v2.", "beta.", "alpha."} {
		if rest, ok := strings.CutPrefix(method, version); ok {
			return rest
		}
	}
	return method
}

// noun writes the last word of a type in small letters: "crypto key" for
// cloudkms.googleapis.com/CryptoKey.
func noun(w *column.Line, typ string) {
	s := typ[strings.LastIndexByte(typ, '/')+1:]
	if s == "" || len(s) > 40 || strings.Contains(s, ".") {
		return
	}
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z':
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteByte(c + 'a' - 'A')
		case c == '_':
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
		}
	}
	w.Name(b.String())
	w.Words(" ")
}

// shortName is what a person calls the resource: the last part of its name.
func shortName(uid string) string {
	s := strings.TrimSuffix(uid, "/")
	if i := strings.Index(s, "/objects/"); i >= 0 {
		return s[i+len("/objects/"):]
	}
	return s[strings.LastIndexByte(s, '/')+1:]
}
