package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly"
	"github.com/yagura-sec/yagura/evaluate"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/instant"
	"github.com/yagura-sec/yagura/triage/calendar"
	"github.com/yagura-sec/yagura/usage"
)

// worldFolder is a world as it lies on disk, ours or not.
type worldFolder struct {
	dir      string
	logs     []string // files and folders to ingest
	out      []string // that hold answers
	labels   string
	calendar string // empty: none
	world    evaluate.World
	missing  []string
}

// answers are names that no log has in a folder without logs/.
var answers = []string{"labels.jsonl", "labels.json", "world.json", "calendar.json", "calendar.ics", "streams", "README.md", "LICENSE"}

// openWorld looks what there is in a world's folder. Only logs and labels have to
// be there.
func openWorld(dir string) (*worldFolder, error) {
	dir, err := filepath.Abs(dir)
	if err == nil { // the kernel holds names against files, wherever links lead
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, wrong("--world: %w", err)
	}
	w := &worldFolder{dir: dir}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, wrong("--world: %w", err)
	}
	has := map[string]bool{}
	for _, e := range entries {
		has[e.Name()] = true
	}
	for _, e := range entries {
		switch name := e.Name(); {
		case name == "logs" && e.IsDir():
			w.logs = []string{filepath.Join(dir, name)}
		case slices.Contains(answers, name) || has["logs"] || strings.HasPrefix(name, "."):
		default:
			w.logs = append(w.logs, filepath.Join(dir, name))
		}
	}
	first := func(names ...string) string {
		for _, name := range names {
			if has[name] {
				return filepath.Join(dir, name)
			}
		}
		return ""
	}
	w.labels = first("labels.jsonl", "labels.json")
	w.calendar = first("calendar.json", "calendar.ics")
	if len(w.logs) == 0 {
		return nil, wrong("--world %s: there is no folder logs, and no log beside the labels", dir)
	}
	if w.labels == "" {
		return nil, wrong("--world %s: there is no labels.jsonl", dir)
	}
	w.out = []string{w.labels}
	w.world.Name = filepath.Base(dir)
	if w.calendar == "" {
		w.lacks("no calendar: nothing is known of planned work")
	}
	w.readWorld(first("world.json"))
	return w, nil
}

func (w *worldFolder) lacks(format string, args ...any) {
	w.missing = append(w.missing, fmt.Sprintf(format, args...))
}

// readWorld takes from world.json what is there.
func (w *worldFolder) readWorld(path string) {
	if path == "" {
		w.lacks("no world.json: its time is that of the stored events, its secrets are those that were used")
		return
	}
	w.out = append(w.out, path)
	text, err := os.ReadFile(path)
	var said map[string]json.RawMessage
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	if err != nil {
		w.lacks("world.json cannot be read: %v", err)
		return
	}
	take := func(name string, into any) {
		if raw, ok := said[name]; ok {
			if err := json.Unmarshal(raw, into); err != nil {
				w.lacks("world.json: %s: %v", name, err)
			}
		}
	}
	take("name", &w.world.Name)
	take("seed", &w.world.Seed)
	take("size", &w.world.Size)
	take("family", &w.world.Family)
	take("start", &w.world.Start)
	take("end", &w.world.End)
	take("trouble_from", &w.world.From)
	var list []json.RawMessage
	if json.Unmarshal(said["secrets"], &list) == nil {
		w.world.Secrets = len(list)
	} else {
		take("secrets", &w.world.Secrets)
	}
}

// evaluated is what a kept data directory says of itself.
type evaluated struct {
	Logs    string    `json:"logs"` // what was ingested
	At      time.Time `json:"at"`
	Version string    `json:"version"`
	Records int64     `json:"records"`
	Stored  int64     `json:"stored"`
	Seconds float64   `json:"seconds"`
}

// fingerprint tells the logs of one world from another's, by names and sizes and
// by what the files begin and end with.
func (w *worldFolder) fingerprint() (string, error) {
	sum := sha256.New()
	var edges [128]byte
	for _, root := range w.logs {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			clear(edges[:])
			f.ReadAt(edges[:64], 0)                      //nolint:errcheck // what is short is zero
			f.ReadAt(edges[64:], max(0, info.Size()-64)) //nolint:errcheck // likewise
			rel, _ := filepath.Rel(w.dir, path)
			fmt.Fprintf(sum, "%s %d %x\n", rel, info.Size(), edges)
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// trial is one world being evaluated.
type trial struct {
	*program
	f      *evaluation
	folder *worldFolder
	data   string // the data directory
	mark   string // file that says what data holds
	out    evaluate.Outcome
	labels []evaluate.Label

	windows []finding.Window // of the calendar
	plans   []byte           // the calendar's text
	ext     string           // of its name
}

// evaluateWorld runs the pipeline over a world apart from its answers, and then
// holds what it found against them. Data is made if it is not there.
func (p *program) evaluateWorld(ctx context.Context, f *evaluation, dir, data string) (evaluate.Outcome, error) {
	folder, err := openWorld(dir)
	if err != nil {
		return evaluate.Outcome{}, err
	}
	t := &trial{program: p, f: f, folder: folder, data: data, mark: data + ".json"}
	for _, step := range []func(context.Context) error{t.readLabels, t.readCalendar, t.ingest, t.hunt, t.judge} {
		if err := step(ctx); err != nil {
			return t.out, fmt.Errorf("world %s: %w", folder.world.Name, err)
		}
	}
	return t.out, nil
}

func (t *trial) readLabels(context.Context) error {
	text, err := os.Open(t.folder.labels)
	if err != nil {
		return err
	}
	defer text.Close()
	t.labels, t.out.Run.Problems, err = evaluate.ReadLabels(text)
	if err == nil && len(t.labels) == 0 {
		err = fmt.Errorf("%s: no label can be read", t.folder.labels)
	}
	return err
}

// readCalendar takes the calendar as it is, or, of one that cannot be read whole,
// the windows that can.
func (t *trial) readCalendar(context.Context) (err error) {
	if t.folder.calendar == "" {
		return nil
	}
	if t.plans, err = os.ReadFile(t.folder.calendar); err != nil {
		return err
	}
	t.ext = filepath.Ext(t.folder.calendar)
	reader := calendar.Reader{Now: t.now()}
	if !t.folder.world.End.IsZero() {
		reader.Now = t.folder.world.End
	}
	if t.windows, err = reader.Read(filepath.Base(t.folder.calendar), bytes.NewReader(t.plans)); err != nil {
		t.folder.lacks("of the calendar only %d windows can be read: %v", len(t.windows), err)
		t.ext = ".json"
		t.plans, err = json.Marshal(map[string]any{"windows": t.windows})
	}
	return err
}

// request is what the child is left: the logs, a copy of the calendar, the data.
func (t *trial) request() (req apartRequest, err error) {
	req = apartRequest{Logs: t.folder.logs, Data: t.data, Out: t.folder.out}
	if t.plans != nil {
		if err := os.WriteFile(t.calendar(), t.plans, 0o600); err != nil {
			return req, err
		}
	}
	return req, os.WriteFile(filepath.Join(t.data, "quiet.yaml"), []byte(quietConfig), 0o600)
}

// quietConfig is the configuration that worlds are ingested with. Anomalies are hunted
// for afterwards, with a budget and a calendar; rules say nothing of them and take
// as long as the rest.
const quietConfig = "anomalies: {off: true}\nrules: {builtin: false}\n"

func (t *trial) calendar() string {
	return filepath.Join(t.data, "calendar"+t.ext)
}

// args are those of a step: what every command is given, and now, when the world
// is over.
func (t *trial) args(args ...string) []string {
	common := []string{"--data", t.data, "--format", "json"}
	if end := t.folder.world.End; !end.IsZero() {
		common = append(common, "--now", end.AddDate(0, 0, 1).Format(time.RFC3339))
	}
	return append(common, args...)
}

// ingest reads the logs, unless the data directory holds them already.
func (t *trial) ingest(ctx context.Context) error {
	logs, err := t.folder.fingerprint()
	if err != nil {
		return err
	}
	var before evaluated
	text, err := os.ReadFile(t.mark)
	if err == nil && json.Unmarshal(text, &before) == nil && before.Logs == logs && t.f.reuses(before.Version, revision()) {
		t.ingested(before, fmt.Sprintf("before, at %s by version %s", before.At.Format(time.RFC3339), before.Version))
		return nil
	}
	if err := clearData(t.data, t.mark); err != nil {
		return err
	}
	req, err := t.request()
	if err != nil {
		return err
	}
	req.Steps = [][]string{append(t.args("ingest", "--config", filepath.Join(t.data, "quiet.yaml")), t.folder.logs...)}
	answer, err := t.apart(ctx, req)
	if err != nil {
		return err
	}
	t.confined(answer)
	var done Ingested
	if err := json.Unmarshal([]byte(answer.Steps[0].Out), &done); err != nil {
		return fmt.Errorf("what ingest says: %w", err)
	}
	now := evaluated{logs, t.clock().UTC(), revision(), done.Read, done.Stored, done.RestSeconds}
	t.ingested(now, "now")
	if text, err = json.Marshal(now); err != nil {
		return err
	}
	return os.WriteFile(t.mark, text, 0o600)
}

// reuses tells whether data that a build ingested is good for this one. What is
// only tried on a world may be of another; the version is told.
func (f *evaluation) reuses(before, now string) bool {
	switch {
	case f.anew:
		return false
	case f.report == "" && f.seeds == "":
		return true
	}
	return before == now && settled(now)
}

func (t *trial) ingested(e evaluated, how string) {
	r := &t.out.Run
	r.Records, r.Stored, r.IngestSeconds, r.Ingested = e.Records, e.Stored, e.Seconds, how
}

// confined takes note of how well the child was kept from the answers.
func (t *trial) confined(a apartAnswer) {
	t.out.Run.Confined = a.Landlock > 0 && len(a.Reachable) == 0
	t.out.Run.PeakBytes = max(t.out.Run.PeakBytes, a.Peak)
}

// clearData makes a data directory anew that evaluate made, and refuses any other.
func clearData(data, mark string) error {
	if entries, err := os.ReadDir(data); err == nil && len(entries) > 0 && !there(filepath.Join(data, "quiet.yaml")) {
		return fmt.Errorf("%s is not empty and was not made by evaluate", data)
	}
	if err := errors.Join(os.RemoveAll(data), os.RemoveAll(mark)); err != nil {
		return err
	}
	return os.MkdirAll(data, 0o700)
}

// hunt looks for anomalies at the loosest budget, and once more without each part
// that is to be left out; the whole comes last and stays.
func (t *trial) hunt(ctx context.Context) error {
	t.out.Without = map[string]evaluate.Verdict{}
	for _, without := range t.f.ablations {
		if err := t.huntOnce(ctx, "--without", without); err != nil {
			return err
		}
		said, err := t.said(ctx)
		if err != nil {
			return err
		}
		t.period(nil, said)
		t.out.Without["without "+without] = evaluate.Judge(t.folder.world, t.labels, evaluate.Sightings(said))
	}
	return t.huntOnce(ctx)
}

// hunted is of the JSON of hunt what is reported.
type hunted struct {
	Secrets    int              `json:"secrets"`
	StateBytes int64            `json:"state_bytes"`
	Seconds    float64          `json:"seconds"`
	Calibrated []evaluate.Class `json:"calibration"`
}

func (t *trial) huntOnce(ctx context.Context, more ...string) error {
	req, err := t.request()
	if err != nil {
		return err
	}
	args := t.args("hunt", "--budget", strconv.Itoa(evaluate.Loosest), "--limit", "0")
	if t.plans != nil {
		args = append(args, "--calendar", t.calendar())
	}
	req.Steps = [][]string{append(args, more...)}
	answer, err := t.apart(ctx, req)
	if err != nil {
		return err
	}
	t.confined(answer)
	var done hunted
	if err := json.Unmarshal([]byte(answer.Steps[0].Out), &done); err != nil {
		return fmt.Errorf("what hunt says: %w", err)
	}
	t.out.Run.HuntSeconds, t.out.Run.StateBytes, t.out.Run.Classes = done.Seconds, done.StateBytes, evaluate.Classes(done.Calibrated)
	t.folder.world.Watched = done.Secrets
	if t.folder.world.Secrets == 0 {
		t.folder.world.Secrets = done.Secrets
	}
	return nil
}

// said is what the hunter recorded, read back.
func (t *trial) said(ctx context.Context) ([]finding.Occurrence, error) {
	r, err := t.rooms(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.triage.Occurrences(ctx, anomaly.Name)
}

func (t *trial) rooms(ctx context.Context) (*rooms, error) {
	q := *t.program
	q.dir = t.data
	return q.read(ctx)
}

// history is the use of secrets that simple methods look at.
func (t *trial) history(ctx context.Context) (*evaluate.History, error) {
	r, err := t.rooms(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	h := &evaluate.History{}
	for row, err := range r.lake.Usage(ctx, usage.Query{}) {
		if err != nil {
			return nil, err
		}
		h.Add(&row)
	}
	return h, nil
}

// period fills in what the world's folder did not say of its time.
func (t *trial) period(h *evaluate.History, said []finding.Occurrence) {
	w := &t.folder.world
	first, last := t.labels[0].Start, t.labels[0].End
	for _, l := range t.labels {
		first, last = instant.Earlier(first, l.Start), instant.Later(last, l.End)
	}
	for _, o := range said {
		last = instant.Later(last, o.Until)
	}
	if h != nil && h.Secrets() > 0 {
		last = h.End()
		w.Secrets = cmp.Or(w.Secrets, h.Secrets())
		if w.Start.IsZero() {
			w.Start = h.Start()
		}
	}
	if w.End.IsZero() {
		w.End = last
	}
	if w.From.IsZero() {
		w.From = first.Truncate(24 * time.Hour)
		t.folder.lacks("no trouble_from in world.json: alerts count from the day of the first label, %s", w.From.Format(time.DateOnly))
	}
}

// judge holds what was found, and what simple methods find, against the labels.
func (t *trial) judge(ctx context.Context) error {
	said, err := t.said(ctx)
	if err != nil {
		return err
	}
	h := &evaluate.History{}
	if t.f.baselines || t.folder.world.End.IsZero() || t.folder.world.Secrets == 0 {
		if h, err = t.history(ctx); err != nil {
			return err
		}
	}
	t.period(h, said)
	t.folder.world.Divided(said, t.out.Run.Classes)
	w := t.folder.world
	t.out.Verdict = evaluate.Judge(w, t.labels, evaluate.Sightings(said))
	t.withoutMarks(said)
	if t.f.baselines {
		t.compare(h, &w)
	}
	r := &t.out.Run
	r.World, r.Early, r.Missing, r.Version = w, t.out.Verdict.Early, t.folder.missing, revision()
	for _, l := range t.labels {
		switch {
		case l.Whole: // its parts count
		case l.Benign:
			r.Likes++
		default:
			r.Labels++
		}
	}
	r.LakeBytes, err = size(t.data)
	return err
}

// compare does as simple methods would, and keeps what checks the scoring.
func (t *trial) compare(h *evaluate.History, w *evaluate.World) {
	for _, m := range evaluate.Methods() {
		found := m.Find(h, w, t.labels)
		if !m.Told {
			evaluate.Explain(found, t.windows)
		}
		v := evaluate.Judge(*w, t.labels, found)
		if m.Blind {
			t.out.Control = evaluate.Control(h, w, t.labels, found, &v)
		}
		t.out.Methods = append(t.out.Methods, v)
	}
}

// withoutMarks are the ablations that need no other hunt: what if nothing were
// explained by the calendar.
func (t *trial) withoutMarks(said []finding.Occurrence) {
	var bare []finding.Occurrence
	for _, o := range said {
		o.Explained = slices.DeleteFunc(slices.Clone(o.Explained), func(x finding.Explanation) bool { return x.Kind == "calendar" })
		bare = append(bare, o)
	}
	t.out.Without["without the calendar"] = evaluate.Judge(t.folder.world, t.labels, evaluate.Sightings(bare))
}

// size is how many bytes lie in a folder.
func size(dir string) (n int64, err error) {
	return n, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
}

// peakMemory is the largest memory a process that ended had, in bytes.
func peakMemory(s *os.ProcessState) int64 {
	if u, ok := s.SysUsage().(*syscall.Rusage); ok {
		return u.Maxrss << 10
	}
	return 0
}
