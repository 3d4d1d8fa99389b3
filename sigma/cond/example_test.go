package cond_test

import (
	"fmt"

	"github.com/yagura-sec/yagura/sigma/cond"
)

// Or binds least, then and, then not. Names are resolved by whoever knows the
// searches of a rule.
func ExampleParse() {
	e, err := cond.Parse("stop or denied and not 1 of filter_*")
	fmt.Println(show(e), err)
	fmt.Println(cond.Matches("filter_*", "filter_admins"), cond.Matches(cond.Them, "_helper"))

	_, err = cond.Parse("stop and")
	fmt.Println(err)
	// Output:
	// (stop or (denied and (not <1 of filter_*>))) <nil>
	// true false
	// condition ends where the name of a search is expected
}
