package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/yagura-sec/yagura/simulate"
)

// day0 is the first hour of the logs.
var day0 = time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)

const (
	days    = 7
	needles = 20
)

// accounts are 30, as a mid-sized organisation has, or fewer where their files
// would hold a record or two.
func (b *bench) accounts() int { return min(30, b.records/2000) }

// input is a folder of generated logs.
type input struct {
	dir     string
	files   int
	records int   // in files, those delivered twice with them
	again   int   // records among them that are delivered a second time
	bytes   int64 // as stored
	needles []needle
	// repacked is what the files would take at gzip's default level, by the
	// bytes they take: the generator packs in a hurry.
	repacked float64
}

// needle is a record whose address, key, id, resource and word no other has.
type needle struct {
	at                               time.Time
	uid, address, key, secret, token string
}

// logs are the organisation's, made once.
func (b *bench) logs(ctx context.Context) (*input, error) {
	if b.in != nil {
		return b.in, nil
	}
	b.say("writing %s records", grouped(float64(b.records)))
	dir := b.path("logs")
	sum, err := simulate.Organisation{Seed: 1, Accounts: b.accounts(), Days: days, Records: b.records, Start: day0, Plain: true}.Write(ctx, dir)
	if err != nil {
		return nil, err
	}
	in := &input{dir: dir, files: sum.Files, records: sum.Records, again: sum.Again, bytes: sum.Bytes}
	if err := in.addNeedles(sum.Accounts[0]); err != nil {
		return nil, err
	}
	if in.repacked, err = repack(dir); err != nil {
		return nil, err
	}
	syscall.Sync() // what is still to be written is not to disturb the measuring
	b.in = in
	return in, nil
}

// addNeedles hides one record at a time in the days of the logs.
func (in *input) addNeedles(account string) error {
	for i := range needles {
		at := day0.Add(time.Duration(i)*days*24*time.Hour/needles + 37*time.Minute)
		n := needle{
			at: at, uid: fmt.Sprintf("5eed0000-0000-4000-8000-%012d", i), address: fmt.Sprintf("198.18.7.%d", 10+i),
			key: fmt.Sprintf("AKIABENCHNEEDLE%05d", i), secret: fmt.Sprintf("arn:aws:secretsmanager:ap-northeast-1:%s:secret:bench/needle-%02d-Qx7Zp%d", account, i, i%10),
			token: fmt.Sprintf("zqx%05dwvk", i*7919),
		}
		in.needles = append(in.needles, n)
		size, err := writeGzip(filepath.Join(in.dir, "needles", at.Format("20060102T1504Z")+".json.gz"), n.record(account))
		if err != nil {
			return err
		}
		in.files++
		in.records++
		in.bytes += size
	}
	return nil
}

// record is a user's reading of a secret.
func (n needle) record(account string) string {
	return fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDABENCHNEEDLE","arn":"arn:aws:iam::%[1]s:user/bench","accountId":"%[1]s","accessKeyId":"%[2]s","userName":"bench"},`+
		`"eventTime":"%[3]s","eventSource":"secretsmanager.amazonaws.com","eventName":"GetSecretValue","awsRegion":"ap-northeast-1","sourceIPAddress":"%[4]s","userAgent":"aws-cli/2.31.7",`+
		`"requestParameters":{"secretId":"%[5]s","clientRequestToken":"%[6]s"},"responseElements":null,"requestID":"%[7]s","eventID":"%[7]s","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"%[1]s","eventCategory":"Management"}`,
		account, n.key, n.at.Format(time.RFC3339), n.address, n.secret, n.token, n.uid)
}

// writeGzip writes records as CloudTrail delivers them and gives the size.
func writeGzip(path string, records ...string) (int64, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return 0, err
	}
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	if _, err := io.WriteString(gz, `{"Records":[`+strings.Join(records, ",")+`]}`); err != nil {
		return 0, err
	}
	if err := gz.Close(); err != nil {
		return 0, err
	}
	return int64(buf.Len()), os.WriteFile(path, buf.Bytes(), 0o644)
}

// files calls f for every file below dir, in order.
func files(dir string, f func(path string) error) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return f(path)
	})
}

func gunzip(path string) (packed int, content []byte, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return 0, nil, err
	}
	content, err = io.ReadAll(r)
	return len(text), content, err
}

// repack packs every so many files anew.
func repack(dir string) (float64, error) {
	const samples = 500
	var all []string
	if err := files(dir, func(path string) error { all = append(all, path); return nil }); err != nil {
		return 0, err
	}
	var had, has int
	for i := 0; i < len(all); i += len(all)/samples + 1 {
		packed, content, err := gunzip(all[i])
		if err != nil {
			return 0, err
		}
		var buf bytes.Buffer
		gz := gzip.NewWriter(&buf)
		if _, err := gz.Write(content); err != nil {
			return 0, err
		}
		if err := gz.Close(); err != nil {
			return 0, err
		}
		had, has = had+packed, has+buf.Len()
	}
	return float64(has) / float64(had), nil
}

// record is one record of generated logs.
type record struct {
	id, at string
	body   json.RawMessage
}

// sample reads about n records from all over a folder, each id once, in order
// of time.
func sample(dir string, n int) ([]record, error) {
	var all []string
	if err := files(dir, func(path string) error { all = append(all, path); return nil }); err != nil {
		return nil, err
	}
	var out []record
	seen := map[string]bool{}
	// A step that shares no factor with the number of files visits all of them.
	step := int(float64(len(all))*0.618) | 1
	for gcd(step, len(all)) != 1 {
		step++
	}
	for i := range all {
		_, content, err := gunzip(all[i*step%len(all)])
		if err != nil {
			return nil, err
		}
		var file struct{ Records []json.RawMessage }
		if err := json.Unmarshal(content, &file); err != nil {
			return nil, err
		}
		for _, body := range file.Records {
			var head struct{ EventID, EventTime string }
			if err := json.Unmarshal(body, &head); err != nil {
				return nil, err
			}
			if !seen[head.EventID] {
				seen[head.EventID] = true
				out = append(out, record{head.EventID, head.EventTime, bytes.Clone(body)})
			}
		}
		if len(out) >= n {
			break
		}
	}
	slices.SortFunc(out, func(a, b record) int { return cmp.Compare(a.at, b.at) })
	return out[:min(n, len(out))], nil
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// measureBaseline decodes records with the standard library: what a CPU second
// of this machine is worth, so that other figures can be read as ratios.
func (b *bench) measureBaseline(ctx context.Context) error {
	in, err := b.logs(ctx)
	if err != nil {
		return err
	}
	b.say("decoding with encoding/json")
	records, err := sample(in.dir, min(50_000, max(20_000, b.records/4)))
	if err != nil {
		return err
	}
	var rates []float64
	for range 5 {
		began := family() // garbage collection with it
		for _, r := range records {
			var m map[string]any
			if err := json.Unmarshal(r.body, &m); err != nil {
				return err
			}
		}
		rates = append(rates, float64(len(records))/(family()-began))
	}
	slices.Sort(rates)
	b.baseline = rates[len(rates)/2]
	b.table.title("baseline")
	b.table.plain("encoding/json into map[string]any", "%s a CPU second", grouped(b.baseline))
	return nil
}

// toBaseline tells a rate a CPU second as a share of the baseline.
func (b *bench) toBaseline(what string, rate float64) {
	if b.baseline > 0 && !math.IsInf(rate, 0) {
		b.table.plain(what, "%.2f", rate/b.baseline)
	}
}
