package trail

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/say"
)

// act is a sort of thing that people do, by the operations that do it: patterns
// of a whole operation, in small letters.
type act struct {
	word       string
	operations []string
}

// acts are those that a story is told by. Google's operations are those of its
// audit logs, Azure's of its activity log, the rest of AWS and directories.
var acts = []act{
	{"enable", []string{"google.api.serviceusage.*.enableservice", "google.api.serviceusage.*.batchenableservices", "google.api.servicemanagement.*.activateservices", "microsoft.*/register/action"}},
	{"disable", []string{"google.api.serviceusage.*.disableservice"}},
	{"notebook", []string{"google.cloud.notebooks.*.createinstance", "google.cloud.notebooks.*.createruntime", "createnotebookinstance", "microsoft.machinelearningservices/workspaces/computes/write"}},
	{"cluster", []string{"google.container.*.createcluster", "google.cloud.dataproc.*.createcluster", "google.cloud.orchestration.*.createenvironment", "createcluster", "runjobflow", "microsoft.containerservice/managedclusters/write"}},
	{"machine", []string{"*compute.instances.insert", "*compute.instances.bulkinsert", "runinstances", "microsoft.compute/virtualmachines/write"}},
	{"key", []string{"google.iam.admin.*.createserviceaccountkey", "createaccesskey", "add service principal credentials", "system.api_token.create"}},
	{"rights", []string{"setiampolicy", "*.setiampolicy", "*.setiampermissions", "attach*policy", "put*policy", "microsoft.authorization/roleassignments/write", "add member to role"}},
	{"policy", []string{"google.cloud.orgpolicy.*", "*setorgpolicy", "microsoft.authorization/policy*/write"}},
	{"secret", []string{"*.accesssecretversion", "getsecretvalue", "secretget"}},
	{"logoff", []string{"userlogoff"}},
	{"signout", []string{"logout", "user.session.end"}},
	{"firewall", []string{"*compute.firewalls.insert", "*compute.firewalls.patch", "authorizesecuritygroup*"}},
}

// actOf is the word for what an event did; "call" where there is none.
func actOf(e *event.Event) string {
	op := strings.ToLower(e.APIOperation)
	for _, a := range acts {
		if slices.ContainsFunc(a.operations, func(p string) bool { return covers(p, op) }) {
			return a.word
		}
	}
	switch {
	case strings.HasPrefix(e.Format, "dhcp.") || e.Format == "zeek.dhcp":
		return "lease"
	case e.Format == "edr.logon" && e.ActivityID == logoff:
		return "logoff"
	case e.Format == "edr.logon":
		return "logon"
	case e.ClassUID == event.ClassAuthentication:
		return "signin"
	case e.ClassUID == event.ClassProcess:
		return "process"
	case KindOf(e.Format) == Proxy || e.ClassUID == event.ClassHTTP:
		return "page"
	case e.ClassUID == event.ClassDNS:
		return "resolve"
	case KindOf(e.Format) == Network || e.ClassUID == event.ClassNetwork:
		return "connect"
	case e.ReadOnly:
		return "read"
	}
	return "call"
}

// logoff is OCSF's activity of who leaves.
const logoff int32 = 2

// covers tells whether a pattern covers an operation: * stands for any run of
// characters, slashes as well.
func covers(pattern, op string) bool {
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(op, "/", "\x00"))
	return ok && err == nil
}

// quiet are acts that no story is made of.
var quiet = []string{"read", "process", "page", "resolve", "connect", "lease"}

// tell gives the run its sentence, and says whether it is part of the story.
func (r *Run) tell() {
	refused := r.Outcome == event.DeniedByOrgPolicy || r.Outcome == event.Denied
	r.Notable = !slices.Contains(quiet, r.Act) || refused && r.cloud
	did := r.did()
	times := say.Text{}
	if r.Count > 1 {
		times = say.T("trail.times", say.Values{"n": r.Count})
	}
	switch {
	case r.Outcome == event.DeniedByOrgPolicy && r.Status != "":
		r.Text = say.T("trail.refused", say.Values{"did": did, "n": r.Count, "policy": r.Status})
	case refused:
		r.Text = say.T("trail.denied", say.Values{"did": did, "n": r.Count})
	case r.Outcome == event.Success, r.Outcome == "":
		r.Text = say.T("trail.done", say.Values{"did": did, "times": times})
	default:
		code := say.Text{}
		if r.Status != "" {
			code = say.T("trail.code", say.Values{"code": r.Status})
		}
		r.Text = say.T("trail.failed", say.Values{"did": did, "times": times, "code": code})
	}
}

// did is the sentence without how it ended.
func (r *Run) did() say.Text {
	what := say.Plain("")
	if len(r.Things) > 0 {
		what = say.Plain(name(r.Things[0]))
	}
	where := say.Plain(r.Account)
	if r.Account == "" {
		where = say.T("trail.nowhere", nil)
	}
	switch r.Act {
	case "signin", "signout":
		return say.T("trail.session."+r.Act, say.Values{"where": cmp.Or(r.product, r.Account), "from": r.from()})
	case "logon", "logoff":
		return say.T("trail.device."+r.Act, say.Values{"device": r.device})
	case "lease":
		return say.T("trail.lease", say.Values{"device": r.device, "address": r.Address})
	case "process":
		return say.T("trail.process", say.Values{"process": what, "device": r.device, "more": r.more()})
	case "page", "resolve", "connect":
		return say.T("trail.host."+r.Act, say.Values{"host": cmp.Or(r.Service, what.String()), "from": r.from()})
	case "read", "call":
		return say.T("trail.op."+r.Act, say.Values{"operation": short(r.Operation), "service": r.Service, "where": where})
	}
	thing := say.Text{}
	if what.String() != "" {
		thing = say.T("trail.named", say.Values{"name": what, "more": r.more()})
	}
	return say.T("trail.thing."+r.Act, say.Values{"thing": thing, "where": where})
}

// from tells the address, where there is one.
func (r *Run) from() say.Text {
	if r.Address == "" {
		return say.Text{}
	}
	return say.T("trail.from", say.Values{"address": r.Address})
}

// more tells how many things there are besides the first.
func (r *Run) more() say.Text {
	n := max(0, len(r.Things)-1) + r.MoreThings
	if n == 0 {
		return say.Text{}
	}
	return say.T("trail.more", say.Values{"n": n})
}

// short is an operation without the package it is named in.
func short(operation string) string {
	if strings.HasPrefix(operation, "google.") {
		parts := strings.Split(operation, ".")
		return strings.Join(parts[max(0, len(parts)-2):], ".")
	}
	return operation
}
