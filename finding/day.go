package finding

import "time"

// DayCount is what became of findings on a UTC day.
type DayCount struct {
	Day time.Time `json:"day"`
	// Made are the findings first seen on the day, and Explained those of them
	// that are accounted for now.
	Made      int `json:"made"`
	Explained int `json:"explained"`
	// Decided are the findings whose latest verdict or closing was given on the
	// day, and was not taken back.
	Decided int `json:"decided"`
	// Open are the findings that, at the end of the day, had been seen, were not
	// closed by then, and are not accounted for.
	Open int `json:"open"`
}

// DecidedAt is when the latest verdict or closing that holds was given; zero:
// nobody has decided.
func (f *Finding) DecidedAt() (at time.Time) {
	for _, d := range f.Decisions {
		if !d.Undone && (d.Verdict != NoVerdict || d.Status == Resolved || d.Status == Suppressed) {
			at = d.At
		}
	}
	return at
}

// ClosedAt is since when a finding that is resolved or suppressed is so; zero:
// it is open.
func (f *Finding) ClosedAt() (at time.Time) {
	if f.Status != Resolved && f.Status != Suppressed {
		return at
	}
	for _, d := range f.Decisions {
		if !d.Undone && d.Status != "" {
			at = d.At
		}
	}
	if x := f.External; x.Closed() && (at.IsZero() || x.At.After(at)) {
		at = x.At
	}
	return at
}
