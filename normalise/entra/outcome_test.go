package entra

import (
	"testing"

	"github.com/yagura-sec/yagura/event"
)

func TestOutcome(t *testing.T) {
	f := func(want event.Outcome, codes ...string) {
		t.Helper()
		for _, code := range codes {
			if got := Outcome(code); got != want {
				t.Errorf("%s: %s, want %s", code, got, want)
			}
		}
	}
	f(event.Success, "0")
	f(event.AuthFailed, "50126", "50053", "50056", "50034", "500121", "7000215", "7000222")
	f(event.Denied, "53000", "53001", "53003", "53004", "50105", "50057")
	f(event.NotFound, "700016")
	// What only asks for more is no failure of an attacker.
	f(event.Failed, "50074", "50076", "50079", "50158", "50140", "50097", "65001", "50055", "16000")
	f(event.Failed, "", "none", "99999999")
}
