package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/export"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

// auditInput chooses audit lines.
type auditInput struct {
	Since   time.Time `query:"since"`
	Until   time.Time `query:"until"`
	Who     string    `query:"who" maxLength:"256" doc:"who did it"`
	Action  string    `query:"action" maxLength:"128" doc:"that action, or all that begin with it and a point" example:"finding"`
	Subject string    `query:"subject" maxLength:"512" doc:"the key or id of what was changed"`
}

// AuditInput is auditInput under a name that huma looks into when it is embedded.
type AuditInput = auditInput

func (in *auditInput) filter() triage.AuditFilter {
	return triage.AuditFilter{Since: in.Since, Until: in.Until, By: in.Who, Action: in.Action, Subject: in.Subject}
}

// AuditTrail is a page of it.
type AuditTrail struct {
	Lines []AuditLine `json:"lines" doc:"the latest first"`
	Next  string      `json:"next" doc:"cursor of the following page; empty at the end"`
}

// AuditLine is one thing that somebody changed.
type AuditLine struct {
	ID      int64     `json:"id"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Action  string    `json:"action"`
	Subject string    `json:"subject"`
	Text    say.Text  `json:"text"`
}

// ViewAudit gives a page of the trail as scripts read it.
func ViewAudit(lines []finding.AuditLine, next string) AuditTrail {
	v := AuditTrail{Lines: make([]AuditLine, len(lines)), Next: next}
	for i := range lines {
		l := &lines[i]
		v.Lines[i] = AuditLine{l.ID, l.At, l.By, l.Action, l.Subject, l.Told()}
	}
	return v
}

func audit(a huma.API, rooms Rooms) {
	type page struct{ Body AuditTrail }
	huma.Register(a, need(people.Responder, huma.Operation{
		OperationID: "audit", Method: http.MethodGet, Path: "/api/audit", Summary: "Who changed what: lines that nothing changes or takes away",
	}), func(ctx context.Context, in *struct {
		AuditInput
		Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
		Cursor string `query:"cursor"`
	}) (*page, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("the audit trail")
		}
		f := in.filter()
		f.Limit, f.Cursor = in.Limit, in.Cursor
		found, next, err := rooms.Triage.Store.Audit(ctx, f)
		if err != nil {
			return nil, rooms.wronged(err)
		}
		return &page{ViewAudit(found, next)}, nil
	})
	auditExport(a, rooms)
}

func auditExport(a huma.API, rooms Rooms) {
	huma.Register(a, need(people.Responder, huma.Operation{
		OperationID: "export-audit", Method: http.MethodGet, Path: "/api/audit/export", Summary: "The audit trail as a file, the latest line first",
		Description: "An answer that breaks off is not complete: it ends without its last chunk.",
		Responses:   filesOf("", "text/csv", "application/x-ndjson"),
	}), func(ctx context.Context, in *struct {
		AuditInput
		Format string `query:"format" enum:"csv,jsonl" default:"jsonl"`
	}) (*file[func(huma.Context)], error) {
		if rooms.Triage.Store == nil {
			return nil, absent("the audit trail")
		}
		kind := "application/x-ndjson"
		if in.Format == "csv" {
			kind = "text/csv; charset=utf-8"
		}
		f := in.filter()
		f.Limit = exportPage
		first, next, err := rooms.Triage.Store.Audit(ctx, f) // before anything is answered
		if err != nil {
			return nil, rooms.wronged(err)
		}
		name := "audit-" + rooms.Now().UTC().Format(time.DateOnly) + "." + in.Format
		return fileOf(kind, name, func(h huma.Context) {
			w := WriteAudit(h.BodyWriter(), in.Format)
			for page := first; ; {
				if err = w(page, next == ""); err != nil || next == "" {
					break
				}
				f.Cursor = next
				if page, next, err = rooms.Triage.Store.Audit(ctx, f); err != nil {
					break
				}
			}
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					rooms.Failed(fmt.Errorf("export the audit trail: %w", err))
				}
				panic(http.ErrAbortHandler) // the status is gone; this cuts the answer off
			}
		}), nil
	})
}

// auditHead are the columns of the audit trail as CSV.
var auditHead = []string{"id", "at", "by", "action", "subject", "text"}

// WriteAudit gives what writes pages of audit lines to out, as "csv" or "jsonl".
func WriteAudit(out io.Writer, format string) func(page []finding.AuditLine, last bool) error {
	if format != "csv" {
		lines := json.NewEncoder(out)
		return func(page []finding.AuditLine, _ bool) error {
			for _, l := range page {
				if err := lines.Encode(l); err != nil {
					return err
				}
			}
			return nil
		}
	}
	w, begun := csv.NewWriter(out), false
	return func(page []finding.AuditLine, last bool) error {
		if !begun {
			begun = true
			if err := w.Write(auditHead); err != nil {
				return err
			}
		}
		for _, l := range page {
			row := []string{strconv.FormatInt(l.ID, 10), l.At.UTC().Format(time.RFC3339Nano), export.Cell(l.By), export.Cell(l.Action), export.Cell(l.Subject), export.Cell(l.Text)}
			if err := w.Write(row); err != nil {
				return err
			}
		}
		if last {
			w.Flush()
		}
		return w.Error()
	}
}
