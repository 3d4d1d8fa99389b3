package ledger

// DayState says how whole the log of an account is on a day.
type DayState string

// The states of a day.
const (
	DayComplete DayState = "complete" // records came, and no gap is known
	DayLate     DayState = "late"     // the day is not over, or its records may still come
	DayPartial  DayState = "partial"  // some hours are missing, or objects or records could not be read
	DayMissing  DayState = "missing"  // nothing came on a day between days with records
	DayUnknown  DayState = "unknown"  // the account was not yet, or is no longer, delivering
)

// Cell is one account on one UTC day.
type Cell struct {
	Day     string   `json:"day" example:"2026-11-21"`
	Records int64    `json:"records"`
	State   DayState `json:"state" enum:"complete,late,partial,missing,unknown"`
	Reason  string   `json:"reason" doc:"why it is not complete, as a sentence"`
}

// Day is a Cell of an account.
type Day struct {
	Account string
	Cell
}
