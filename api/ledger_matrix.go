package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/people"
)

// AccountDays is a row of the ledger's matrix.
type AccountDays struct {
	Account string        `json:"account"`
	Name    string        `json:"name" doc:"as people know it; empty: unknown"`
	Cells   []ledger.Cell `json:"cells" doc:"one a day, in the order of days"`
}

// LedgerMatrix is how whole the log of each account is, day by day.
type LedgerMatrix struct {
	Days     []string      `json:"days" doc:"UTC, ascending"`
	Accounts []AccountDays `json:"accounts"`
	Unplaced int64         `json:"unplaced" doc:"objects not read to their end and records in quarantine of which nothing says to which account and day they belong: any cell may lack them"`
}

func ledgerMatrix(a huma.API, rooms Rooms) {
	type matrix struct{ Body LedgerMatrix }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "ledger-matrix", Method: http.MethodGet, Path: "/api/ledger/matrix", Summary: "How whole the log of each account is, day by day",
	})), func(ctx context.Context, in *struct {
		Days int `query:"days" default:"90" minimum:"1" maximum:"400" doc:"so many days up to today; up to the latest with records where that is longer ago"`
	}) (*matrix, error) {
		if rooms.Console.Days == nil {
			return nil, absent("the account of days")
		}
		m, err := rooms.Console.Days(ctx, in.Days)
		if err != nil {
			return nil, rooms.failure(err)
		}
		out := LedgerMatrix{Days: list(m.Days), Accounts: []AccountDays{}, Unplaced: m.Unplaced}
		for _, row := range m.Accounts {
			if sees(ctx, row.Account) {
				out.Accounts = append(out.Accounts, AccountDays{row.Account, rooms.accountName(row.Account), list(row.Cells)})
			}
		}
		return &matrix{out}, nil
	})
}
