package cost

import (
	"context"
	"errors"
	"slices"
	"time"
)

// ErrDropped: another file began to be taken, so that this one is not any more.
var ErrDropped = errors.New("another import began: this file was dropped")

// Summer gives sums of bills; it is Bills.Sums.
type Summer func(ctx context.Context, q Query) ([]Sum, error)

// Bills keeps what bills come to, file by file.
type Bills interface {
	// Begin starts to take a file. One file is taken at a time: an earlier draft that
	// was neither committed nor discarded is dropped, and fails with ErrDropped.
	Begin(ctx context.Context) (Draft, error)
	// Sums are those of all files that are held, ordered by what was asked By, then by
	// currency.
	Sums(ctx context.Context, q Query) ([]Sum, error)
	// Files are those that are held, bills and others, by name.
	Files(ctx context.Context) ([]File, error)
}

// Draft is a file that is being taken. Nothing of it is seen before Commit.
type Draft interface {
	// Add keeps lines; several may be alike.
	Add(ctx context.Context, lines []Line) error
	// Commit ends the draft: in one step the file is held, and those that it replaces
	// are not any more, as Settle decides. Where the outcome is not Stored nothing of
	// it is kept.
	Commit(ctx context.Context, f File) (Settled, error)
	// Discard ends the draft and leaves nothing. After Commit it does nothing.
	Discard(ctx context.Context) error
}

// CountFilter asks for counts. Empty is no condition.
type CountFilter struct {
	Since, Until time.Time // days, half open
	Accounts     []string
}

// Holds tells whether the filter is about a count.
func (f *CountFilter) Holds(c *Count) bool {
	return (f.Since.IsZero() || !c.Day.Before(f.Since)) && (f.Until.IsZero() || c.Day.Before(f.Until)) &&
		(len(f.Accounts) == 0 || slices.Contains(f.Accounts, c.Account))
}

// Counts keeps how much was counted.
type Counts interface {
	// TakeCounts keeps counts; each takes the place of the one of the same account,
	// region, type, day and basis.
	TakeCounts(ctx context.Context, all []Count) error
	// Counts are ordered by account, region, type, day and basis.
	Counts(ctx context.Context, f CountFilter) ([]Count, error)
}

// Fact is a document in which a provider says how something is set up.
type Fact struct {
	Kind     string // as cost/count names it
	Account  string // empty: of the organisation, or not known
	Region   string
	Name     string    // tells documents of the same kind, account and region apart
	At       time.Time // when it was true, as far as is known
	Document []byte    // as it was read
}

// Facts keeps documents.
type Facts interface {
	// TakeFacts keeps documents; each takes the place of the one of the same kind,
	// account, region and name, unless that is of a later time.
	TakeFacts(ctx context.Context, all []Fact) error
	// Facts of a kind and an account are ordered by kind, account, region and name;
	// either may be empty: all.
	Facts(ctx context.Context, kind, account string) ([]Fact, error)
}

// Store keeps all of it. It is safe for concurrent use.
type Store interface {
	Bills
	Counts
	Facts
	// Note remembers a file that was no bill, so that Files has it too, in the place of
	// one that holds the same or has its name.
	Note(ctx context.Context, f File) error
}
