package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/landlock-lsm/go-landlock/landlock"
	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/lake/local"
)

// What is evaluated runs in a process of its own that cannot reach the answers:
// of the file system it is left the logs, the calendar and its data directory.

// evaluateChild is the command with which the program runs as that process.
const evaluateChild = "evaluate-child"

// apartRequest is what the parent writes to the child's standard input.
type apartRequest struct {
	Logs []string `json:"logs"` // files and folders to be read
	Read []string `json:"read"` // files besides
	Data string   `json:"data"` // to be written
	// Out are files that must be out of reach: the child tries to open them.
	Out   []string   `json:"out"`
	Steps [][]string `json:"steps"` // arguments of the program, run one after the other
}

// apartAnswer is what the child answers.
type apartAnswer struct {
	Landlock  int         `json:"landlock"`  // version of the kernel's; 0: it has none
	Reachable []string    `json:"reachable"` // of Out
	Steps     []apartStep `json:"steps"`     // up to the first that fails
	Peak      int64       `json:"-"`         // bytes of memory
}

type apartStep struct {
	Code    int     `json:"code"`
	Out     string  `json:"out"`
	Err     string  `json:"err"`
	Seconds float64 `json:"seconds"`
}

func (p *program) evaluateChild() *cobra.Command {
	return &cobra.Command{
		Use: evaluateChild, Hidden: true, Args: cobra.NoArgs, Short: "Run steps of an evaluation apart from the answers",
		RunE: func(c *cobra.Command, _ []string) error {
			var req apartRequest
			if err := json.NewDecoder(p.stdin).Decode(&req); err != nil {
				return fmt.Errorf("request: %w", err)
			}
			answer := apartAnswer{Landlock: local.Landlock()}
			if err := keepTo(&req); err != nil {
				return err
			}
			for _, path := range req.Out {
				if f, err := os.Open(path); err == nil {
					f.Close() //nolint:errcheck // nothing was written
					answer.Reachable = append(answer.Reachable, path)
				}
			}
			for _, args := range req.Steps {
				step := p.step(c.Context(), args)
				answer.Steps = append(answer.Steps, step)
				if step.Code != exitDone && step.Code != exitIncomplete {
					break
				}
			}
			return json.NewEncoder(p.stdout).Encode(answer)
		},
	}
}

// system is what a program needs to run at all: libraries, devices, what the
// kernel tells. Nobody keeps worlds there.
var system = []string{"/usr", "/lib", "/lib64", "/etc", "/proc", "/sys"}

// keepTo takes everything from this process that the request does not name, the
// network too. Where the kernel has no Landlock it takes nothing.
func keepTo(req *apartRequest) error {
	rules := []landlock.Rule{
		landlock.RODirs(system...).IgnoreIfMissing(),
		landlock.RWFiles("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom").IgnoreIfMissing(),
		landlock.RWDirs(req.Data).WithRefer(), // new segments are moved to where they stay
		landlock.ROFiles(req.Read...),
	}
	for _, path := range req.Logs {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.IsDir() {
			rules = append(rules, landlock.RODirs(path))
		} else {
			rules = append(rules, landlock.ROFiles(path))
		}
	}
	if err := landlock.V7.BestEffort().Restrict(rules...); err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	return nil
}

// step runs the program with these arguments in this process.
func (p *program) step(ctx context.Context, args []string) apartStep {
	var out, errs bytes.Buffer
	w := p.world
	w.args, w.stdin, w.stdout, w.stderr, w.terminal = args, bytes.NewReader(nil), &out, &errs, false
	w.now = time.Now
	start := time.Now()
	code := run(ctx, w)
	return apartStep{code, out.String(), errs.String(), time.Since(start).Seconds()}
}

// apart runs the steps in a child.
func (p *program) apart(ctx context.Context, req apartRequest) (apartAnswer, error) {
	self, err := os.Executable()
	if err != nil {
		return apartAnswer{}, err
	}
	body, err := json.Marshal(req)
	if err != nil {
		return apartAnswer{}, err
	}
	tmp := filepath.Join(req.Data, "tmp")
	if err := os.MkdirAll(tmp, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return apartAnswer{}, err
	}
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, self, evaluateChild, "--data", req.Data)
	cmd.Dir, cmd.Env = req.Data, []string{"TMPDIR=" + tmp}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(body), &out, &errs
	if err := cmd.Run(); err != nil {
		return apartAnswer{}, fmt.Errorf("evaluate apart: %w: %s", err, bytes.TrimSpace(errs.Bytes()))
	}
	var answer apartAnswer
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		return answer, fmt.Errorf("evaluate apart: its answer: %w", err)
	}
	answer.Peak = peakMemory(cmd.ProcessState)
	if len(answer.Reachable) > 0 && answer.Landlock > 0 {
		return answer, fmt.Errorf("evaluate apart: %v could be opened: the logs hold the answers", answer.Reachable)
	}
	for i, s := range answer.Steps {
		if s.Code != exitDone && s.Code != exitIncomplete {
			return answer, fmt.Errorf("evaluate apart: %s exits with %d: %s", req.Steps[i], s.Code, s.Err)
		}
	}
	return answer, nil
}
