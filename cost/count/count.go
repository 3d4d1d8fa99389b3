// Package count reads how much AWS Config recorded, and how things are set up that
// advice rests on, from what the provider's own tools answer: CloudWatch's metric,
// a query of Athena over the history that Config delivers, the objects of that
// history, and descriptions of recorders, rules, trails, analyzers, detectors,
// policies and landing zones.
//
// Documents are recognised by what is in them. Where they are from, an account and
// a region, is taken from what they say, and where they do not say it from the path
// of the file: 111122223333/us-east-1/describe-trails.json.
package count

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/cost"
)

// ErrForeign is what Read says of a document that is none of those it reads.
var ErrForeign = errors.New("it is no answer about counts or settings that is known")

// Document is one file that was read.
type Document struct {
	File   cost.File    // Rows are counted or described things; Imported is not set
	Counts []cost.Count // of one file alone: see Join
	Facts  []cost.Fact

	history *history // of an object of Config's history
}

// Limits.
const (
	maxDocument = 64 << 20 // bytes of a document that is read whole
	maxHistory  = 4 << 30  // bytes of an object of the history, unpacked
	maxRefusals = 20       // that are kept of a file; all are counted
	headSize    = 64 << 10 // bytes by which a document is recognised
)

// Recognise says in which form a document is that begins with head, unpacked;
// empty: none that Read reads.
func Recognise(head []byte) string {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	if len(head) == 0 {
		return ""
	}
	if head[0] != '{' {
		line, _, _ := bytes.Cut(head, []byte("\n"))
		if _, err := columnsOf(string(line)); err == nil {
			return formAthena
		}
		return ""
	}
	keys := topKeys(head)
	switch {
	case slices.Contains(keys, "configurationItems"):
		return formHistory
	case slices.Contains(keys, "MetricDataResults"):
		return formMetricData
	case slices.Contains(keys, "Datapoints"):
		return formStatistics
	}
	if k := kindOf(keys); k != nil {
		return k.form
	}
	return ""
}

// topKeys are the keys of the outermost object as far as the text goes.
func topKeys(text []byte) (keys []string) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for d.More() {
		t, err := d.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return keys
		}
		keys = append(keys, key)
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return keys
		}
	}
	return keys
}

// Read reads a document, plain or packed with gzip; name is its path. What cannot be
// counted is refused and costs nothing else. The error is of the document as a
// whole: ErrForeign where it is none of ours.
func Read(name string, in io.Reader, at time.Time) (d Document, err error) {
	b := bufio.NewReaderSize(in, headSize)
	if magic, _ := b.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return d, err
		}
		b = bufio.NewReaderSize(z, headSize)
	}
	head, err := b.Peek(headSize)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return d, err
	}
	d.File = cost.File{Name: name, Form: Recognise(head)}
	if d.File.Form == "" {
		return d, ErrForeign
	}
	sum := sha256.New()
	limit := int64(maxDocument)
	if d.File.Form == formHistory {
		limit = maxHistory
	}
	bounded := &bound{in: io.TeeReader(b, sum), left: limit}
	from := placeOf(name)
	if err = d.read(bounded, from, at); err == nil {
		_, err = io.Copy(io.Discard, bounded) // what stands behind it is part of what the file is
	}
	if err != nil {
		return Document{File: d.File}, err
	}
	if d.File.Form != formAthena && d.File.Form != formHistory {
		// What does not say itself where it is from is another answer in another folder:
		// two accounts may well be set up alike, to the byte.
		fmt.Fprintf(sum, "\x00%s/%s/%s", from.account, from.region, from.resourceType)
	}
	d.File.Fingerprint = hex.EncodeToString(sum.Sum(nil))
	return d, nil
}

func (d *Document) read(in io.Reader, from place, at time.Time) error {
	d.File.Holds = cost.HoldsCounts
	switch d.File.Form {
	case formHistory:
		return d.readHistory(in)
	case formAthena:
		return d.readAthena(in)
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	switch d.File.Form {
	case formMetricData:
		return d.readMetricData(text, from)
	case formStatistics:
		return d.readStatistics(text, from)
	}
	d.File.Holds = cost.HoldsFacts
	return d.readFact(text, from, at)
}

// refuse says what of the document cannot be counted.
func (d *Document) refuse(row int64, column, format string, args ...any) {
	d.File.Refused++
	if len(d.File.Refusals) < maxRefusals {
		d.File.Refusals = append(d.File.Refusals, cost.Refusal{Row: row, Column: column, Reason: fmt.Sprintf(format, args...)})
	}
}

// bound is a reader that refuses to give more than so many bytes.
type bound struct {
	in   io.Reader
	left int64
}

// Read is io.Reader's.
func (b *bound) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("it is larger than any such answer: more than it may unpack to")
	}
	n, err := b.in.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
