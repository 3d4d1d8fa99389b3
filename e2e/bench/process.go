package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// used is what a run of the program took.
type used struct {
	wall time.Duration
	cpu  time.Duration // user and system, of it and of the children it waited for
	peak float64       // bytes of its resident memory
	out  []byte
}

// command is a run of the program that is not started yet. It ends with b's
// context, by SIGTERM first.
func (b *bench) command(ctx context.Context, data string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, b.binary, append([]string{"--data", data}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// yagura runs the program to its end, which has to be a good one.
func (b *bench) yagura(ctx context.Context, data string, args ...string) (used, error) {
	cmd := b.command(ctx, data, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return used{}, err
	}
	peak := watchPeak(cmd.Process.Pid)
	err := cmd.Wait()
	u := used{wall: time.Since(start), peak: peak(), out: out.Bytes()}
	if err != nil {
		return u, fmt.Errorf("yagura %s: %w: %s%s", strings.Join(args, " "), err, errs.Bytes(), out.Bytes())
	}
	u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && u.peak == 0 {
		u.peak = float64(r.Maxrss) * 1024
	}
	return u, nil
}

// watchPeak follows a process's high-water mark of resident memory. It does not
// use wait's ru_maxrss where it can be avoided: Linux counts in it what this
// program held when it started the child.
func watchPeak(pid int) (stop func() float64) {
	const every = 10 * time.Millisecond
	end, peak := make(chan struct{}), make(chan float64)
	go func() {
		var seen float64
		for {
			seen = max(seen, peakOf(pid))
			select {
			case <-end:
				peak <- seen
				return
			case <-time.After(every):
			}
		}
	}()
	return func() float64 { close(end); return <-peak }
}

// peakOf reads a process's high-water mark; 0 where that is not to be had.
func peakOf(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, found := strings.Cut(string(text), "VmHWM:")
	fields := strings.Fields(rest)
	if !found || len(fields) == 0 {
		return 0
	}
	kilobytes, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		return 0
	}
	return kilobytes * 1024
}

// repeat runs the program n times and gives the wall times.
func (b *bench) repeat(ctx context.Context, n int, data string, args ...string) (times, []byte, error) {
	var all times
	var out []byte
	for range n {
		u, err := b.yagura(ctx, data, args...)
		if err != nil {
			return nil, nil, err
		}
		all, out = append(all, u.wall), u.out
	}
	return all, out, nil
}

// machine says what was measured on.
func machine(ctx context.Context, b *bench) []string {
	model := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(text), "model name\t: "); ok {
			model, _, _ = strings.Cut(rest, "\n")
		}
	}
	version := "unknown version"
	if u, err := b.yagura(ctx, b.path("none"), "version"); err == nil {
		version = strings.TrimSpace(string(u.out))
	}
	head := []string{
		fmt.Sprintf("%s, %s records, %s", version, grouped(float64(b.records)), b.began.UTC().Format(time.RFC3339)),
		fmt.Sprintf("%d cores of %s, %s, built with %s", runtime.NumCPU(), model, runtime.GOOS, runtime.Version()),
	}
	if inMemory(b.dir) {
		head = append(head, filepath.Dir(b.dir)+" lies in memory: durable writes cost nothing here; choose a disk with -dir")
	}
	return head
}

// others measures what other processes take of the machine, from its call to the
// call of done, as a share of all cores; NaN where that is not to be had.
func others() (done func() float64) {
	start, own := time.Now(), family()
	busy, _ := busyOf()
	return func() float64 {
		now, cores := busyOf()
		return max(0, (now-busy)-(family()-own)) / (time.Since(start).Seconds() * cores)
	}
}

// busyOf is how long the processors of the machine were busy, in seconds, and
// how many there are.
func busyOf() (sum, cores float64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return math.NaN(), 1
	}
	const ticks = 100 // a second: what Linux tells programs, whatever it runs at
	for line := range strings.Lines(string(text)) {
		// cpu0 user nice system idle iowait irq softirq steal; cpu without a number is the sum
		fields := strings.Fields(line)
		if len(fields) < 9 || !strings.HasPrefix(fields[0], "cpu") || fields[0] == "cpu" {
			continue
		}
		for _, i := range []int{1, 2, 3, 6, 7, 8} {
			n, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return math.NaN(), 1
			}
			sum += n / ticks
		}
		cores++
	}
	return sum, cores
}

// family is the CPU time of this process and of the children it waited for, in
// seconds.
func family() float64 {
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		if err := syscall.Getrusage(who, &r); err != nil {
			return math.NaN()
		}
		sum += time.Duration(syscall.TimevalToNsec(r.Utime) + syscall.TimevalToNsec(r.Stime))
	}
	return sum.Seconds()
}

// inMemory tells a folder of a file system without a disk.
func inMemory(dir string) bool {
	const tmpfs, ramfs = 0x01021994, 0x858458f6
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return false
	}
	return runtime.GOOS == "linux" && (int64(st.Type) == tmpfs || int64(st.Type) == ramfs)
}
