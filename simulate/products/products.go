// Package products writes what security products say of a simulated organisation:
// of trouble that was put into it, of harmless work that looks like it, and of how
// things are configured, which nobody attacks. Each product's file has the shape in
// which it hands its findings on:
//
//	guardduty/    events of EventBridge
//	securityhub/  ASFF in events of EventBridge, of its own controls and passed on
//	              from others; controls in OCSF, as Security Hub v2 writes them
//	config/       changes of compliance
//	macie/        events of EventBridge
//	inspector/    events of EventBridge
//	falco/        alerts as falcosidekick forwards them
//	sysdig/       runtime events
//	prowler/      its OCSF report
//	scc/          notifications of Google's Security Command Center
//	defender/     alerts and assessments of Microsoft Defender for Cloud
//
// Names are invented, and so are vulnerabilities: no product would know them.
package products

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// Call is a call of the story that is told in a world's logs.
type Call struct {
	At        time.Time
	Account   string
	Operation string
	Actor     string // ARN
	IP        string
	Bad       bool
}

// Seen is what products can have noticed.
type Seen struct {
	World  *estate.World
	Labels []*estate.Label
	Story  []Call // in order of time
}

// Write fills dir with the products' files and says how many records they have.
// The same world gives the same bytes. A product says nothing of what lies after
// the world's end.
func Write(ctx context.Context, dir string, seen Seen) (records int, err error) {
	s := &scene{World: seen.World, labels: seen.Labels, story: seen.Story}
	for _, p := range []struct {
		name  string
		write func(*scene) []file
	}{
		{"guardduty", guardDuty}, {"securityhub", securityHub}, {"config", config}, {"macie", macie}, {"inspector", inspector},
		{"falco", falco}, {"sysdig", sysdig}, {"prowler", prowler}, {"scc", commandCentre}, {"defender", defender},
	} {
		if err := ctx.Err(); err != nil {
			return records, err
		}
		s.rng = rand.New(rand.NewPCG(uint64(seen.World.Seed), sum("products/"+p.name)))
		for _, f := range p.write(s) {
			if len(f.records) == 0 {
				continue
			}
			if err := f.save(filepath.Join(dir, p.name)); err != nil {
				return records, fmt.Errorf("findings of %s: %w", p.name, err)
			}
			records += len(f.records)
		}
	}
	return records, nil
}

// object is a JSON object; its members are written in order of their names.
type object = map[string]any

// file is records of a product.
type file struct {
	name    string
	array   bool // a JSON array instead of an object a line
	records []object
}

func (f file) save(dir string) error {
	var b bytes.Buffer
	if f.array {
		text, err := json.MarshalIndent(f.records, "", " ")
		if err != nil {
			return err
		}
		b.Write(append(text, '\n'))
	} else {
		enc := json.NewEncoder(&b)
		for _, r := range f.records {
			if err := enc.Encode(r); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, f.name), b.Bytes(), 0o644)
}

// scene is what a product's findings are made from.
type scene struct {
	*estate.World
	labels []*estate.Label
	story  []Call
	rng    *rand.Rand // of the product
}

// sum is a number made of a text.
func sum(text string) uint64 {
	h := sha256.Sum256([]byte(text))
	return binary.BigEndian.Uint64(h[:])
}

const hexDigits = "0123456789abcdef"

func (s *scene) drawn(n int, set string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = set[s.rng.IntN(len(set))]
	}
	return string(b)
}

func (s *scene) uuid() string {
	return fmt.Sprintf("%s-%s-4%s-8%s-%s", s.drawn(8, hexDigits), s.drawn(4, hexDigits), s.drawn(3, hexDigits), s.drawn(3, hexDigits), s.drawn(12, hexDigits))
}

// instance is the id of a machine that is always the same: of that name in that
// account.
func instance(account, name string) string { return fmt.Sprintf("i-0%016x", sum(account+"/"+name)) }

// account finds one by name; nil: the world has none of it.
func (s *scene) account(name string) *estate.Account {
	if i := slices.IndexFunc(s.Accounts, func(a *estate.Account) bool { return a.Name == name }); i >= 0 {
		return s.Accounts[i]
	}
	return nil
}

func (s *scene) accountOf(id string) *estate.Account {
	if i := slices.IndexFunc(s.Accounts, func(a *estate.Account) bool { return a.ID == id }); i >= 0 {
		return s.Accounts[i]
	}
	return nil
}

// told gives the first harmful call of the story to that operation.
func (s *scene) told(operation string) (Call, bool) {
	i := slices.IndexFunc(s.story, func(c Call) bool { return c.Bad && c.Operation == operation })
	if i < 0 {
		return Call{}, false
	}
	return s.story[i], true
}

// within tells whether a product has spoken by the end of the logs.
func (s *scene) within(t time.Time) bool { return !t.Before(s.Start) && t.Before(s.End) }

// day gives a time on the world's n-th day, counted from 0.
func (s *scene) day(n, hour, minute int) time.Time {
	return s.Start.AddDate(0, 0, n).Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
}

// every gives a time of each day of the week within the logs.
func (s *scene) every(weekday time.Weekday, hour, minute int) (all []time.Time) {
	for n := 0; ; n++ {
		at := s.day(n, hour, minute)
		if !at.Before(s.End) {
			return all
		}
		if at.Weekday() == weekday {
			all = append(all, at)
		}
	}
}

// name is the last part of an ARN.
func name(arn string) string { return arn[strings.LastIndexAny(arn, "/:")+1:] }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func second(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// event is what EventBridge delivers.
func (s *scene) event(kind, source string, a *estate.Account, at time.Time, detail object) object {
	return object{
		"version": "0", "id": s.uuid(), "detail-type": kind, "source": source, "account": a.ID, "time": second(at), "region": a.Home,
		"resources": []string{}, "detail": detail,
	}
}
