package estate

import (
	"encoding/binary"
	"hash/fnv"
	"time"
)

// Presence is where a person works on a day: the same for every log of a world.
type Presence struct {
	Works   bool
	Home    bool   // from home
	Address string // public
}

// Presence tells where p works on the day, whose date is read in day's own zone.
// It is drawn anew for each day from the world's seed alone, so that all logs
// agree without asking each other.
func (w *World) Presence(p *Person, day time.Time) Presence {
	y, m, d := day.Date()
	date := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	here := (p.Joined.IsZero() || !date.Before(p.Joined.Truncate(24*time.Hour))) && (p.Left.IsZero() || date.Before(p.Left))
	if !here || !Workday(p.Team.Country, day) {
		return Presence{}
	}
	h := fnv.New64a()
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(w.Seed))
	binary.BigEndian.PutUint64(b[8:], uint64(date.Unix()))
	h.Write(b[:])
	h.Write([]byte(p.Email))
	x := h.Sum64()
	// FNV's high bits hardly depend on the last letters; this mixes them in.
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	x ^= x >> 32
	if float64(x>>40)/(1<<24) >= w.Rates["presence_share"] {
		return Presence{}
	}
	if float64(x&0xffffff)/(1<<24) < w.Rates["from_home_share"] {
		return Presence{true, true, p.Home}
	}
	return Presence{true, false, p.Office}
}
