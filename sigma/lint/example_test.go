package lint_test

import (
	"fmt"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
	"github.com/yagura-sec/yagura/sigma/lint"
)

// Problems are ordered by file and place; refusals are among them.
func ExampleRun() {
	docs, refused := sigma.Parse("trail.yml", []byte(`
title: Trail stopped
id: 1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11
status: test
level: severe
tags: [attack.t1098.001]
logsource: {product: aws, service: cloudtrail}
detection:
  s: {eventName: StopLogging}
  robot: {userAgent|startswith: terraform}
  condition: s
`))
	for _, p := range lint.Run(docs, refused, ir.Options{}) {
		fmt.Println(p)
	}
	// Output:
	// trail.yml:5:1: error: level "severe" is none of informational, low, medium, high, critical (level)
	// trail.yml:10:3: warning: search "robot" is not used by the condition (unused)
}
