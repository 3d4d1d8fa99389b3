package evaluate

import (
	"fmt"
	"math"
)

// short is a figure with two digits that count, "-" for none.
func short(f float64) string {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0) || f == math.MaxFloat64:
		return "-"
	case f == 0 || f >= 0.1:
		return fmt.Sprintf("%.2f", f)
	}
	return fmt.Sprintf("%.2g", f)
}
