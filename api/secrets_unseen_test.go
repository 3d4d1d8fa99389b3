package api

import (
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/usage"
	"github.com/yagura-sec/yagura/usage/secrets"
)

// TestUnseen: of what no log tells the use of, nobody is told that it is unused.
func TestUnseen(t *testing.T) {
	hour := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	row := func(project, method string) usage.Row {
		return usage.Row{Count: 1, First: hour, Last: hour, Key: usage.Key{
			Hour: hour, CloudProvider: "GCP", AccountUID: project, ActorUID: "mei.tanaka@example.com", Caller: event.CallerConsole, Outcome: event.Success,
			APIService: "secretmanager.googleapis.com", APIOperation: "google.cloud.secretmanager.v1.SecretManagerService." + method,
			ResourceUID: "//secretmanager.googleapis.com/projects/" + project + "/secrets/db",
		}}
	}
	table := secrets.NewTable(0)
	table.Replace(hour.Truncate(24*time.Hour), []usage.Row{row("quiet", "CreateSecret"), row("loud", "AccessSecretVersion")}, map[string]uint32{"quiet": 1 << 9, "loud": 1 << 9})
	f := func(project, state, words string) {
		t.Helper()
		s, ok := table.Book().Find("//secretmanager.googleapis.com/projects/" + project + "/secrets/db")
		if !ok {
			t.Fatal("it is not known")
		}
		got := Rooms{}.secret(s, KnownSecrets{Book: table.Book()})
		if got.Maturity.State != state || (got.Unseen != nil) != (words != "") {
			t.Errorf("%s: %s, %+v", project, got.Maturity.State, got.Unseen)
		}
		if got.Unseen != nil && (got.Unseen.Log != secrets.DataAccess || !strings.Contains(got.Unseen.Text.String(), words) || got.Unseen.Text.In(say.Japanese) == got.Unseen.Text.String()) {
			t.Errorf("%s: %+v", project, *got.Unseen)
		}
	}
	f("quiet", "unseen", "none of them came of project quiet")
	f("loud", "learning", "")
}
