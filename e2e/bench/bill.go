package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
)

// What taking a bill is held to: rows of a packed Cost and Usage Report a second,
// from the file to the sums that are kept.
const billRows = 150_000

// measureBill runs the benchmark of taking a bill, which is Go's own. How large it is
// YAGURA_BENCH_CUR says, such as 10GB.
func (b *bench) measureBill(ctx context.Context) error {
	b.say("taking a bill")
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkImport$", "-benchtime", "1x", "-timeout", "2h", "./cost/sqlite")
	cmd.Env = append(os.Environ(), fmt.Sprintf("GOMEMLIMIT=%d", 400<<20)) // what the program keeps itself to
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go test: %w: %s", err, out)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		if _, v, ok := metrics(lines.Text()); ok {
			b.table.title(fmt.Sprintf("a packed Cost and Usage Report of %s rows, taken into the store", grouped(v["rows"])))
			b.table.least("rows", v["rows/s"], billRows, perSecond)
			b.table.plain("  a CPU second", "%s", grouped(v["rows/CPU-s"]))
			b.table.atMost("  peak memory", v["peak-MB"]*1e6, 512<<20, megabytes)
			return nil
		}
	}
	return fmt.Errorf("no benchmark ran: %s", out)
}
