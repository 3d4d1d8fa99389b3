package alert

import (
	"errors"
	"strings"
)

// readFalco reads an alert of Falco, as it writes it itself and as falcosidekick
// passes it on. An alert is one event and has no id that comes again: the same
// finding is the same rule at the same place.
func readFalco(v value) (Alert, error) {
	f := v.key("output_fields")
	a := Alert{
		Product: "Falco", Class: Detection, Type: v.key("source").str(), Title: v.key("rule").str(), Description: v.key("output").str(),
		UID: v.key("uuid").str(), Level: v.key("priority").str(), Severity: severityOf(v.key("priority").str()),
		At: v.time("time"), Status: Open, Host: v.key("hostname").str(),
	}
	if a.Title == "" {
		return a, errors.New("rule is missing")
	}
	if a.At.IsZero() {
		a.At = firstTime(f.key("evt.time").when(), f.key("evt.time.iso8601").when())
	}
	if a.At.IsZero() {
		return a, errors.New("time is missing or no time")
	}
	a.First, a.Last, a.Count = a.At, a.At, 1
	a.Attack = attacks(v.key("tags").strs()...)
	for _, t := range v.key("tags").strs() {
		if id := tactic(t); id != "" {
			a.Attack = append(a.Attack, id)
		}
	}
	a.runtime(f)
	a.falcoPlugins(f)
	a.Ref = Ref{"falco", strings.Join([]string{a.Title, a.Resource().UID, a.Actor.UID}, "|")}
	if a.UID == "" {
		a.UID = a.ID
	}
	return a, nil
}

// runtime reads the fields that Falco's engine gives, also within Sysdig.
func (a *Alert) runtime(f value) {
	str := func(names ...string) string {
		for _, n := range names {
			if s := f.key(n).str(); s != "" && s != "<NA>" {
				return s
			}
		}
		return ""
	}
	a.Process = str("proc.exepath", "proc.name")
	if user := str("user.name"); user != "" {
		a.Actor.Name, a.Actor.Type = user, "user"
	}
	for _, n := range []struct {
		name string
		kind NoteKind
	}{
		{"proc.cmdline", Command}, {"proc.pname", StartedBy}, {"fd.name", FileOrLink}, {"user.name", HostUser},
		{"container.image.repository", Image}, {"evt.type", SystemCall},
	} {
		if s := str(n.name); s != "" {
			a.note(n.kind, s, "")
		}
	}
	container, pod := str("container.name", "container.id"), str("k8s.pod.name")
	if pod != "" {
		a.Resources = append(a.Resources, Resource{UID: strings.Trim(str("k8s.cluster.name")+"/"+str("k8s.ns.name")+"/"+pod, "/"), Type: "Pod", Name: pod})
	}
	if container != "" && container != "host" {
		a.Resources = append(a.Resources, Resource{UID: strings.Trim(a.Host+"/"+container, "/"), Type: "Container", Name: container})
	}
	if a.Host != "" {
		a.Resources = append(a.Resources, Resource{UID: a.Host, Type: "Host", Name: a.Host})
	}
}

// falcoPlugins reads what Falco's plugins for other logs give: the audit logs of
// Kubernetes (ka) and CloudTrail (ct).
func (a *Alert) falcoPlugins(f value) {
	if user := f.key("ka.user.name").str(); user != "" {
		a.Actor.Name, a.Actor.UID = user, user
		a.Actor.IP = address(f.key("ka.sourceips").first().str())
		name := strings.Trim(f.key("ka.target.namespace").str()+"/"+f.key("ka.target.resource").str()+"/"+f.key("ka.target.name").str(), "/")
		a.Resources = append([]Resource{{UID: name, Type: "Kubernetes"}}, a.Resources...)
	}
	if name := f.key("ct.name").str(); name != "" {
		a.Cloud, a.Account, a.Region = "AWS", f.key("ct.user.accountid").str(), f.key("ct.region").str()
		a.Actor.UID, a.Actor.Name = f.key("ct.user.arn").str(), f.key("ct.user").str()
		a.Actor.IP, a.Actor.Agent = address(f.key("ct.srcip").str()), f.key("ct.useragent").str()
		a.note(Called, f.key("ct.src").str()+" "+name, "")
		if b := f.key("s3.bucket").str(); b != "" {
			a.Resources = append([]Resource{{UID: b, Type: "AwsS3Bucket"}}, a.Resources...)
		}
	}
}
