// Package respondtest holds the contract that every responder keeps.
package respondtest

import (
	"reflect"
	"testing"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/respond"
)

// Test runs the contract: planning sends nothing and gives the same again, and
// what is applied is what was planned. received gives the requests that have
// reached the product since it was last asked.
func Test(t *testing.T, r respond.Responder, f *finding.Finding, told respond.Told, received func() []respond.Call) {
	t.Helper()
	received()
	plan, err := r.Plan(t.Context(), f, told)
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.Plan(t.Context(), f, told)
	if err != nil || !reflect.DeepEqual(plan, again) {
		t.Errorf("planned twice it is %v, then %v, %v", plan, again, err)
	}
	if got := received(); len(got) > 0 {
		t.Errorf("planning sends %v", got)
	}
	if len(plan) == 0 || r.As(f) == "" {
		t.Fatalf("planned are %v, %q", plan, r.As(f))
	}
	answers, err := r.Apply(t.Context(), f, told)
	if err != nil {
		t.Fatal(err)
	}
	got := received()
	if len(got) != len(plan) || len(answers) != len(plan) {
		t.Fatalf("planned are %d requests, %d were sent, %d answered", len(plan), len(got), len(answers))
	}
	for i, c := range plan {
		if c.Operation != answers[i].Operation || answers[i].Text == "" {
			t.Errorf("%s is answered by %+v", c.Operation, answers[i])
		}
		got[i].Operation, got[i].Region = c.Operation, c.Region // no request says so in one way
		if !reflect.DeepEqual(c, got[i]) {
			t.Errorf("planned is\n%+v, sent was\n%+v", c, got[i])
		}
	}
}
