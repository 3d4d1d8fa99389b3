package main

import (
	"context"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/register"
)

// checkEvery is how often a serving program compares the register with what is
// used; first some time after it begins, when what it has to read is read, and
// soon after somebody changed the register.
const (
	checkFirst = time.Minute
	checkEvery = 24 * time.Hour
	checkSoon  = 5 * time.Second
)

// register answers what the pages of the register ask, beside what is stored.
func (s *server) register() api.Register {
	used := &keptAnswers[*inUse]{old: quiteOld}
	known := &keptAnswers[*companion.Catalogue]{old: quiteOld}
	now := func(ctx context.Context) (*inUse, error) {
		return used.get(ctx, "", s.changes(), func(ctx context.Context) (*inUse, error) { return s.inUse(ctx, s.rooms, "") })
	}
	return api.Register{
		Compared: func(ctx context.Context, e register.Entry) (register.Comparison, error) {
			u, err := now(ctx)
			if err != nil {
				return register.Comparison{}, err
			}
			_, there, err := s.rooms.registered(ctx, e.Project)
			return u.compare(e, there), err
		},
		Differences: func(ctx context.Context) (register.Differences, error) {
			u, err := now(ctx)
			if err != nil {
				return register.Differences{}, err
			}
			return u.differences(ctx, s.rooms)
		},
		Allowed: func(ctx context.Context, project string) (*register.Allowance, error) {
			u, err := now(ctx)
			if err != nil {
				return nil, err
			}
			return u.allowance(project), nil
		},
		Changed: s.registerDiffers,
		Companions: func(ctx context.Context) (*companion.Catalogue, error) {
			return known.get(ctx, "", s.changes(), s.rooms.companions)
		},
	}
}

// registerDiffers has the register compared soon: somebody changed it.
func (s *server) registerDiffers() {
	select {
	case s.applied <- struct{}{}:
	default: // it is to be compared already
	}
}

// keepRegister compares the register with what is used once a day and after
// changes, and says runs of refusals anew after changes, until ctx ends.
func (s *server) keepRegister(ctx context.Context) error {
	since := s.clock().UTC()
	for next := time.After(checkFirst); ; {
		select {
		case <-s.applied:
			next = time.After(checkSoon) // more changes may come together
			continue
		case <-next:
			next = time.After(checkEvery)
		case <-ctx.Done():
			return nil
		}
		now := s.clock().UTC()
		if err := s.registerChanged(ctx, s.rooms, since); err != nil {
			if ctx.Err() == nil {
				// What was found before stays: tomorrow it is tried again.
				s.warn("compare the register with what is used: %v", err)
			}
			continue
		}
		since = now
	}
}
