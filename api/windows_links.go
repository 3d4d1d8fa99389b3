package api

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
)

// windowLink is what a link says by which a team registers its own windows. It is
// signed and kept nowhere: whoever takes away the key (see Triage.LinkKey) takes
// back every link.
type windowLink struct {
	ID       string    `json:"i"`
	Owner    string    `json:"o"`
	Accounts []string  `json:"a"`
	Until    time.Time `json:"u"`
}

const linkMac = 16 // bytes of the signature

// seal gives the text of a link.
func (l windowLink) seal(key []byte) string {
	text, err := json.Marshal(l)
	if err != nil {
		panic(err) // of our own type
	}
	return base64.RawURLEncoding.EncodeToString(append(signature(key, text), text...))
}

func signature(key, text []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("yagura window link\x00"))
	mac.Write(text)
	return mac.Sum(nil)[:linkMac]
}

// openLink reads a link that is still good.
func openLink(key []byte, s string, now time.Time) (l windowLink, ok bool) {
	all, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if len(key) == 0 || err != nil || len(all) <= linkMac || !hmac.Equal(signature(key, all[linkMac:]), all[:linkMac]) {
		return l, false
	}
	err = json.Unmarshal(all[linkMac:], &l)
	return l, err == nil && now.Before(l.Until)
}

// by is how windows and audit lines name who came through the link.
func (l windowLink) by() string { return "link " + l.ID + " (" + l.Owner + ")" }

// WindowLink is a link by which a team registers its own windows.
type WindowLink struct {
	URL   string    `json:"url" doc:"address of the page; whoever has it may propose windows for these accounts"`
	Until time.Time `json:"until"`
	ID    string    `json:"id" doc:"what windows that come through it are signed with"`
}

// WindowLinkAsked is what a link is to be for.
type WindowLinkAsked struct {
	Owner    string    `json:"owner" minLength:"1" maxLength:"128" doc:"the team"`
	Accounts []string  `json:"accounts" minItems:"1" maxItems:"200"`
	Until    time.Time `json:"until" doc:"at most 400 days from now"`
}

// Registering is what a team sees behind its link.
type Registering struct {
	Owner    string       `json:"owner"`
	Accounts []string     `json:"accounts"`
	Until    time.Time    `json:"until" doc:"the link is good until then"`
	Now      time.Time    `json:"now" doc:"the server's clock"`
	Windows  []Registered `json:"windows" doc:"what was registered through it"`
	Left     int          `json:"left" doc:"how many more may be"`
}

// Registered is a window as whoever registered it sees it.
type Registered struct {
	ID     string    `json:"id"`
	Title  string    `json:"title"`
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Repeat string    `json:"repeat"`
	Zone   string    `json:"zone"`
	Ticket string    `json:"ticket"`
	Phase  string    `json:"phase" enum:"proposed,cancelled,open,coming,over" doc:"proposed: nobody has accepted it yet"`
}

const (
	linkLongest    = 400 * 24 * time.Hour
	registeredMost = 50 // windows of one link
	registerBytes  = 64 << 10
)

func windowLinks(a huma.API, rooms Rooms, lock *changing) {
	type made struct{ Body WindowLink }
	huma.Register(a, need(people.Responder, within(personal(huma.Operation{
		OperationID: "make-window-link", Method: http.MethodPost, Path: "/api/window-links", Summary: "Make a link by which a team registers its own planned work",
		Description: "What comes through it is proposed, for its accounts only, and explains nothing until a responder accepts it.",
	}))), func(ctx context.Context, in *struct {
		Body WindowLinkAsked
	}) (*made, error) {
		now := rooms.Now().UTC()
		switch {
		case rooms.Triage.Store == nil || len(rooms.Triage.LinkKey) == 0:
			return nil, absent("links for windows")
		case !now.Before(in.Body.Until) || in.Body.Until.Sub(now) > linkLongest:
			return nil, huma.Error422UnprocessableEntity("until: a time within the next 400 days")
		}
		for _, account := range in.Body.Accounts {
			if account == "" || strings.Contains(account, "*") {
				return nil, huma.Error422UnprocessableEntity("accounts: whole account ids are needed")
			}
			if !sees(ctx, account) {
				return nil, huma.Error403Forbidden("you are not responsible for account " + account)
			}
		}
		l := windowLink{ID: strings.ToLower(rand.Text()[:8]), Owner: in.Body.Owner, Accounts: in.Body.Accounts, Until: in.Body.Until.UTC().Truncate(time.Second)}
		line := finding.AuditLine{At: now, By: who(ctx).By(), Action: "window.link", Subject: l.ID, Text: l.Owner + "; " + strings.Join(l.Accounts, ", ") + "; until " + l.Until.Format(time.RFC3339)}
		if err := rooms.Triage.Store.Log(ctx, line); err != nil {
			return nil, rooms.wronged(err)
		}
		return &made{WindowLink{URL: calling(ctx).base + "/register#link=" + l.seal(rooms.Triage.LinkKey), Until: l.Until, ID: l.ID}}, nil
	})
	registerWindow(a, rooms, lock)
}

// linkInput carries a link.
type linkInput struct {
	Link string `path:"link" maxLength:"16384"`
}

// linked opens a link, and gives a context in which its holder is limited to its
// accounts.
func (r Rooms) linked(ctx context.Context, link string) (context.Context, windowLink, error) {
	l, ok := openLink(r.Triage.LinkKey, link, r.Now())
	if !ok {
		return ctx, l, huma.Error410Gone("this link is not good, or not any more: ask whoever gave it to you for another")
	}
	return people.With(ctx, people.Who{User: l.by(), FullName: l.Owner, Accounts: l.Accounts}), l, nil
}

// registered are the windows that came through the link.
func (r Rooms) registered(ctx context.Context, l windowLink) (Registering, error) {
	out := Registering{Owner: l.Owner, Accounts: l.Accounts, Until: l.Until, Now: r.Now().UTC(), Windows: []Registered{}}
	all, err := r.Triage.Store.Windows(ctx)
	if err != nil {
		return out, r.failure(err)
	}
	for _, w := range all {
		if w.By != l.by() {
			continue
		}
		v := ViewWindow(w, r.Now(), r.Triage.Expand)
		out.Windows = append(out.Windows, Registered{v.ID, v.Title, v.Start, v.End, v.Repeat, v.Zone, v.Ticket, v.Phase})
	}
	out.Left = max(0, registeredMost-len(out.Windows))
	return out, nil
}

// RegisterAsked is a window as a team tells of it.
type RegisterAsked struct {
	Title     string    `json:"title" minLength:"1" maxLength:"512"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end" doc:"at most until the link is good"`
	Accounts  []string  `json:"accounts,omitempty" maxItems:"200" doc:"some of the link's; absent: all of them"`
	Actors    []string  `json:"actors,omitempty" maxItems:"200"`
	Resources []string  `json:"resources,omitempty" maxItems:"200"`
	Kinds     []string  `json:"kinds,omitempty" maxItems:"50"`
	Sort      string    `json:"sort,omitempty" maxLength:"64"`
	Ticket    string    `json:"ticket,omitempty" maxLength:"256"`
	Repeat    string    `json:"repeat,omitempty" maxLength:"1024" doc:"RRULE of RFC 5545, whose last time is over before the link is: by UNTIL or COUNT"`
	Zone      string    `json:"zone,omitempty" maxLength:"64"`
}

// repeatsOn is how far behind the end of a link a window's repetitions are looked
// for: a rule that has rested for so long does not come back in practice.
const repeatsOn = 50 // years

// withinLink refuses a window that would go on when its link is not good any more.
// Who is trusted until April does not plan for the years behind it.
func (r Rooms) withinLink(w *finding.Window, l windowLink) error {
	until := l.Until.Format(time.RFC3339)
	if w.End.After(l.Until) {
		return huma.Error422UnprocessableEntity("end: this link is good until " + until + ", and so is what is registered through it: end the window by then")
	}
	if w.Repeat == "" || r.Triage.Expand == nil {
		return nil
	}
	if _, err := r.Triage.Expand(w, w.Start, l.Until); err != nil {
		return huma.Error422UnprocessableEntity("repeat: " + err.Error())
	}
	// A rule that cannot be followed so far goes on for longer than the link.
	if later, err := r.Triage.Expand(w, l.Until, l.Until.AddDate(repeatsOn, 0, 0)); err != nil || len(later) > 0 {
		return huma.Error422UnprocessableEntity("repeat: this link is good until " + until + ", and the window would be repeated after it: end the rule by then, with UNTIL or COUNT")
	}
	return nil
}

func registerWindow(a huma.API, rooms Rooms, lock *changing) {
	type seen struct{ Body Registering }
	huma.Register(a, public(huma.Operation{
		OperationID: "registering", Method: http.MethodGet, Path: "/api/register/{link}", Summary: "What a link to register windows is for, and what came through it",
	}), func(ctx context.Context, in *linkInput) (*seen, error) {
		ctx, l, err := rooms.linked(ctx, in.Link)
		if err != nil {
			return nil, err
		}
		out, err := rooms.registered(ctx, l)
		return &seen{out}, err
	})
	huma.Register(a, public(huma.Operation{
		OperationID: "register-window", Method: http.MethodPost, Path: "/api/register/{link}", Summary: "Propose a window of a team's own", DefaultStatus: http.StatusCreated,
		Description: "Needs the header X-Yagura: 1, as every change that a browser asks for. It explains nothing until somebody accepts it. It ends, all its repetitions included, before the link does.", MaxBodyBytes: registerBytes,
	}), func(ctx context.Context, in *struct {
		Link string `path:"link" maxLength:"16384"`
		Body RegisterAsked
	}) (*seen, error) {
		ctx, l, err := rooms.linked(ctx, in.Link)
		if err != nil {
			return nil, err
		}
		lock.Lock()
		defer lock.Unlock()
		before, err := rooms.registered(ctx, l)
		if err != nil {
			return nil, err
		}
		if before.Left == 0 {
			return nil, huma.Error422UnprocessableEntity("as many windows as this link is good for were registered: ask for another link")
		}
		b := in.Body
		w := finding.Window{
			ID: newID("win"), Title: b.Title, Start: b.Start, End: b.End, Accounts: b.Accounts, Actors: b.Actors, Resources: b.Resources,
			Kinds: b.Kinds, Sort: b.Sort, Ticket: b.Ticket, Repeat: b.Repeat, Zone: b.Zone, Owner: l.Owner, State: finding.WindowProposed,
		}
		if len(w.Accounts) == 0 {
			w.Accounts = slices.Clone(l.Accounts)
		}
		if i := slices.IndexFunc(w.Accounts, func(a string) bool { return !slices.Contains(l.Accounts, a) }); i >= 0 {
			return nil, huma.Error422UnprocessableEntity("this link is not for account " + w.Accounts[i])
		}
		if err := rooms.withinLink(&w, l); err != nil {
			return nil, err
		}
		if _, err := rooms.Triage.Store.SetWindow(ctx, w, l.by(), rooms.Now().UTC()); err != nil {
			return nil, rooms.wronged(err)
		}
		out, err := rooms.registered(ctx, l)
		return &seen{out}, err
	})
}
