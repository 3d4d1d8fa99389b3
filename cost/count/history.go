package count

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/cost"
)

// formHistory is an object of the history that AWS Config delivers every six hours.
const formHistory = "aws config history"

// history is what an object says of resources: enough to join the objects of a day.
type history struct {
	resources map[resource]*states
}

// resource is one of a type in a place.
type resource struct{ account, region, resourceType, id string }

// states are what is known of a resource, in the order of time.
type states struct{ all []state }

// state is one configuration item.
type state struct {
	at     time.Time
	what   uint64 // of the configuration and tags: equal where they are
	status string
}

// Statuses of configuration items.
const (
	discovered         = "ResourceDiscovered"
	deleted            = "ResourceDeleted"
	deletedNotRecorded = "ResourceDeletedNotRecorded"
	notRecorded        = "ResourceNotRecorded"
)

func (s *state) gone() bool { return s.status == deleted }

// item is a configuration item as history objects have it; names vary with their
// version.
type item struct {
	Account, Region, Type, ID, Status string
	At                                stamp
	Configuration                     json.RawMessage
	Tags, Supplementary               json.RawMessage
}

// UnmarshalJSON reads the names of either version.
func (i *item) UnmarshalJSON(text []byte) error {
	var x struct {
		AwsAccountID  string          `json:"awsAccountId"`
		AccountID     string          `json:"accountId"`
		Region        string          `json:"awsRegion"`
		Type          string          `json:"resourceType"`
		ID            string          `json:"resourceId"`
		Status        string          `json:"configurationItemStatus"`
		At            stamp           `json:"configurationItemCaptureTime"`
		Configuration json.RawMessage `json:"configuration"`
		Tags          json.RawMessage `json:"tags"`
		Supplementary json.RawMessage `json:"supplementaryConfiguration"`
	}
	if err := json.Unmarshal(text, &x); err != nil {
		return err
	}
	*i = item{cmp.Or(x.AwsAccountID, x.AccountID), x.Region, x.Type, x.ID, x.Status, x.At, x.Configuration, x.Tags, x.Supplementary}
	return nil
}

func (d *Document) readHistory(in io.Reader) error {
	dec := json.NewDecoder(in)
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("%s: %w", formHistory, err)
	}
	d.history = &history{resources: map[resource]*states{}}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return fmt.Errorf("%s: %w", formHistory, err)
		}
		if t != "configurationItems" {
			var other json.RawMessage
			if err := dec.Decode(&other); err != nil {
				return fmt.Errorf("%s: %w", formHistory, err)
			}
			continue
		}
		if err := d.readItems(dec); err != nil {
			return fmt.Errorf("%s: behind item %d: %w", formHistory, d.File.Rows, err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("%s: it ends early: %w", formHistory, err)
	}
	d.Counts, _ = Join(nil, nil, *d)
	return nil
}

func (d *Document) readItems(dec *json.Decoder) error {
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return fmt.Errorf("configurationItems is no list: %w", cmp.Or(err, io.ErrUnexpectedEOF))
	}
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		d.File.Rows++
		var i item
		if err := json.Unmarshal(raw, &i); err != nil {
			d.refuse(d.File.Rows, "", "%s", clip(err.Error()))
			continue
		}
		switch {
		case !accountIs.MatchString(i.Account):
			d.refuse(d.File.Rows, "awsAccountId", "%q is no account's id", clip(i.Account))
		case !typeIs.MatchString(i.Type):
			d.refuse(d.File.Rows, "resourceType", "%q is no resource type", clip(i.Type))
		case i.Region != "" && i.Region != "global" && !regionIs.MatchString(i.Region):
			d.refuse(d.File.Rows, "awsRegion", "%q is no region", clip(i.Region))
		case i.ID == "":
			d.refuse(d.File.Rows, "resourceId", "it names no resource")
		case i.At.IsZero():
			d.refuse(d.File.Rows, "configurationItemCaptureTime", "it has no time")
		case i.Status == notRecorded || i.Status == deletedNotRecorded:
			// It says that the recorder leaves the resource out: nothing is paid for it.
		default:
			d.history.add(&i)
		}
	}
	_, err := dec.Token()
	return err
}

var seed = maphash.MakeSeed() // one for the process: nothing that is stored depends on it

func (h *history) add(i *item) {
	var sum maphash.Hash
	sum.SetSeed(seed)
	for _, part := range [][]byte{i.Configuration, i.Tags, i.Supplementary} {
		sum.Write(part) // never fails
		sum.WriteByte(0)
	}
	r := resource{i.Account, i.Region, i.Type, strings.Clone(i.ID)}
	s := h.resources[r]
	if s == nil {
		s = &states{}
		h.resources[r] = s
	}
	s.all = append(s.all, state{i.At.Time, sum.Sum64(), i.Status})
}

// Join gives the counts of several documents together, to be kept where some are
// held already.
//
// The objects of Config's history that are of one day are one: a resource that two
// of them name changed once, and an item that two of them have is one. A resource
// counts as changed on a day if its last state of the day differs from its last
// state before, or that is not known; what came and went within the day has not
// changed.
//
// What objects say of a day of which the history is held already comes on top of
// that. Which resources were named before is not known any more, so that some may be
// counted twice as changed: savings come out lower then, never higher. All other
// counts are whole and take the place of what is held.
//
// A query over the history is whole too: where it counted a type's days, now or
// before (queried), it is taken and the objects are not. Double is where both did.
func Join(held []cost.Count, queried []cost.Cover, docs ...Document) (out []cost.Count, double []cost.Cover) {
	counts := map[cost.Count]*cost.Count{}
	all := map[resource]*states{}
	now := slices.Clone(queried)
	for _, d := range docs {
		now = append(now, d.File.Covers...)
		if d.history == nil {
			for _, c := range d.Counts {
				counts[keyOf(c)] = &c
			}
			continue
		}
		for r, s := range d.history.resources {
			if all[r] == nil {
				all[r] = &states{}
			}
			all[r].all = append(all[r].all, s.all...)
		}
	}
	joined := map[cost.Count]*cost.Count{}
	for r, s := range all {
		s.count(r, joined)
	}
	var both []cost.Count
	for k := range joined {
		if covered(now, &k) {
			both = append(both, k)
			delete(joined, k)
		}
	}
	for _, c := range held {
		k := keyOf(c)
		if j := joined[k]; j != nil {
			j.Items += c.Items
			j.ResourceDays = min(j.ResourceDays+max(c.ResourceDays, 0), j.Items)
		}
		// What the history said before, and no query did, objects had counted.
		if counts[k] != nil && k.Basis == cost.History && !covered(queried, &k) {
			both = append(both, k)
		}
	}
	for k, c := range joined {
		c.Low, c.High = c.Items, c.Items
		counts[k] = c
	}
	out = make([]cost.Count, 0, len(counts))
	for _, c := range counts {
		out = append(out, *c)
	}
	inOrder(out)
	return out, coversOf(both)
}

func covered(all []cost.Cover, c *cost.Count) bool {
	return slices.ContainsFunc(all, func(x cost.Cover) bool { return x.Has(c) })
}

// coversOf is what counts are of: of each place and type from the first to the last
// day. A day between without a row had no items.
func coversOf(counts []cost.Count) (out []cost.Cover) {
	inOrder(counts)
	for _, c := range counts {
		n := len(out) - 1
		if n < 0 || out[n].Account != c.Account || out[n].Region != c.Region || out[n].ResourceType != c.ResourceType {
			out = append(out, cost.Cover{Account: c.Account, Region: c.Region, ResourceType: c.ResourceType, Since: c.Day})
			n++
		}
		out[n].Until = c.Day
	}
	return out
}

// count adds the states of a resource to the counts of its days.
func (s *states) count(r resource, counts map[cost.Count]*cost.Count) {
	slices.SortStableFunc(s.all, func(a, b state) int { return a.at.Compare(b.at) })
	s.all = slices.Compact(s.all)
	var before *state // the last of the days before; nil: not known
	for i := 0; i < len(s.all); {
		today, first := day(s.all[i].at), i
		for i < len(s.all) && day(s.all[i].at).Equal(today) {
			i++
		}
		last := &s.all[i-1]
		key := cost.Count{Account: r.account, Region: r.region, ResourceType: r.resourceType, Day: today, Basis: cost.History}
		c := counts[key]
		if c == nil {
			c = new(key)
			counts[key] = c
		}
		c.Items += int64(i - first)
		if changed(before, &s.all[first], last) {
			c.ResourceDays++
		}
		before = last
	}
}

// changed tells whether a resource is at a day's end otherwise than before it.
func changed(before, first, last *state) bool {
	switch {
	case before != nil && before.gone():
		return !last.gone()
	case before != nil:
		return last.gone() || last.what != before.what
	}
	// What is discovered was not there before.
	return !(first.status == discovered && last.gone())
}

// keyOf is what tells counts apart.
func keyOf(c cost.Count) cost.Count {
	return cost.Count{Account: c.Account, Region: c.Region, ResourceType: c.ResourceType, Day: c.Day, Basis: c.Basis}
}

// inOrder sorts counts as stores give them.
func inOrder(all []cost.Count) {
	slices.SortFunc(all, func(a, b cost.Count) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.ResourceType, b.ResourceType), a.Day.Compare(b.Day), cmp.Compare(a.Basis, b.Basis))
	})
}
