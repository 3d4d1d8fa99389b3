package bill

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/internal/shared"
)

// TestShared reads bills of others whole, where they lie beside the checkout.
func TestShared(t *testing.T) {
	type want struct {
		rows, refused int64
		form          string
		total         string // as Python's decimals add them up
	}
	known := map[string]want{
		"cur-aws/aws-cur.csv":           {641, 0, "aws.cur csv", "0.708988323"},
		"cur-azure/azure-ea.csv":        {13, 0, "azure.usage csv", "0.614513276"},
		"cur-oci/oci-cost.csv":          {253, 0, "oci.cost csv", "1.137943432830862218"},
		"focus-sample/focus_sample.csv": {500, 0, "focus csv", "13.58739801866"},
	}
	root := shared.Dir(t, "cost")
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".csv" {
			return err
		}
		files++
		in, err := os.Open(path)
		if err != nil {
			return err
		}
		defer in.Close()
		total, rows := decimal.Zero, int64(0)
		f, err := Read(t.Context(), in, func(_ context.Context, lines []cost.Line) error {
			for _, l := range lines {
				total, rows = total.Add(l.Amount), rows+l.Rows
			}
			return nil
		})
		name := strings.TrimPrefix(path, root+"/")
		t.Logf("%s: %s, %d rows, %d refused, %s, bills %v %v", name, f.Form, f.Rows, f.Refused, total, f.Bills, f.Refusals)
		switch w, ok := known[name]; {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case rows+f.Refused != f.Rows:
			t.Errorf("%s: %d rows summed and %d refused of %d", name, rows, f.Refused, f.Rows)
		case ok && (f.Rows != w.rows || f.Refused != w.refused || f.Form != w.form || total.String() != w.total):
			t.Errorf("%s: %d rows, %d refused as %s, in all %s; want %v", name, f.Rows, f.Refused, f.Form, total, w)
		case !ok && (!strings.HasPrefix(f.Form, "focus") || f.Refused > 0):
			t.Errorf("%s: %d rows of %d refused as %s: %v", name, f.Refused, f.Rows, f.Form, f.Refusals)
		}
		return nil
	})
	if err != nil || files < 17 {
		t.Errorf("%d files, %v", files, err)
	}
}
