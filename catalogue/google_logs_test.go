package catalogue

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/shared"
)

// TestGoogleNetworkLogs: samples of Google Cloud's other logs come in by the files
// that describe them.
func TestGoogleNetworkLogs(t *testing.T) {
	formats := Formats()
	f := func(path, format string, want int, class int32) {
		t.Helper()
		text, err := os.ReadFile(shared.Dir(t, path))
		if err != nil {
			t.Fatal(err)
		}
		read, uids := 0, map[event.UID]bool{}
		for line := range strings.Lines(string(text)) {
			events, err := formats.Append(nil, event.Raw{Object: path, Position: int64(read), Body: []byte(line), Received: time.Unix(1.8e9, 0)})
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			e := &events[0]
			if e.Format != format || e.ClassUID != class || (e.SrcIP == "") != (class == event.ClassDNS && !strings.Contains(line, `"sourceIP"`)) || e.AccountUID == "" || e.URL == "" || e.Outcome == "" || e.Message == "" {
				t.Errorf("%s: %+v", path, *e)
			}
			read++
			uids[e.UID] = true
		}
		if read != want {
			t.Errorf("%s: %d records, want %d", path, read, want)
		}
		t.Logf("%s: %d records, %d different", path, read, len(uids))
	}
	f("gcp/elastic-gcp-vpcflow/test-vpcflow.log", "gcp.vpcflow", 148, event.ClassNetwork)
	f("gcp/elastic-gcp-firewall/test-firewall.log", "gcp.firewall", 11, event.ClassNetwork)
	f("gcp/elastic-gcp-dns/test-dns.log", "gcp.dns", 11, event.ClassDNS)
	f("gcp/elastic-gcp-loadbalancing_logs/test-load-balancer.log", "gcp.loadbalancer", 2, event.ClassHTTP)
}
