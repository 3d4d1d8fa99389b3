package gcpaudit

import (
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/column"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

// maxResources is how many resources of one entry are named in columns.
const maxResources = 256

// resources fills the resource columns, the one the call is about first, and
// gives the version that was left out of its name.
func (en *entry) resources(e *event.Event) (version string) {
	if len(e.ResourceUIDs) > 0 {
		return "" // an activity of Workspace has said it
	}
	name, typ := en.subject()
	name, version = withoutVersion(name)
	e.ResourceUID = en.full(name)
	e.ResourceType = typ
	if typ == "" {
		e.ResourceType = en.typeOf(name)
	}
	add := func(uid string) {
		if uid != "" && len(e.ResourceUIDs) < maxResources && !slices.Contains(e.ResourceUIDs, uid) {
			e.ResourceUIDs = append(e.ResourceUIDs, uid)
		}
	}
	add(e.ResourceUID)
	for m := en.authorization.First(); m.Exists(); m = m.Next() {
		other, _ := withoutVersion(column.Str(m.Get("resource")))
		add(en.full(other))
	}
	for m := en.metadata.Get("resourceNames").First(); m.Exists(); m = m.Next() { // those that a perimeter protects
		other, _ := withoutVersion(column.Str(m))
		add(en.full(other))
	}
	if e.ResourceUID == "" && len(e.ResourceUIDs) > 0 {
		e.ResourceUID = e.ResourceUIDs[0]
		e.ResourceType = en.typeOf(e.ResourceUID)
	}
	if project := after(e.ResourceUID, "projects/"); project != "_" && project != "-" {
		e.ResourceAccountUID = project
	}
	if e.ResourceAccountUID == "" && e.ResourceUID != "" {
		e.ResourceAccountUID = e.AccountUID
	}
	return version
}

// made are the parameters that name what a call makes, whose resourceName is
// only where it is made.
var made = []struct{ service, method, parameter, collection string }{
	{"secretmanager.googleapis.com", "CreateSecret", "secretId", "secrets"},
	{"cloudkms.googleapis.com", "CreateKeyRing", "keyRingId", "keyRings"},
	{"cloudkms.googleapis.com", "CreateCryptoKey", "cryptoKeyId", "cryptoKeys"},
	{"notebooks.googleapis.com", "CreateInstance", "instanceId", "instances"},
}

// subject is the name of the resource that the call is about; its type where the
// name would not tell it.
func (en *entry) subject() (name, typ string) {
	name = en.name
	if en.resourceType == "service_account" {
		// A service account may be named by its number, in a project named "-".
		if email := column.Str(en.labels.Get("email_id")); email != "" && en.account() != "" && !strings.Contains(name, "/keys/") {
			return "projects/" + en.account() + "/serviceAccounts/" + email, "iam.googleapis.com/ServiceAccount"
		}
	}
	for _, m := range made {
		if en.service != m.service || lastPart(en.method) != m.method {
			continue
		}
		id := column.Str(en.request.Get(m.parameter))
		if id == "" {
			id = column.Str(en.request.Get(snake(m.parameter)))
		}
		if id != "" && !strings.Contains("/"+name+"/", "/"+m.collection+"/") {
			name = strings.TrimSuffix(name, "/") + "/" + m.collection + "/" + id
		}
	}
	if name == "" {
		name = column.Str(en.request.Get("name"))
	}
	return name, ""
}

// snake writes secretId as secret_id, as some services do.
func snake(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			b.WriteByte('_')
			b.WriteByte(c + 'a' - 'A')
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// withoutVersion cuts the version off the name of a secret or key.
func withoutVersion(name string) (cut, version string) {
	for _, mark := range []struct{ of, versions string }{{"secrets/", "/versions/"}, {"cryptoKeys/", "/cryptoKeyVersions/"}} {
		at := strings.Index(name, mark.of)
		if at < 0 {
			continue
		}
		if i := strings.Index(name[at:], mark.versions); i > 0 {
			return name[:at+i], name[at+i+len(mark.versions):]
		}
		if rest, ok := strings.CutSuffix(name, strings.TrimSuffix(mark.versions, "/")); ok {
			return rest, ""
		}
	}
	return name, ""
}

// full is a name with its service.
func (en *entry) full(name string) string {
	if name == "" || name == "*" {
		return ""
	}
	if strings.HasPrefix(name, "//") {
		return column.Text(name)
	}
	switch en.service {
	case "k8s.io":
		return column.Text(en.cluster() + name)
	case "":
		return column.Text(name)
	}
	return column.Text("//" + en.service + "/" + en.byID(name))
}

// byID puts the project's id in the place of its number: an entry lies in the
// project that owns the resource, which its labels name.
func (en *entry) byID(name string) string {
	rest, ok := strings.CutPrefix(name, "projects/")
	if !ok {
		return name
	}
	number, rest, more := strings.Cut(rest, "/")
	id := column.Str(en.labels.Get("project_id"))
	if !isNumber(number) || id == "" || isNumber(id) || !strings.HasPrefix(en.logName, "projects/") {
		return name
	}
	if more {
		id += "/" + rest
	}
	return "projects/" + id
}

// cluster is the full name of the cluster that an entry of Kubernetes is of.
func (en *entry) cluster() string {
	return "//container.googleapis.com/projects/" + en.account() + "/locations/" + column.Str(en.labels.Get("location")) +
		"/clusters/" + column.Str(en.labels.Get("cluster_name")) + "/k8s/"
}

// typeOf is the resource's type as Cloud Asset Inventory spells it: the service
// and the singular of the last collection in the name. Names of other forms have
// the type of the monitored resource.
func (en *entry) typeOf(name string) string {
	if v := en.violation.Get("resourceType"); v.Kind() == jsontree.String && strings.Contains(v.String(), "/") {
		return column.Str(v)
	}
	if en.service == "k8s.io" {
		return "k8s.io/" + singular(kubernetesKind(name))
	}
	if rest, ok := strings.CutPrefix(name, "//"); ok {
		_, name, _ = strings.Cut(rest, "/")
	}
	if strings.Contains(name, "/objects/") {
		return en.service + "/Object" // whose own name may hold slashes
	}
	if strings.Contains(name, "/serviceAccounts/") && strings.Contains(name, "/keys/") {
		return "iam.googleapis.com/ServiceAccountKey"
	}
	parts := strings.Split(name, "/")
	collection := ""
	for i := 0; i < len(parts); i += 2 {
		if parts[i] == "global" {
			i++
			if i >= len(parts) {
				break
			}
		}
		collection = parts[i]
	}
	switch {
	case collection == "" || len(collection) > 64 || en.service == "" || !allLetters(collection) || len(parts) < 2:
		return en.resourceType
	case collection == "projects", collection == "folders", collection == "organizations":
		return "cloudresourcemanager.googleapis.com/" + singular(collection)
	}
	return en.service + "/" + singular(collection)
}

func allLetters(s string) bool {
	for i := range len(s) {
		if !isLetter(s[i]) {
			return false
		}
	}
	return true
}

// kubernetesKind is the collection in GROUP/VERSION/[namespaces/NS/]COLLECTION/….
func kubernetesKind(name string) string {
	parts := strings.Split(name, "/")
	at := 2
	if len(parts) > 4 && parts[2] == "namespaces" {
		at = 4
	}
	if at >= len(parts) {
		return parts[len(parts)-1]
	}
	return parts[at]
}

// singular is a collection's member as a type: "Instance" of "instances".
func singular(collection string) string {
	s := collection
	switch {
	case strings.HasSuffix(s, "ies"):
		s = s[:len(s)-3] + "y"
	case strings.HasSuffix(s, "sses"), strings.HasSuffix(s, "xes"), strings.HasSuffix(s, "ches"):
		s = s[:len(s)-2]
	case strings.HasSuffix(s, "s") && !strings.HasSuffix(s, "ss"):
		s = s[:len(s)-1]
	}
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return column.Text(s)
	}
	return column.Text(string(s[0]-'a'+'A') + s[1:])
}
