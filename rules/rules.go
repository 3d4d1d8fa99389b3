// Package rules holds the Sigma rules that Yagura ships, as text.
//
// There is a folder a cloud (aws, gcp, azure), in it one file NAME.yml a rule, and
// beside it NAME.cases.yml with records that must and must not match: content,
// read by whoever judges. A cases file is
//
//	cases:
//	  - name: what it shows
//	    fires: true
//	    event: {…}   # a whole raw record, as the cloud writes it
//
// and a rule carries, besides Sigma's own keys, a block of ours:
//
//	yagura:
//	  confidence: 0.8       # 0..1: how often a match is what the title says
//	  attack_version: "19"  # of the technique ids in tags
//	  next: […]             # what to do, with {account} {region} {actor} {resource}
//
// CLOUD/correlation/NAME.yml begins with a correlation, named CLOUD_NAME; what
// follows are the rules and correlations that it rests on, which find nothing of
// their own. Their names begin with the cloud, as they hold across all files. The
// cases are rows of events, which package sigma/ruletest describes; their records
// need tell no time, as the case says when each comes.
//
// ja/CLOUD/NAME.yml says in Japanese what the rule says to people: see Text.
package rules

import (
	"embed"
	"io/fs"
)

//go:embed aws gcp azure
var files embed.FS

// FS holds CLOUD/NAME.yml and CLOUD/NAME.cases.yml, and the same below
// CLOUD/correlation.
func FS() fs.FS { return files }

// CasesSuffix ends the names of cases files; every other .yml file is a rule.
const CasesSuffix = ".cases.yml"
