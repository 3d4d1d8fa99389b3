package count

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/yagura-sec/yagura/cost"
)

// The forms of what CloudWatch answers of AWS/Config's ConfigurationItemsRecorded.
const (
	formMetricData = "cloudwatch get-metric-data"
	formStatistics = "cloudwatch get-metric-statistics"
)

// series is what is counted of one type in one place, by day.
type series map[time.Time]int64

// day is the UTC day of a time.
func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

func (d *Document) readMetricData(text []byte, from place) error {
	var answer struct {
		Results []struct {
			ID, Label  string
			Timestamps []stamp
			Values     []json.Number
			StatusCode string
		} `json:"MetricDataResults"`
		NextToken string
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("%s: %w", formMetricData, err)
	}
	if answer.NextToken != "" {
		return fmt.Errorf("%s: it is the first page of several (NextToken): ask for all of them", formMetricData)
	}
	sums := map[place]series{}
	seen := map[place]map[time.Time]bool{}
	for i, r := range answer.Results {
		row := int64(i + 1)
		at := placeOf(r.Label).or(placeOf(r.ID)).or(from)
		at.name = ""
		switch {
		case r.StatusCode == "InternalError" || r.StatusCode == "Forbidden":
			d.refuse(row, "StatusCode", "CloudWatch answered %s", r.StatusCode)
			continue
		case len(r.Values) != len(r.Timestamps):
			d.refuse(row, "Values", "there are %d values for %d times", len(r.Values), len(r.Timestamps))
			continue
		case !d.placed(row, at):
			continue
		}
		if sums[at] == nil {
			sums[at], seen[at] = series{}, map[time.Time]bool{}
		}
		for j, v := range r.Values {
			t := r.Timestamps[j].Time
			if seen[at][t] { // pages that overlap
				continue
			}
			if n, ok := d.whole(row, "Values", v); ok {
				seen[at][t] = true
				sums[at][day(t)] += n
			}
		}
	}
	d.take(sums)
	return nil
}

func (d *Document) readStatistics(text []byte, from place) error {
	var answer struct {
		Label      string
		Datapoints []struct {
			Timestamp stamp
			Sum       *json.Number
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("%s: %w", formStatistics, err)
	}
	at := placeOf(answer.Label).or(from)
	at.name = ""
	sum := series{}
	if !d.placed(1, at) {
		return nil
	}
	for i, p := range answer.Datapoints {
		if p.Sum == nil {
			d.refuse(int64(i+1), "Sum", "there is no sum: ask with --statistics Sum")
			continue
		}
		if n, ok := d.whole(int64(i+1), "Sum", *p.Sum); ok {
			sum[day(p.Timestamp.Time)] += n
		}
	}
	d.take(map[place]series{at: sum})
	return nil
}

// placed tells whether it is known what a series counts, and refuses it otherwise.
func (d *Document) placed(row int64, at place) bool {
	switch {
	case at.resourceType == "":
		d.refuse(row, "Label", "it does not say of which resource type it is: label the query with it, or name the file after it")
	case at.account == "":
		d.refuse(row, "Label", "it does not say of which account it is: label the query with ${PROP('AccountId')}, or put the file into a folder of the account's id")
	default:
		return true
	}
	return false
}

// whole reads a count.
func (d *Document) whole(row int64, column string, v json.Number) (int64, bool) {
	f, err := strconv.ParseFloat(v.String(), 64)
	if err != nil || f < 0 || f != math.Trunc(f) || f > 1e15 {
		d.refuse(row, column, "%q is no count: the sum of a period is needed", clip(v.String()))
		return 0, false
	}
	return int64(f), true
}

// take makes counts of what the metric says.
func (d *Document) take(sums map[place]series) {
	for at, s := range sums {
		for t, n := range s {
			d.Counts = append(d.Counts, cost.Count{
				Account: at.account, Region: at.region, ResourceType: at.resourceType, Day: t,
				Items: n, ResourceDays: -1, Basis: cost.Metric, Low: n, High: n,
			})
		}
	}
	inOrder(d.Counts)
	d.File.Rows = int64(len(d.Counts))
}

// stamp is a time as the command line tools write it: RFC 3339, or seconds since
// 1970 where they are told to.
type stamp struct{ time.Time }

// UnmarshalJSON reads either.
func (s *stamp) UnmarshalJSON(text []byte) error {
	var words string
	if json.Unmarshal(text, &words) == nil {
		t, err := time.Parse(time.RFC3339Nano, words)
		s.Time = t.UTC()
		return sound(s.Time, err)
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.Abs(f) > 1e11 {
		return fmt.Errorf("%q is no time", clip(string(text)))
	}
	s.Time = time.Unix(int64(f), 0).UTC()
	return sound(s.Time, nil)
}

// sound refuses times that no cloud was there at.
func sound(t time.Time, err error) error {
	if err == nil && (t.Year() < 2006 || t.Year() > 2200) {
		return fmt.Errorf("the year %d cannot be", t.Year())
	}
	return err
}

// clip bounds what is quoted of a file.
func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
