package sqlgen

import "strings"

// DuckDB is the SQL of DuckDB 1.4.
type DuckDB struct{}

func (DuckDB) Name() string                 { return "duckdb" }
func (DuckDB) Column(name string) string    { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
func (DuckDB) Lower(x string) string        { return "lower(" + x + ")" }
func (DuckDB) Bytes(x string) string        { return "strlen(" + x + ")" }
func (DuckDB) Runes(x string) string        { return "length(" + x + ")" }
func (DuckDB) HasPrefix(x, p string) string { return "prefix(" + x + ", " + p + ")" }
func (DuckDB) HasSuffix(x, p string) string { return "suffix(" + x + ", " + p + ")" }
func (DuckDB) Contains(x, p string) string  { return "contains(" + x + ", " + p + ")" }
func (DuckDB) Matches(x, e string) string   { return "regexp_matches(" + x + ", " + e + ")" }

// ClickHouse is the SQL of ClickHouse 24 and later.
type ClickHouse struct{}

func (ClickHouse) Name() string { return "clickhouse" }

// Column is quoted as in MySQL, with backslashes, by ClickHouse.
func (ClickHouse) Column(name string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(name) + "`"
}
func (ClickHouse) Lower(x string) string        { return "lower(" + x + ")" } // ASCII only, by its word
func (ClickHouse) Bytes(x string) string        { return "length(" + x + ")" }
func (ClickHouse) Runes(x string) string        { return "lengthUTF8(" + x + ")" }
func (ClickHouse) HasPrefix(x, p string) string { return "startsWith(" + x + ", " + p + ")" }
func (ClickHouse) HasSuffix(x, p string) string { return "endsWith(" + x + ", " + p + ")" }
func (ClickHouse) Contains(x, p string) string  { return "(position(" + x + ", " + p + ") > 0)" }
func (ClickHouse) Matches(x, e string) string   { return "match(" + x + ", " + e + ")" }
