package novelty

import "testing"

// TestStay: what comes on two days becomes usual after the third, what does not come
// again is dropped, and what comes back is new once more.
func TestStay(t *testing.T) {
	for _, c := range []struct {
		name    string
		state   State
		comes   []uint16 // after day 10
		until   uint16
		want    State
		decided uint16 // day, 0: none
	}{
		{"twice is usual on the third day", New, []uint16{11}, 40, Usual, 13},
		{"twice, far apart", New, []uint16{22}, 40, Usual, 22},
		{"once", New, nil, 40, Dropped, 24},
		{"once, not long ago", New, nil, 23, New, 0},
		{"as often as it likes on one day", New, []uint16{10, 10}, 40, Dropped, 24},
		{"back after it was dropped", New, []uint16{30}, 32, Returned, 24},
		{"back, and usual for its days before", New, []uint16{30}, 33, Usual, 33},
		{"there from the start", Founding, nil, 100, Founding, 0},
	} {
		s, decided, comes := Arrive(10, c.state), uint16(0), c.comes
		for today := uint16(10); today <= c.until; today++ {
			for len(comes) > 0 && comes[0] == today {
				if first := s.Come(today); first != (today > 10) {
					t.Errorf("%s: on day %d for the first time: %v", c.name, today, first)
				}
				comes = comes[1:]
			}
			if s.End(today) {
				decided = today
			}
		}
		if s.State != c.want || decided != c.decided {
			t.Errorf("%s: state %d on day %d, want %d on day %d", c.name, s.State, decided, c.want, c.decided)
		}
		if s.Forgotten(s.Last+Forget) || !s.Forgotten(s.Last+Forget+1) {
			t.Errorf("%s: forgotten at the wrong time", c.name)
		}
	}
}
