package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
)

// How long looking around goes on before a part of the events has to do.
const (
	timelinePatience = 2 * time.Second
	valuesPatience   = 400 * time.Millisecond
	completePatience = 150 * time.Millisecond
)

// keyOf names what a query chooses; empty: it cannot be named, for its SQL does
// not say all of it.
func keyOf(q query.Query) string {
	text, args, exact := query.SQL(q.Where)
	if !exact {
		return ""
	}
	return fmt.Sprintf("%s\x00%q\x00%d\x00%d", text, args, q.Since.UnixMicro(), q.Until.UnixMicro())
}

// explorer looks around in the lake.
type explorer struct {
	lake    lake.Explorer
	changes func() int64

	timelines keptAnswers[lake.Histogram]
	values    keptAnswers[lake.FieldValues]
}

func (x *explorer) histogram(ctx context.Context, q query.Query, buckets int) (lake.Histogram, error) {
	count := func(ctx context.Context) (lake.Histogram, error) {
		return x.lake.Histogram(ctx, q, buckets, timelinePatience)
	}
	key := keyOf(q)
	if key == "" {
		return count(ctx)
	}
	h, err := x.timelines.get(ctx, fmt.Sprint(buckets, key), x.changes(), count)
	h.Buckets = slices.Clone(h.Buckets) // the kept answer stays as it is
	return h, err
}

func (x *explorer) fields(ctx context.Context, q query.Query, fields []string, most int) (lake.FieldValues, error) {
	return x.valuesWithin(ctx, q, fields, most, valuesPatience)
}

func (x *explorer) valuesWithin(ctx context.Context, q query.Query, fields []string, most int, patience time.Duration) (lake.FieldValues, error) {
	count := func(ctx context.Context) (lake.FieldValues, error) {
		return x.lake.Values(ctx, q, fields, most, patience)
	}
	key := keyOf(q)
	if key == "" {
		return count(ctx)
	}
	v, err := x.values.get(ctx, fmt.Sprint(most, fields, key), x.changes(), count)
	v.Fields = slices.Clone(v.Fields)
	return v, err
}

// commonValues is how many values of a column are kept to complete with.
const commonValues = 1_000

// complete gives values that begin with prefix, then those that hold it, in any
// case: out of the values that occur most, and where they do not suffice, out of
// all.
func (x *explorer) complete(ctx context.Context, field, prefix string, accounts []string, most int) ([]string, error) {
	c, ok := query.Lookup(field)
	if !ok || c.Type == query.JSON || c.Type == query.Time || c.Type == query.UUID {
		return nil, nil // nobody types these by heart
	}
	var in query.Expr
	if len(accounts) > 0 {
		or := query.Or{}
		for _, a := range accounts {
			or.X = append(or.X, query.Eq{Field: "account_uid", Value: a})
		}
		in = or
	}
	v, err := x.valuesWithin(ctx, query.Query{Where: in}, []string{field}, commonValues, valuesPatience)
	if err != nil {
		return nil, err
	}
	out := matching(v, prefix, c.Values)
	whole := len(v.Fields) > 0 && !v.Fields[0].More && !v.Sampled
	if text := c.Type == query.Text || c.Type == query.Addr || c.Type == query.List; len(out) < most && !whole && text && prefix != "" {
		where := query.Expr(query.Like{Field: field, Pattern: query.Escape(prefix) + "*"})
		if in != nil {
			where = query.And{X: []query.Expr{in, where}}
		}
		more, err := x.valuesWithin(ctx, query.Query{Where: where}, []string{field}, most, completePatience)
		if err != nil {
			return nil, err
		}
		for _, s := range matching(more, prefix, nil) {
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out[:min(len(out), most)], nil
}

// matching are the values that begin with prefix, then those that hold it; known
// ones too that do not occur.
func matching(v lake.FieldValues, prefix string, known []string) []string {
	var all []string
	for _, f := range v.Fields {
		for _, x := range f.Values {
			if x.Value != "" {
				all = append(all, x.Value)
			}
		}
	}
	for _, k := range known {
		if !slices.Contains(all, k) {
			all = append(all, k)
		}
	}
	var begin, hold []string
	prefix = strings.ToLower(prefix)
	for _, s := range all {
		switch low := strings.ToLower(s); {
		case strings.HasPrefix(low, prefix):
			begin = append(begin, s)
		case strings.Contains(low, prefix):
			hold = append(hold, s)
		}
	}
	return append(begin, hold...)
}
