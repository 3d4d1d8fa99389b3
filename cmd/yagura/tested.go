package main

import "fmt"

// casesTested is what files with cases of their own came to when they were held
// against them.
type casesTested struct {
	Passed   int           `json:"passed"`
	Failed   int           `json:"failed"`
	Failures []caseFailure `json:"failures"`
}

// caseFailure is a case that does not go as its file says, or a file that was
// refused: then Case is empty.
type caseFailure struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Case string `json:"case"`
	Why  string `json:"why"`
}

// fail keeps a failure.
func (c *casesTested) fail(f caseFailure) {
	c.Failures = append(c.Failures, f)
	c.Failed++
}

// printTested prints what testing came to: answer as JSON, else c, with what as the
// words for the files tested. Failures make the command fail.
func (p *program) printTested(answer any, what string, c casesTested) (err error) {
	switch p.flags.format {
	case "json", "jsonl":
		err = p.printJSON(answer)
	case "csv":
		rows := make([][]string, len(c.Failures))
		for i, f := range c.Failures {
			rows[i] = []string{f.File, fmt.Sprint(f.Line), f.Case, f.Why}
		}
		err = p.printTable([]string{"file", "line", "case", "why"}, rows)
	default:
		for _, f := range c.Failures {
			fmt.Fprintf(p.stdout, "FAIL %s:%d: %s\n     %s\n", safe(f.File), f.Line, safe(f.Case), safe(f.Why))
		}
		fmt.Fprintf(p.stdout, "%s: %d cases passed, %d failed\n", what, c.Passed, c.Failed)
	}
	if err == nil && c.Failed > 0 {
		return exit{code: exitFailed}
	}
	return err
}
