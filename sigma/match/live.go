package match

import "sync/atomic"

// Live is the set in use where rules are loaded anew while records are matched.
// Who matches asks for it once a record or once a batch, and finishes with the
// set it got:
//
//	sc = live.Scratch(sc)
//	hits, err := sc.Set().MatchJSON(sc, record, src)
//
// The indexes in hits are those of sc.Set(), whatever is in use by then.
type Live struct{ set atomic.Pointer[Set] }

// NewLive begins with a set.
func NewLive(s *Set) *Live {
	l := &Live{}
	l.set.Store(s)
	return l
}

// Load is the set in use.
func (l *Live) Load() *Set { return l.set.Load() }

// Swap puts a set to use and gives the one that was. It waits for nobody: what
// is being matched is finished with the old one. Prepare the set before, or the
// first record of each source waits while somebody does.
func (l *Live) Swap(s *Set) *Set { return l.set.Swap(s) }

// Scratch gives sc if it belongs to the set in use, else a new one. A nil sc
// belongs to none.
func (l *Live) Scratch(sc *Scratch) *Scratch {
	if s := l.Load(); sc == nil || sc.set != s {
		return s.NewScratch()
	}
	return sc
}
