package people

import (
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// How many sign-ins may fail before the next has to wait: per user, and per
// address (an IPv6 network of 64 bits is one address). Failures are forgotten
// one by one, each after forgets.
const (
	userFailures    = 10
	addressFailures = 30
	forgets         = time.Minute
)

// kept is how many users and addresses are remembered. Beyond it the
// longest forgiven are forgotten early, users and addresses apart: a flood from
// many addresses forgets other addresses, not what is known of users.
const kept = 10_000

// Wait is the refusal of who has failed too often, or of one too many at once.
type Wait struct{ For time.Duration }

func (w *Wait) Error() string {
	return fmt.Sprintf("too many tries to sign in: try again in %d seconds", int(w.For.Seconds())+1)
}

// limiter counts failures. The zero limiter has seen none.
type limiter struct {
	mu        sync.Mutex
	users     map[string]time.Time // when all failures will be forgotten
	addresses map[string]time.Time
}

// begin counts an attempt as failed until done says otherwise, so that many at
// once are not more than one after another; *Wait when there were too many. An
// empty user is of no user.
func (l *limiter) begin(now time.Time, user, address string) (done func(ok bool), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users == nil {
		l.users, l.addresses = map[string]time.Time{}, map[string]time.Time{}
	}
	address = network(address)
	if w := max(over(l.users[user], now, userFailures), over(l.addresses[address], now, addressFailures)); w > 0 {
		return nil, &Wait{w}
	}
	if user != "" {
		count(l.users, user, now)
	}
	count(l.addresses, address, now)
	return func(ok bool) {
		if !ok {
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		// The user has shown who it is. Of the address only this attempt is taken
		// back: otherwise whoever has one password could try others' for ever.
		delete(l.users, user)
		if until, ok := l.addresses[address]; ok {
			l.addresses[address] = until.Add(-forgets)
		}
	}, nil
}

// over is how long there is to wait before there are fewer than most failures.
func over(until, now time.Time, most int) time.Duration {
	if !until.After(now) {
		return 0 // and a zero time is too far away to subtract
	}
	return until.Sub(now) - time.Duration(most-1)*forgets
}

func count(m map[string]time.Time, key string, now time.Time) {
	if until := m[key]; until.After(now) {
		now = until
	}
	m[key] = now.Add(forgets)
	if len(m) <= kept {
		return
	}
	first := key
	for k, until := range m {
		if until.Before(m[first]) {
			first = k
		}
	}
	delete(m, first)
}

// network is what is limited together: an IPv4 address, or an IPv6 network.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Is4() {
		return address
	}
	p, err := ip.Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}
