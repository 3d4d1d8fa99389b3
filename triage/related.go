package triage

import (
	"context"
	"errors"
	"time"

	"github.com/yagura-sec/yagura/finding"
)

// relatedMost is how many findings of one principal or resource are looked at.
const relatedMost = 500

// Related are the findings that speak of the same trouble as f (finding.Relate):
// those of other products beside ours, but for what is folded with it.
func Related(ctx context.Context, r Reader, f *finding.Finding) ([]finding.Relation, error) {
	met := map[string]bool{f.Key: true, f.Folded: true}
	for _, r := range f.Also {
		met[r.Key] = true
	}
	var others []finding.Finding
	add := func(list ...finding.Finding) {
		for _, x := range list {
			if !met[x.Key] {
				met[x.Key] = true
				others = append(others, x)
			}
		}
	}
	for _, key := range f.Related {
		x, err := r.Get(ctx, key)
		switch {
		case errors.Is(err, ErrNotFound): // named, and not here
		case err != nil:
			return nil, err
		default:
			add(x)
		}
	}
	// A day more on either side: a product may write of it that much later.
	around := Filter{Since: f.FirstSeen.Add(-25 * time.Hour), Demoted: true, Folded: true, Limit: relatedMost}
	var asks []Filter
	if f.Actor != "" {
		x := around
		x.Actor = f.Actor
		asks = append(asks, x)
	}
	for _, name := range f.Resources() {
		if len(asks) < 10 && name != "" {
			x := around
			x.Resource = name
			asks = append(asks, x)
		}
	}
	for _, ask := range asks {
		page, _, err := r.List(ctx, ask)
		if err != nil {
			return nil, err
		}
		add(page...)
	}
	return finding.Relate(f, others), nil
}
