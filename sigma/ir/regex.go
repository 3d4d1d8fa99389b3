package ir

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
)

// parseRegex reads an expression, and says of what other engines have and RE2
// has not that this is why it is refused.
func parseRegex(text string) (*syntax.Regexp, error) {
	re, err := syntax.Parse(text, syntax.Perl)
	if err == nil {
		return re, nil
	}
	return nil, RegexError(err)
}

// RegexError adds to an error of regexp.Compile, where an expression looks around
// itself or back, that this is what keeps it from being compiled.
func RegexError(err error) error {
	var e *syntax.Error
	if !errors.As(err, &e) {
		return err
	}
	begins := func(starts ...string) bool {
		return slices.ContainsFunc(starts, func(start string) bool { return strings.HasPrefix(e.Expr, start) })
	}
	switch e.Code {
	case syntax.ErrInvalidPerlOp, syntax.ErrInvalidNamedCapture:
		if begins("(?=", "(?!", "(?<=", "(?<!") {
			return fmt.Errorf("%w (expressions are RE2's, which knows no look-around)", err)
		}
	case syntax.ErrInvalidEscape:
		if begins(`\k`, `\1`, `\2`, `\3`, `\4`, `\5`, `\6`, `\7`, `\8`, `\9`) {
			return fmt.Errorf("%w (expressions are RE2's, which knows no back references)", err)
		}
	}
	return err
}
