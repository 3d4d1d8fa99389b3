package main

import (
	"github.com/spf13/cobra"
)

// cost joins what is told of the cost of security services.
func (p *program) cost() *cobra.Command {
	c := &cobra.Command{
		Use: "cost", Short: "Tell what security services cost, why, and what could be cheaper",
		Long: `Bills and counts are read by cost import; what they say is told by the others.
See docs/cost.md.`,
	}
	c.AddCommand(p.costImport(), p.costFiles(), p.costShares(), p.costChanges(), p.costTrends(), p.costAdvise())
	return c
}
