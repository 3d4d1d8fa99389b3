package api

import (
	"context"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
)

// CostPicture is a picture that somebody asks for.
type CostPicture struct {
	Of       string              // shares, changes or break-even
	Format   string              // svg or png
	Query    cost.Query          // of shares; its accounts are also those of break-even
	Account  string              // of changes
	Since    time.Time           // of changes
	Until    time.Time           // of changes
	Language say.Language        // of its words
	Dark     bool                // drawn for a dark page
	Mask     func(string) string // what stands in the place of a name; nil: the name
}

// picturesAt is where pictures are. They mask what they draw themselves.
const picturesAt = "/api/cost/pictures/"

func costPictures(a huma.API, rooms Rooms) {
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-cost-picture", Method: http.MethodGet, Path: picturesAt + "{file}", Summary: "A picture of shares, changes or break-even as a file",
		Responses: filesOf("binary", slices.Collect(maps.Values(pictureTypes))...),
	})), func(ctx context.Context, in *struct {
		File string `path:"file" enum:"shares.svg,shares.png,changes.svg,changes.png,break-even.svg,break-even.png"`
		CostAsked
		From   time.Time `query:"from" doc:"of changes; absent: the latest week of the log"`
		To     time.Time `query:"to" doc:"of changes"`
		Look   string    `query:"look" enum:"light,dark" default:"light"`
		Lang   string    `query:"lang" enum:"en,ja" doc:"absent: that of who asks"`
		Masked bool      `query:"masked" doc:"accounts, people and projects under stable aliases"`
	}) (*file[[]byte], error) {
		if rooms.Cost.Picture == nil {
			return nil, absent("pictures of cost")
		}
		q, err := in.query(ctx)
		if err != nil {
			return nil, err
		}
		ext := path.Ext(in.File)
		p := CostPicture{
			Of: strings.TrimSuffix(in.File, ext), Format: ext[1:], Query: q, Since: in.From, Until: in.To, Language: language(ctx), Dark: in.Look == "dark",
		}
		if in.Lang != "" {
			p.Language = say.Language(in.Lang)
		}
		if len(in.Account) == 1 {
			p.Account = in.Account[0]
		} else if p.Of == "changes" {
			return nil, huma.Error422UnprocessableEntity("account: a picture of changes is of one account")
		}
		name := in.File
		if in.Masked {
			if rooms.Mask == nil {
				return nil, huma.Error501NotImplemented("nothing can be masked here")
			}
			p.Mask, name = rooms.Mask.Text, "masked-"+name
		}
		drawn, err := rooms.Cost.Picture(ctx, p)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return fileOf(pictureTypes[p.Format], name, drawn), nil
	})
}

var pictureTypes = map[string]string{"svg": "image/svg+xml", "png": "image/png"}
