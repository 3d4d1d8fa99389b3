package calendar

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yagura-sec/yagura/finding"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// read reads a text with the default horizon.
func read(t *testing.T, text string) (windows []finding.Window, warnings []string, err error) {
	t.Helper()
	r := Reader{Now: now, Warn: func(w Warning) { warnings = append(warnings, w.String()) }}
	windows, err = r.Read("plan", strings.NewReader(text))
	return windows, warnings, err
}

// ics wraps lines into a calendar.
func ics(lines ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCALENDAR\r\n"
}

// event wraps lines into an event that covers one account.
func event(uid string, lines ...string) string {
	return "BEGIN:VEVENT\r\nUID:" + uid + "\r\nX-YAGURA-ACCOUNTS:111122223333\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT"
}

// spans are the times of windows, in UTC.
func spans(windows []finding.Window) []string {
	out := []string{}
	for _, w := range windows {
		out = append(out, w.Start.UTC().Format("2006-01-02T15:04")+" "+w.End.Sub(w.Start).String())
	}
	return out
}

// times holds what the events of a calendar come to.
func times(name, text string, want ...string) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		got, _, err := read(t, text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, spans(got)); d != "" {
			t.Errorf("%s: (-want +got)\n%s", name, d)
		}
	}
}

const ownZone = `BEGIN:VTIMEZONE
TZID:Our own time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE`

func TestTimes(t *testing.T) {
	for _, run := range []func(*testing.T){
		times("start and end in UTC", ics(event("a", "DTSTART:20261120T010000Z", "DTEND:20261120T030000Z")),
			"2026-11-20T01:00 2h0m0s"),
		times("a duration", ics(event("a", "DTSTART:20261120T010000Z", "DURATION:PT1H30M")),
			"2026-11-20T01:00 1h30m0s"),
		times("a whole day", ics(event("a", "DTSTART;VALUE=DATE:20261120")),
			"2026-11-20T00:00 24h0m0s"),
		times("whole days in the calendar's zone", ics("X-WR-TIMEZONE:Asia/Tokyo", event("a", "DTSTART;VALUE=DATE:20261120", "DTEND;VALUE=DATE:20261122")),
			"2026-11-19T15:00 48h0m0s"),
		times("a whole day that is written with the same end", ics(event("a", "DTSTART;VALUE=DATE:20261120", "DTEND;VALUE=DATE:20261120")),
			"2026-11-20T00:00 24h0m0s"),
		times("the day the clock goes back has 25 hours", ics("X-WR-TIMEZONE:Europe/Berlin", event("a", "DTSTART;VALUE=DATE:20261025")),
			"2026-10-24T22:00 25h0m0s"),
		times("an IANA zone over the change of the clock",
			ics(event("a", "DTSTART;TZID=Europe/Berlin:20261024T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2")),
			"2026-10-24T07:00 1h0m0s", "2026-10-25T08:00 1h0m0s"),
		times("a Windows zone",
			ics(event("a", `DTSTART;TZID="W. Europe Standard Time":20261024T090000`, "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2")),
			"2026-10-24T07:00 1h0m0s", "2026-10-25T08:00 1h0m0s"),
		times("a zone that the file describes",
			ics(strings.ReplaceAll(ownZone, "\n", "\r\n"), event("a", "DTSTART;TZID=Our own time:20261024T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2")),
			"2026-10-24T07:00 1h0m0s", "2026-10-25T08:00 1h0m0s"),
		times("a zone named by a path", ics(event("a", "DTSTART;TZID=/example.org/2024_1/America/New_York:20261120T090000", "DURATION:PT1H")),
			"2026-11-20T14:00 1h0m0s"),
		times("an hour that the clock leaps over", ics(event("a", "DTSTART;TZID=Europe/Berlin:20260329T023000", "DURATION:PT1H")),
			"2026-03-29T01:30 1h0m0s"),
		times("an hour that comes twice is the first of them", ics(event("a", "DTSTART;TZID=Europe/Berlin:20261025T023000", "DURATION:PT1H")),
			"2026-10-25T00:30 1h0m0s"),
		times("days of a duration are the calendar's", ics(event("a", "DTSTART;TZID=Europe/Berlin:20261024T090000", "DURATION:P1D")),
			"2026-10-24T07:00 25h0m0s"),
		times("weekly until, last one included", ics(event("a", "DTSTART:20261101T010000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;BYDAY=SU;UNTIL=20261115T010000Z")),
			"2026-11-01T01:00 1h0m0s", "2026-11-08T01:00 1h0m0s", "2026-11-15T01:00 1h0m0s"),
		times("until is UTC though the event is not", ics(event("a", "DTSTART;TZID=Asia/Tokyo:20261101T010000", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20261101T160000Z")),
			"2026-10-31T16:00 1h0m0s", "2026-11-01T16:00 1h0m0s"),
		times("the second Tuesday of the month", ics(event("a", "DTSTART:20260908T200000Z", "DURATION:PT4H", "RRULE:FREQ=MONTHLY;BYDAY=2TU;COUNT=3")),
			"2026-09-08T20:00 4h0m0s", "2026-10-13T20:00 4h0m0s", "2026-11-10T20:00 4h0m0s"),
		times("left out dates, several on a line", ics(event("a", "DTSTART:20261101T010000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4", "EXDATE:20261102T010000Z,20261103T010000Z")),
			"2026-11-01T01:00 1h0m0s", "2026-11-04T01:00 1h0m0s"),
		times("a left out day", ics(event("a", "DTSTART:20261101T010000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2", "EXDATE;VALUE=DATE:20261101")),
			"2026-11-02T01:00 1h0m0s"),
		times("dates besides, one with a length of its own", ics(event("a", "DTSTART:20261101T010000Z", "DURATION:PT1H", "RDATE;VALUE=PERIOD:20261105T010000Z/PT3H", "RDATE:20261107T010000Z")),
			"2026-11-01T01:00 1h0m0s", "2026-11-05T01:00 3h0m0s", "2026-11-07T01:00 1h0m0s"),
		times("one recurrence was moved and one cancelled", ics(
			event("a", "DTSTART:20261101T010000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3"),
			event("a", "RECURRENCE-ID:20261102T010000Z", "DTSTART:20261102T050000Z", "DURATION:PT2H"),
			event("a", "RECURRENCE-ID:20261103T010000Z", "DTSTART:20261103T010000Z", "DURATION:PT1H", "STATUS:CANCELLED")),
			"2026-11-01T01:00 1h0m0s", "2026-11-02T05:00 2h0m0s"),
		times("a recurrence is named in another zone", ics(
			event("a", "DTSTART:20261101T010000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2"),
			event("a", "RECURRENCE-ID;TZID=Asia/Tokyo:20261102T100000", "DTSTART:20261102T050000Z", "DURATION:PT2H")),
			"2026-11-01T01:00 1h0m0s", "2026-11-02T05:00 2h0m0s"),
		times("what is cancelled is left out", ics(event("a", "DTSTART:20261120T010000Z", "DURATION:PT1H", "STATUS:CANCELLED"), event("b", "DTSTART:20261121T010000Z", "DURATION:PT1H")),
			"2026-11-21T01:00 1h0m0s"),
		times("a calendar that cancels", ics("METHOD:CANCEL", event("a", "DTSTART:20261120T010000Z", "DURATION:PT1H")), []string{}...),
		times("the latest version holds", ics(
			event("a", "SEQUENCE:2", "DTSTART:20261120T020000Z", "DURATION:PT1H"), event("a", "SEQUENCE:1", "DTSTART:20261120T010000Z", "DURATION:PT1H")),
			"2026-11-20T02:00 1h0m0s"),
		times("a folded line", ics(event("a", "DTSTART:202611", " 20T010000Z", "DURATION:PT1H")),
			"2026-11-20T01:00 1h0m0s"),
	} {
		run(t)
	}
}

func TestHorizon(t *testing.T) {
	text := ics(event("a", "DTSTART:20000101T010000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"))
	r := Reader{Now: now, Back: 48 * time.Hour, Ahead: 24 * time.Hour}
	got, err := r.Read("plan", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"2026-11-21T01:00 1h0m0s", "2026-11-22T01:00 1h0m0s", "2026-11-23T01:00 1h0m0s"}
	if d := cmp.Diff(want, spans(got)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	all, _, _ := read(t, text)
	if days := len(all); days < 1090 || days > 1100 {
		t.Errorf("a daily event has %d windows within the default horizon of three years", days)
	}
}

func TestWindow(t *testing.T) {
	text := ics(
		"BEGIN:VEVENT", "UID:load@example.org", "SUMMARY:Load test\\, shop", "CATEGORIES:Load test,Work",
		"DTSTART:20261120T010000Z", "DTEND:20261120T030000Z", "ORGANIZER;CN=\"Ito, Aki\":mailto:aki@example.org",
		"ATTENDEE;CN=Bo:mailto:bo@example.org",
		"X-YAGURA-ACCOUNTS:111122223333\\,444455556666", "X-YAGURA-ACTOR:arn:aws:iam::111122223333:role/shop*",
		`DESCRIPTION:As agreed in CHG-1234 (AES-256 stays)\naccounts: 777788889999, Kinds: frequency, anomaly.timing\nperson: bo@example.org; region: eu-west-1\nWe meet: room 4`,
		"BEGIN:VALARM", "DESCRIPTION:accounts: 999999999999", "TRIGGER:-PT15M", "END:VALARM",
		"END:VEVENT")
	got, warnings, err := read(t, text)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	want := []finding.Window{{
		ID: "load@example.org", Title: "Load test, shop",
		Start: time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC), End: time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC),
		Accounts: []string{"111122223333", "444455556666", "777788889999"},
		Actors:   []string{"arn:aws:iam::111122223333:role/shop*"},
		People:   []string{"bo@example.org"}, Regions: []string{"eu-west-1"}, Kinds: []string{"frequency", "anomaly.timing"},
		Sort: "load_test", Ticket: "CHG-1234", Owner: "aki@example.org",
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestIDs(t *testing.T) {
	got, _, err := read(t, ics(
		event("a", "DTSTART;TZID=Asia/Tokyo:20261101T010000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2"),
		event("a", "RECURRENCE-ID;TZID=Asia/Tokyo:20261102T010000", "DTSTART:20261102T050000Z", "DURATION:PT2H"),
		"BEGIN:VEVENT", "SUMMARY:no uid", "DTSTART:20261120T010000Z", "DURATION:PT1H", "END:VEVENT"))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, w := range got {
		ids = append(ids, w.ID)
	}
	if len(ids) != 3 || ids[0] != "a/20261031T160000Z" || ids[1] != "a/20261101T160000Z" || !strings.HasPrefix(ids[2], "event-") {
		t.Errorf("ids %q: a recurrence is named by when it was planned first", ids)
	}
}

func TestTicket(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"CHG-1234 patching", "CHG-1234"}, {"patching (OPS2-7)", "OPS2-7"}, {"CHG0031234", "CHG0031234"},
		{"UTF-8 and SHA-256 for CVE-2026-1234", ""}, {"SHA-256, see SEC-9", "SEC-9"}, {"nothing", ""}, {"chg-1234", ""},
	} {
		if got := ticket(c.text); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestHTML(t *testing.T) {
	got, _, err := read(t, ics("BEGIN:VEVENT", "UID:a", "DTSTART:20261120T010000Z", "DURATION:PT1H",
		"DESCRIPTION:<p>Drill</p>accounts:&nbsp;<b>111122223333</b><br>kinds: region", "END:VEVENT"))
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if d := cmp.Diff([][]string{{"111122223333"}, {"region"}}, [][]string{got[0].Accounts, got[0].Kinds}); d != "" {
		t.Error(d)
	}
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unscoped", ics("BEGIN:VEVENT", "UID:a", "DTSTART:20261120T010000Z", "DURATION:PT1H", "END:VEVENT"), "plan:3: a: " + unscopedText},
		{"unscoped and recurring, once", ics("BEGIN:VEVENT", "UID:a", "DTSTART:20261101T010000Z", "RRULE:FREQ=DAILY;COUNT=3", "DURATION:PT1H", "END:VEVENT"), "plan:3: a: " + unscopedText},
		{"unscoped JSON", `[
{"id":"a","title":"","start":"2026-11-20T01:00:00Z","end":"2026-11-20T02:00:00Z"}]`, "plan:2: a: " + unscopedText},
		{"no zone", ics(event("a", "DTSTART:20261120T010000", "DURATION:PT1H")), "plan:3: a: names no time zone: read as UTC"},
		{"no zone of a series, once", ics(event("a", "DTSTART:20261101T010000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=9"),
			event("a", "RECURRENCE-ID:20261103T010000", "DTSTART:20261103T020000", "DURATION:PT1H"),
			event("a", "RECURRENCE-ID:20261104T010000", "DTSTART:20261104T020000", "DURATION:PT1H")), "plan:3: a: names no time zone: read as UTC"},
		{"unscoped changes of an event that is not there, once", ics("BEGIN:VEVENT", "UID:a", "RECURRENCE-ID:20261103T010000Z", "DTSTART:20261103T020000Z", "DURATION:PT1H", "END:VEVENT",
			"BEGIN:VEVENT", "UID:a", "RECURRENCE-ID:20261104T010000Z", "DTSTART:20261104T020000Z", "DURATION:PT1H", "END:VEVENT"), "plan:3: a: " + unscopedText},
		{"same UID", ics(event("a", "DTSTART:20261120T010000Z", "DURATION:PT1H"), event("a", "DTSTART:20261120T010000Z", "DURATION:PT1H")), "plan:9: a: replaces the event of line 3, which has the same UID"},
	} {
		_, warnings, err := read(t, c.text)
		if err != nil || len(warnings) != 1 || warnings[0] != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, warnings, err, c.want)
		}
	}
}

// TestWrong holds that each wrong thing is told with its line, and loses nothing
// but itself.
func TestWrong(t *testing.T) {
	good := event("good", "DTSTART:20261120T010000Z", "DURATION:PT1H")
	among := func(lines ...string) string { return ics(append(append([]string{}, lines...), good)...) }
	for _, c := range []struct {
		name, text string
		kept       int
		want       string
	}{
		{"empty", " \n", 0, "plan: the file is empty"},
		{"neither", "hello", 0, "plan:1: neither JSON nor iCalendar"},
		{"no start", among(event("x", "SUMMARY:Drill")), 1, `plan:3: event "Drill": no DTSTART`},
		{"no length", among(event("x", "DTSTART:20261120T010000Z")), 1, `plan:3: event "x": it ends when it starts, or before`},
		{"backwards", among(event("x", "DTSTART:20261120T010000Z", "DTEND:20261119T010000Z")), 1, `plan:3: event "x": it ends when it starts, or before`},
		{"no time", among(event("x", "DTSTART:tomorrow", "DURATION:PT1H")), 1, `plan:3: event "x": DTSTART: "tomorrow" is no time`},
		{"no zone", among(event("x", "DTSTART;TZID=Mars/Olympus:20261120T010000", "DURATION:PT1H")), 1, `plan:3: event "x": DTSTART: no time zone "Mars/Olympus" is known, and the file has no VTIMEZONE of it`},
		{"this machine's zone", among(event("x", "DTSTART;TZID=Local:20261120T010000", "DURATION:PT1H")), 1, `plan:3: event "x": DTSTART: no time zone "Local" is known, and the file has no VTIMEZONE of it`},
		{"an absurd year", among(event("x", "DTSTART:99991120T010000Z", "DURATION:PT1H")), 1, `plan:3: event "x": DTSTART: the year 9999 is not from 1970 to 2200`},
		{"a line without a colon", among(event("x", "DTSTART:20261120T010000Z", "DURATION:PT1H", "nonsense")), 1, `plan:8: event "x": "nonsense" is no property: it has no name and colon`},
		{"a parameter without an end", among(event("x", `DTSTART;TZID="UTC:20261120T010000Z`, "DURATION:PT1H")), 1, `plan:6: event "x": DTSTART: a quoted parameter has no end`},
		{"a parameter at the end", among(event("x", `DTSTART;TZID=UTC`, "DURATION:PT1H")), 1, `plan:6: event "x": DTSTART: a parameter has no end`},
		{"a mistyped scope", among(event("x", "X-YAGURA-ACOUNT:1", "DTSTART:20261120T010000Z", "DURATION:PT1H")), 1, `plan:3: event "x": X-YAGURA-ACOUNT is not known`},
		{"a rule of nothing", among(event("x", "DTSTART:20261120T010000Z", "DURATION:PT1H", "RRULE:FREQ=SOMETIMES")), 1, `plan:3: event "x": RRULE: `},
		{"a rule of hours", among(event("x", "DTSTART:20261120T010000Z", "DURATION:PT1H", "RRULE:FREQ=HOURLY;INTERVAL=24;BYHOUR=5")), 1, `plan:3: event "x": RRULE: FREQ=HOURLY: planned work that comes more than daily is not read; FREQ=DAILY with BYHOUR is`},
		{"a week that no month has", among(event("x", "DTSTART:20261120T010000Z", "DURATION:PT1H", "RRULE:FREQ=MONTHLY;BYDAY=-6MO")), 1, `plan:3: event "x": RRULE: BYDAY: there is no week -6`},
		{"a day that never comes", among(event("x", "DTSTART:20261120T010000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")), 1, ""},
		{"too many times a day", among(event("x", "DTSTART:20261120T010000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=1,2,3;BYSECOND=1,2,3")), 1, `plan:3: event "x": RRULE: more than 24 times a day`},
		{"a calendar that was cut off", "BEGIN:VCALENDAR\n" + strings.ReplaceAll(good, "\r", "") + "\nBEGIN:VEVENT\nUID:x\nDTSTART:20261120T010000Z\nDURATION:PT1H\n", 1, `plan:8: event "x": VEVENT has no END: the file may be cut off`},
		{"a changed recurrence that cannot be read does not take place as planned",
			among(event("x", "DTSTART:20261101T010000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2"), event("x", "RECURRENCE-ID:20261102T010000Z", "DTSTART:later")), 2, `plan:10: event "x": DTSTART: "later" is no time`},
		{"JSON: unknown field", "{\"windows\":[\n{\"id\":\"x\",\"acounts\":[\"1\"]},\n{\"id\":\"good\",\"kinds\":[\"view\"],\"start\":\"2026-11-20T01:00:00Z\",\"end\":\"2026-11-20T02:00:00Z\"}]}", 1, `plan:2: window: json: unknown field "acounts"`},
		{"JSON: no id", `[{"start":"2026-11-20T01:00:00Z","end":"2026-11-20T02:00:00Z"}]`, 0, "plan:1: a window has no id"},
		{"JSON: the same id", "[{\"id\":\"x\",\"start\":\"2026-11-20T01:00:00Z\",\"end\":\"2026-11-20T02:00:00Z\"},\n{\"id\":\"x\",\"start\":\"2026-11-20T01:00:00Z\",\"end\":\"2026-11-20T02:00:00Z\"}]", 1, "plan:2: the id x is that of line 1 too"},
		{"JSON: another field", `{"window":[],"windows":[]}`, 0, `plan:1: unknown field "window": windows is the only one`},
		{"JSON: no list", `{"windows":7}`, 0, "plan:1: windows is not a list"},
		{"JSON: cut off", "{\"windows\":[\n{\"id\":\"x\"", 0, "plan:2: the JSON ends before it is whole"},
		{"JSON: broken", "{\"windows\":[\n{\"id\":]}", 0, "plan:2: invalid character ']' looking for beginning of value"},
		{"JSON: more behind", "[] []", 0, "plan:1: something follows the JSON"},
	} {
		got, _, err := read(t, c.text)
		if len(got) != c.kept {
			t.Errorf("%s: %d windows are read, want %d: %v", c.name, len(got), c.kept, err)
		}
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)):
			t.Errorf("%s: %v\nwant %s", c.name, err, c.want)
		}
	}
}

// TestBounds holds that a small file cannot ask for endless work.
func TestBounds(t *testing.T) {
	var never, often []string
	for i := range 300 {
		never = append(never, event(fmt.Sprint("n", i), "DTSTART:20200101T010000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"))
		often = append(often, event(fmt.Sprint("o", i), "DTSTART:20200101T000000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23"))
	}
	_, _, err := read(t, ics(never...))
	if err == nil || !strings.Contains(err.Error(), "too many rules of this file never come true") {
		t.Errorf("rules that never come true: %v", err)
	}
	got, _, err := read(t, ics(often...))
	if err == nil || !strings.Contains(err.Error(), "more than 100000 windows") || len(got) != maxWindows {
		t.Errorf("%d windows, %.200v", len(got), err)
	}
	if n := strings.Count(fmt.Sprint(err), "\n"); n > maxErrors+1 {
		t.Errorf("%d errors are told", n)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "plan.txt") // its name says nothing
	if err := os.WriteFile(path, []byte("\xef\xbb\xbf"+ics(event("a", "DTSTART:20261120T010000Z", "DURATION:PT1H"))), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Reader{Now: now}.Load(path)
	if err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := (Reader{Now: now}).Load(filepath.Join(dir, "none")); !os.IsNotExist(err) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestZones(t *testing.T) {
	for windows, iana := range windowsZones {
		if byName(windows) == nil {
			t.Errorf("%s: %s is no zone", windows, iana)
		}
	}
}

// FuzzRead holds that whatever is read is good: every window by its Check, ids
// of their own, in order, no more than the bound.
func FuzzRead(f *testing.F) {
	f.Add(ics(event("a", "DTSTART;TZID=Europe/Berlin:20261024T090000", "DURATION:P1DT2H", "RRULE:FREQ=MONTHLY;BYDAY=2TU,-1FR;COUNT=5", "EXDATE:20261109T080000Z", "RDATE;VALUE=PERIOD:20261105T010000Z/PT3H")))
	f.Add(ics(ownZone, event("a", "DTSTART;TZID=Our own time:20261024T090000", "DTEND:20261024T120000Z", "RRULE:FREQ=YEARLY;BYWEEKNO=43;UNTIL=2030"), event("a", "RECURRENCE-ID:20261024T070000Z", "DTSTART;VALUE=DATE:20261101")))
	f.Add(`{"windows":[{"id":"a","start":"2026-11-20T01:00:00Z","end":"2026-11-20T02:00:00Z","accounts":["1"]}]}`)
	f.Add(ics(event("a", "DTSTART:20261024T090000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;WKST=SU;BYSETPOS=-1;BYHOUR=3,9;INTERVAL=3")))
	f.Fuzz(func(t *testing.T, text string) {
		got, _ := Reader{Now: now}.Read("plan", strings.NewReader(text))
		if len(got) > maxWindows {
			t.Fatalf("%d windows", len(got))
		}
		ids := map[string]bool{}
		for i := range got {
			if err := got[i].Check(); err != nil {
				t.Fatal(err)
			}
			if ids[got[i].ID] {
				t.Fatalf("the id %s comes twice", got[i].ID)
			}
			ids[got[i].ID] = true
			if i > 0 && got[i].Start.Before(got[i-1].Start) {
				t.Fatal("windows are not in order")
			}
		}
	})
}
