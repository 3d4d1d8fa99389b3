package normalise_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/shared"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/alerts"
	"github.com/yagura-sec/yagura/normalise/azureactivity"
	"github.com/yagura-sec/yagura/normalise/entra"
	"github.com/yagura-sec/yagura/normalise/keyvault"
	"github.com/yagura-sec/yagura/normalise/mapping"
	"github.com/yagura-sec/yagura/normalise/normalisetest"
	"github.com/yagura-sec/yagura/normalise/office365"
	"github.com/yagura-sec/yagura/normalise/okta"
)

// TestIdentityRecords: of the real records of Azure and of identity providers, those
// of the formats read become sound events, so many of each; all others are named for
// what they are.
func TestIdentityRecords(t *testing.T) {
	readers := []normalise.Normaliser{
		azureactivity.Normaliser{}, keyvault.Normaliser{}, entra.SignIns{}, entra.Audits{}, office365.Normaliser{}, okta.Normaliser{},
	}
	byFormat := map[string]normalise.Normaliser{}
	for _, n := range readers {
		byFormat[n.Format()] = n
	}
	ours, refused := mapping.Load(os.DirFS("../mappings"), "mappings")
	if len(refused) > 0 {
		t.Fatal(refused[0])
	}
	set := mapping.NewSet(ours, nil)
	reg := normalise.NewRegistry(slices.Concat(alerts.All(), readers, set.Formats())...).Mapped(set)
	nameless := 0 // records of which the reason names nothing
	count, reasons := map[string]int{}, map[string]int{}
	outcomes, actors, callers := map[event.Outcome]int{}, map[event.ActorType]int{}, map[event.Caller]int{}
	for _, area := range []string{"azure", "identity"} {
		err := filepath.WalkDir(shared.Dir(t, area), func(path string, d fs.DirEntry, err error) error {
			base := filepath.Base(path)
			if err != nil || d.IsDir() || base == "SOURCE.txt" || strings.HasPrefix(base, "_") || strings.Contains(base, "-expected") || strings.Contains(path, "google") || strings.Contains(base, "GSuite") {
				return err
			}
			for _, r := range shared.Records(t, path) {
				events, err := reg.Append(nil, event.Raw{Body: r, Received: normalisetest.Received})
				if err != nil {
					if strings.Contains(err.Error(), "JSON, but none of the formats") {
						nameless++
					}
					reasons[err.Error()]++
					continue
				}
				e := &events[0]
				count[e.Format]++
				if n := byFormat[e.Format]; n != nil {
					outcomes[e.Outcome]++
					actors[e.ActorType]++
					callers[e.Caller]++
					if why := normalisetest.Flaw(n, events); why != "" {
						t.Errorf("%s: %s: %s", path, r, why)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("formats %v\noutcomes %v\nactors %v\ncallers %v", count, outcomes, actors, callers)
	for _, why := range slices.Sorted(maps.Keys(reasons)) {
		t.Logf("%5d × %s", reasons[why], why)
	}
	if nameless > 12 {
		t.Errorf("%d records are not named for what they are", nameless)
	}
	for format, least := range map[string]int{
		"azure.activity": 102, "entra.signin": 48, "entra.audit": 17, "m365.audit": 4980, "okta.system": 60,
		"auth0.log": 90, "duo.admin": 16, "github.audit": 120, "onepassword.event": 4, "onepassword.signin": 1, "pingone.audit": 49, "msgraph.activity": 2,
	} {
		if count[format] < least {
			t.Errorf("%d records of %s, want %d", count[format], format, least)
		}
	}
}
