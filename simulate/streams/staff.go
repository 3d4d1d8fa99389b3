package streams

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// writeStaff writes who works here at the end of the logs, and who came, moved
// and went while they lasted.
func writeStaff(_ context.Context, dir string, s *scene) error {
	people := [][]string{{"employee_id", "name", "email", "team", "country", "time_zone", "manager", "device", "start_date", "end_date", "status"}}
	var changes [][]string
	for i, p := range s.w.People {
		rng := s.chance("hr", p.Email)
		id := fmt.Sprintf("E%05d", 10001+i)
		start := s.w.Start.AddDate(0, 0, -60-rng.IntN(4000)).Format(time.DateOnly)
		end, status := "", "active"
		if !p.Joined.IsZero() {
			start = p.Joined.Format(time.DateOnly)
			changes = append(changes, []string{start, "join", id, p.Email, "", p.Team.Name})
		}
		if !p.Left.IsZero() {
			end, status = p.Left.Format(time.DateOnly), "left"
			changes = append(changes, []string{end, "leave", id, p.Email, p.Team.Name, ""})
		}
		team := p.Team.Name
		for _, m := range s.moves(p) {
			team = m.to
			changes = append(changes, []string{m.at.Format(time.DateOnly), "move", id, p.Email, m.from, m.to})
		}
		manager := ""
		if boss := p.Team.People[0]; boss != p {
			manager = boss.Email
		}
		people = append(people, []string{id, p.Name, p.Email, team, p.Team.Country, p.Zone, manager, p.Device, start, end, status})
	}
	slices.SortStableFunc(changes, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	changes = append([][]string{{"date", "change", "employee_id", "email", "from_team", "to_team"}}, changes...)
	if err := writeCSV(filepath.Join(dir, "people.csv"), people); err != nil {
		return err
	}
	return writeCSV(filepath.Join(dir, "changes.csv"), changes)
}

type move struct {
	at       time.Time
	from, to string
}

// moves are the changes of team that the plan tells of: whose secrets the person
// begins to read, tells which team it is.
func (s *scene) moves(p *estate.Person) []move {
	var out []move
	for _, l := range s.labels {
		if l.Sort != "change of team" || l.Person != p.Email || len(l.Secrets) == 0 {
			continue
		}
		if to := s.teamOf[l.Secrets[0]]; to != nil && to != p.Team {
			out = append(out, move{l.Start, p.Team.Name, to.Name})
		}
	}
	return out
}

func writeCSV(path string, rows [][]string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(csv.NewWriter(f).WriteAll(rows), f.Close())
}
