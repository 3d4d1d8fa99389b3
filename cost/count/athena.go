package count

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/cost"
)

// formAthena is a result of the query in docs/cost.md.
const formAthena = "athena csv"

// columns are those of the query, with the names that others give them.
var columns = map[string][]string{
	"account":       {"account", "accountid", "account_id", "awsaccountid"},
	"region":        {"region", "awsregion", "aws_region"},
	"resource_type": {"resource_type", "resourcetype"},
	"day":           {"day", "date", "dt"},
	"items":         {"items", "configuration_items", "n"},
	"resource_days": {"resource_days", "resourcedays", "changed_resource_days"},
}

// columnsOf is where each column stands in a header line.
func columnsOf(line string) (map[string]int, error) {
	header, err := csv.NewReader(strings.NewReader(line)).Read()
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	for i, h := range header {
		h = strings.ToLower(strings.TrimSpace(h))
		for column, names := range columns {
			if !slices.Contains(names, h) {
				continue
			}
			if _, twice := at[column]; twice {
				return nil, fmt.Errorf("the header names %s twice", column)
			}
			at[column] = i
		}
	}
	for column := range columns {
		if _, ok := at[column]; !ok && column != "region" {
			return nil, fmt.Errorf("the header has no column %s", column)
		}
	}
	return at, nil
}

func (d *Document) readAthena(in io.Reader) error {
	r := csv.NewReader(in)
	r.FieldsPerRecord = -1
	header, err := r.Read()
	if err != nil {
		return fmt.Errorf("%s: %w", formAthena, err)
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	var line strings.Builder
	w := csv.NewWriter(&line)
	_ = w.Write(header) // a builder takes everything
	w.Flush()
	at, err := columnsOf(line.String())
	if err != nil {
		return fmt.Errorf("%s: %w", formAthena, err)
	}
	seen := map[cost.Count]int64{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			inOrder(d.Counts)
			d.File.Covers = coversOf(d.Counts)
			return nil
		}
		var wrong *csv.ParseError
		if errors.As(err, &wrong) {
			d.File.Rows++
			d.refuse(int64(wrong.StartLine), "", "%s", wrong.Err)
			continue
		}
		if err != nil {
			return err
		}
		n, _ := r.FieldPos(0)
		d.File.Rows++
		c, column, err := countOf(row, len(header), at)
		if err != nil {
			d.refuse(int64(n), column, "%s", err)
			continue
		}
		key := c
		key.Items, key.ResourceDays, key.Low, key.High = 0, 0, 0, 0
		if first := seen[key]; first > 0 {
			d.refuse(int64(n), "", "line %d has this account, region, type and day already", first)
			continue
		}
		seen[key] = int64(n)
		d.Counts = append(d.Counts, c)
	}
}

func countOf(row []string, fields int, at map[string]int) (c cost.Count, column string, err error) {
	if len(row) != fields {
		return c, "", fmt.Errorf("it has %d fields, the header %d", len(row), fields)
	}
	get := func(column string) string {
		if i, ok := at[column]; ok {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	c = cost.Count{Account: get("account"), Region: get("region"), ResourceType: get("resource_type"), Basis: cost.History}
	switch {
	case !accountIs.MatchString(c.Account):
		return c, "account", fmt.Errorf("%q is no account's id", clip(c.Account))
	case c.Region != "" && !regionIs.MatchString(c.Region):
		return c, "region", fmt.Errorf("%q is no region", clip(c.Region))
	case !typeIs.MatchString(c.ResourceType):
		return c, "resource_type", fmt.Errorf("%q is no resource type", clip(c.ResourceType))
	}
	text := get("day")
	if c.Day, err = time.Parse(time.DateOnly, strings.ReplaceAll(text[:min(len(text), 10)], "/", "-")); err == nil {
		err = sound(c.Day, nil)
	}
	if err != nil {
		return c, "day", fmt.Errorf("%q is no day such as 2026-03-02", clip(text))
	}
	for _, x := range []struct {
		column string
		to     *int64
	}{{"items", &c.Items}, {"resource_days", &c.ResourceDays}} {
		if *x.to, err = strconv.ParseInt(get(x.column), 10, 64); err != nil || *x.to < 0 || *x.to > 1e15 {
			return c, x.column, fmt.Errorf("%q is no count", clip(get(x.column)))
		}
	}
	if c.ResourceDays > c.Items {
		return c, "resource_days", fmt.Errorf("%d resources changed by %d items: each needs one", c.ResourceDays, c.Items)
	}
	c.Low, c.High = c.Items, c.Items
	return c, "", nil
}
