package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/export"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/mask"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/triage"
)

// exportPage is how many findings are read at a time.
const exportPage = 500

// PagesOf gives every finding that f chooses, page by page.
func PagesOf(ctx context.Context, findings triage.Reader, f triage.Filter) iter.Seq2[finding.Finding, error] {
	return func(yield func(finding.Finding, error) bool) {
		f.Limit, f.Cursor = exportPage, ""
		for {
			page, next, err := findings.List(ctx, f)
			if err != nil {
				yield(finding.Finding{}, err)
				return
			}
			for _, x := range page {
				if !yield(x, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			f.Cursor = next
		}
	}
}

// ExportView is a finding as exports in JSON have it: as scripts read it
// everywhere.
func ExportView(f finding.Finding) any { return ViewFinding(f) }

// ListInput is listInput under a name that huma looks into when it is embedded.
type ListInput = listInput

type exportInput struct {
	ListInput
	Format  export.Format `query:"format" enum:"ocsf,asff,sarif,csv,json,jsonl,hec" default:"json"`
	Version string        `query:"version" enum:"1.6,1.3,1.1,1.6.0,1.3.0,1.1.0" default:"1.6" doc:"of OCSF"`
	Masked  bool          `query:"masked" doc:"accounts, people and projects under stable aliases"`
	Product string        `query:"product" doc:"the ARN of the product that ASFF's findings are imported as; default: the account's own"`
}

func (r Rooms) exports(a huma.API) {
	var kinds []string
	for _, f := range export.Formats {
		kind, _, _ := mime.ParseMediaType(f.ContentType())
		kinds = append(kinds, kind)
	}
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "export-findings", Method: http.MethodGet, Path: "/api/findings/export",
		Summary:     "All findings that the list's parameters choose, as a file for other tools",
		Description: "The whole list, whatever limit and cursor say. An answer that breaks off is not complete: it ends without its last chunk.",
		Responses:   filesOf("", kinds...),
	})), func(ctx context.Context, in *exportInput) (*file[func(huma.Context)], error) {
		o := export.Options{Version: in.Version, Program: r.version, Product: in.Product, View: ExportView}
		chosen, err := in.filter(r)
		if err != nil {
			return nil, err
		}
		all := func() iter.Seq2[finding.Finding, error] { return PagesOf(ctx, r.Findings, chosen) }
		if in.Masked {
			if r.Mask == nil {
				return nil, huma.Error501NotImplemented("nothing can be masked here")
			}
			o.Mask = r.Mask
			if err := export.Learn(all(), o.Mask); err != nil {
				return nil, r.failure(err)
			}
		} else if err := first(all()); err != nil { // before anything is answered
			return nil, r.failure(err)
		}
		name := "findings-" + r.Now().UTC().Format(time.DateOnly) + in.Format.Extension()
		return fileOf(in.Format.ContentType(), name, func(h huma.Context) {
			if _, err := export.Write(h.BodyWriter(), in.Format, all(), o); err != nil {
				if !errors.Is(err, context.Canceled) {
					r.Failed(fmt.Errorf("export findings: %w", err))
				}
				panic(http.ErrAbortHandler) // the status is gone; this cuts the answer off
			}
		}), nil
	})
}

// first is the error that the first of all comes with.
func first(all iter.Seq2[finding.Finding, error]) error {
	for _, err := range all {
		return err
	}
	return nil
}

// maskable answers requests of the API with ?masked=true under aliases: every
// account, person and project in the JSON that next answers. Keys of findings
// stay, so that a masked page can be walked through. Who asks for something to be
// masked is never answered what is not.
func (r Rooms) maskable(next http.Handler) http.Handler {
	m := r.Mask
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		wanted, err := masked(q)
		if wanted && m != nil {
			if err := r.learnUsers(q.Context()); err != nil {
				r.Failed(err)
				refuse(w, http.StatusInternalServerError, internal)
				return
			}
		}
		switch {
		case err != nil:
			refuse(w, http.StatusUnprocessableEntity, err.Error())
		case !wanted, q.URL.Path == "/api/findings/export", strings.HasPrefix(q.URL.Path, picturesAt), isDossier(q.URL.Path): // these mask by themselves
			next.ServeHTTP(w, q)
		case m == nil, q.URL.Path == "/api/live":
			refuse(w, http.StatusNotImplemented, "this cannot be masked")
		default:
			held := &heldAnswer{header: http.Header{}, status: http.StatusOK}
			next.ServeHTTP(held, q)
			held.masked(m, w)
		}
	})
}

// learnUsers tells the mask who may sign in: they are in texts and in fields of
// which nothing else tells that they name people.
func (r Rooms) learnUsers(ctx context.Context) error {
	if r.People == nil {
		return nil
	}
	users, err := r.People.Users(ctx)
	if err != nil {
		return fmt.Errorf("list who is to be masked: %w", err)
	}
	for _, u := range users {
		for _, name := range []string{u.Name, u.FullName} {
			_ = r.Mask.Learn(mask.Person, name) // what is too short is masked in fields of people
		}
	}
	return nil
}

// masked tells whether a request of the API asks for aliases.
func masked(r *http.Request) (wanted bool, err error) {
	given, asked := r.URL.Query()["masked"]
	if !asked || !strings.HasPrefix(r.URL.Path, "/api/") {
		return false, nil
	}
	if wanted, err = strconv.ParseBool(given[0]); err != nil || len(given) > 1 {
		return false, errors.New("masked is true or false, and said once")
	}
	return wanted, nil
}

// heldAnswer keeps an answer until it is masked.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *heldAnswer) Header() http.Header         { return h.header }
func (h *heldAnswer) WriteHeader(status int)      { h.status = status }
func (h *heldAnswer) Write(b []byte) (int, error) { return h.body.Write(b) }

// masked answers what was held, under aliases. What is not JSON has no fields
// that tell what is a name.
func (h *heldAnswer) masked(m *mask.Masker, w http.ResponseWriter) {
	kind, _, _ := mime.ParseMediaType(h.header.Get("Content-Type")) // what is none is not JSON
	var body []byte
	switch {
	case h.body.Len() == 0:
	case kind == "application/json", strings.HasSuffix(kind, "+json"):
		body = m.JSON(h.body.Bytes())
	case kind == "application/x-ndjson":
		for line := range bytes.Lines(h.body.Bytes()) {
			body = append(append(body, m.JSON(bytes.TrimRight(line, "\n"))...), '\n')
		}
	default:
		refuse(w, http.StatusNotImplemented, "this cannot be masked as "+kind)
		return
	}
	h.header.Del("Content-Length")
	h.header.Del("ETag") // it is of what is not masked
	maps.Copy(w.Header(), h.header)
	w.WriteHeader(h.status)
	_, _ = w.Write(body) // nothing can be done about a caller that has gone away
}
