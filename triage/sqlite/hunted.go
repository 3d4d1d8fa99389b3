package sqlite

import (
	"context"
	"fmt"

	"github.com/yagura-sec/yagura/finding"
)

// Occurrences gives all that a hunter said, hour by hour, by hour and key: what
// findings are folded from. Whoever measures a hunter needs them apart.
func (s *Store) Occurrences(ctx context.Context, hunter string) ([]finding.Occurrence, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+occurrenceColumns+` FROM occurrence WHERE hunter = ? ORDER BY since, key`, hunter)
	if err != nil {
		return nil, fmt.Errorf("read what %s found: %w", hunter, err)
	}
	defer rows.Close()
	var out []finding.Occurrence
	for rows.Next() {
		var o finding.Occurrence
		if err := scanOccurrence(rows.Scan, &o); err != nil {
			return nil, fmt.Errorf("read what %s found: %w", hunter, err)
		}
		out = append(out, o)
	}
	return out, rows.Err()
}
