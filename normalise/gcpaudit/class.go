package gcpaudit

import (
	"strings"

	"github.com/yagura-sec/yagura/event"
)

// OCSF 1.6.0 activity_id values: of API Activity, Authentication, Account Change.
const (
	apiCreate, apiRead, apiUpdate, apiDelete int32 = 1, 2, 3, 4
	logon                                    int32 = 1
	accountCreate, accountEnable             int32 = 1, 2
	accountDisable, accountDelete            int32 = 5, 6
	other                                    int32 = 99
)

// authentication are the methods by which someone becomes someone, by service.
var authentication = map[string]map[string]bool{
	"iamcredentials.googleapis.com": {"GenerateAccessToken": true, "GenerateIdToken": true, "SignJwt": true, "SignBlob": true},
	"sts.googleapis.com":            {"ExchangeToken": true},
}

// accountChange are the methods of IAM that change service accounts and their keys.
var accountChange = map[string]int32{
	"CreateServiceAccount": accountCreate, "DeleteServiceAccount": accountDelete, "UndeleteServiceAccount": accountEnable,
	"EnableServiceAccount": accountEnable, "DisableServiceAccount": accountDisable, "UpdateServiceAccount": other, "PatchServiceAccount": other,
	"CreateServiceAccountKey": accountCreate, "UploadServiceAccountKey": accountCreate, "DeleteServiceAccountKey": accountDelete,
	"EnableServiceAccountKey": accountEnable, "DisableServiceAccountKey": accountDisable,
}

// lastPart is what a method is called behind its service and version.
func lastPart(method string) string { return method[strings.LastIndexByte(method, '.')+1:] }

// classOf gives the OCSF class and activity, and whether the call only reads.
func classOf(en *entry) (class, activity int32, readOnly bool) {
	name := lastPart(en.method)
	activity = activityOf(name)
	readOnly = activity == apiRead && en.log() != "activity" && en.log() != "system_event"
	if authentication[en.service][name] {
		return event.ClassAuthentication, logon, false
	}
	if a, ok := accountChange[name]; ok && en.service == "iam.googleapis.com" {
		return event.ClassAccountChange, a, false
	}
	return event.ClassAPIActivity, activity, readOnly
}

// activityOf reads the activity from the verb: the first word of CreateInstance,
// createInstance or insert, the last of instances.insert.
func activityOf(name string) int32 {
	verb := name
	for i := 1; i < len(name); i++ {
		if c := name[i]; 'A' <= c && c <= 'Z' {
			verb = name[:i]
			break
		}
	}
	verb = strings.ToLower(verb)
	if verb == "batch" && len(name) > len(verb) {
		return activityOf(name[len(verb):])
	}
	if a, ok := verbs[verb]; ok {
		return a
	}
	return other
}

var verbs = map[string]int32{
	"create": apiCreate, "insert": apiCreate, "import": apiCreate, "upload": apiCreate, "copy": apiCreate, "clone": apiCreate, "generate": apiCreate,
	"add": apiCreate, "run": apiCreate, "publish": apiCreate, "write": apiCreate, "register": apiCreate, "issue": apiCreate, "restore": apiCreate,

	"get": apiRead, "list": apiRead, "aggregated": apiRead, "access": apiRead, "search": apiRead, "query": apiRead, "read": apiRead, "test": apiRead,
	"lookup": apiRead, "fetch": apiRead, "export": apiRead, "decrypt": apiRead, "asymmetric": apiRead, "mac": apiRead, "raw": apiRead, "encrypt": apiRead,
	"watch": apiRead, "describe": apiRead, "check": apiRead, "count": apiRead, "predict": apiRead, "download": apiRead, "pull": apiRead, "verify": apiRead,
	"decapsulate": apiRead,

	"update": apiUpdate, "patch": apiUpdate, "set": apiUpdate, "enable": apiUpdate, "disable": apiUpdate, "attach": apiUpdate, "detach": apiUpdate,
	"start": apiUpdate, "stop": apiUpdate, "reset": apiUpdate, "resize": apiUpdate, "move": apiUpdate, "undelete": apiUpdate, "modify": apiUpdate,
	"replace": apiUpdate, "bulk": apiUpdate, "approve": apiUpdate, "rotate": apiUpdate, "restart": apiUpdate, "rewrite": apiUpdate,

	"delete": apiDelete, "remove": apiDelete, "destroy": apiDelete, "purge": apiDelete, "deletecollection": apiDelete, "cancel": apiDelete,
}
