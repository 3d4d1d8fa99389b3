package local

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/lake"
)

// What analysts' SQL may hold is decided on the statement as DuckDB parsed it
// (json_serialize_sql), and by allow-lists throughout: a node, a table or a
// function this file does not know is refused. A list of forbidden functions
// would be shorter, but each new version of DuckDB would add to what it misses;
// so sqlFunctions names those that were reviewed, and a test fails when the
// linked version has others.

//go:embed sql_functions.txt
var sqlFunctionsText string

// sqlFunctions compute from their arguments (or the clock, or chance) alone:
// no files, settings, catalogs, session or other statements.
var sqlFunctions = set(strings.Fields(strings.ToLower(sqlFunctionsText))...)

// sqlTableFunctions may stand in FROM.
var sqlTableFunctions = set("unnest", "generate_series", "range", "json_each", "json_tree", "repeat", "repeat_row")

// sqlNodes are the types of nodes without a class: queries, what stands in
// FROM, modifiers.
var sqlNodes = set("SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE",
	"BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY", "PIVOT", "SHOW_REF",
	"ORDER_MODIFIER", "LIMIT_MODIFIER", "DISTINCT_MODIFIER", "LIMIT_PERCENT_MODIFIER",
	"ORDER_DEFAULT", "ASCENDING", "DESCENDING")

// sqlClasses are the classes of expressions.
var sqlClasses = set("BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT",
	"FUNCTION", "LAMBDA", "LAMBDA_REF", "OPERATOR", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "WINDOW")

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

func refuse(format string, args ...any) error {
	return &lake.SQLError{Kind: lake.SQLRefused, Msg: fmt.Sprintf(format, args...)}
}

// checkSQL decides on a statement by its tree. catalog is the names of DuckDB's
// own tables and views, in lower case; values: parameters will have some.
func checkSQL(tree []byte, catalog map[string]bool, values bool) error {
	var doc struct {
		Error      bool
		ErrorType  string            `json:"error_type"`
		Message    string            `json:"error_message"`
		Statements []json.RawMessage `json:"statements"`
	}
	if err := json.Unmarshal(tree, &doc); err != nil {
		return refuse("the statement's tree cannot be read: %v", err)
	}
	if doc.Error {
		if doc.ErrorType == "not implemented" {
			return refuse("only SELECT is answered here (a PIVOT needs its values listed: ON column IN (…))")
		}
		return &syntaxError{doc.Message}
	}
	if len(doc.Statements) != 1 {
		return refuse("one statement at a time: these are %d", len(doc.Statements))
	}
	var root any
	if err := json.Unmarshal(doc.Statements[0], &root); err != nil {
		return refuse("the statement's tree cannot be read: %v", err)
	}
	c := checker{tables: set("events", "usage"), values: values}
	if err := c.names(root, catalog); err != nil {
		return err
	}
	return c.node(root, "")
}

// syntaxError: the statement did not parse. The message lacks the place.
type syntaxError struct{ msg string }

func (e *syntaxError) Error() string { return e.msg }

type checker struct {
	tables map[string]bool
	values bool // parameters have values
}

// names collects the names of WITH queries. A name is good everywhere in the
// statement, so none may be that of a system table or look like a file, which
// FROM would find where the WITH is out of scope.
func (c *checker) names(v any, catalog map[string]bool) error {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			if err := c.names(x, catalog); err != nil {
				return err
			}
		}
	case map[string]any:
		if ctes, ok := v["cte_map"].(map[string]any); ok {
			list, _ := ctes["map"].([]any)
			for _, x := range list {
				entry, _ := x.(map[string]any)
				name, _ := entry["key"].(string)
				if !plainName(name) || catalog[strings.ToLower(name)] {
					return refuse("a WITH query cannot be called %q", name)
				}
				c.tables[strings.ToLower(name)] = true
			}
		}
		for _, x := range v {
			if err := c.names(x, catalog); err != nil {
				return err
			}
		}
	}
	return nil
}

func plainName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9') && r < 0x80
	}) < 0
}

// node checks one node and everything below; key is where it stands in its parent.
func (c *checker) node(v any, key string) error {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			if err := c.node(x, key); err != nil {
				return err
			}
		}
	case map[string]any:
		if err := c.object(v, key); err != nil {
			return err
		}
		for k, x := range v {
			if k == "value" && v["class"] == "CONSTANT" || k == "cast_type" && v["class"] == "CAST" {
				continue // a literal's text is data; a type computes nothing
			}
			if k == "function" && v["type"] == "TABLE_FUNCTION" {
				k = inFrom
			}
			if err := c.node(x, k); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *checker) object(v map[string]any, key string) error {
	typ, hasType := v["type"].(string)
	if class, ok := v["class"].(string); ok {
		if !sqlClasses[class] && !(class == "PARAMETER" && c.values) {
			return refuse("%s is not allowed", strings.ToLower(class))
		}
		return c.expression(v, class, key)
	}
	if !hasType {
		return nil // a part of a node, such as an entry of ORDER BY
	}
	if !sqlNodes[typ] {
		return refuse("%s is not allowed", strings.ToLower(strings.ReplaceAll(typ, "_", " ")))
	}
	switch typ {
	case "BASE_TABLE":
		return c.table(v)
	case "TABLE_FUNCTION":
		f, _ := v["function"].(map[string]any)
		name, _ := f["function_name"].(string)
		if f["class"] != "FUNCTION" || !sqlTableFunctions[strings.ToLower(name)] {
			return refuse("the table function %s is not allowed; these are: %s", name, strings.Join(keys(sqlTableFunctions), ", "))
		}
	case "SHOW_REF":
		if kind := v["show_type"]; v["query"] == nil || kind != "DESCRIBE" && kind != "SUMMARY" {
			return refuse("of these, only DESCRIBE and SUMMARIZE of events, usage or a query are allowed")
		}
	}
	return nil
}

func (c *checker) table(v map[string]any) error {
	name, _ := v["table_name"].(string)
	schema, _ := v["schema_name"].(string)
	catalog, _ := v["catalog_name"].(string)
	if catalog != "" || schema != "" && !(strings.EqualFold(schema, "main") && (strings.EqualFold(name, "events") || strings.EqualFold(name, "usage"))) ||
		!c.tables[strings.ToLower(name)] {
		full := strings.TrimLeft(catalog+"."+schema+"."+name, ".")
		return refuse("there is no table %q here: there are events and usage", full)
	}
	return nil
}

func (c *checker) expression(v map[string]any, class, key string) error {
	switch class {
	case "FUNCTION", "WINDOW":
	default:
		return nil
	}
	name, _ := v["function_name"].(string)
	name = strings.ToLower(name)
	if key == inFrom { // object has checked it with its parent
		return nil
	}
	if catalog, _ := v["catalog"].(string); catalog != "" {
		return refuse("the function %s.%s is not allowed", catalog, name)
	}
	if !sqlFunctions[name] && !(class == "WINDOW" && sqlWindows[name]) && name != "unnest" {
		return refuse("the function %s is not allowed or not known", name)
	}
	return nil
}

// inFrom marks the function of a TABLE_FUNCTION; no key of a tree is spelt so.
const inFrom = "(in FROM)"

// sqlWindows are the functions that only a window has.
var sqlWindows = set("row_number", "rank", "dense_rank", "rank_dense", "percent_rank", "cume_dist", "ntile",
	"lag", "lead", "first_value", "last_value", "nth_value", "fill")

func keys(m map[string]bool) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
