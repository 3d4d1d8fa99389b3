package novelty

// How what is new becomes usual, in days.
const (
	Settle = 3   // behind the first, after which what came on two or more is usual
	Drop   = 14  // it may take to come again
	Forget = 180 // without being seen, after which it is forgotten
)

// State is how far something has become usual.
type State uint8

// States.
const (
	Usual    State = iota
	New            // not yet usual
	Dropped        // was new, and did not come again
	Returned       // was dropped, and is there again: new once more
	Founding       // was there before anything was judged, and is usual for it
)

// Stay is what is kept of something that comes to where others are usual: a caller
// or person to a secret, a program to a network.
type Stay struct {
	First, Last uint16 // days; First is that of coming back for what was dropped
	Days        uint8  // on which it came, at most 255
	State       State
}

// Arrive is the stay of what comes for the first time.
func Arrive(today uint16, state State) Stay {
	return Stay{First: today, Last: today, Days: 1, State: state}
}

// Come takes in that it came, and tells whether for the first time today.
func (s *Stay) Come(today uint16) bool {
	if s.Last == today {
		return false
	}
	s.Last = today
	if s.Days < 255 {
		s.Days++
	}
	if s.State == Dropped {
		s.State, s.First = Returned, today
	}
	return true
}

// End ends a day, and tells whether it is decided by that: what came often enough is
// usual from now on, what did not come again in time is dropped.
func (s *Stay) End(today uint16) (decided bool) {
	switch {
	case !s.New():
		return false
	case s.Days >= 2 && today >= s.First+Settle:
		s.State = Usual
	case today >= s.First+Drop:
		s.State = Dropped
	default:
		return false
	}
	return true
}

// Usual tells whether it belongs there.
func (s *Stay) Usual() bool { return s.State == Usual || s.State == Founding }

// New tells whether it has yet to become usual.
func (s *Stay) New() bool { return s.State == New || s.State == Returned }

// Forgotten tells whether it was not seen for so long that nothing is kept of it.
func (s *Stay) Forgotten(today uint16) bool { return today > s.Last+Forget }
