package local

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
)

var _ lake.Summer = (*Store)(nil)

// Sum implements lake.Summer in one statement, or by reading the events where SQL
// does not say all of the filter.
func (s *Store) Sum(ctx context.Context, q query.Sum) ([]query.Group, error) {
	if err := q.Check(); err != nil {
		return nil, fmt.Errorf("sum: %w", err)
	}
	groups, err := s.sum(ctx, q)
	if isGone(err) {
		if err = s.reload(ctx); err == nil {
			groups, err = s.sum(ctx, q)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("sum: %w", contextFirst(ctx, err))
	}
	return groups, nil
}

func (s *Store) sum(ctx context.Context, q query.Sum) ([]query.Group, error) {
	from, cond, err := s.summed(&q)
	if err != nil || from == "" {
		return nil, err
	}
	if !cond.exact {
		x := lake.NewSummation(q)
		for e, err := range s.Select(ctx, query.Query{Where: q.Where, Since: q.Since, Until: q.Until}) {
			if err != nil {
				return nil, err
			}
			x.Add(&e, 1)
		}
		return x.Groups(), nil
	}
	db, err := s.duckdb()
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, sumText(&q, from, cond.text), cond.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []query.Group
	for rows.Next() {
		var g query.Group
		by := make([]string, len(q.By))
		to := []any{&g.Rest, &g.Bucket, &g.Count, &g.First, &g.Last}
		for i := range by {
			to = append(to, &by[i])
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		if !g.Rest && len(by) > 0 {
			g.By = by
		}
		g.First, g.Last = g.First.UTC(), g.Last.UTC()
		out = append(out, g)
	}
	return out, rows.Err()
}

// summed is what to count in, and the condition; no text: there is nothing.
func (s *Store) summed(q *query.Sum) (from string, cond condition, err error) {
	if !q.Usage {
		segs, err := s.candidates(&q.Query, q.Since, q.Until)
		if err != nil || len(segs) == 0 {
			return "", cond, err
		}
		return readParquet(pathsOf(segs)), conditionOf(&q.Query), nil
	}
	segs, err := s.liveUsage(q.Since, q.Until)
	if err != nil || len(segs) == 0 {
		return "", cond, err
	}
	paths := make([]string, len(segs))
	for i, u := range segs {
		paths[i] = u.Path
	}
	cond = conditionOf(&query.Query{Where: q.Where})
	for _, bound := range []struct {
		op string
		at time.Time
	}{{">=", q.Since}, {"<", q.Until}} {
		if !bound.at.IsZero() {
			cond.text += " AND hour " + bound.op + " " + query.Timestamp(bound.at)
		}
	}
	if q.OfResources() {
		cond.text += " AND resource_uid <> ''"
	} else {
		cond.text += " AND resource_uid = ''"
	}
	return readParquet(paths), cond, nil
}

// sumText counts by group and bucket, then ranks the groups and folds those beyond
// the limit. All names in it are of columns that were checked.
func sumText(q *query.Sum, from, where string) string {
	at, counted := `"time"`, "count(*)"
	first, last := at, at
	if q.Usage {
		at, first, last, counted = "hour", "hour", "hour", `sum("count")`
	}
	if q.Distinct != "" {
		counted = "count(DISTINCT " + quoteName(q.Distinct) + ")"
	}
	bucket := "0"
	if q.Width > 0 {
		since := fmt.Sprintf("(epoch_us(%s) - %d)", at, q.Start.UnixMicro())
		bucket = fmt.Sprintf("%s // %d", since, q.Step.Microseconds())
		where += fmt.Sprintf(" AND %s >= 0 AND %s %% %d < %d", since, since, q.Step.Microseconds(), q.Width.Microseconds())
	}
	var named, by, same []string
	for i, name := range q.By {
		named = append(named, fmt.Sprintf("%s AS b%d", valueText(name), i))
		by = append(by, fmt.Sprintf("b%d", i))
		same = append(same, fmt.Sprintf("g.b%d = t.b%d", i, i))
	}
	comma := func(list []string) string { return strings.Join(append(list, ""), ", ") }
	text := fmt.Sprintf("WITH g AS (SELECT %sCAST(%s AS BIGINT) AS k, CAST(%s AS BIGINT) AS n, min(%s) AS a, max(%s) AS z FROM %s WHERE %s GROUP BY ALL)",
		comma(named), bucket, counted, first, last, from, where)
	if len(q.By) == 0 {
		return text + " SELECT false, k, n, a, z FROM g WHERE a IS NOT NULL ORDER BY k"
	}
	having, limit := "", ""
	if q.Limit > 0 {
		having, limit = fmt.Sprintf(" WHERE k >= %d", q.From), fmt.Sprintf(" LIMIT %d", q.Limit)
	}
	order := fmt.Sprintf("coalesce(sum(n) FILTER (k >= %d), 0) DESC, ", q.From) + strings.Join(by, ", ")
	text += fmt.Sprintf(", t AS (SELECT %srow_number() OVER (ORDER BY %s) AS r FROM g%s GROUP BY %s ORDER BY r%s)",
		comma(by), order, having, strings.Join(by, ", "), limit)
	var shown []string
	for i := range q.By {
		shown = append(shown, fmt.Sprintf("CASE WHEN t.r IS NULL THEN '' ELSE g.b%d END AS s%d", i, i))
	}
	text += fmt.Sprintf(" SELECT t.r IS NULL AS rest, k, CAST(sum(n) AS BIGINT), min(a), max(z), %s FROM g LEFT JOIN t ON %s",
		strings.Join(shown, ", "), strings.Join(same, " AND "))
	if q.Distinct != "" {
		text += " WHERE t.r IS NOT NULL"
	}
	for i := range q.By {
		shown[i] = fmt.Sprintf("s%d", i)
	}
	return text + " GROUP BY t.r, k, " + strings.Join(shown, ", ") + " ORDER BY t.r NULLS LAST, k"
}
