package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/yagura-sec/yagura/internal/shared"
	"github.com/yagura-sec/yagura/register"
)

// TestRegisterOrganization: what answers of AWS say is held against what was applied
// for; what is missing, and what cannot be read, is said.
func TestRegisterOrganization(t *testing.T) {
	c := &commands{t, t.TempDir()}
	empty, settings := filepath.Join(t.TempDir(), "empty.json"), filepath.Join(t.TempDir(), "yagura.yml")
	if err := os.WriteFile(empty, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ask(t, c.data, "ingest", empty) // which makes the data directory, and has nothing to keep
	f := c.register
	organization := filepath.Join(t.TempDir(), "organization")
	if err := os.MkdirAll(filepath.Join(organization, "list-parents"), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		settings: "register:\n  organization: " + organization + "\n",
		filepath.Join(organization, "list-roots.json"):                   `{"Roots":[{"Id":"r-ab12","Arn":"arn:aws:organizations::999988887777:root/o-exampleorgid/r-ab12","PolicyTypes":[{"Type":"SERVICE_CONTROL_POLICY","Status":"ENABLED"}]}]}`,
		filepath.Join(organization, "list-parents", "111122223333.json"): `{"Parents":[{"Id":"r-ab12","Type":"ROOT"}]}`,
		filepath.Join(organization, "r-ab12-scp.json"):                   `{"Policies":[{"Id":"p-FullAWSAccess","Type":"SERVICE_CONTROL_POLICY"},{"Id":"p-examplescp","Type":"SERVICE_CONTROL_POLICY"}]}`,
		filepath.Join(organization, "policy.json"):                       `{"Policy":{"PolicySummary":{"Id":"p-examplescp","Type":"SERVICE_CONTROL_POLICY"},"Content":"{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"s3:*\",\"Resource\":\"*\"}}"}}`,
		filepath.Join(organization, "other.json"):                        `{"Accounts":[]}`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f(exitDone, "", "set", "111122223333", "--owner", "shop", "--service", "s3.amazonaws.com", "--service", "ec2.amazonaws.com")
	f(exitDone, "not_allowed", "compare", "111122223333", "--config", settings)
	f(exitDone, "without list-policies-for-target 111122223333 (SERVICE_CONTROL_POLICY)", "compare", "111122223333", "--config", settings)
	f(exitDone, "other.json: it is no answer of", "compare", "111122223333", "--config", settings)
	if err := os.RemoveAll(organization); err != nil {
		t.Fatal(err)
	}
	f(exitUsage, "register.organization: ", "compare", "111122223333", "--config", settings)
}

// TestSharedPolicies: published policies are understood.
func TestSharedPolicies(t *testing.T) {
	dir := shared.Dir(t, "policies")
	n := 0
	for _, kind := range []string{"scp", "rcp"} {
		err := filepath.WalkDir(filepath.Join(dir, kind+"-examples"), func(name string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(name) != ".json" {
				return err
			}
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			n++
			o, _ := register.ReadOrganization(fstest.MapFS{})
			id := "p-example" + kind
			answer := fmt.Sprintf(`{"Policy":{"PolicySummary":{"Id":%q,"Type":%q},"Content":%q}}`, id, map[string]string{"scp": "SERVICE_CONTROL_POLICY", "rcp": "RESOURCE_CONTROL_POLICY"}[kind], text)
			if err := o.Add("x.json", []byte(answer)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n == 0 {
		t.Error("no policy was read")
	}
	t.Logf("%d policies are read", n)
}

// TestRegisterTenant: what answers of Azure say is held against what was applied for.
func TestRegisterTenant(t *testing.T) {
	c := &commands{t, t.TempDir()}
	const root, id = "00000000-1111-2222-3333-444455556666", "aaaaaaaa-1111-2222-3333-444455556666"
	const groups = "/providers/Microsoft.Management/managementGroups/"
	folder, settings, empty := t.TempDir(), filepath.Join(t.TempDir(), "yagura.yml"), filepath.Join(t.TempDir(), "empty.json")
	assigned := filepath.Join(folder, "policy-assignments")
	for path, text := range map[string]string{
		empty:    "{}\n",
		settings: "register:\n  organization: " + folder + "\n",
		filepath.Join(folder, "groups.json"): fmt.Sprintf(`{"id":%q,"name":%q,"tenantId":%q,"type":"Microsoft.Management/managementGroups","children":[{"id":"/subscriptions/%s","type":"/subscriptions"}]}`,
			groups+root, root, root, id),
		filepath.Join(assigned, root+".json"): fmt.Sprintf(`[{"id":"/a","scope":%q,"policyDefinitionId":"/providers/Microsoft.Authorization/policyDefinitions/6c112d4e-5bc7-47ae-a041-ea2d9dccd749","parameters":{"listOfResourceTypesNotAllowed":{"value":["Microsoft.Storage/storageAccounts"]}}}]`,
			groups+root),
		filepath.Join(folder, "policy-exemptions", id+".json"): "[]",
		filepath.Join(folder, "other.json"):                    "[]",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ask(t, c.data, "ingest", empty)
	f := func(want string, args ...string) {
		t.Helper()
		code, out, errs := ask(t, c.data, append([]string{"register"}, args...)...)
		if code != exitDone || !strings.Contains(out+errs, want) {
			t.Errorf("%v: code %d, said\n%s%s\nwant %q", args, code, out, errs, want)
		}
	}
	f("", "set", id, "--owner", "shop", "--service", "microsoft.storage", "--service", "microsoft.keyvault")
	f("not_allowed", "compare", id, "--config", settings)
	f("az policy assignment list --scope /subscriptions/"+id, "compare", id, "--config", settings)
	f("other.json: it is no list of", "compare", id, "--config", settings)
	if err := os.WriteFile(filepath.Join(assigned, id+".json"), []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	f("whose text is not read", "compare", id, "--config", settings)
}
