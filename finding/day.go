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
