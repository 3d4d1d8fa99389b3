package triage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/say"
)

// Draft is what would close a finding about something that nobody applied for:
// for a person to read, change and send or apply. Nothing is sent or applied by
// us.
type Draft struct {
	// Messages are for the applicant, one a language; none where an application
	// would change nothing: Why says so.
	Messages []Message
	Why      say.Text
	// After is what would stand in the register; nil where it covers the service
	// already, or says nothing of the project.
	After *register.Entry
	Adds  string // the service that After adds
	// Policy is nil where no change of a policy can be written down.
	Policy *PolicyDraft
}

// Message is a draft of a message.
type Message struct {
	Language say.Language `json:"language"`
	To       string       `json:"to"` // an actor_uid, or whoever answers for the project; empty: nobody is known
	Subject  string       `json:"subject"`
	Body     string       `json:"body"`
}

// Drafting is what a draft is made of.
type Drafting struct {
	Finding   finding.Finding
	Entry     *register.Entry // of the finding's project; nil: nobody applied for it
	Allowance *register.Allowance
	Known     *companion.Catalogue
}

// Drafts makes what would close a finding.
func Drafts(d Drafting) Draft {
	f := &d.Finding
	service := f.Wanted()
	if service == "" {
		return Draft{Messages: []Message{}, Why: say.T("draft.nothing", nil)}
	}
	if warned(f) {
		return Draft{Messages: []Message{}, Why: say.T("draft.warned", nil)}
	}
	if !namesServices(f.Constraint) {
		return Draft{Messages: []Message{}, Why: say.T("draft.manner", say.Values{"policy": f.Constraint, "service": service})}
	}
	out := Draft{Messages: []Message{}, Policy: policyDraft(d, service)}
	if d.Entry != nil && d.Entry.Covers(service, f.LastSeen) {
		out.Why = say.T("draft.covered", say.Values{"project": f.Account, "service": service})
		return out
	}
	for _, l := range say.Languages {
		out.Messages = append(out.Messages, d.message(service, l))
	}
	if d.Entry != nil {
		after := *d.Entry
		after.Services = append(slices.Clone(after.Services), register.Service{ID: service})
		after.Clean()
		out.After, out.Adds = &after, service
	}
	return out
}

// warned tells whether what was done beside the refusals looks like an attack.
// Nobody is to be asked then to apply for what was refused, and no policy opened.
func warned(f *finding.Finding) bool {
	return slices.ContainsFunc(f.Reasons, func(r finding.Reason) bool { return r.Kind == finding.ReasonHostile })
}

// message is that to the applicant, in a language.
func (d *Drafting) message(service string, l say.Language) Message {
	f := &d.Finding
	m := Message{Language: l}
	applied := say.T("draft.unregistered", nil)
	if d.Entry != nil {
		m.To = cmp.Or(d.Entry.Applicant, d.Entry.Owner)
		applied = say.T("draft.applied.none", nil)
		if ids := d.Entry.IDs(); len(ids) > 0 {
			applied = say.T("draft.applied", say.Values{"services": named(ids, d.Known, l)})
		}
	}
	greeting := say.T("draft.greeting.team", nil)
	if m.To != "" {
		greeting = say.T("draft.greeting", say.Values{"to": m.To})
	}
	name := namedOne(service, d.Known, l)
	m.Subject = say.T("draft.subject", say.Values{"project": f.Account, "service": name}).In(l)
	parts := []say.Text{
		greeting,
		say.T("draft.refused", say.Values{"n": f.Count, "project": f.Account, "service": name, "since": f.FirstSeen.UTC(), "until": f.LastSeen.UTC(), "policy": d.policyName()}),
		d.person(), d.need(service, l), applied,
		say.T("draft.ask", say.Values{"service": name}),
	}
	var body []string
	for _, p := range parts {
		if text := p.In(l); text != "" {
			body = append(body, text)
		}
	}
	m.Body = strings.Join(body, "\n\n") + "\n"
	return m
}

func (d *Drafting) policyName() say.Text {
	if d.Finding.Constraint == "" {
		return say.T("draft.policy.unknown", nil)
	}
	return say.Plain(d.Finding.Constraint)
}

// person says who it was: that it is inferred, where no log names them.
func (d *Drafting) person() say.Text {
	switch f := &d.Finding; {
	case f.Inferred != nil && f.Inferred.UID != "":
		return say.T("draft.inferred", say.Values{"who": f.Inferred.UID, "probability": f.Inferred.Probability})
	case f.Inferred == nil && f.Actor != "":
		return say.T("draft.actor", say.Values{"who": f.Actor})
	}
	return say.T("draft.nobody", nil)
}

// need says what brings the service along, if anything applied for does.
func (d *Drafting) need(service string, l say.Language) say.Text {
	var from []string
	if g := d.Finding.RegisterGap; g != nil && g.NeededBy != "" && g.NeededBy != service {
		from = []string{g.NeededBy}
	}
	if len(from) == 0 && d.Entry != nil {
		from = d.Entry.IDs()
	}
	id, bond, ok := d.Known.Bringer(service, from)
	if !ok {
		return say.Text{}
	}
	why := bond.Why.EN
	if l == say.Japanese {
		why = bond.Why.JA
	}
	if bond.Source != "" {
		why += " (" + bond.Source + ")"
	}
	return register.Need(namedOne(id, d.Known, l), namedOne(service, d.Known, l), why, bond.Always)
}

// namedOne is a service as people and logs call it.
func namedOne(id string, known *companion.Catalogue, l say.Language) string {
	name := known.Name(id).EN
	if l == say.Japanese {
		name = known.Name(id).JA
	}
	if name == id {
		return id
	}
	return fmt.Sprintf("%s (%s)", name, id)
}

func named(ids []string, known *companion.Catalogue, l say.Language) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = namedOne(id, known, l)
	}
	return out
}
