package streams_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/yagura-sec/yagura/simulate"
)

// TestSamePlace holds that people are at one place: CloudTrail and sign-ins have
// them at the same addresses on the same days.
func TestSamePlace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "world")
	c := simulate.Config{Seed: 11, Days: 5, Accounts: 3, Secrets: 20, Calm: true}
	if _, err := c.Write(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	w, err := simulate.Build(c)
	if err != nil {
		t.Fatal(err)
	}
	type day struct{ person, date string }
	zones := map[string]*time.Location{}
	for _, p := range w.People {
		if zones[p.Email], err = time.LoadLocation(p.Zone); err != nil {
			t.Fatal(err)
		}
	}
	signed := map[day]string{}
	each(t, filepath.Join(dir, "streams", "idp"), func(text []byte) {
		for line := range bytes.Lines(text) {
			var r struct {
				Time       time.Time
				IP         string `json:"callerIpAddress"`
				Type       string `json:"resultType"`
				Properties struct{ UserPrincipalName string }
			}
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatal(err)
			}
			if who := r.Properties.UserPrincipalName; r.Type == "0" {
				signed[day{who, r.Time.In(zones[who]).Format(time.DateOnly)}] = r.IP
			}
		}
	})
	same, other := 0, 0
	each(t, filepath.Join(dir, "logs"), func(text []byte) {
		var file struct {
			Records []struct {
				EventTime       time.Time
				SourceIPAddress string
				UserIdentity    struct{ Type, ARN, InvokedBy string }
			}
		}
		if json.Unmarshal(text, &file) != nil {
			return // a digest, or the damaged file
		}
		for _, r := range file.Records {
			who := r.UserIdentity.ARN[strings.LastIndex(r.UserIdentity.ARN, "/")+1:]
			in := zones[who]
			if in == nil || r.UserIdentity.InvokedBy != "" || !strings.Contains(r.UserIdentity.ARN, "AWSReservedSSO") {
				continue
			}
			ip, worked := signed[day{who, r.EventTime.In(in).Format(time.DateOnly)}]
			switch {
			case !worked: // called at night, or before the logs begin
			case ip == r.SourceIPAddress:
				same++
			default:
				other++
			}
		}
	})
	if same < 100 || other*50 > same {
		t.Errorf("%d calls come from where the person signed in that day, %d from elsewhere", same, other)
	}
}

// each calls do with the content of each packed file below dir.
func each(t *testing.T, dir string, do func([]byte)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".gz") {
			return err
		}
		packed, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return err
		}
		var text bytes.Buffer
		text.ReadFrom(z) // as far as it can be read
		do(text.Bytes())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
