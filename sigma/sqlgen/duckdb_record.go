package sqlgen

import (
	"fmt"
	"strings"
)

// Characters for private use, which stand for what JSON gives a meaning to while
// DuckDB reads a record. Where a record has them itself they are escaped, too.
const (
	mark      = "\uE000" // begins an escape, see escapes
	dot       = "\uE001" // . in a string
	bracket   = "\uE002" // [ in a string
	separator = "\uE003" // between the names of a path
)

// escapes are what stands for a backslash and what follows it, so that a record's
// strings have neither backslashes nor quotes and numbers are strings: then
// DuckDB gives back every value the way the record writes it. In this order.
//
//	E000 0  E000 itself       E000 1  \\           E000 2  \"
//	E000 3  XXXXYYYY: \uXXXX\uYYYY, a pair         E000 4  XXXX: half a pair
//	E000 5  any other \       E000 6, 7, 8         E001, E002, E003
const (
	hex = `[0-9a-fA-F]`
	hi  = `([dD][89abAB]` + hex + `{2})`
	lo  = `([dD][c-fC-F]` + hex + `{2})`
	sur = `([dD][89a-fA-F]` + hex + `{2})`
)

func replace(x, old, new string) string {
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	return "replace(" + x + ", " + quote(old) + ", " + quote(new) + ")"
}

func replaceAll(x, expr, with string) string {
	return "regexp_replace(" + x + ", '" + expr + "', '" + with + "', 'g')"
}

// opaque is a record without backslashes, strings marked by S and numbers made
// strings that are marked by N, without white space between tokens.
func opaque(raw string) string {
	x := replace(raw, mark, mark+"0")
	x = replace(x, dot, mark+"6")
	x = replace(x, bracket, mark+"7")
	x = replace(x, separator, mark+"8")
	x = replace(x, `\\`, mark+"1")
	x = replace(x, `\"`, mark+"2")
	x = replaceAll(x, `\\u`+hi+`\\u`+lo, mark+`3\1\2`)
	x = replaceAll(x, `\\u`+sur, mark+`4\1`)
	x = replace(x, `\`, mark+"5")
	// Now every quote begins or ends a string.
	return "array_to_string(list_transform(string_split(" + x + `, '"'), lambda p, i: CASE WHEN i % 2 = 0 THEN 'S' || ` +
		replace(replace("p", ".", dot), "[", bracket) + " ELSE " +
		replaceAll(replaceAll("p", `[ \t\r\n]+`, ""), `-?[0-9][0-9.eE+-]*`, `"N\0"`) + ` END), '"')`
}

// written undoes escapes: into what the record has, or for text, half a pair
// becoming what takes its place, into what JSON would read.
func written(x string, forReading bool) string {
	x = replaceAll(x, mark+`3(.{4})(.{4})`, `\\u\1\\u\2`)
	if forReading {
		x = replaceAll(x, mark+`4.{4}`, `\\ufffd`)
	} else {
		x = replaceAll(x, mark+`4(.{4})`, `\\u\1`)
	}
	x = replace(x, mark+"5", `\`)
	x = replace(x, mark+"2", `\"`)
	x = replace(x, mark+"1", `\\`)
	x = replace(x, mark+"6", dot)
	x = replace(x, mark+"7", bracket)
	x = replace(x, mark+"8", separator)
	return replace(x, mark+"0", mark)
}

// plain is a string's content.
func plain(x string) string {
	text := replace(replace(x, dot, "."), bracket, "[")
	return "CASE WHEN contains(" + x + ", '" + mark + "') THEN json_extract_string('\"' || " + written(text, true) + " || '\"', '$') ELSE " + text + " END"
}

// readRecord has json_tree take the record apart once for all fields.
func (d DuckDB) readRecord(raw string, fields []string, decide string, args []any) (string, []any) {
	column := d.Column(raw)
	// One row a value: n its path by names, f the same with places in arrays, o
	// the object or array it is in, k its kind, v its text.
	values := `SELECT ` + plain(`replace(`+replaceAll("fullkey", `\[[0-9]+\]`, "")+`, '.', '`+separator+`')`) + ` AS n, fullkey AS f, path AS o,
 CASE type WHEN 'OBJECT' THEN 'o' WHEN 'ARRAY' THEN 'a' WHEN 'NULL' THEN 'z' WHEN 'BOOLEAN' THEN 'b' ELSE CASE WHEN prefix(json_extract_string(value, '$'), 'N') THEN 'n' ELSE 's' END END AS k,
 CASE type WHEN 'OBJECT' THEN ` + written(replace(replace(replace(replaceAll("CAST(value AS VARCHAR)", `"N([^"]*)"`, `\1`), `"S`, `"`), dot, "."), bracket, "["), false) + `
 WHEN 'ARRAY' THEN '' WHEN 'NULL' THEN '' WHEN 'BOOLEAN' THEN CAST(value AS VARCHAR) ELSE ` + plain("substr(json_extract_string(value, '$'), 2)") + ` END AS v
 FROM json_tree(CASE WHEN json_valid(` + opaque(column) + `) THEN ` + opaque(column) + ` ELSE 'null' END)`
	var lists, valid []string
	for i, field := range fields {
		l, v := d.field(i, field)
		lists, valid = append(lists, l...), append(valid, v)
	}
	lists = append(lists, `max(CASE WHEN f = '$' AND k = 'o' THEN 1 ELSE 0 END) AS is_record`)
	return "coalesce((SELECT is_record = 1 AND " + decide + " FROM (SELECT is_record, " + strings.Join(valid, ", ") +
		" FROM (SELECT " + strings.Join(lists, ", ") + " FROM (" + values + ")))), false)", args
}

// field gives the lists that a field needs, and from them its values.
//
// A name of several parts may stand as it is in any of the objects on its way.
// Where it does, the path below that object counts no more.
func (d DuckDB) field(slot int, field string) (lists []string, valid string) {
	name := fmt.Sprintf("f%d", slot)
	if field == "" {
		return []string{"list({'k': k, 'v': v}) FILTER (k IN ('s', 'n', 'b')) AS " + name}, name
	}
	parts := strings.Split(field, ".")
	paths := make([]string, len(parts))
	for i := range parts {
		path := "$"
		for _, p := range parts[:i] {
			path += separator + "S" + p
		}
		paths[i] = "'" + strings.ReplaceAll(path+separator+"S"+strings.Join(parts[i:], "."), "'", "''") + "'"
	}
	lists = []string{"list({'k': k, 'v': v, 'n': n, 'f': f}) FILTER (n IN (" + strings.Join(paths, ", ") + ")) AS " + name}
	if len(parts) == 1 {
		return lists, name
	}
	var conditions []string
	for i := range len(parts) - 1 {
		taken := fmt.Sprintf("%s_%d", name, i)
		lists = append(lists, "coalesce(list(o) FILTER (n = "+paths[i]+"), []) AS "+taken)
		object := fmt.Sprintf(`regexp_extract(x.f, '^\$(?:\.[^.\[]*(?:\[[0-9]+\])*){%d}')`, i)
		conditions = append(conditions, "(x.n IN ("+strings.Join(paths[:i+1], ", ")+") OR NOT list_contains("+taken+", "+object+"))")
	}
	return lists, "list_filter(" + name + ", lambda x: " + strings.Join(conditions, " AND ") + ") AS " + name
}
