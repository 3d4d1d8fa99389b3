// Package memory keeps what was sent in memory, for tests.
package memory

import (
	"context"
	"sync"

	"github.com/yagura-sec/yagura/export"
)

// Outbox is an export.Outbox. The zero value is ready to use.
type Outbox struct {
	mu   sync.Mutex // guards sent
	sent map[[2]string]string
}

var _ export.Outbox = (*Outbox)(nil)

// Sent gives what was acknowledged; see export.Outbox.
func (o *Outbox) Sent(_ context.Context, output string, keys []string) (map[string]string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := map[string]string{}
	for _, k := range keys {
		if r, ok := o.sent[[2]string{output, k}]; ok {
			out[k] = r
		}
	}
	return out, nil
}

// Mark keeps what was acknowledged; see export.Outbox.
func (o *Outbox) Mark(_ context.Context, output string, revisions map[string]string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sent == nil {
		o.sent = map[[2]string]string{}
	}
	for k, r := range revisions {
		o.sent[[2]string{output, k}] = r
	}
	return nil
}
