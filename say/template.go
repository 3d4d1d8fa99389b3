package say

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// texts are sentences by id.
type texts map[string]sentence

// sentence is one in each language.
type sentence struct{ en, ja string }

// parsed is a sentence whose templates were read.
type parsed struct {
	sentence
	pieces map[Language]template
}

// template is a sentence in pieces.
type template []piece

// piece is words, or a value in a form, or a choice by a value.
type piece struct {
	words  string
	name   string // of the value; empty: words
	format string
	choice []string // two words
}

// catalogue has every sentence.
var catalogue = gather(anomaly, caller, denials, refused, who, failures, frequency, group, region, timing, view, rule, external, steps, audits, helds, explain, found, similar, cause, proposal, tuning, window, gaps, unseen, registers, draft, trail, decisions, dossier, pictures, change, advice, bill, trend)

func gather(all ...texts) map[string]parsed {
	out := map[string]parsed{}
	for _, some := range all {
		for id, s := range some {
			if _, twice := out[id]; twice {
				panic("say: two sentences are called " + id)
			}
			out[id] = parsed{s, map[Language]template{English: parse(s.en), Japanese: parse(s.ja)}}
		}
	}
	return out
}

// parse reads a template. Braces always belong to values.
func parse(text string) (out template) {
	for text != "" {
		words, rest, found := strings.Cut(text, "{")
		if words != "" {
			out = append(out, piece{words: words})
		}
		if !found {
			break
		}
		inner, after, _ := strings.Cut(rest, "}")
		text = after
		if parts := strings.Split(inner, "|"); len(parts) > 1 {
			out = append(out, piece{name: parts[0], choice: parts[1:]})
			continue
		}
		name, format, _ := strings.Cut(inner, ":")
		out = append(out, piece{name: name, format: format})
	}
	return out
}

func (t template) render(l Language, known RuleWords, values Values) string {
	var b strings.Builder
	for i := range t {
		p := &t[i]
		switch {
		case p.name == "":
			b.WriteString(following(l, b.String(), p.words))
		case p.choice != nil:
			if n, ok := values[p.name].(float64); ok && n == 1 {
				b.WriteString(p.choice[0])
			} else {
				b.WriteString(p.choice[1])
			}
		default:
			b.WriteString(show(l, known, values[p.name], p.format))
		}
	}
	return b.String()
}

// following are words as they stand behind what was said: Japanese has a space
// between its own letters and others, and none between its own, with which a value
// may end.
func following(l Language, said, words string) string {
	last, _ := utf8.DecodeLastRuneInString(said)
	if rest, spaced := strings.CutPrefix(words, " "); spaced && l == Japanese && japanese(last) {
		if first, _ := utf8.DecodeRuneInString(rest); japanese(first) {
			return rest
		}
	}
	return words
}

// japanese tells letters of Japanese, and its brackets.
func japanese(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || r == '「' || r == '」'
}

// canonical makes a value one of those that are kept: text, number, time, list,
// Text.
func canonical(v any) any {
	switch v := v.(type) {
	case string, float64, time.Time, Text:
		return v
	case int:
		return float64(v)
	case int32:
		return float64(v)
	case int64:
		return float64(v)
	case uint16:
		return float64(v)
	case float32:
		return float64(v)
	case bool:
		if v {
			return 1.0
		}
		return 0.0
	case []string:
		return List(v, len(v))
	case []any:
		return v
	}
	return fmt.Sprint(v)
}

// show gives a value in a form. A value that the form is not for is shown as it is.
func show(l Language, known RuleWords, v any, format string) string {
	if format == "hidden" { // of a name in another language
		return ""
	}
	switch v := v.(type) {
	case string:
		if f, ok := clocks[format]; ok {
			if t, err := time.Parse(time.RFC3339, v); err == nil {
				return f(l, t)
			}
		}
		return v
	case time.Time:
		if f, ok := clocks[format]; ok {
			return f(l, v)
		}
		return v.Format(time.RFC3339)
	case float64:
		if format == "length" {
			return length(l, v)
		}
		return shownNumber(v, format)
	case Text:
		s := known.in(l, v)
		if format == "Upper" && v.of != "" {
			r, n := utf8.DecodeRuneInString(s)
			return string(unicode.ToUpper(r)) + s[n:]
		}
		return s
	case []any:
		return shownList(l, known, v, format)
	}
	return ""
}

// shownNumber: "0" and "1" are so many decimals, "percent" is of a share, "sure" of
// a probability, which is never all and never nothing, "grouped" parts thousands.
func shownNumber(v float64, format string) string {
	switch format {
	case "0", "1":
		return strconv.FormatFloat(v, 'f', int(format[0]-'0'), 64)
	case "02":
		return fmt.Sprintf("%02.0f", v)
	case "percent":
		return strconv.FormatFloat(100*v, 'f', 0, 64) + " %"
	case "sure":
		switch {
		case v > 0.99:
			return "> 99 %"
		case v < 0.01:
			return "< 1 %"
		}
		return shownNumber(v, "percent")
	case "percent1":
		return strconv.FormatFloat(100*v, 'f', 1, 64) + " %"
	case "grouped":
		return Grouped(strconv.FormatFloat(math.Round(v), 'f', 0, 64))
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// length is so many seconds as people write them: 1h, 4m, 3m52s, 2d.
func length(l Language, seconds float64) string {
	d := time.Duration(seconds) * time.Second
	units := map[Language][4]string{English: {"d", "h", "m", "s"}, Japanese: {"日", "時間", "分", "秒"}}[l]
	const day = 24 * time.Hour
	if d >= 2*day && d%day == 0 {
		return fmt.Sprint(int(d/day), units[0])
	}
	hours, minutes, rest := int(d/time.Hour), int(d%time.Hour/time.Minute), int(d%time.Minute/time.Second)
	var b strings.Builder
	if hours > 0 {
		fmt.Fprint(&b, hours, units[1])
	}
	// What Go's own durations leave out is left out: zeros at the end.
	if minutes > 0 || hours > 0 && rest > 0 {
		fmt.Fprint(&b, minutes, units[2])
	}
	if rest > 0 || d == 0 {
		fmt.Fprint(&b, rest, units[3])
	}
	return b.String()
}

// joins are what stands between the things of a list, and before how many more
// there are, by form.
var joins = map[string]map[Language]struct{ between, more, after string }{
	"":       {English: {", ", " and ", " more"}, Japanese: {"、", " 他 ", " 件"}},
	"commas": {English: {", ", ", ", " more"}, Japanese: {"、", "、他 ", " 件"}},
	"and":    {English: {" and ", " and ", " more"}, Japanese: {"、", " 他 ", " 件"}},
	"or":     {English: {" or ", " or ", " more"}, Japanese: {" または ", " 他 ", " 件"}},
	"then":   {English: {", then ", ", then ", " more"}, Japanese: {" → ", " → 他 ", " 件"}},
	"lines":  {English: {"\n", "\n", " more"}, Japanese: {"\n", "\n他 ", " 件"}},
	"parts":  {English: {"; ", "; ", " more"}, Japanese: {"; ", "; 他 ", " 件"}},
	"clause": {English: {"; ", "; ", " more"}, Japanese: {"。", "。他 ", " 件"}},
	"words":  {English: {" ", " ", " more"}, Japanese: {" ", " 他 ", " 件"}},
	// Whole sentences, each with its own end.
	"sentences": {English: {" ", " ", " more"}, Japanese: {"", " 他 ", " 件"}},
}

func shownList(l Language, known RuleWords, all []any, format string) string {
	upper := format == "Clause"
	if upper {
		format = "clause"
	}
	j := joins[format][l]
	var b strings.Builder
	for i, v := range all {
		n, more := v.(float64)
		switch {
		case more && i == len(all)-1 && i > 0:
			b.WriteString(j.more + shownNumber(n, "") + j.after)
			continue
		case i > 0:
			b.WriteString(j.between)
		}
		form := ""
		if upper && i == 0 {
			form = "Upper"
		}
		b.WriteString(show(l, known, v, form))
	}
	return b.String()
}

// layout gives times in UTC by Go's layouts; Japanese has none of months and days
// of the week by name.
func layout(en, ja string) func(Language, time.Time) string {
	return func(l Language, t time.Time) string {
		if l != Japanese {
			return t.Format(en)
		}
		return strings.ReplaceAll(t.Format(ja), "＿", weekdays[t.Weekday()])
	}
}

var weekdays = [7]string{"日", "月", "火", "水", "木", "金", "土"}

// clocks are the forms of times, in the zone that the time has.
var clocks = map[string]func(Language, time.Time) string{
	"clock":    layout("15:04", "15:04"),
	"day":      layout("2 January", "1月2日"),
	"date":     layout("2 January 2006", "2006年1月2日"),
	"weekday":  layout("Mon 2 January", "1月2日(＿)"),
	"dayname":  layout("Monday", "＿曜日"),
	"daytime":  layout("Mon 15:04", "(＿) 15:04"),
	"moment":   layout("2 January 15:04", "1月2日 15:04"),
	"iso":      layout(time.DateOnly, time.DateOnly),
	"stamp":    layout("2006-01-02 15:04", "2006-01-02 15:04"),
	"seconds":  layout("15:04:05", "15:04:05"),
	"stampsec": layout(time.DateTime, time.DateTime),
	"rfc":      layout(time.RFC3339, "2006-01-02 15:04:05 MST"),
}
