package claims

import (
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

const (
	portal = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"
	cli    = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	vm     = "/subscriptions/s/resourcegroups/g/providers/Microsoft.Compute/virtualMachines/web1"
)

func TestActor(t *testing.T) {
	f := func(text string, typ event.ActorType, uid, name, session string) {
		t.Helper()
		v, err := new(jsontree.Tree).Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var e event.Event
		Of(v).Actor(&e)
		if e.ActorType != typ || e.ActorUID != uid || e.ActorName != name || e.ActorSession != session {
			t.Errorf("%s: %s %q, %q, session %q", text, e.ActorType, e.ActorUID, e.ActorName, e.ActorSession)
		}
	}
	f(`{"upn":"Mei.Tanaka@Example.com","name":"Mei Tanaka","oid":"0C0F","idtyp":"user"}`, event.ActorUser, "mei.tanaka@example.com", "Mei Tanaka", "0c0f")
	f(`{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"live.com#Jun@example.org","appid":"x"}`, event.ActorUser, "jun@example.org", "Jun@example.org", "")
	f(`{"upn":"jun_example.org#EXT#@shop.onmicrosoft.com"}`, event.ActorUser, "jun_example.org#ext#@shop.onmicrosoft.com", "jun_example.org#EXT#@shop.onmicrosoft.com", "")
	f(`{"oid":"0C0F","idtyp":"user"}`, event.ActorUser, "0c0f", "", "")
	f(`{"idtyp":"user"}`, event.ActorMasked, "", "", "")
	f(`{"oid":"0C0F","appid":"5EED","idtyp":"app"}`, event.ActorRole, "0c0f", "", "")
	f(`{"appid":"5EED","idtyp":"app"}`, event.ActorRole, "5eed", "", "")
	f(`{"oid":"0c0f","xms_mirid":"`+vm+`"}`, event.ActorRole, "0c0f", "web1", "")
	f(`{"oid":"0c0f","appid":"5eed"}`, event.ActorUnknown, "0c0f", "", "") // of a person or an application
	f(`{}`, event.ActorMasked, "", "", "")
	f(`{"upn":7,"oid":[],"idtyp":{}}`, event.ActorMasked, "", "", "")
	f(`[]`, event.ActorMasked, "", "", "")
}

func TestCaller(t *testing.T) {
	f := func(token Token, want event.Caller, why string) {
		t.Helper()
		var e event.Event
		token.Caller(&e)
		if e.Caller != want || !strings.Contains(e.CallerEvidence, why) || e.CallerConfidence < 0 || e.CallerConfidence > 1 {
			t.Errorf("%+v: %s (%v) %q; want %s", token, e.Caller, e.CallerConfidence, e.CallerEvidence, want)
		}
	}
	user := Token{UPN: "mei@example.com"}
	with := func(change func(*Token)) Token { x := user; change(&x); return x }
	f(with(func(x *Token) { x.AppID = strings.ToUpper(portal) }), event.CallerConsole, "the Azure portal")
	f(with(func(x *Token) { x.AppID = cli }), event.CallerPersonCLI, "the Azure CLI")
	f(with(func(x *Token) { x.Agent = "Mozilla/5.0" }), event.CallerConsole, "a browser")
	f(with(func(x *Token) { x.Agent = "terraform/1.9" }), event.CallerPersonCLI, "terraform")
	f(user, event.CallerPersonCLI, "unknown")

	host := func(id string) Token { return Token{ObjectID: "0c0f", Identity: id} }
	of := func(provider string) string {
		return strings.Replace(vm, "Microsoft.Compute/virtualMachines", provider, 1)
	}
	f(host(vm), event.CallerEC2, "web1")
	f(host(of("Microsoft.Web/sites")), event.CallerLambda, "managed identity")
	f(host(of("Microsoft.App/containerApps")), event.CallerECS, "managed identity")
	f(host(of("Microsoft.ContainerService/managedClusters")), event.CallerEKS, "managed identity")
	f(host(of("Microsoft.Logic/workflows")), event.CallerAWSService, "managed identity")
	f(host(of("Microsoft.ManagedIdentity/userAssignedIdentities")), event.CallerUnknown, "several things may use")

	f(Token{Kind: "app", ObjectID: "0c0f", Proof: "1"}, event.CallerStaticKey, "client secret")
	f(Token{Kind: "app", ObjectID: "0c0f", Proof: "2"}, event.CallerUnknown, "federated")
	f(Token{Kind: "app", ObjectID: "0c0f", Agent: "AzurePipelines/1 azsdk"}, event.CallerCI, "pipeline")
	f(Token{Kind: "app", AppID: "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"}, event.CallerAWSService, "Azure Key Vault")
	f(Token{Kind: "app", ObjectID: "0c0f"}, event.CallerUnknown, "")
	f(Token{}, event.CallerUnknown, "")
}
