package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/decision/dossier"
	"github.com/yagura-sec/yagura/export"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/mask"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

// isDossier tells whether a path is that of a dossier. It masks by itself: it is no
// JSON.
func isDossier(path string) bool {
	return strings.HasPrefix(path, "/api/decisions/") && strings.HasSuffix(path, "/dossier")
}

// MaskDecision gives what puts aliases in the place of whoever and whatever a
// decision, its history and the findings that it is about name: every name, for here
// it is known that they are names.
func MaskDecision(ctx context.Context, m *mask.Masker, findings triage.Reader, d *decision.Decision, changes []decision.Change) (func(string) string, error) {
	var about query.Or
	for _, s := range d.About {
		switch s.Kind {
		case decision.Finding:
			about.X = append(about.X, query.Eq{Field: "key", Value: s.ID})
		case decision.Case:
			about.X = append(about.X, query.Eq{Field: "case", Value: s.ID})
		}
	}
	if len(about.X) > 0 {
		all := triage.Filter{Folded: true, Demoted: true, Staged: true, Scope: finding.ScopeOf(about)}
		if err := export.Learn(PagesOf(ctx, findings, all), m); err != nil {
			return nil, err
		}
	}
	names := d.People()
	places, _ := d.Places()
	for _, c := range changes {
		accounts, _ := c.After.Places()
		names, places = append(append(names, c.By), c.After.People()...), append(places, accounts...)
	}
	places = slices.DeleteFunc(places, func(account string) bool { return strings.Trim(account, "0123456789") == "" }) // known on sight
	return m.Document(names, places).Text, nil
}

func dossiers(a huma.API, rooms Rooms) {
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-decision-dossier", Method: http.MethodGet, Path: "/api/decisions/{id}/dossier", Summary: "A decision written down for a vendor, or for whoever decides again",
		Description: "Question, evidence, counts, graphs, what was asked when and answered what.",
		Responses:   filesOf("", slices.Collect(maps.Values(dossierTypes))...),
	})), func(ctx context.Context, in *struct {
		ID     string `path:"id"`
		Lang   string `query:"lang" enum:"en,ja" doc:"absent: that of who asks"`
		Format string `query:"format" enum:"md,html" default:"html"`
		Masked bool   `query:"masked" doc:"accounts, people and projects under stable aliases"`
	}) (*file[[]byte], error) {
		x, err := rooms.standingDecision(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		d := dossier.Dossier{Decision: x, State: x.Due(rooms.Now(), rooms.readings(ctx)), Language: language(ctx), At: rooms.Now()}
		if in.Lang != "" {
			d.Language = say.Language(in.Lang)
		}
		if d.Changes, err = rooms.Triage.Store.DecisionHistory(ctx, in.ID); err != nil {
			return nil, rooms.failure(err)
		}
		name := "dossier-" + x.ID
		if in.Masked {
			if rooms.Mask == nil {
				return nil, huma.Error501NotImplemented("nothing can be masked here")
			}
			if d.Mask, err = MaskDecision(ctx, rooms.Mask, rooms.Findings, &x, d.Changes); err != nil {
				return nil, rooms.failure(err)
			}
			name = "masked-dossier-" + d.Mask(x.ID)
		}
		if rooms.Decisions.Pictures != nil {
			if d.Pictures, err = rooms.Decisions.Pictures(ctx, x, d.Language, d.Mask); err != nil {
				return nil, rooms.failure(err)
			}
		}
		body := d.Markdown(dossier.Inline)
		if in.Format == "html" {
			if body, err = d.HTML(); err != nil {
				return nil, rooms.failure(err)
			}
		}
		return fileOf(dossierTypes[in.Format], name+"-"+string(d.Language)+"."+in.Format, body), nil
	})
}

var dossierTypes = map[string]string{"md": "text/markdown; charset=utf-8", "html": "text/html; charset=utf-8"}
