// Package sigma reads Sigma rules: YAML documents become syntax trees that know
// the line and column of every part.
//
// The packages below it build on each other: cond parses conditions, pipeline
// rewrites rules for the records they are to be held against, ir turns a rule
// into a small typed program in which every modifier is already applied, match
// holds a set of programs against records, correlate evaluates correlations over
// what matched, sqlgen writes programs as SQL, lint finds what is wrong with
// rules, and ruletest runs labelled cases. None of them imports anything of the
// program they live in. README.md beside this file says what conforms to the
// specification and what was decided where it is silent.
//
//	docs, refused := sigma.Load(os.DirFS("rules"), "rules")
//	set, more := match.Compile(docs.Rules, match.Options{})
//	sc := set.NewScratch()
//	hits, err := set.MatchJSON(sc, record, match.Source{Product: "aws", Service: "cloudtrail"})
//
// What is not known is refused with file, line, column and reason, and one
// refused rule never drops another.
package sigma
