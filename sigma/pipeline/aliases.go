package pipeline

import (
	_ "embed"
	"fmt"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
)

//go:embed aliases.yml
var defaultAliases []byte

// DefaultAliases are names under which the fields of published rules for AWS,
// Azure, Google Cloud and Microsoft 365 occur in records as the vendors write
// them. They are asked for by handing them to the compiler; without them a field
// is looked for as its rule names it.
func DefaultAliases() ir.Aliases {
	as, errs := ParseAliases("aliases.yml", defaultAliases)
	if len(errs) > 0 {
		panic(fmt.Sprintf("the package's own aliases: %v", errs)) // a test reads them
	}
	return as
}

// ParseAliases reads a table of aliases:
//
//	aliases:
//	- logsource: {product: azure, service: auditlogs}
//	  fields: {OperationName: [operationName, properties.activityDisplayName]}
//	  prefixes: {TargetResources.: properties.targetResources.}
//	  known: [operationName, resultDescription]
//
// What each means is said at ir.AliasTable. An empty prefix stands before every
// name. With a mistake there is no table.
func ParseAliases(file string, text []byte) (ir.Aliases, []*sigma.Error) {
	r := &reader{file: file, budget: maxNodes}
	root := r.document(text)
	if root == nil {
		return nil, r.errs
	}
	top := r.mapping(root, "the table of aliases")
	var out ir.Aliases
	if list, ok := top.take("aliases"); ok {
		for _, n := range r.entries(list, "aliases") {
			m := r.mapping(n, "table")
			t := ir.AliasTable{Fields: m.names("fields"), Prefixes: m.names("prefixes"), Known: m.texts("known")}
			if n, ok := m.take("logsource"); ok {
				l := r.mapping(n, "logsource")
				t.Category, t.Product, t.Service = l.text("category", false), l.text("product", false), l.text("service", false)
				l.done()
			}
			m.done()
			out = append(out, t)
		}
	} else {
		r.fail(top.self, `%s lacks "aliases"`, top.what)
	}
	top.done()
	if len(r.errs) > 0 {
		return nil, r.errs
	}
	return out, nil
}

// names reads a mapping of names to names.
func (m *mapping) names(key string) map[string][]string {
	n, ok := m.take(key)
	if !ok {
		return nil
	}
	t := m.r.mapping(n, key)
	out := map[string][]string{}
	for _, name := range t.keys {
		if name == nullKey {
			m.r.fail(t.at[name], "%s: a name is empty", key)
			continue
		}
		out[name] = t.targets(name)
	}
	return out
}
