package calendar

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/finding"
)

// what a window covers, and what is told beside it, by name.
var scopeNames = []string{"accounts", "actors", "people", "resources", "regions", "kinds", "sort", "ticket", "owner"}

// singular forms are understood too.
var scopeAlias = map[string]string{
	"account": "accounts", "actor": "actors", "person": "people", "resource": "resources", "region": "regions", "kind": "kinds",
}

// describe fills w from the event's properties and the lines of its description.
// A property has its say first; lists of both add up.
func describe(e *component, w *finding.Window) error {
	w.Title = e.text("SUMMARY")
	description := plain(e.text("DESCRIPTION"))
	for _, p := range e.props {
		name, ours := strings.CutPrefix(p.name, "X-YAGURA-")
		if !ours {
			continue
		}
		if name = scopeName(name); name == "" {
			// Left out, a mistyped one would make the window cover more than was meant.
			return fmt.Errorf("%s is not known", p.name)
		}
		put(w, name, unescape(p.value))
	}
	for line := range strings.SplitSeq(description, "\n") {
		for part := range strings.SplitSeq(line, ";") {
			scopeLine(w, part)
		}
	}
	if w.Sort == "" {
		category, _, _ := strings.Cut(e.text("CATEGORIES"), ",")
		w.Sort = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(category)), " ", "_")
	}
	if w.Ticket == "" {
		w.Ticket = ticket(w.Title)
	}
	if w.Ticket == "" {
		w.Ticket = ticket(description)
	}
	if w.Owner == "" {
		if o := e.get("ORGANIZER"); o != nil {
			w.Owner = o.value
			if len(w.Owner) >= 7 && strings.EqualFold(w.Owner[:7], "mailto:") {
				w.Owner = w.Owner[7:]
			}
		}
	}
	return nil
}

// scopeLine reads "accounts: a, b, actors: c"; a line that does not begin so is
// prose.
func scopeLine(w *finding.Window, line string) {
	name := ""
	for item := range strings.SplitSeq(line, ",") {
		if key, value, ok := strings.Cut(item, ":"); ok {
			if n := scopeName(strings.TrimSpace(key)); n != "" {
				name, item = n, value
			}
		}
		if name == "" {
			return
		}
		put(w, name, item)
	}
}

func scopeName(s string) string {
	s = strings.ToLower(s)
	if plural, ok := scopeAlias[s]; ok {
		s = plural
	}
	if slices.Contains(scopeNames, s) {
		return s
	}
	return ""
}

// put adds the values of a comma list to what the name says.
func put(w *finding.Window, name, values string) {
	lists := map[string]*[]string{
		"accounts": &w.Accounts, "actors": &w.Actors, "people": &w.People,
		"resources": &w.Resources, "regions": &w.Regions, "kinds": &w.Kinds,
	}
	singles := map[string]*string{"sort": &w.Sort, "ticket": &w.Ticket, "owner": &w.Owner}
	if one := singles[name]; one != nil {
		if *one == "" {
			*one = strings.TrimSpace(values)
		}
		return
	}
	list := lists[name]
	if list == nil {
		return
	}
	for value := range strings.SplitSeq(values, ",") {
		if value = strings.TrimSpace(value); value != "" && !slices.Contains(*list, value) {
			*list = append(*list, value)
		}
	}
}

var (
	// Jira's and its kind, ServiceNow's.
	ticketForms = regexp.MustCompile(`\b(?:[A-Z][A-Z0-9]{1,9}-[0-9]{1,8}|(?:CHG|INC|RITM|REQ|TASK|PRB|CTASK)[0-9]{4,12})\b`)
	// what has a ticket's form and is none.
	noTickets = regexp.MustCompile(`^(?:UTF|SHA|AES|ISO|RFC|TLS|RSA|CVE|SP|MD|FIPS|IPV|HTTP|X)-`)
)

// ticket is the first that a text names.
func ticket(text string) string {
	for _, t := range ticketForms.FindAllString(text, -1) {
		if !noTickets.MatchString(t) {
			return t
		}
	}
	return ""
}

var (
	breaks = regexp.MustCompile(`(?i)<br\s*/?>|</p>|</div>|</li>`)
	tags   = regexp.MustCompile(`</?[A-Za-z][^<>]*>`)
	marks  = strings.NewReplacer("&nbsp;", " ", "\u00a0", " ", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&amp;", "&")
)

// plain is a description without the HTML that some calendars write into it.
func plain(s string) string {
	if !strings.Contains(s, "<") && !strings.Contains(s, "&") {
		return s
	}
	return marks.Replace(tags.ReplaceAllString(breaks.ReplaceAllString(s, "\n"), ""))
}
