package gcpaudit_test

import (
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/shared"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/gcpaudit"
	"github.com/yagura-sec/yagura/normalise/workspace"
)

// registry reads everything of Google's.
var registry = normalise.NewRegistry(append(workspace.All(), gcpaudit.Normaliser{})...)

// TestRealRecords: every record of Google's that was collected comes in, or is
// refused with a reason; how many of which format is known.
func TestRealRecords(t *testing.T) {
	f := func(dir, want string) {
		t.Helper()
		root := shared.Dir(t, dir)
		counts, reasons := map[string]int{}, map[string]int{}
		uids := map[event.UID]int{}
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.Contains(path, "xpected") || strings.HasSuffix(path, ".txt") || strings.Contains(path, "_rules") {
				return err
			}
			for _, r := range shared.Records(t, path) {
				got, err := registry.Append(nil, event.Raw{Body: r, Received: time.Unix(1.8e9, 0)})
				if err != nil {
					counts["refused"]++
					reasons[err.Error()]++
					continue
				}
				counts[got[0].Format+" "+string(got[0].Outcome)]++
				uids[got[0].UID]++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(counts)) {
			parts = append(parts, fmt.Sprintf("%s %d", k, counts[k]))
		}
		if got := strings.Join(parts, ", "); got != want {
			t.Errorf("%s: %s; want %s", dir, got, want)
		}
		for _, why := range slices.Sorted(maps.Keys(reasons)) {
			t.Logf("%s: %d × %s", dir, reasons[why], why)
		}
		t.Logf("%s: %d different events", dir, len(uids))
	}
	f("gcp/elastic-gcp-audit", "gcp.audit denied 2, gcp.audit denied_by_org_policy 1, gcp.audit success 9")
	f("gcp/gcp-security-analytics", "gcp.audit success 5, google.workspace.admin success 1, google.workspace.login success 1, refused 1")
	f("gcp/panther-tests", "gcp.audit denied 8, gcp.audit error 1, gcp.audit invalid 2, gcp.audit not_found 1, gcp.audit success 54, refused 15")
	f("identity/elastic-google_workspace-admin", "google.workspace.admin success 164")
	f("identity/elastic-google_workspace-drive", "google.workspace.drive success 15")
	f("identity/elastic-google_workspace-gcp", "google.workspace.token success 1")
	f("identity/elastic-google_workspace-groups", "google.workspace.groups success 12")
	f("identity/elastic-google_workspace-login", "google.workspace.login success 7")
	f("identity/elastic-google_workspace-rules", "google.workspace success 1")
	f("identity/elastic-google_workspace-saml", "google.workspace.saml success 1")
	f("identity/elastic-google_workspace-user_accounts", "google.workspace.user_accounts success 5")
	f("identity/panther-tests/GSuite.ActivityEvent.jsonl", "google.workspace success 9, google.workspace.admin success 14, google.workspace.drive success 10, google.workspace.token success 3, refused 45")
	f("gcp/elastic-gcp-vpcflow", "refused 148")
	f("gcp/elastic-gcp-firewall", "refused 11")
	f("gcp/elastic-gcp-dns", "refused 12")
	f("gcp/elastic-gcp-loadbalancing_logs", "refused 2")
	f("identity/elastic-google_workspace-alert", "refused 7")
}
