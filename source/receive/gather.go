package receive

import "net/http"

// maxRecords is how many records a request has at most: what a sender packs into
// few bytes costs us more than bytes.
const maxRecords = 500_000

// recordCost is roughly how many bytes a record takes besides its body.
const recordCost = 128

// gathering is the records of one body, within what a request may hold.
type gathering struct {
	held    *share
	records []record
	left    int64 // bytes that may still be made besides those of the body
	owed    int64 // bytes that are not yet counted as held
	full    *refusal
}

func (s *Source) gather(held *share) *gathering {
	return &gathering{held: held, left: 2 * s.cfg.MaxDecompressed}
}

// add takes a record for which so many bytes were made besides those of the body;
// false: it is one too many, and g says why.
func (g *gathering) add(r record, made int) bool {
	g.left -= int64(made)
	g.owed += int64(made) + recordCost
	switch {
	case g.full != nil:
		return false
	case len(g.records) == maxRecords:
		g.full = refuse(http.StatusRequestEntityTooLarge, codeFormat, "the body holds more than %d records: send fewer at a time", maxRecords)
		return false
	case g.left < 0:
		g.full = refuse(http.StatusRequestEntityTooLarge, codeFormat, "with their envelopes the events are larger than twice the limit of a body (max_decompressed): send fewer at a time")
		return false
	case g.owed >= readStep:
		if !g.held.take(g.owed) {
			g.full = busy()
			return false
		}
		g.owed = 0
	}
	g.records = append(g.records, r)
	return true
}

func busy() *refusal {
	return refuse(http.StatusServiceUnavailable, codeBusy, "too much is being taken at present: send it again")
}
