package receive

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/event"
)

// HEC's codes, as its documentation numbers them ("HTTP Event Collector REST API
// endpoints", possible status codes).
const (
	codeSuccess       = 0
	codeNoToken       = 2
	codeAuthorization = 3
	codeWrongToken    = 4
	codeNoData        = 5
	codeFormat        = 6
	codeBusy          = 9
	codeNoChannel     = 10
	codeChannel       = 11
	codeNoEvent       = 12
	codeBlankEvent    = 13
	codeNoAck         = 14
	codeFields        = 15
	codeQueryToken    = 16
	codeHealthy       = 17
	codeUnhealthy     = 18
	codeHealthToken   = 21
)

// said are the words and the HTTP status of each code.
var said = map[int]struct {
	status int
	text   string
}{
	codeSuccess:       {http.StatusOK, "Success"},
	codeNoToken:       {http.StatusUnauthorized, "Token is required"},
	codeAuthorization: {http.StatusUnauthorized, "Invalid authorization"},
	codeWrongToken:    {http.StatusForbidden, "Invalid token"},
	codeNoData:        {http.StatusBadRequest, "No data"},
	codeFormat:        {http.StatusBadRequest, "Invalid data format"},
	codeBusy:          {http.StatusServiceUnavailable, "Server is busy"},
	codeNoChannel:     {http.StatusBadRequest, "Data channel is missing"},
	codeChannel:       {http.StatusBadRequest, "Invalid data channel"},
	codeNoEvent:       {http.StatusBadRequest, "Event field is required"},
	codeBlankEvent:    {http.StatusBadRequest, "Event field cannot be blank"},
	codeNoAck:         {http.StatusBadRequest, "ACK is disabled"},
	codeFields:        {http.StatusBadRequest, "Error in handling indexed fields"},
	codeQueryToken:    {http.StatusBadRequest, "Query string authorization is not enabled"},
	codeHealthy:       {http.StatusOK, "HEC is healthy"},
	codeUnhealthy:     {http.StatusServiceUnavailable, "HEC is unhealthy, queues are full"},
	codeHealthToken:   {http.StatusBadRequest, "Invalid token"},
}

// reply is what HEC's senders are answered; Detail is ours.
type reply struct {
	Text    string `json:"text"`
	Code    int    `json:"code"`
	AckID   *int64 `json:"ackId,omitempty"`
	Invalid *int   `json:"invalid-event-number,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

// say answers with a code; status 0 is the code's own.
func say(w http.ResponseWriter, code, status int, more reply) {
	s := said[code]
	if status == 0 {
		status = s.status
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	more.Text, more.Code = s.text, code
	answer(w, status, more)
}

// collector answers everything under /services/collector.
func (h *Hub) collector(w http.ResponseWriter, r *http.Request) {
	what := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, hecPath), "/")
	what = strings.TrimSuffix(strings.TrimSuffix(what, "1.0"), "/") // the version that there is
	switch what {
	case "health":
		h.health(w, r)
		return
	case "", "event", "raw", "ack":
	default:
		answer(w, http.StatusNotFound, reply{Text: "The requested URL was not found on this server.", Code: http.StatusNotFound})
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		answer(w, http.StatusMethodNotAllowed, reply{Text: "method not allowed", Code: http.StatusMethodNotAllowed})
		return
	}
	s, code := h.authorised(r)
	if code != codeSuccess {
		if code == codeNoToken || code == codeAuthorization {
			w.Header().Set("WWW-Authenticate", `Splunk, Basic realm="yagura"`)
		}
		say(w, code, 0, reply{})
		return
	}
	channel, code := s.channel(r)
	if code == codeSuccess && what == "ack" {
		s.answerAcks(w, r, channel)
		return
	}
	s.count(func(st *Stats) { st.Requests++ })
	if code != codeSuccess {
		s.count(func(st *Stats) { st.Refused++ })
		say(w, code, 0, reply{})
		return
	}
	s.collect(w, r, what == "raw", channel)
}

// authorised is the source whose token the request shows, or why there is none.
func (h *Hub) authorised(r *http.Request) (*Source, int) {
	token, wrong := credential(r)
	query := r.URL.Query().Get("token")
	switch {
	case wrong:
		return nil, codeAuthorization
	case token == "" && query == "":
		return nil, codeNoToken
	}
	var found, byQuery *Source
	for _, s := range h.hec() { // all of them, found or not
		if token != "" && s.shows(token) {
			found = s
		}
		if query != "" && s.shows(query) {
			byQuery = s
		}
	}
	switch {
	case found != nil:
		return found, codeSuccess
	case token != "":
		return nil, codeWrongToken
	case byQuery == nil || !byQuery.cfg.QueryToken:
		return nil, codeQueryToken // the same whether it is right: it is not to be tried out
	}
	return byQuery, codeSuccess
}

// health answers probes, with a token or without.
func (h *Hub) health(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		answer(w, http.StatusMethodNotAllowed, reply{Text: "method not allowed", Code: http.StatusMethodNotAllowed})
		return
	}
	asked := h.hec()
	if r.Header.Get("Authorization") != "" {
		s, code := h.authorised(r)
		if code != codeSuccess {
			say(w, codeHealthToken, 0, reply{})
			return
		}
		asked = []*Source{s}
	}
	for _, s := range asked {
		if s.running() {
			say(w, codeHealthy, 0, reply{})
			return
		}
	}
	say(w, codeUnhealthy, 0, reply{})
}

// collect takes events, or raw text.
func (s *Source) collect(w http.ResponseWriter, r *http.Request, raw bool, channel string) {
	if !s.running() {
		s.count(func(st *Stats) { st.Refused++ })
		say(w, codeBusy, 0, reply{})
		return
	}
	held := share{of: &s.held}
	defer held.done()
	content, stored, failed := s.body(w, r, &held)
	var more reply
	code := codeSuccess
	if failed == nil {
		code, more, failed = s.collected(content, stored, raw, r.URL.Query(), &held)
	}
	if failed != nil {
		s.count(func(st *Stats) { st.Refused++ })
		s.keep(failed)
		say(w, failed.code, failed.status, reply{Detail: failed.text})
		return
	}
	if code == codeSuccess && s.cfg.Ack {
		id := s.acks.next(channel, s.cfg.Now())
		more.AckID = &id
	}
	say(w, code, 0, more)
}

// collected makes a body durable. The code is that of the first event that
// cannot be read: it is in quarantine, and all others are taken.
func (s *Source) collected(content []byte, stored int64, raw bool, query url.Values, held *share) (code int, more reply, failed *refusal) {
	var records []record
	kind, meta := "event", ""
	invalid := -1
	var full *refusal
	if raw {
		kind, meta = "raw", rawMeta(query)
		records, full = s.rawRecords(content, query, held)
		for i, rec := range records {
			if rec.reason != "" && invalid < 0 {
				invalid, code = i, codeFormat
			}
		}
	} else {
		records, invalid, code, full = s.events(content, held)
	}
	switch {
	case full != nil:
		return 0, reply{}, full
	case len(records) == 0:
		return 0, reply{}, refuse(http.StatusBadRequest, codeNoData, "the body holds no event")
	}
	if _, err := s.take(s.objectName(kind, meta, content), stored, records); err != nil {
		return 0, reply{}, away(err)
	}
	if invalid >= 0 {
		return code, reply{Invalid: &invalid, Detail: records[invalid].reason + "; it is in quarantine, and what could be read is stored"}, nil
	}
	return codeSuccess, reply{}, nil
}

// channel is the request's channel where the source gives out acknowledgements.
// In the header and in the query it is the same, or one of them is missing.
func (s *Source) channel(r *http.Request) (string, int) {
	if !s.cfg.Ack {
		return "", codeSuccess
	}
	header, query := r.Header.Get("X-Splunk-Request-Channel"), r.URL.Query().Get("channel")
	channel := cmp.Or(header, query)
	switch {
	case channel == "":
		return "", codeNoChannel
	case header != "" && query != "" && !strings.EqualFold(header, query):
		return "", codeChannel
	}
	channel = strings.ToLower(channel)
	if _, ok := event.ParseUID(channel); !ok {
		return "", codeChannel
	}
	return channel, codeSuccess
}

// acks are the ids of acknowledgement given out, by channel. An id is given with
// an answer, and an answer when all is durable; so of every id that was given the
// answer is yes, and there is nothing to remember but how many there were. After
// a restart the ids of before are unknown, and their senders send again, which
// doubles nothing.
type acks struct {
	mu       sync.Mutex // guards channels
	channels map[string]*ackChannel
}

type ackChannel struct {
	next int64
	used time.Time
}

// maxChannels is how many channels are remembered; those that were silent for
// longest go first.
const maxChannels = 10_000

// next gives the next id of a channel.
func (a *acks) next(channel string, now time.Time) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.channels[channel]
	if c == nil {
		if a.channels == nil {
			a.channels = map[string]*ackChannel{}
		}
		if len(a.channels) >= maxChannels {
			a.forget()
		}
		c = &ackChannel{}
		a.channels[channel] = c
	}
	c.used = now
	c.next++
	return c.next - 1
}

// forget drops the half of the channels that were silent for longest: one by one
// it would look through all of them at every new one.
func (a *acks) forget() {
	var times []time.Time
	for _, c := range a.channels {
		times = append(times, c.used)
	}
	slices.SortFunc(times, time.Time.Compare)
	middle := times[len(times)/2]
	for name, c := range a.channels {
		if !c.used.After(middle) {
			delete(a.channels, name)
		}
	}
}

// given is how many ids a channel was given.
func (a *acks) given(channel string) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.channels[channel]; c != nil {
		return c.next
	}
	return 0
}

// maxAsked is how many bytes a question about acknowledgements has at most.
const maxAsked = 1 << 20

// answerAcks answers which ids are acknowledged.
func (s *Source) answerAcks(w http.ResponseWriter, r *http.Request, channel string) {
	if !s.cfg.Ack {
		say(w, codeNoAck, 0, reply{})
		return
	}
	var asked struct {
		Acks []int64 `json:"acks"`
	}
	held := share{of: &s.held}
	defer held.done()
	content, _, failed := s.body(w, r, &held)
	if failed != nil {
		say(w, failed.code, failed.status, reply{Detail: failed.text})
		return
	}
	if len(content) > maxAsked {
		say(w, codeFormat, http.StatusRequestEntityTooLarge, reply{Detail: fmt.Sprintf("ask about fewer ids: at most %d bytes", maxAsked)})
		return
	}
	if err := json.Unmarshal(content, &asked); err != nil || asked.Acks == nil {
		say(w, codeFormat, 0, reply{Detail: `a list of ids is needed: {"acks": [0, 1]}`})
		return
	}
	given := s.acks.given(channel)
	out := make(map[string]bool, len(asked.Acks))
	for _, id := range asked.Acks {
		out[strconv.FormatInt(id, 10)] = 0 <= id && id < given
	}
	answer(w, http.StatusOK, map[string]any{"acks": out})
}
