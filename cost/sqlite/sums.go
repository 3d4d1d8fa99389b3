package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
)

// columns are where each dim stands.
var columns = map[cost.Dim]string{
	cost.ByMonth: "l.month", cost.ByDay: "l.day", cost.ByProvider: "s.provider", cost.ByPayer: "l.payer", cost.ByAccount: "l.account",
	cost.ByService: "s.service", cost.ByUsageType: "s.usage_type", cost.ByOperation: "l.operation", cost.ByRegion: "l.region",
	cost.ByResource: "l.resource", cost.ByKind: "l.kind", cost.ByUnit: "l.unit",
}

// Sums is cost.Bills'.
func (s *Store) Sums(ctx context.Context, q cost.Query) ([]cost.Sum, error) {
	tx, err := s.db.Read().BeginTx(ctx, nil) // both see one moment
	if err != nil {
		return nil, fmt.Errorf("sum bills: %w", err)
	}
	defer tx.Rollback() // nothing was written
	fold := cost.NewFold(q)
	for _, odd := range []bool{false, true} {
		if err := sums(ctx, tx, q, fold, odd); err != nil {
			return nil, fmt.Errorf("sum bills: %w", err)
		}
	}
	return fold.Sums(), nil
}

// sums adds what SQLite sums, or the lines that it cannot.
func sums(ctx context.Context, tx *sql.Tx, q cost.Query, fold *cost.Fold, odd bool) error {
	group := []string{"l.currency", "s.security"}
	for _, d := range q.By {
		c, known := columns[d]
		if !known {
			return fmt.Errorf("%q is nothing that sums are split by", d)
		}
		group = append(group, c)
	}
	where, args := conditions(q)
	names := strings.Join(group, ", ")
	query := `SELECT ` + names + `, sum(l.lines), sum(l.amount), sum(l.amount_nano), sum(l.amount_atto), sum(l.quantity), sum(l.quantity_nano), sum(l.quantity_atto), ''
		FROM cost_line l JOIN cost_service s ON s.id = l.service WHERE l.odd IS NULL AND ` + where + ` GROUP BY ` + names
	if odd {
		query = `SELECT ` + names + `, l.lines, 0, 0, 0, 0, 0, 0, l.odd FROM cost_line l JOIN cost_service s ON s.id = l.service WHERE l.odd IS NOT NULL AND ` + where
	}
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		l, security, err := scan(rows, q.By)
		if err != nil {
			return err
		}
		fold.Add(l, security)
	}
	return rows.Err()
}

// conditions are those of a query.
func conditions(q cost.Query) (where string, args []any) {
	all := []string{"l.file IN (SELECT id FROM cost_file)"}
	with := func(text string, values ...any) {
		all, args = append(all, text), append(args, values...)
	}
	if !q.Since.IsZero() {
		with("l.month >= ?", days(q.Since))
	}
	if !q.Until.IsZero() {
		with("l.month < ?", days(q.Until))
	}
	if len(q.Accounts) > 0 {
		with("l.account IN (SELECT value FROM json_each(?))", list(q.Accounts))
	}
	if len(q.Services) > 0 {
		with("s.security IN (SELECT value FROM json_each(?))", list(q.Services))
	}
	if q.Security != nil {
		with("(s.security <> '') = ?", *q.Security)
	}
	if len(q.Kinds) > 0 {
		with("l.kind IN (SELECT value FROM json_each(?))", list(q.Kinds))
	}
	return strings.Join(all, " AND "), args
}

// list is a list of texts as JSON.
func list[S ~string](all []S) string {
	text, _ := json.Marshal(all) // texts can always be written
	return string(text)
}

// scan reads a row that sums asked for.
func scan(rows rows, by []cost.Dim) (l cost.Line, security string, err error) {
	var month, day int64
	var amount, quantity parts
	var odd string
	into := []any{&l.Currency, &security}
	places := map[cost.Dim]any{
		cost.ByMonth: &month, cost.ByDay: &day, cost.ByProvider: &l.Provider, cost.ByPayer: &l.Payer, cost.ByAccount: &l.Account,
		cost.ByService: &l.Service, cost.ByUsageType: &l.UsageType, cost.ByOperation: &l.Operation, cost.ByRegion: &l.Region,
		cost.ByResource: &l.Resource, cost.ByKind: (*string)(&l.Kind), cost.ByUnit: &l.Unit,
	}
	for _, d := range by {
		into = append(into, places[d])
	}
	into = append(into, &l.Rows, &amount[0], &amount[1], &amount[2], &quantity[0], &quantity[1], &quantity[2], &odd)
	if err := rows.Scan(into...); err != nil {
		return l, "", err
	}
	l.Month, l.Day, l.Amount, l.Quantity = dayTime(month), dayTime(day), amount.decimal(), quantity.decimal()
	if odd != "" {
		a, b, _ := strings.Cut(odd, " ")
		if l.Amount, err = decimal.NewFromString(a); err == nil {
			l.Quantity, err = decimal.NewFromString(b)
		}
	}
	return l, security, err
}
