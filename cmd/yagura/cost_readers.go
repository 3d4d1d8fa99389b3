package main

import (
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/cost/advise"
	"github.com/yagura-sec/yagura/sigma"
)

// dataOperations are calls that CloudTrail records as data events only.
var dataOperations = []string{
	"GetObject", "PutObject", "DeleteObject", "DeleteObjects", "CopyObject", "HeadObject", "ListObjects", "ListObjectVersions", "RestoreObject", // S3
	"Invoke", "InvokeExecution", // Lambda
	"GetItem", "PutItem", "BatchGetItem", "Query", "Scan", // DynamoDB
}

// dataReaders are the rules that judge, and the saved queries, that look at data
// events of CloudTrail: those that name a call which only they record.
func (p *program) dataReaders() (out []advise.Reader) {
	documents, _ := catalogue.Documents(p.cfg.Rules, nil) // refused rules look at nothing
	for _, r := range documents.Rules {
		if r.LogSource.Product == "aws" && slices.ContainsFunc(r.Detection.Searches, asksForData) {
			out = append(out, advise.Reader{Kind: "rule", Name: r.Title})
		}
	}
	queries, _ := catalogue.UserQueries(p.cfg.Queries)
	for _, q := range queries {
		text := strings.Join([]string{q.Filter, q.Share, q.SQL, q.Search}, " ")
		if slices.ContainsFunc(strings.FieldsFunc(text, notName), isDataOperation) {
			out = append(out, advise.Reader{Kind: "query", Name: q.ID})
		}
	}
	return out
}

func isDataOperation(s string) bool { return slices.Contains(dataOperations, s) }

func notName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
}

// asksForData tells whether a search names a call that only data events record.
func asksForData(s sigma.Search) bool {
	for _, g := range s.Groups {
		for _, i := range g {
			if slices.ContainsFunc(i.Values, func(v sigma.Value) bool { return isDataOperation(v.Text) }) {
				return true
			}
		}
	}
	return false
}
