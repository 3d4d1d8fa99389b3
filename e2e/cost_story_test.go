package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/simulate/configcost"
)

// costStory is a world of what AWS Config costs, read by the commands that anybody
// would type.
type costStory struct {
	t         *testing.T
	dir, data string
	world     configcost.World
}

func newCostStory(t *testing.T, variant string) *costStory {
	t.Helper()
	s := &costStory{t: t, dir: filepath.Join(t.TempDir(), "costs"), data: t.TempDir()}
	s.do("simulate", "--story", "config-cost", "--variant", variant, "--seed", "3", "--records", "2000", "--out", s.dir)
	text, err := os.ReadFile(filepath.Join(s.dir, "world.json"))
	if err == nil {
		err = json.Unmarshal(text, &s.world)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// do runs the program on the story's data.
func (s *costStory) do(args ...string) string {
	s.t.Helper()
	out, errs, err := answered(s.t, append([]string{"--data", s.data}, args...)...)
	if err != nil {
		s.t.Fatalf("%v: %v: %s", args, err, errs)
	}
	return out
}

// ask reads what a command prints for scripts, numbers as they are written.
func (s *costStory) ask(into any, args ...string) string {
	s.t.Helper()
	out := s.do(append([]string{"--format", "json"}, args...)...)
	d := json.NewDecoder(strings.NewReader(out))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		s.t.Fatalf("%v: %v: %s", args, err, out)
	}
	return out
}

// advised is an advice as scripts read it.
type advised struct {
	Key          string      `json:"key"`
	Account      string      `json:"account"`
	ResourceType string      `json:"resource_type"`
	Items        int64       `json:"items"`
	ResourceDays int64       `json:"resource_days"`
	Saving       json.Number `json:"saving_month"`
	Verdict      string      `json:"verdict"`
	Plan         []string    `json:"plan"`
	Undo         []string    `json:"undo"`
	Decision     string      `json:"decision"`
}

func (s *costStory) advice() (all []advised) {
	s.t.Helper()
	var out struct {
		Advice     []advised   `json:"advice"`
		Total      json.Number `json:"total_saving_month"`
		Actionable json.Number `json:"total_actionable_month"`
	}
	s.ask(&out, "cost", "advise")
	tr := s.world.Truth
	if out.Total.String() != tr.Total.String() || out.Actionable.String() != tr.Actionable.String() {
		s.t.Errorf("totals %s and %s, want %s and %s", out.Total, out.Actionable, tr.Total, tr.Actionable)
	}
	for _, want := range tr.Advice {
		i := slices.IndexFunc(out.Advice, func(a advised) bool { return a.Account == want.Account && a.ResourceType == want.ResourceType })
		if i < 0 {
			s.t.Errorf("nothing is said of %s in %s", want.ResourceType, want.Account)
			continue
		}
		a := out.Advice[i]
		if a.Items != want.Items || a.Verdict != want.Verdict || want.Verdict != "cannot" && (a.Saving.String() != want.Saving.String() || a.ResourceDays != want.ResourceDays) {
			s.t.Errorf("%+v, want %+v", a, want)
		}
		if planned := len(a.Plan) > 0 && len(a.Undo) > 0; planned != (a.Verdict == "change") {
			s.t.Errorf("%s of %s is to %s, with the plan %q and %q to undo it", a.ResourceType, a.Account, a.Verdict, a.Plan, a.Undo)
		}
	}
	return out.Advice
}

// shares holds the shares of a command's answer against the truth's months.
func (s *costStory) shares(months []configcost.Month) {
	s.t.Helper()
	var out struct{ Months []configcost.Month }
	s.ask(&out, "cost", "shares")
	if len(out.Months) != len(months) {
		s.t.Fatalf("%d months, want %d", len(out.Months), len(months))
	}
	for i, want := range months {
		got := out.Months[i]
		sum := configcost.Amount(0)
		for _, x := range got.Services {
			sum += x.Amount
		}
		if got.Total != want.Total || got.Security != want.Security || sum != want.Security || got.Tax != want.Tax || got.Credit != want.Credit || got.Refund != want.Refund {
			s.t.Errorf("%s: %s, %s (%s), %s, %s, %s, want %s, %s, %s, %s, %s", got.Month, got.Total, got.Security, sum, got.Tax, got.Credit, got.Refund, want.Total, want.Security, want.Tax, want.Credit, want.Refund)
		}
	}
}

// TestCostStory: what AWS Config costs is told to the cent, why it is so, what could
// be cheaper, and what waits.
func TestCostStory(t *testing.T) {
	s := newCostStory(t, configcost.Default)
	tr := s.world.Truth
	s.do("ingest", filepath.Join(s.dir, "logs"))
	bills, counts := filepath.Join(s.dir, "bills"), filepath.Join(s.dir, "counts")
	s.do("cost", "import", bills, counts)
	s.shares(tr.Months)
	s.do("cost", "import", bills, counts)
	s.shares(tr.Months)
	s.changes()
	all := s.advice()
	s.deferred(all, tr)

	focus := *s
	focus.data = t.TempDir()
	focus.do("cost", "import", filepath.Join(s.dir, "extra", "focus"))
	focus.shares(tr.Months[2:])
}

// changes holds that the graph says how much changes, and names the service.
func (s *costStory) changes() {
	s.t.Helper()
	var out struct {
		Days []struct {
			Day, Operation string
			Count          int
		}
		Loops []struct{ Service, Cluster string }
	}
	tr := s.world.Truth
	s.ask(&out, "cost", "changes", "--account", tr.Account, "--since", s.world.Start.Format("2006-01-02"), "--until", s.world.End.Format("2006-01-02"))
	perDay := map[string]int{}
	for _, d := range out.Days {
		if strings.HasSuffix(d.Operation, "NetworkInterface") {
			perDay[d.Day] += d.Count
		}
	}
	if len(perDay) != 7 {
		s.t.Errorf("%d days", len(perDay))
	}
	for day, n := range perDay {
		if n != 17_000 {
			s.t.Errorf("%d interfaces are made and deleted on %s", n, day)
		}
	}
	if len(out.Loops) != 1 || out.Loops[0].Service != tr.Service || out.Loops[0].Cluster != tr.Cluster {
		s.t.Errorf("loops %+v, want %s of %s", out.Loops, tr.Service, tr.Cluster)
	}
	if text := s.do("cost", "changes", "--account", tr.Account); !strings.Contains(text, tr.Service) || !strings.Contains(text, "17,0") {
		s.t.Errorf("the graph does not say 17,000 a day, or not of %s:\n%s", tr.Service, text)
	}
}

// deferred defers what Control Tower stands against, and holds that its dossier and
// the advice tell so.
func (s *costStory) deferred(all []advised, tr configcost.Truth) {
	s.t.Helper()
	i := slices.IndexFunc(all, func(a advised) bool {
		return a.Account == tr.Account && strings.HasSuffix(a.ResourceType, "NetworkInterface")
	})
	if i < 0 || all[i].Verdict != "not_advised" {
		s.t.Fatalf("advice about interfaces: %+v", all)
	}
	s.do("decision", "add", "--about", all[i].Key, "--verdict", "deferred", "--title", "Daily recording of network interfaces", "--reason", "Control Tower owns the recorder; its vendor is asked",
		"--owner", "mei", "--revisit", "2027-03-01", "--when", "items:"+tr.Account+":AWS::EC2::NetworkInterface>600000", "--saving", all[i].Saving.String()+" USD")
	var list struct {
		Decisions []struct{ ID, Verdict, Status string }
	}
	s.ask(&list, "decision", "list")
	if len(list.Decisions) != 1 || list.Decisions[0].Verdict != "deferred" {
		s.t.Fatalf("%+v", list)
	}
	id := list.Decisions[0].ID
	for _, lang := range []string{"en", "ja"} {
		if text := s.do("decision", "show", id, "--dossier", lang); !strings.Contains(text, tr.Account) || !strings.Contains(text, "1519.2") && !strings.Contains(text, "1,519.2") {
			s.t.Errorf("the dossier (%s) lacks the account or the saving:\n%s", lang, text)
		}
	}
	for _, a := range s.advice() {
		want := ""
		if a.Key == all[i].Key {
			want = id
		}
		if a.Decision != want {
			s.t.Errorf("the advice about %s of %s names the decision %q, want %q", a.ResourceType, a.Account, a.Decision, want)
		}
	}
}

// TestCostVariants: what only looks like the story is told from it, in worlds that
// evaluate judges.
func TestCostVariants(t *testing.T) {
	report := filepath.Join(t.TempDir(), "quality.md")
	if _, errs, err := answered(t, "evaluate", "--story", "config-cost", "--seeds", "4", "--variant", "ratios,integration-off", "--records", "2000", "--report", report); err != nil {
		t.Fatalf("%v: %s", err, errs)
	}
	text, err := os.ReadFile(report)
	if err != nil || !bytes.Contains(text, []byte("| totals are right | ≥ 1.00 | 1.000 | 2 | yes |")) || !bytes.HasSuffix(bytes.TrimSpace(text), []byte("None.")) {
		t.Errorf("%v: the report says\n%s", err, text)
	}
}
