package register

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/event"
)

// HierarchyOperations are the calls of Google Cloud's Resource Manager that say
// under what a project or folder lies, by the last part of their names: versions of
// the interface write different ones before it.
// https://cloud.google.com/resource-manager/reference/rest
var HierarchyOperations = []string{"CreateProject", "UpdateProject", "MoveProject", "CreateFolder", "MoveFolder"}

// resourceManager is the service of those calls.
const resourceManager = "cloudresourcemanager.googleapis.com"

// placed is that a record says under what something lies.
type placed struct {
	names  []string // of the project ("projects/kite-ml", "projects/415104041262") or folder
	parent string   // "folders/7", "organizations/1"
	made   bool     // it begins to be with this
}

// hierarchyRecord is of a record what tells of the hierarchy. Parents are a text, or
// in the first version of the interface an object.
type hierarchyRecord struct {
	Payload struct {
		ResourceName string         `json:"resourceName"`
		Request      hierarchyEntry `json:"request"`
		Response     hierarchyEntry `json:"response"`
	} `json:"protoPayload"`
}

type hierarchyEntry struct {
	Name        string          `json:"name"`
	ProjectID   string          `json:"projectId"`
	Parent      json.RawMessage `json:"parent"`
	Destination string          `json:"destinationParent"`
	Project     *hierarchyEntry `json:"project"`
	Folder      *hierarchyEntry `json:"folder"`
}

// placedBy reads what an event says of the hierarchy; false: nothing.
func placedBy(e *event.Event) (p placed, ok bool) {
	call := e.APIOperation[strings.LastIndexByte(e.APIOperation, '.')+1:]
	var r hierarchyRecord
	if e.Outcome != event.Success || e.APIService != resourceManager || !slices.Contains(HierarchyOperations, call) || json.Unmarshal(e.Raw, &r) != nil {
		return p, false
	}
	p.made = strings.HasPrefix(call, "Create")
	kind := "projects/"
	if strings.HasSuffix(call, "Folder") {
		kind = "folders/"
	}
	for _, x := range []*hierarchyEntry{&r.Payload.Request, r.Payload.Request.Project, r.Payload.Request.Folder, &r.Payload.Response} {
		if x == nil {
			continue
		}
		if x.ProjectID != "" {
			p.names = append(p.names, "projects/"+x.ProjectID)
		}
		if strings.HasPrefix(x.Name, kind) {
			p.names = append(p.names, x.Name)
		}
		p.parent = cmp.Or(container(x.Destination), parentOf(x.Parent), p.parent)
	}
	if name := strings.TrimPrefix(strings.TrimPrefix(r.Payload.ResourceName, "//"), resourceManager+"/"); strings.HasPrefix(name, kind) {
		p.names = append(p.names, name)
	}
	if kind == "projects/" && e.AccountUID != "" {
		p.names = append(p.names, kind+e.AccountUID)
	}
	slices.Sort(p.names)
	p.names = slices.Compact(p.names)
	return p, len(p.names) > 0 && p.parent != ""
}

// parentOf is a parent as newer versions name it.
func parentOf(raw json.RawMessage) string {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		return container(name)
	}
	var old struct{ Type, ID string }
	if json.Unmarshal(raw, &old) != nil || old.ID == "" {
		return ""
	}
	return container(old.Type + "s/" + old.ID)
}

// container is the name of a folder or an organisation; empty: it is neither's.
func container(name string) string {
	if id, ok := strings.CutPrefix(name, "folders/"); ok && id != "" {
		return name
	}
	if id, ok := strings.CutPrefix(name, "organizations/"); ok && id != "" {
		return name
	}
	return ""
}

// Policies are what policies allow by name, as far as the log tells. The zero value
// is ready.
type Policies struct {
	set    map[string]*PolicyChange // the last change of each project, folder and organisation
	parent map[string]string
	made   map[string]bool   // the log has how it began: of a policy it has all changes
	alias  map[string]string // projects/NUMBER: projects/ID
}

// Add takes in an event, after all that were before it.
func (p *Policies) Add(e *event.Event) {
	if p.set == nil {
		p.set, p.parent, p.made, p.alias = map[string]*PolicyChange{}, map[string]string{}, map[string]bool{}, map[string]string{}
	}
	if c, ok := PolicyChangeOf(e); ok {
		p.name(e, c.Resource)
		p.set[p.called(c.Resource)] = &c
		return
	}
	at, ok := placedBy(e)
	if !ok {
		return
	}
	p.name(e, at.names...)
	for _, n := range at.names {
		n = p.called(n)
		p.parent[n] = at.parent
		p.made[n] = p.made[n] || at.made
	}
}

// name notes that the names are of one project, where one of them is not a number.
func (p *Policies) name(e *event.Event, names ...string) {
	id := ""
	if e.AccountUID != "" && !numbered("projects/"+e.AccountUID) {
		id = "projects/" + e.AccountUID
	}
	for _, n := range names {
		if strings.HasPrefix(n, "projects/") && !numbered(n) {
			id = n
		}
	}
	for _, n := range names {
		if id != "" && strings.HasPrefix(n, "projects/") && numbered(n) {
			p.alias[n] = id
		}
	}
}

// called is the name under which a thing is kept.
func (p *Policies) called(name string) string { return cmp.Or(p.alias[name], name) }

// numbered tells whether a project is named by its number.
func numbered(name string) bool {
	_, id, _ := strings.Cut(name, "/")
	return id != "" && strings.Trim(id, "0123456789") == ""
}

// deepest is how many levels are between a project and its organisation at most:
// Google Cloud has ten of folders.
const deepest = 16

// Of is what policies allow a project by name: its own policy, else that of the
// nearest folder or organisation above it, with what each inherits; nil: it is not
// known. Of what has no policy in the log it is known that it has none only where
// the log has how it began.
func (p *Policies) Of(project string) *Allowance {
	if p == nil {
		return nil
	}
	var added []string
	var first *Allowance // the nearest that names any
	at := "projects/" + project
	for range deepest {
		c := p.set[at]
		switch {
		case c == nil && !p.made[at]:
			return nil
		case c == nil || c.Cleared:
		case c.Allowance != nil:
			return with(cmp.Or(first, c.Allowance), c.Allowance.Services, added)
		case c.Added != nil:
			added, first = append(added, c.Added.Services...), cmp.Or(first, c.Added)
		default:
			return nil
		}
		if at = p.parent[at]; at == "" {
			return nil
		}
	}
	return nil
}

// with is what a policy tells, of these services.
func with(a *Allowance, services, added []string) *Allowance {
	out := *a
	out.Services = append(append([]string{}, services...), added...)
	slices.Sort(out.Services)
	out.Services = slices.Compact(out.Services)
	return &out
}
