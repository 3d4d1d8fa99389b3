package azureactivity

import (
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/normalise/normalisetest"
)

func TestOutcome(t *testing.T) {
	f := func(code, http string, want event.Outcome) {
		t.Helper()
		if got := outcomeOf("microsoft.compute/virtualmachines/write", code, http); got != want {
			t.Errorf("%s (%s): %s, want %s", code, http, got, want)
		}
	}
	f("RequestDisallowedByPolicy", "Forbidden", event.DeniedByOrgPolicy)
	f("AuthorizationFailed", "Forbidden", event.Denied)
	f("LinkedAuthorizationFailed", "", event.Denied)
	f("", "Forbidden", event.Denied)
	f("", "403", event.Denied)
	f("InvalidAuthenticationToken", "", event.AuthFailed)
	f("", "Unauthorized", event.AuthFailed)
	f("ResourceGroupNotFound", "NotFound", event.NotFound)
	f("", "404", event.NotFound)
	f("SubscriptionRequestsThrottled", "429", event.Throttled)
	f("ScopeLocked", "Conflict", event.Invalid)
	f("InvalidParameter", "BadRequest", event.Invalid)
	f("StorageAccountAlreadyTaken", "Conflict", event.Invalid)
	f("", "Conflict", event.Invalid)
	f("InternalServerError", "500", event.Failed)
	f("", "", event.Failed)
	if got := outcomeOf(denyOperation, "", ""); got != event.DeniedByOrgPolicy {
		t.Errorf("a policy's deny is %s", got)
	}
}

func TestPolicyNames(t *testing.T) {
	f := func(want string, policies ...policy) {
		t.Helper()
		if got := policyNames(policies); got != want {
			t.Errorf("%+v: %q, want %q", policies, got, want)
		}
	}
	const number = "83a86a26-fd1f-447c-b59d-e51f44264114"
	f("allowed-regions", policy{"allowed-regions", "a1"})
	f("no-public", policy{number, "no-public"})
	f(number, policy{number, strings.ReplaceAll(number, "-", "")})
	f(number, policy{number, ""})
	f("a,b", policy{"b", ""}, policy{"a", ""}, policy{"b", "x"})
	f("")
}

// TestNotKept: of secret values that a record repeats, none is in Raw or a column.
func TestNotKept(t *testing.T) {
	f := func(operation, properties, kept string) {
		t.Helper()
		body := `{"time":"2026-03-02T09:14:05Z","resourceId":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/G","operationName":"` + operation +
			`","category":"Administrative","resultType":"Success","properties":{` + properties + `}}`
		events, err := Normaliser{}.Append(nil, event.Raw{Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		raw := string(events[0].Raw)
		if strings.Contains(raw, "s3cret") || !strings.Contains(raw, "(not kept by Yagura)") || !strings.Contains(raw, kept) {
			t.Errorf("%s", raw)
		}
		if why := normalisetest.Flaw(Normaliser{}, events); why != "" {
			t.Error(why)
		}
	}
	f("MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE", `"requestbody":"{\"properties\":{\"osProfile\":{\"adminPassword\":\"s3cret\",\"adminUsername\":\"mei\"}}}"`, `\"adminUsername\":\"mei\"`)
	f("MICROSOFT.COMPUTE/VIRTUALMACHINES/EXTENSIONS/WRITE", `"requestbody":{"properties":{"protectedSettings":{"script":"s3cret"},"type":"x"}}`, `"type":"x"`)
	f("MICROSOFT.KEYVAULT/VAULTS/SECRETS/WRITE", `"responseBody":"{\"properties\":{\"value\":\"s3cret\",\"contentType\":\"c\"}}"`, `\"contentType\":\"c\"`)
	f("MICROSOFT.STORAGE/STORAGEACCOUNTS/LISTKEYS/ACTION", `"responseBody":"{\"keys\":[{\"keyName\":\"key1\",\"value\":\"s3cret\"}]}"`, `\"keyName\":\"key1\"`)
	f("MICROSOFT.SQL/SERVERS/WRITE", `"requestBody":{"administratorLoginPassword":"s3cret","a":[1.50,"<&>"]},"responseBody":{"connectionString":"s3cret"}`, `"a":[1.50,"<&>"]`)
}
