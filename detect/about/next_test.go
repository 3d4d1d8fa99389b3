package about

import (
	"slices"
	"testing"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/sigma"
)

func TestSteps(t *testing.T) {
	named := event.Event{
		AccountUID: "111122223333", Region: "eu-west-1", ActorUID: "arn:aws:iam::111122223333:role/ops/admin", ActorName: "admin", ActorSession: "tanaka",
		SrcIP: "203.0.113.7", ResourceUID: "arn:aws:s3:::invoices",
	}
	address := event.Event{AccountUID: "111122223333", SrcIP: "2001:db8::7"}
	group := Group{Fields: []string{"requestParameters.userName", "actor_uid"}, Values: []string{"u 1", named.ActorUID}}
	f := func(e event.Event, g Group, next, want []string) {
		t.Helper()
		var written []any
		for _, s := range next {
			written = append(written, s)
		}
		r := Of(&sigma.Meta{Extra: map[string]any{"yagura": map[string]any{"next": written}}})
		if got := r.StepsOf(&e, g); !slices.Equal(got, want) {
			t.Errorf("steps %q become\\n%q, want\\n%q", next, got, want)
		}
	}
	f(named, Group{}, []string{"yagura search 'actor_uid:{actor}'", "look --Attribute AttributeValue={actor}", "stop {actor}"},
		[]string{"yagura search 'actor_uid:arn:aws:iam::111122223333:role/ops/admin'", "look --Attribute AttributeValue=tanaka", "stop admin"})

	// Where nobody is named, what is asked of an actor is asked of the address.
	f(address, Group{}, []string{"yagura search '-actor_uid:{actor} account_uid:{account}'"},
		[]string{`yagura search '-src_ip:2001:db8::7 account_uid:111122223333'`})
	f(event.Event{ActorName: "tanaka", SrcIP: "203.0.113.7"}, Group{}, []string{"yagura search 'actor_uid:{actor}'"}, []string{"yagura search 'actor_name:tanaka'"})

	// What is not known is left out, but for a rule that would have no step then.
	f(address, Group{}, []string{"stop {actor}", "describe --region {region}", "list --account {account}", "look around {this}"},
		[]string{"list --account 111122223333", "look around {this}"})
	f(address, Group{}, []string{"stop {actor}", "describe {resource} --region {region}"}, []string{"stop ACTOR", "describe RESOURCE --region REGION"})
	f(event.Event{}, Group{}, []string{"yagura search 'actor_uid:{actor}'"}, []string{"yagura search 'actor_uid:ACTOR'"})

	// A correlation's group, safe to paste and to search for.
	f(address, group, []string{"keys of {group.requestParameters.userName}", "yagura search 'actor_uid:{group.actor_uid} resource_uid:{group.requestParameters.userName}'", "# {group}"},
		[]string{"keys of 'u 1'", `yagura search 'actor_uid:arn:aws:iam::111122223333:role/ops/admin resource_uid:"u 1"'`, "# 'u 1, arn:aws:iam::111122223333:role/ops/admin'"})
	f(address, Group{}, []string{"keys of {group.requestParameters.userName}", "of {group}"}, []string{"keys of USERNAME", "of GROUP"})
	f(address, group, []string{"keys of {group.other}", "of {account}"}, []string{"of 111122223333"})
}
