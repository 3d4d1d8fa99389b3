package local

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/yagura-sec/yagura/lake"
)

// encodeValue turns a value of the driver into one that marshals to JSON, as
// lake.SQLRows promises.
func encodeValue(v any, typ string) any {
	switch v := v.(type) {
	case nil, bool, int8, int16, int32, int64, uint8, uint16, uint32, string, json.RawMessage:
		return v
	case uint64:
		return json.Number(strconv.FormatUint(v, 10))
	case float32:
		return encodeFloat(float64(v), 32)
	case float64:
		return encodeFloat(v, 64)
	case *big.Int:
		return json.Number(v.String())
	case duckdb.Decimal:
		return json.Number(v.String())
	case time.Time:
		return encodeTime(v.UTC(), typ)
	case []byte:
		if strings.HasPrefix(typ, "UUID") && len(v) == 16 {
			return fmt.Sprintf("%x-%x-%x-%x-%x", v[:4], v[4:6], v[6:8], v[8:10], v[10:])
		}
		return `\x` + hex.EncodeToString(v)
	case duckdb.UUID:
		return v.String()
	case duckdb.Interval:
		return encodeInterval(v)
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = encodeValue(x, strings.TrimSuffix(typ, "[]"))
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = encodeValue(x, "")
		}
		return out
	case duckdb.Map:
		out := make(map[string]any, len(v))
		for k, x := range v {
			key, ok := encodeValue(k, "").(string)
			if !ok {
				key = fmt.Sprint(k)
			}
			out[key] = encodeValue(x, "")
		}
		return out
	case duckdb.Union:
		return encodeValue(v.Value, "")
	}
	return fmt.Sprint(v)
}

func encodeFloat(f float64, bits int) any {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, bits))
}

func encodeTime(t time.Time, typ string) string {
	switch {
	case strings.HasPrefix(typ, "DATE"):
		return t.Format(time.DateOnly)
	case strings.HasPrefix(typ, "TIMESTAMP"), !strings.HasPrefix(typ, "TIME"):
		return t.Format("2006-01-02T15:04:05.999999999Z07:00")
	}
	return t.Format("15:04:05.999999999")
}

// encodeInterval writes ISO 8601, months and days apart from the rest because
// they have no fixed length.
func encodeInterval(i duckdb.Interval) string {
	if i == (duckdb.Interval{}) {
		return "PT0S"
	}
	var b strings.Builder
	b.WriteByte('P')
	if i.Months != 0 {
		fmt.Fprintf(&b, "%dM", i.Months)
	}
	if i.Days != 0 {
		fmt.Fprintf(&b, "%dD", i.Days)
	}
	if i.Micros != 0 {
		hours, rest := i.Micros/3_600_000_000, i.Micros%3_600_000_000
		b.WriteByte('T')
		if hours != 0 {
			fmt.Fprintf(&b, "%dH", hours)
		}
		if rest != 0 {
			b.WriteString(strconv.FormatFloat(float64(rest)/1e6, 'f', -1, 64) + "S")
		}
	}
	return b.String()
}

// decodeRow reads a row frame.
func decodeRow(body []byte, columns []lake.SQLColumn) ([]any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	var cells []json.RawMessage
	if err := d.Decode(&cells); err != nil {
		return nil, fmt.Errorf("sql: row: %w", err)
	}
	if len(cells) != len(columns) {
		return nil, fmt.Errorf("sql: a row of %d values for %d columns", len(cells), len(columns))
	}
	row := make([]any, len(cells))
	for i, cell := range cells {
		if columns[i].Type == "JSON" && string(cell) != "null" {
			row[i] = cell
			continue
		}
		d := json.NewDecoder(bytes.NewReader(cell))
		d.UseNumber()
		if err := d.Decode(&row[i]); err != nil {
			return nil, fmt.Errorf("sql: row: %w", err)
		}
		if n, ok := row[i].(json.Number); ok {
			row[i] = decodeNumber(n, columns[i].Type)
		}
	}
	return row, nil
}

func decodeNumber(n json.Number, typ string) any {
	switch {
	case typ == "DOUBLE" || typ == "FLOAT":
		if f, err := n.Float64(); err == nil {
			return f
		}
	case !strings.HasPrefix(typ, "DECIMAL"):
		if i, err := n.Int64(); err == nil {
			return i
		}
	}
	return n
}
