package main

import (
	"context"
	"errors"

	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/triage"
)

// registered gives what a project applied for; false: it stands in no register.
func (r *rooms) registered(ctx context.Context, project string) (register.Entry, bool, error) {
	e, err := r.triage.Registered(ctx, project)
	if errors.Is(err, triage.ErrUnknown) {
		return e, false, nil
	}
	return e, err == nil, err
}
