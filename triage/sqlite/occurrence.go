package sqlite

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/yagura-sec/yagura/finding"
)

// occurrenceColumns in the order of scanOccurrence and occurrenceArgs.
const occurrenceColumns = `key, batch, hunter, since, until, rule, first, last, count, trouble, evidence`

const putOccurrence = `INSERT INTO occurrence (` + occurrenceColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func occurrenceArgs(o *finding.Occurrence) ([]any, error) {
	trouble, err := o.Trouble.Keep()
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", o.Key, err)
	}
	return []any{o.Key, o.Batch[:], o.Hunter, o.Since.UnixMicro(), o.Until.UnixMicro(), o.Rule,
		o.FirstSeen.UnixMicro(), o.LastSeen.UnixMicro(), o.Count, string(trouble), packEvidence(o.Evidence)}, nil
}

// scanOccurrence reads those columns by the given Scan, then what follows them.
func scanOccurrence(scan func(...any) error, o *finding.Occurrence, more ...any) error {
	var since, until, first, last int64
	var rule, batch, trouble, evidence sql.RawBytes
	if err := scan(append([]any{&o.Key, &batch, &o.Hunter, &since, &until, &rule, &first, &last, &o.Count, &trouble, &evidence}, more...)...); err != nil {
		return err
	}
	if len(batch) != len(o.Batch) {
		return fmt.Errorf("finding %s: batch id of %d bytes", o.Key, len(batch))
	}
	copy(o.Batch[:], batch)
	o.Since, o.Until = time.UnixMicro(since).UTC(), time.UnixMicro(until).UTC()
	o.FirstSeen, o.LastSeen = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
	if err := o.Trouble.Recall(trouble); err != nil {
		return fmt.Errorf("finding %s: %w", o.Key, err)
	}
	var err error
	if o.Evidence, err = unpackEvidence(evidence); err != nil {
		return fmt.Errorf("finding %s: %w", o.Key, err)
	}
	return nil
}

const sightingSize = 8 + 16

// packEvidence writes how many sightings are in First, as one byte, then every
// sighting as microseconds since 1970, big endian, and uid.
func packEvidence(e finding.Evidence) []byte {
	b := make([]byte, 1, 1+e.Len()*sightingSize)
	b[0] = byte(len(e.First))
	for _, list := range [][]finding.Sighting{e.First, e.Latest} {
		for _, s := range list {
			b = binary.BigEndian.AppendUint64(b, uint64(s.Time.UnixMicro()))
			b = append(b, s.UID[:]...)
		}
	}
	return b
}

func unpackEvidence(b []byte) (e finding.Evidence, err error) {
	if len(b) == 0 || (len(b)-1)%sightingSize != 0 || int(b[0]) > (len(b)-1)/sightingSize {
		return e, errors.New("evidence is damaged")
	}
	all := make([]finding.Sighting, (len(b)-1)/sightingSize)
	for i := range all {
		at := b[1+i*sightingSize:]
		all[i].Time = time.UnixMicro(int64(binary.BigEndian.Uint64(at))).UTC()
		copy(all[i].UID[:], at[8:])
	}
	// The two never share room to grow.
	if n := int(b[0]); n > 0 {
		e.First = all[:n:n]
	}
	if n := int(b[0]); n < len(all) {
		e.Latest = all[n:]
	}
	return e, nil
}
