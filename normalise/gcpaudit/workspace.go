package gcpaudit

import (
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/column"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/workspace/activity"
)

// activity fills what an activity of Google Workspace tells that came as an entry:
// its operation is the event's name, as where the Reports API tells of it.
func (en *entry) activity(e *event.Event, application string) {
	e.Format = normalise.WorkspaceFormat(application)
	first := en.metadata.Get("event")
	if first.Kind() == jsontree.Array {
		first = first.First()
	}
	typ, name := column.Str(first.Get("eventType")), column.Str(first.Get("eventName"))
	if name == "" {
		return
	}
	e.APIOperation = name
	kind := activity.Of(typ, name)
	e.ClassUID, e.ActivityID, e.ReadOnly = kind.Class, kind.Activity, kind.ReadOnly
	if e.Outcome == event.Success {
		e.Outcome = kind.Outcome
	}
	e.Category = event.Management
	for p := first.Get("parameter").First(); p.Exists(); p = p.Next() {
		key := p.Get("name").String()
		switch key {
		case "login_failure_type":
			if e.Outcome != event.Success {
				e.StatusCode = column.Str(p.Get("value"))
			}
		case "is_second_factor":
			e.ActorMFA, _ = column.Truth(p.Get("boolValue"))
		case "login_challenge_method":
			e.ActorMFA = e.ActorMFA || secondFactor(p)
		}
		if uid, typ := activity.Thing(key, column.Str(p.Get("value"))); uid != "" && len(e.ResourceUIDs) < maxResources {
			e.ResourceUIDs = append(e.ResourceUIDs, uid)
			if e.ResourceUID == "" {
				e.ResourceUID, e.ResourceType, e.ResourceAccountUID = uid, typ, e.AccountUID
			}
		}
	}
}

// secondFactor tells whether a challenge beside the password was passed.
func secondFactor(parameter jsontree.Value) bool {
	for _, key := range []string{"multiStrValue", "multiValue"} {
		for m := parameter.Get(key).First(); m.Exists(); m = m.Next() {
			if s := m.String(); s != "" && !strings.EqualFold(s, "password") && !strings.EqualFold(s, "none") {
				return true
			}
		}
	}
	return false
}
