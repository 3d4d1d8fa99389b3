package export

import (
	"encoding/json"
	"fmt"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// HECEvent is a finding, or a decision that came back, as an event of Splunk's HTTP
// Event Collector. ID is the finding's key or the decision's id, and Revision changes whenever what is said of it does, so that a
// search may take the latest of each (dedup id), and the same sent twice is seen
// to be the same.
type HECEvent struct {
	Time       json.Number `json:"time"` // seconds since 1970, when it last changed
	Host       string      `json:"host"`
	Source     string      `json:"source"`
	SourceType string      `json:"sourcetype"`
	Index      string      `json:"index,omitempty"`
	Event      struct {
		ID       string     `json:"id"`
		Revision string     `json:"revision"`
		Finding  any        `json:"finding,omitempty"`
		Decision *Reopening `json:"decision,omitempty"`
	} `json:"event"`
}

// Event makes the event of a finding, which is masked already where it is to be.
func Event(f *finding.Finding, o Options) HECEvent {
	e := HECEvent{
		Time: seconds(modified(f)), Host: "yagura", Source: "yagura",
		SourceType: or(o.SourceType, "yagura:finding"), Index: o.Index,
	}
	e.Event.ID, e.Event.Revision, e.Event.Finding = f.Key, revision(f), any(*f)
	if o.View != nil {
		e.Event.Finding = o.View(*f)
	}
	return e
}

// revision names what is said of a finding at present.
func revision(f *finding.Finding) string {
	text, err := json.Marshal(f)
	if err != nil {
		// A finding holds numbers that JSON has no words for: then its times tell.
		text = fmt.Appendf(nil, "%d %s %s", f.Count, f.LastSeen, modified(f))
	}
	return event.HashUID("revision", f.Key, string(text)).String()
}

// Revision names what is said of a finding at present; it changes with it.
func Revision(f finding.Finding) string { return revision(&f) }
