package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/internal/golden"
)

// TestReference holds docs/cli.md to what the commands say of themselves.
func TestReference(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("# Commands\n\nWritten by `make update` from the program's own help.\n\n" +
		"Exit codes: 0 done; 1 failed; 2 wrong use or configuration; 3 findings at or above\n`--fail-on`; 4 incomplete data (gaps, quarantine; outranks 3).\n")
	root := (&program{}).root()
	fmt.Fprintf(&b, "\nFor every command:\n\n```\n%s```\n", root.PersistentFlags().FlagUsages())
	describe(&b, root)
	golden.Check(t, "../../docs/cli.md", b.Bytes())
}

func describe(b *bytes.Buffer, c *cobra.Command) {
	for _, sub := range c.Commands() {
		if sub.Name() == "help" || sub.Name() == "completion" {
			continue
		}
		fmt.Fprintf(b, "\n## %s\n\n%s.\n", sub.UseLine(), sub.Short)
		if sub.Long != "" {
			fmt.Fprintf(b, "\n%s\n", sub.Long)
		}
		if flags := sub.NonInheritedFlags().FlagUsages(); flags != "" {
			fmt.Fprintf(b, "\n```\n%s```\n", flags)
		}
		if sub.Example != "" {
			fmt.Fprintf(b, "\n```\n%s\n```\n", sub.Example)
		}
		describe(b, sub)
	}
}

// TestHelp sees to it that every command says what it does and every flag why.
func TestHelp(t *testing.T) {
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: its short help is %q", c.CommandPath(), c.Short)
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit((&program{}).root())
}
