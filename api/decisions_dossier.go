package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/decision/dossier"
	"github.com/yagura-sec/yagura/mask"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
)

// isDossier tells whether a path is that of a dossier. It masks by itself: it is no
// JSON.
func isDossier(path string) bool {
	return strings.HasPrefix(path, "/api/decisions/") && strings.HasSuffix(path, "/dossier")
}

// LearnDecision tells the mask of the people and projects that a decision names.
func LearnDecision(m *mask.Masker, d *decision.Decision, changes []decision.Change) {
	names := d.People()
	for _, c := range changes {
		names = append(names, c.By)
	}
	for _, name := range names {
		_ = m.Learn(mask.Person, name) // what is too short or too common is masked nowhere in texts
	}
	places, _ := d.Places()
	for _, account := range places {
		if strings.Trim(account, "0123456789") != "" {
			_ = m.Learn(mask.Project, account) // as above
		}
	}
}

func dossiers(a huma.API, rooms Rooms) {
	type file struct {
		ContentType string `header:"Content-Type"`
		Disposition string `header:"Content-Disposition"`
		Body        []byte
	}
	content := map[string]*huma.MediaType{}
	for _, t := range dossierTypes {
		content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-decision-dossier", Method: http.MethodGet, Path: "/api/decisions/{id}/dossier", Summary: "A decision written down for a vendor, or for whoever decides again",
		Description: "Question, evidence, counts, graphs, what was asked when and answered what.",
		Responses:   map[string]*huma.Response{"200": {Description: "OK", Content: content}},
	})), func(ctx context.Context, in *struct {
		ID     string `path:"id"`
		Lang   string `query:"lang" enum:"en,ja" doc:"absent: that of who asks"`
		Format string `query:"format" enum:"md,html" default:"html"`
		Masked bool   `query:"masked" doc:"accounts, people and projects under stable aliases"`
	}) (*file, error) {
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
		name := "dossier-" + x.ID + "-" + string(d.Language) + "." + in.Format
		if in.Masked {
			if rooms.Mask == nil {
				return nil, huma.Error501NotImplemented("nothing can be masked here")
			}
			LearnDecision(rooms.Mask, &x, d.Changes)
			d.Mask, name = rooms.Mask.Text, "masked-"+name
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
		return &file{dossierTypes[in.Format], fmt.Sprintf("attachment; filename=%q", name), body}, nil
	})
}

var dossierTypes = map[string]string{"md": "text/markdown; charset=utf-8", "html": "text/html; charset=utf-8"}
