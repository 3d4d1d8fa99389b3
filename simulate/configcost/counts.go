package configcost

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// writeCounts writes what the provider's own tools would answer: the metric of the
// two accounts that make most items, a query of Athena over the history of all, and
// how things are set up. Without counts the folder is empty.
func (w *world) writeCounts(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil || w.Variant == NoCounts {
		return err
	}
	for _, a := range []*account{w.churn, w.network} {
		if err := writeJSON(filepath.Join(dir, a.id, home, "get-metric-data.json"), w.metric(a)); err != nil {
			return err
		}
	}
	if err := w.writeHistory(filepath.Join(dir, "config-history.csv")); err != nil {
		return err
	}
	return w.writeFacts(dir)
}

// writeJSON writes as the command line tools print.
func writeJSON(path string, v any) error {
	f, err := created(path)
	if err != nil {
		return err
	}
	out := json.NewEncoder(f)
	out.SetIndent("", "    ")
	return errors.Join(out.Encode(v), f.Close())
}

// counted calls for the counts of the thirty days.
func (w *world) counted(each func(c itemCount) error) error {
	for _, c := range w.items {
		if c.day.Before(w.first) {
			continue
		}
		if err := each(c); err != nil {
			return err
		}
	}
	return nil
}

// series is a result of CloudWatch.
type series struct {
	ID         string    `json:"Id"`
	Label      string    `json:"Label"`
	Timestamps []string  `json:"Timestamps"`
	Values     []float64 `json:"Values"`
	Status     string    `json:"StatusCode"`
}

// metric is CloudWatch's answer of ConfigurationItemsRecorded in an account: the
// newest day first.
func (w *world) metric(a *account) any {
	byType := map[string]*series{}
	var all []*series
	_ = w.counted(func(c itemCount) error { // it returns none
		if c.account != a {
			return nil
		}
		s := byType[c.kind]
		if s == nil {
			s = &series{ID: fmt.Sprint("m", len(all)+1), Label: c.kind, Status: "Complete"}
			byType[c.kind] = s
			all = append(all, s)
		}
		s.Timestamps = append(s.Timestamps, c.day.Format("2006-01-02T15:04:05+00:00"))
		s.Values = append(s.Values, float64(c.items))
		return nil
	})
	for _, s := range all {
		slices.Reverse(s.Timestamps)
		slices.Reverse(s.Values)
	}
	return map[string]any{"MetricDataResults": all, "Messages": []string{}}
}

// writeHistory writes the answer of Athena: items and changed resources by day.
func (w *world) writeHistory(path string) error {
	f, err := created(path)
	if err != nil {
		return err
	}
	out := csv.NewWriter(f)
	err = out.Write([]string{"account", "region", "resource_type", "day", "items", "resource_days"})
	if err == nil {
		err = w.counted(func(c itemCount) error {
			return out.Write([]string{c.account.id, home, c.kind, c.day.Format(time.DateOnly), fmt.Sprint(c.items), fmt.Sprint(c.resourceDays)})
		})
	}
	out.Flush()
	return errors.Join(err, out.Error(), f.Close())
}
