package ir_test

import (
	"fmt"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
)

// Rules become programs of atoms, which they share. An atom is true or false of
// a field, whatever the field holds.
func ExampleCompile() {
	docs, _ := sigma.Parse("rules.yml", []byte(`
title: One
id: 1
logsource: {product: aws}
detection: {s: {eventName|startswith: Stop, userAgent|contains: [curl, wget]}, condition: s}
---
title: Two
id: 2
logsource: {product: aws}
detection: {s: {eventName: 'STOP*'}, n: {errorCode: null}, condition: s and n}
`))
	program, refused := ir.Compile(docs.Rules, ir.Options{})
	for _, e := range refused {
		fmt.Println("refused:", e)
	}
	for i, a := range program.Atoms {
		fmt.Printf("%d %s %q begins with it: %v\n", i, a.Field, a.Text, a.Op == ir.Prefix)
	}

	// What each atom says of a record decides the rules.
	field := func(name string) *ir.Field {
		if name == "eventName" {
			return &ir.Field{Present: true, Values: []ir.Value{{Kind: ir.String, Text: []byte("StopLogging")}}}
		}
		return &ir.Field{} // absent
	}
	var memory ir.Buffer
	for _, r := range program.Rules {
		fmt.Println(r.Title, r.Expr.Eval(func(id ir.AtomID) bool {
			a := &program.Atoms[id]
			return a.Holds(field(a.Field), nil, &memory)
		}))
	}
	// Output:
	// 0 eventName "stop" begins with it: true
	// 1 userAgent "curl" begins with it: false
	// 2 userAgent "wget" begins with it: false
	// 3 errorCode "" begins with it: false
	// One false
	// Two true
}
