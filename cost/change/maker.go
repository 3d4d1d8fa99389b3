package change

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

// Kind is what sort of thing makes changes.
type Kind string

// The kinds of makers.
const (
	ECSService       Kind = "ecs_service"        // named "cluster/service"
	ECSTask          Kind = "ecs_task"           // tasks that somebody ran one by one: "cluster/family"
	ECSCluster       Kind = "ecs_cluster"        // which service in it is not told
	ECSUntold        Kind = "ecs_untold"         // ECS, known by no more than its security groups
	LambdaFunction   Kind = "lambda_function"    //
	EKSCluster       Kind = "eks_cluster"        //
	AutoScalingGroup Kind = "auto_scaling_group" //
	BatchEnvironment Kind = "batch_environment"  //
	EMRCluster       Kind = "emr_cluster"        //
	Stack            Kind = "stack"              // of CloudFormation
	LoadBalancer     Kind = "load_balancer"      //
	NATGateway       Kind = "nat_gateway"        //
	VPCEndpoint      Kind = "vpc_endpoint"       //
	TransitGateway   Kind = "transit_gateway"    //
	FileSystem       Kind = "file_system"        //
	Cache            Kind = "cache"              //
	Database         Kind = "database"           //
	Directory        Kind = "directory"          //
	AWSService       Kind = "aws_service"        // for what is not told
	Person           Kind = "person"             //
	Role             Kind = "role"               // a program's
	Unknown          Kind = "unknown"            // the record names nobody
	Others           Kind = "others"             // those that make less than the named ones
)

// who is one maker.
type who struct {
	kind Kind
	name string
}

// maxName is how many bytes of a name are kept. AWS's own names are shorter: an ARN
// of a role has 2,048 at most, and what matters of it stands at its end.
const maxName = 256

// named makes a maker of a name that somebody else wrote: bounded, valid text. What
// shows it escapes it.
func named(kind Kind, name string) who {
	name = strings.ToValidUTF8(name, "\uFFFD")
	if len(name) > maxName {
		cut := maxName
		for !utf8.RuneStart(name[cut]) {
			cut--
		}
		name = name[:cut]
	}
	return who{kind, name}
}

// described are beginnings of the descriptions that services give their network
// interfaces, and what follows of them.
var described = []struct {
	head string
	kind Kind
	name func(rest string) string
}{
	{"AWS Lambda VPC ENI-", LambdaFunction, withoutUUID},
	{"AWS Lambda VPC ENI: ", LambdaFunction, withoutUUID},
	{"ELB app/", LoadBalancer, beforeSlash},
	{"ELB net/", LoadBalancer, beforeSlash},
	{"ELB gwy/", LoadBalancer, beforeSlash},
	{"ELB ", LoadBalancer, whole},
	{"Interface for NAT Gateway ", NATGateway, whole},
	{"VPC Endpoint Interface ", VPCEndpoint, whole},
	{"Network Interface for Transit Gateway Attachment ", TransitGateway, whole},
	{"EFS mount target for ", FileSystem, beforeSpace},
	{"ElastiCache ", Cache, whole},
	{"RDSNetworkInterface", Database, func(string) string { return "rds" }},
	{"DMSNetworkInterface", Database, func(string) string { return "dms" }},
	{"AWS created network interface for directory ", Directory, whole},
	{"Amazon EKS ", EKSCluster, whole},
}

// ecsAttachment begins the description of the interface of a task:
// arn:aws:ecs:ap-northeast-1:111122223333:attachment/0f1e….
const ecsAttachment = ":attachment/"

func whole(s string) string       { return s }
func beforeSlash(s string) string { s, _, _ = strings.Cut(s, "/"); return s }
func beforeSpace(s string) string { s, _, _ = strings.Cut(s, " "); return s }

// withoutUUID is a name without the UUID that may stand behind it.
func withoutUUID(s string) string {
	const uuid = len("-01234567-89ab-cdef-0123-456789abcdef")
	if at := len(s) - uuid; at > 0 && s[at] == '-' {
		if _, ok := event.ParseUID(s[at+1:]); ok {
			return s[:at]
		}
	}
	return s
}

// tags of a resource that say who made it. Nobody can set tags that begin with
// "aws:" but AWS; those of Kubernetes are set by its controllers, or by whoever
// likes to.
var tags = []struct {
	key  string
	kind Kind
}{
	{"aws:ecs:serviceName", ECSService},
	{"aws:ecs:clusterName", ECSCluster},
	{"aws:autoscaling:groupName", AutoScalingGroup},
	{"aws:eks:cluster-name", EKSCluster},
	{"eks:cluster-name", EKSCluster},
	{"aws:batch:compute-environment", BatchEnvironment},
	{"aws:elasticmapreduce:job-flow-id", EMRCluster},
	{"aws:cloudformation:stack-name", Stack},
}

// kubernetes begins a tag whose name ends with a cluster's.
const kubernetes = "kubernetes.io/cluster/"

// byTags is the maker that tags name.
func byTags(all map[string]string) (who, bool) {
	for _, t := range tags {
		name := all[t.key]
		switch {
		case name == "":
		case t.kind == ECSService && all["aws:ecs:clusterName"] != "":
			return named(t.kind, all["aws:ecs:clusterName"]+"/"+name), true
		default:
			return named(t.kind, name), true
		}
	}
	cluster := ""
	for key := range all {
		if name, ok := strings.CutPrefix(key, kubernetes); ok && (cluster == "" || name < cluster) {
			cluster = name
		}
	}
	return named(EKSCluster, cluster), cluster != ""
}

// byDescription is the maker that the description of an interface names. Anybody may
// write one, so it is asked of calls by services only.
func byDescription(text string) (who, bool) {
	for _, d := range described {
		if rest, ok := strings.CutPrefix(text, d.head); ok {
			return named(d.kind, d.name(rest)), true
		}
	}
	return who{}, false
}

// byService tells whether an AWS service made the call, for itself or on behalf of a
// role of its own.
func byService(e *event.Event) bool {
	return e.ActorType == event.ActorService || servicePrincipal(e.ActorInvokedBy) || servicePrincipal(e.SrcHost) || serviceRole(e.ActorUID)
}

func servicePrincipal(s string) bool { return strings.HasSuffix(s, ".amazonaws.com") }

// serviceRole tells whether a role is one that a service made for itself.
func serviceRole(uid string) bool {
	return strings.Contains(uid, ":role/aws-service-role/") || strings.Contains(uid, ":role/AWSServiceRoleFor")
}

// byCaller is whoever called, where nothing tells for what.
func byCaller(e *event.Event) who {
	for _, principal := range []string{e.ActorInvokedBy, e.SrcHost} {
		if servicePrincipal(principal) {
			return named(AWSService, principal)
		}
	}
	if e.ActorUID != "" && (e.Caller == event.CallerConsole || e.Caller == event.CallerPersonCLI) && e.ActorSession != "" {
		return named(Person, e.ActorUID+"/"+e.ActorSession)
	}
	return byActor(e.ActorUID, e.ActorType, e.Caller)
}

// byActor is byCaller of what usage keeps.
func byActor(uid string, typ event.ActorType, caller event.Caller) who {
	switch {
	case uid == "":
		return who{Unknown, ""}
	case typ == event.ActorService, serviceRole(uid), servicePrincipal(uid):
		return named(AWSService, roleService(uid))
	case typ == event.ActorUser, typ == event.ActorRoot, caller == event.CallerConsole, caller == event.CallerPersonCLI:
		return named(Person, uid)
	}
	return named(Role, uid)
}

// roleService is the service that a service-linked role is of, as the role's path
// names it; else the role.
func roleService(uid string) string {
	_, path, ok := strings.Cut(uid, ":role/aws-service-role/")
	if service, _, more := strings.Cut(path, "/"); ok && more {
		return service
	}
	return uid
}

// texts calls f with every string at path in v; arrays on the way are gone through.
func texts(v jsontree.Value, path []string, f func(string)) {
	if v.Kind() == jsontree.Array {
		for m := v.First(); m.Exists(); m = m.Next() {
			texts(m, path, f)
		}
		return
	}
	if len(path) > 0 {
		if next := v.Get(path[0]); next.Exists() {
			texts(next, path[1:], f)
		}
		return
	}
	if s := v.String(); s != "" {
		f(s)
	}
}

// maxTags is how many tags of a record are looked at: a resource has 50.
const maxTags = 200

// readTags adds the tags in an array of {key, value}, or in what holds one as items.
func readTags(v jsontree.Value, to map[string]string) {
	if items := v.Get("items"); items.Exists() {
		v = items
	}
	if v.Kind() != jsontree.Array {
		return
	}
	for m := v.First(); m.Exists() && len(to) < maxTags; m = m.Next() {
		if inner := m.Get("tags"); inner.Exists() { // a specification of tags
			readTags(inner, to)
			continue
		}
		if key := m.Get("key").String(); key != "" {
			to[key] = m.Get("value").String()
		}
	}
}

// groupsOf are the security groups at path, as one text; empty: none.
func groupsOf(v jsontree.Value, path ...string) string {
	var all []string
	texts(v, path, func(s string) {
		if len(all) < 16 { // an interface has at most 16
			all = append(all, strings.Clone(s))
		}
	})
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}

// lastPart is what stands behind the last slash: a cluster's name in its ARN.
func lastPart(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }
