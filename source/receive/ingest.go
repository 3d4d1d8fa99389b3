package receive

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"

	"github.com/yagura-sec/yagura/internal/texttable"
)

// Taken is what a sender at /ingest/NAME is answered.
type Taken struct {
	Object   string     `json:"object"`   // its name in the ledger
	Received int        `json:"received"` // records, those in quarantine with them
	Rejected int        `json:"rejected"` // of these, quarantined because they cannot be read
	Again    bool       `json:"again"`    // all of it was taken before
	Rejects  []Rejected `json:"rejects,omitempty"`
}

// Rejected is a record of a request that is in quarantine.
type Rejected struct {
	Position int    `json:"position"`
	Reason   string `json:"reason"`
}

// shownRejects is how many rejects an answer names; the ledger has all.
const shownRejects = 10

// ingest answers POST /ingest/NAME.
func (h *Hub) ingest(w http.ResponseWriter, r *http.Request, name string) {
	s := h.get(name)
	switch {
	case s == nil:
		problem(w, http.StatusNotFound, "no source receives under this name")
		return
	case r.Method != http.MethodPost && r.Method != http.MethodPut:
		w.Header().Set("Allow", "POST, PUT")
		problem(w, http.StatusMethodNotAllowed, "records are sent with POST")
		return
	case !s.admits(r):
		w.Header().Set("WWW-Authenticate", `Bearer realm="yagura ingest", Basic realm="yagura ingest"`)
		problem(w, http.StatusUnauthorized, "the token of this source is needed: as a Bearer token, as the password of Basic, or in "+s.cfg.Header)
		return
	}
	s.count(func(st *Stats) { st.Requests++ })
	if !s.running() {
		s.count(func(st *Stats) { st.Refused++ })
		problem(w, http.StatusServiceUnavailable, errAway.Error()+": send it again")
		return
	}
	held := share{of: &s.held}
	defer held.done()
	content, stored, failed := s.body(w, r, &held)
	if failed == nil {
		failed = s.ingested(w, content, stored, &held)
	}
	if failed != nil {
		s.count(func(st *Stats) { st.Refused++ })
		s.keep(failed)
		problem(w, failed.status, failed.text)
	}
}

// admits tells whether the request shows the source's token.
func (s *Source) admits(r *http.Request) bool {
	if t := r.Header.Get(s.cfg.Header); t != "" && s.shows(t) {
		return true
	}
	if t, wrong := credential(r); t != "" && !wrong && s.shows(t) {
		return true
	}
	return s.cfg.QueryToken && s.shows(r.URL.Query().Get("token"))
}

// ingested takes the records of a body and answers; a refusal is left to the
// caller.
func (s *Source) ingested(w http.ResponseWriter, content []byte, stored int64, held *share) *refusal {
	records, full := s.records(content, held)
	switch {
	case full != nil:
		return full
	case len(records) == 0:
		return refuse(http.StatusBadRequest, codeNoData, "the body is empty")
	}
	t := Taken{Object: s.objectName("ingest", s.cfg.Format, content), Received: len(records)}
	for i, rec := range records {
		if rec.reason == "" {
			continue
		}
		if t.Rejected++; len(t.Rejects) < shownRejects {
			t.Rejects = append(t.Rejects, Rejected{i, rec.reason})
		}
	}
	var err error
	if t.Again, err = s.take(t.Object, stored, records); err != nil {
		return away(err)
	}
	status := http.StatusOK
	if t.Rejected == t.Received {
		// Sending it again would not help: it is in quarantine already.
		status = http.StatusBadRequest
	}
	answer(w, status, t)
	return nil
}

// records splits a body: JSON, or text of which a line or a row is of a format
// that is read.
func (s *Source) records(content []byte, held *share) ([]record, *refusal) {
	if t := s.table(content); t != nil {
		return s.rows(t, content, held)
	}
	sp := splitter{body: content, maxRecord: s.cfg.MaxRecord, maxDepth: s.cfg.MaxDepth}
	g := s.gather(held)
	for p, ok := sp.next(); ok && g.add(p.record(s.cfg.Format), 0); p, ok = sp.next() {
	}
	return g.records, g.full
}

// table tells what text the body is; nil: none that is read.
func (s *Source) table(content []byte) *texttable.Table {
	if start := bytes.TrimLeft(content[:min(len(content), 64)], "\xef\xbb\xbf \t\r\n"); len(start) == 0 || start[0] == '{' || start[0] == '[' {
		return nil
	}
	t, _ := texttable.Recognise(content, true, func(record []byte) bool { return s.cfg.Recognise != nil && s.cfg.Recognise(record) != "" })
	return t
}

// rows are the records of a text.
func (s *Source) rows(t *texttable.Table, content []byte, held *share) ([]record, *refusal) {
	g := s.gather(held)
	for r := range t.Split(content) {
		p := part{body: r.Object, reason: r.Reason}
		switch {
		case r.Reason != "":
			p.body, p.reason = r.Text, fmt.Sprintf("line %d: %s", r.Line, r.Reason)
		case len(r.Object) > s.cfg.MaxRecord:
			p.body, p.reason = r.Text, fmt.Sprintf("line %d: as JSON it is %d bytes long; the limit is %d (max_record)", r.Line, len(r.Object), s.cfg.MaxRecord)
		}
		if !g.add(p.record(s.cfg.Format), len(r.Object)) {
			break
		}
	}
	return g.records, g.full
}

// away is why nothing was taken, when it is not the sender's fault. What broke is
// for the server's own messages, which get it from Run.
func away(err error) *refusal {
	if errors.Is(err, errAway) {
		return refuse(http.StatusServiceUnavailable, codeBusy, "%v: send it again", err)
	}
	return refuse(http.StatusServiceUnavailable, codeBusy, "it could not be stored: send it again")
}

// keep quarantines what arrived whole and cannot be read. If that fails the
// sender is refused all the same, and Run has ended with the reason.
func (s *Source) keep(r *refusal) {
	if r.keep == nil {
		return
	}
	object := s.objectName("unreadable", "", r.keep)
	rec := part{body: r.keep, reason: r.text}.record("")
	if _, err := s.take(object, int64(len(r.keep)), []record{rec}); err != nil {
		r.status, r.code, r.text = http.StatusServiceUnavailable, codeBusy, away(err).text
	}
}
