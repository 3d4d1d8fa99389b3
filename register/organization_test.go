package register_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/yagura-sec/yagura/register"
)

const (
	management = "999988887777"
	member     = "111122223333"
	unit       = "ou-ab12-11111111"
)

// answers are an organisation with one unit and one account in it, nothing denied.
func answers() fstest.MapFS {
	f := fstest.MapFS{}
	put := func(name, text string) { f[name] = &fstest.MapFile{Data: []byte(text)} }
	put("list-roots.json", `{"Roots":[{"Id":"r-ab12","Arn":"arn:aws:organizations::999988887777:root/o-exampleorgid/r-ab12","Name":"Root","PolicyTypes":[{"Type":"SERVICE_CONTROL_POLICY","Status":"ENABLED"},{"Type":"TAG_POLICY","Status":"ENABLED"}]}]}`)
	put("list-parents/"+member+".json", `{"Parents":[{"Id":"ou-ab12-11111111","Type":"ORGANIZATIONAL_UNIT"}]}`)
	put("list-parents/"+unit+".json", `{"Parents":[{"Id":"r-ab12","Type":"ROOT"}]}`)
	for _, target := range []string{"r-ab12", unit, member} {
		put("list-policies-for-target/"+target+".json", attached("p-FullAWSAccess"))
	}
	return f
}

func attached(ids ...string) string {
	var all []string
	for _, id := range ids {
		all = append(all, fmt.Sprintf(`{"Id":%q,"Arn":"arn:aws:organizations::aws:policy/service_control_policy/x","Name":"x","Type":"SERVICE_CONTROL_POLICY","AwsManaged":false}`, id))
	}
	return `{"Policies":[` + strings.Join(all, ",") + `]}`
}

func policy(id, kind string, statements ...string) string {
	return fmt.Sprintf(`{"Policy":{"PolicySummary":{"Id":%q,"Type":%q},"Content":%q}}`, id, kind, `{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`)
}

// said is yes, no or unknown of each service.
func said(a *register.Allowance, services ...string) string {
	var out []string
	for _, s := range services {
		word := "unknown"
		if yes := a.Allows(s + ".amazonaws.com"); yes != nil {
			word = map[bool]string{true: "yes", false: "no"}[*yes]
		}
		out = append(out, s+" "+word)
	}
	return strings.Join(out, ", ")
}

func read(t *testing.T, f fs.FS) *register.Organization {
	t.Helper()
	o, wrong := register.ReadOrganization(f)
	for _, err := range wrong {
		t.Error(err)
	}
	return o
}

// TestControlPolicies: what statements on a unit leave its account.
func TestControlPolicies(t *testing.T) {
	f := func(want string, statements ...string) {
		t.Helper()
		files := answers()
		files["list-policies-for-target/"+unit+".json"] = &fstest.MapFile{Data: []byte(attached("p-FullAWSAccess", "p-examplescp"))}
		files["describe-policy/x.json"] = &fstest.MapFile{Data: []byte(policy("p-examplescp", "SERVICE_CONTROL_POLICY", statements...))}
		if got := said(read(t, files).Of(member), "s3", "ec2", "monitoring"); got != want {
			t.Errorf("%s: %s, want %s", statements, got, want)
		}
	}
	f("s3 yes, ec2 yes, monitoring yes")
	f("s3 no, ec2 yes, monitoring yes", `{"Effect":"Deny","Action":"s3:*","Resource":"*"}`)
	f("s3 no, ec2 no, monitoring no", `{"Effect":"Deny","Action":["*"],"Resource":"*"}`)
	f("s3 no, ec2 yes, monitoring no", `{"Effect":"Deny","Action":["S3:**","cloudw*:*"]}`)
	f("s3 yes, ec2 no, monitoring no", `{"Effect":"Deny","NotAction":["s3:*","iam:*"],"Resource":"*"}`)
	// A part of a service, some resources, a condition, some callers: nobody can tell.
	f("s3 unknown, ec2 yes, monitoring yes", `{"Effect":"Deny","Action":"s3:PutBucketAcl","Resource":"*"}`)
	f("s3 unknown, ec2 no, monitoring no", `{"Effect":"Deny","NotAction":"s3:Get*","Resource":"*"}`)
	f("s3 unknown, ec2 yes, monitoring yes", `{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::kite-*"}`)
	f("s3 unknown, ec2 yes, monitoring yes", `{"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::kite-*"}`)
	f("s3 unknown, ec2 unknown, monitoring unknown", `{"Effect":"Deny","NotAction":"iam:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}`)
	f("s3 unknown, ec2 no, monitoring yes", `{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`, `{"Effect":"Deny","Action":"ec2:*","Resource":"*","Condition":{}}`)
}

// TestAllowLists: what no policy of a level allows is denied, whatever others do.
func TestAllowLists(t *testing.T) {
	f := func(want, names string, statements ...string) {
		t.Helper()
		files := answers()
		files["list-policies-for-target/r-ab12.json"] = &fstest.MapFile{Data: []byte(attached("p-examplelist"))}
		files["describe-policy/x.json"] = &fstest.MapFile{Data: []byte(policy("p-examplelist", "SERVICE_CONTROL_POLICY", statements...))}
		a := read(t, files).Of(member)
		if got := said(a, "s3", "ec2", "monitoring"); got != want || strings.Join(a.Services, " ") != names {
			t.Errorf("%s: %s and by name %q, want %s", statements, got, a.Services, want)
		}
	}
	f("s3 no, ec2 no, monitoring no", "")
	f("s3 yes, ec2 no, monitoring yes", "monitoring.amazonaws.com s3.amazonaws.com", `{"Effect":"Allow","Action":["s3:*","cloudwatch:*"],"Resource":"*"}`)
	f("s3 unknown, ec2 yes, monitoring no", "ec2.amazonaws.com", `{"Effect":"Allow","Action":["s3:Get*","ec2:*"],"Resource":"*"}`)
	f("s3 unknown, ec2 no, monitoring no", "", `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}`)
	f("s3 no, ec2 yes, monitoring no", "ec2.amazonaws.com", `{"Effect":"Allow","Action":["s3:*","ec2:*"],"Resource":"*"}`, `{"Effect":"Deny","Action":"s3:*","Resource":"*"}`)
}

// TestMissingAnswers: what is not known is never said to be allowed, and what is
// denied is denied all the same.
func TestMissingAnswers(t *testing.T) {
	deny := &fstest.MapFile{Data: []byte(policy("p-examplescp", "SERVICE_CONTROL_POLICY", `{"Effect":"Deny","Action":"s3:*","Resource":"*"}`))}
	f := func(want, missing string, change func(fstest.MapFS)) {
		t.Helper()
		files := answers()
		files["list-policies-for-target/r-ab12.json"] = &fstest.MapFile{Data: []byte(attached("p-FullAWSAccess", "p-examplescp"))}
		files["x.json"] = deny
		change(files)
		a := read(t, files).Of(member)
		if a == nil {
			if want != "" {
				t.Errorf("nothing is known, want %s", want)
			}
			return
		}
		if got := said(a, "s3", "ec2"); got != want || strings.Join(a.Missing, "; ") != missing {
			t.Errorf("%s, missing %q, want %s, %q", got, a.Missing, want, missing)
		}
	}
	gone := func(names ...string) func(fstest.MapFS) {
		return func(f fstest.MapFS) {
			for _, n := range names {
				delete(f, n)
			}
		}
	}
	f("s3 no, ec2 yes", "", func(fstest.MapFS) {})
	f("s3 unknown, ec2 unknown", "describe-policy p-examplescp", gone("x.json"))
	f("s3 no, ec2 unknown", "list-policies-for-target "+unit+" (SERVICE_CONTROL_POLICY)", gone("list-policies-for-target/"+unit+".json"))
	f("s3 no, ec2 unknown", "list-parents "+unit, gone("list-parents/"+unit+".json"))
	f("", "", gone("list-parents/"+member+".json"))
	f("", "", gone("list-roots.json"))
	// What lies on what may be told from the policies' side too, once all of them are known.
	sides := func(f fstest.MapFS) {
		for _, target := range []string{"r-ab12", unit, member} {
			delete(f, "list-policies-for-target/"+target+".json")
		}
		f["list-policies.json"] = &fstest.MapFile{Data: []byte(attached("p-FullAWSAccess", "p-examplescp"))}
		f["list-targets-for-policy/p-FullAWSAccess.json"] = &fstest.MapFile{Data: []byte(`{"Targets":[{"TargetId":"r-ab12"},{"TargetId":"ou-ab12-11111111"},{"TargetId":"111122223333"}]}`)}
		f["list-targets-for-policy/p-examplescp.json"] = &fstest.MapFile{Data: []byte(`{"Targets":[{"TargetId":"r-ab12"}]}`)}
	}
	f("s3 no, ec2 yes", "", sides)
	f("s3 no, ec2 unknown", "list-policies-for-target "+member+" (SERVICE_CONTROL_POLICY); list-policies-for-target "+unit+" (SERVICE_CONTROL_POLICY); list-policies-for-target r-ab12 (SERVICE_CONTROL_POLICY)",
		func(f fstest.MapFS) { sides(f); delete(f, "list-policies.json") })
}

// TestResourceControl: policies of resources deny, and their allowing is AWS's own.
func TestResourceControl(t *testing.T) {
	files := answers()
	files["list-roots.json"] = &fstest.MapFile{Data: []byte(strings.Replace(string(files["list-roots.json"].Data), "TAG_POLICY", "RESOURCE_CONTROL_POLICY", 1))}
	if got := said(read(t, files).Of(member), "s3", "ec2"); got != "s3 unknown, ec2 unknown" {
		t.Errorf("without them: %s", got)
	}
	files["list-policies-rcp.json"] = &fstest.MapFile{Data: []byte(`{"Policies":[{"Id":"p-examplercp","Type":"RESOURCE_CONTROL_POLICY"}]}`)}
	files["list-targets-for-policy/p-examplercp.json"] = &fstest.MapFile{Data: []byte(`{"Targets":[{"TargetId":"111122223333"}]}`)}
	for effect, want := range map[string]string{
		`"Principal":"*","Action":"s3:*"`:                                        "s3 no, ec2 yes",
		`"Principal":{"AWS":"*"},"Action":"s3:*"`:                                "s3 no, ec2 yes",
		`"Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"s3:*"`:   "s3 unknown, ec2 yes",
		`"Principal":"*","Action":"s3:*","Condition":{"Bool":{"aws:x":"false"}}`: "s3 unknown, ec2 yes",
	} {
		files["x.json"] = &fstest.MapFile{Data: []byte(policy("p-examplercp", "RESOURCE_CONTROL_POLICY", `{"Effect":"Deny","Resource":"*",`+effect+`}`))}
		if got := said(read(t, files).Of(member), "s3", "ec2"); got != want {
			t.Errorf("%s: %s, want %s", effect, got, want)
		}
	}
}

func TestManagementAccount(t *testing.T) {
	files := answers()
	files["list-policies-for-target/r-ab12.json"] = &fstest.MapFile{Data: []byte(attached())}
	files["list-policies-for-target/r-ab12.json"] = &fstest.MapFile{Data: []byte(attached("p-examplescp"))}
	files["x.json"] = &fstest.MapFile{Data: []byte(policy("p-examplescp", "SERVICE_CONTROL_POLICY", `{"Effect":"Deny","Action":"*","Resource":"*"}`))}
	o := read(t, files)
	if got := said(o.Of(management), "s3"); got != "s3 yes" {
		t.Errorf("policies do not bind the management account: %s", got)
	}
	if got := said(o.Of(member), "s3"); got != "s3 no" {
		t.Errorf("of a member: %s", got)
	}
	if o.Of("444455556666") != nil || o.Of("") != nil {
		t.Error("of an account that no answer names something is known")
	}
	if yes := o.Of(member).Allows("storage.googleapis.com"); yes != nil {
		t.Errorf("of Google's service it is said %v", *yes)
	}
}

// TestOrganizationRefuses: what cannot be read is told with its name, and the rest holds.
func TestOrganizationRefuses(t *testing.T) {
	f := func(name, text, want string) {
		t.Helper()
		files := answers()
		files[name] = &fstest.MapFile{Data: []byte(text)}
		o, wrong := register.ReadOrganization(files)
		if len(wrong) != 1 || !strings.HasPrefix(wrong[0].Error(), name+": ") || !strings.Contains(wrong[0].Error(), want) {
			t.Errorf("%s: %v, want one that says %q", name, wrong, want)
		}
		if got := said(o.Of(member), "s3"); got != "s3 yes" {
			t.Errorf("%s: the rest says %s", name, got)
		}
	}
	f("a.json", `{`, "unexpected end")
	f("a.json", `{"Accounts":[]}`, "no answer of")
	f("list-parents.json", `{"Parents":[{"Id":"r-ab12"}]}`, "does not name the account")
	f("targets.json", `{"Targets":[]}`, "does not name the policy")
	f("list-policies-for-target.json", attached("p-FullAWSAccess"), "does not name the target")
	f("list-policies.json", `{"Policies":[]}`, "the type that was asked for")
	f("cut.json", `{"Policies":[],"NextToken":"x"}`, "NextToken")
	f("b.json", policy("p-examplescp", "SERVICE_CONTROL_POLICY", `{"Effect":"Perhaps","Action":"*"}`), "p-examplescp")
	f("b.json", policy("p-examplescp", "SERVICE_CONTROL_POLICY", `{"Effect":"Deny"}`), "p-examplescp")
}

// FuzzOrganization: whatever an answer holds, a service that a policy of the root denies
// is never allowed, unless the answer takes the place of one that is needed.
func FuzzOrganization(f *testing.F) {
	for name, file := range answers() {
		f.Add(name, file.Data)
	}
	f.Add("list-policies-for-target/ou-ab12-11111111.json", []byte(attached("p-examplescp")))
	f.Add("x.json", []byte(policy("p-examplescp", "SERVICE_CONTROL_POLICY", `{"Effect":"Deny","NotAction":["s3:*"]}`)))
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		files := answers()
		files["list-policies-for-target/r-ab12.json"] = &fstest.MapFile{Data: []byte(attached("p-FullAWSAccess", "p-denyofroot"))}
		files["deny.json"] = &fstest.MapFile{Data: []byte(policy("p-denyofroot", "SERVICE_CONTROL_POLICY", `{"Effect":"Deny","Action":"s3:*","Resource":"*"}`))}
		o, _ := register.ReadOrganization(files)
		if strings.Contains(string(text), "Roots") || strings.Contains(string(text), "p-denyofroot") || strings.Contains(name, "r-ab12") || strings.Contains(string(text), "\\u") {
			return
		}
		_ = o.Add(name, text)
		if a := o.Of(member); a != nil {
			if yes := a.Allows("s3.amazonaws.com"); yes != nil && *yes {
				t.Errorf("%s %q: denied at the root, and said to be allowed", name, text)
			}
		}
	})
}
