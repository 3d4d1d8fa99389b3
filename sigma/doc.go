// Package sigma reads Sigma rules: YAML documents become syntax trees that know
// the line and column of every part.
//
// The packages below it build on each other: cond parses conditions, ir turns a
// rule into a small typed program in which every modifier is already applied,
// match holds a set of programs against records, correlate evaluates correlations
// over what matched, lint finds what is wrong with a
// rule that compiles, and ruletest runs labelled cases. None of them imports
// anything of the program they live in.
//
//	docs, refused := sigma.Load(os.DirFS("rules"), "rules")
//	set, more := match.Compile(docs.Rules)
//	sc := set.NewScratch()
//	hits, err := set.MatchJSON(sc, record, match.Source{Product: "aws", Service: "cloudtrail"})
//
// What is not known is refused with file, line, column and reason, and one
// refused rule never drops another.
package sigma
