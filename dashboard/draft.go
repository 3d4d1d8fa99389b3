package dashboard

import (
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/query"
)

// Draft writes a filter over events as the file of a saved query, for who goes on
// from there: its title and the name of its log are the filter's words. Times relative
// to now are refused: what is saved is asked again later, about the time asked for then.
func Draft(filter string, now time.Time) ([]byte, error) {
	e, err := query.ParseAt(filter, now)
	if err != nil {
		return nil, err
	}
	var timed error
	query.Terms(e, func(term query.Expr) {
		if query.FieldOf(term) == "time" {
			timed = fmt.Errorf("a saved query is asked about a time: leave time: out of the filter")
		}
	})
	if timed != nil {
		return nil, timed
	}
	log := ""
	for _, x := range query.Conjuncts(e) {
		if eq, ok := x.(query.Eq); ok && eq.Field == "format" && log == "" {
			log = query.String(eq)
		}
	}
	if log == "" {
		log = "format:*"
	}
	words := strings.Join(strings.Fields(query.String(e)), " ")
	name := Text{En: words, Ja: words}
	return yaml.Marshal(struct {
		ID      string   `yaml:"id"`
		Version int      `yaml:"version"`
		Title   Text     `yaml:"title"`
		Log     Log      `yaml:"log"`
		From    string   `yaml:"from"`
		Filter  string   `yaml:"filter"`
		By      []string `yaml:"by,flow"`
	}{"my-query", 1, name, Log{Text{log, log}, log}, "events", query.String(e), []string{"api_operation", "account_uid"}})
}
