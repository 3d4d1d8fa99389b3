package record

import (
	"strings"
	"unicode"

	"github.com/yagura-sec/yagura/event"
)

// maxName is how many characters of one name go into a message.
const maxName = 120

// Name makes a text from outside fit to stand in a line that a person reads:
// shortened, and with everything that would break the line or steer a terminal
// taken out.
func Name(s string) string {
	n := 0
	for i := range s {
		if n++; n > maxName {
			s = s[:i] + "…"
			break
		}
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}

// Message is the event in one line: "user mei@example.com was denied
// microsoft.compute/disks/delete on disk1 in 111 japaneast from 203.0.113.7".
func Message(e *event.Event) string {
	var b strings.Builder
	b.WriteString(who(e))
	switch e.Outcome {
	case event.Success:
		b.WriteString(" called ")
	case event.Denied:
		b.WriteString(" was denied ")
	case event.DeniedByOrgPolicy:
		b.WriteString(" was denied by an organisation policy to call ")
	case event.AuthFailed:
		b.WriteString(" failed to authenticate for ")
	case event.Throttled:
		b.WriteString(" was throttled at ")
	default:
		b.WriteString(" tried ")
	}
	b.WriteString(Name(e.APIOperation))
	if e.ResourceUID != "" {
		b.WriteString(" on " + Name(e.ResourceUID[strings.LastIndexByte(e.ResourceUID, '/')+1:]))
		if len(e.ResourceUIDs) > 1 {
			b.WriteString(" and others")
		}
	} else if e.APIService != "" {
		b.WriteString(" of " + Name(e.APIService))
	}
	b.WriteString(Where(e))
	if e.StatusCode != "" && e.Outcome != event.Success {
		b.WriteString(": " + Name(e.StatusCode))
	}
	return b.String()
}

// Where is the end of a message: " in 111 japaneast from 203.0.113.7".
func Where(e *event.Event) string {
	s := ""
	if in := strings.TrimSpace(e.AccountUID + " " + e.Region); in != "" {
		s = " in " + Name(in)
	}
	if from := e.SrcIP + e.SrcHost; from != "" {
		s += " from " + Name(from)
	}
	return s
}

// who is the actor as a message begins.
func who(e *event.Event) string {
	name := Name(First(e.ActorName, e.ActorUID))
	switch {
	case e.ActorType == event.ActorAnonymous:
		return "an anonymous caller"
	case e.ActorType == event.ActorMasked || name == "":
		return "someone unnamed"
	case e.ActorType == event.ActorUser:
		return "user " + Name(First(e.ActorUID, e.ActorName))
	case e.ActorType == event.ActorRole:
		return "application " + name
	case e.ActorType == event.ActorService:
		return "service " + name
	}
	return "principal " + name
}
