package event

import (
	"fmt"
	"strconv"
	"strings"
)

// Formats says for a run of records, in order of position, as which format each
// was read; empty where none was recognised. It is run-length encoded, as
// Verdicts are: a file nearly always holds one format. Its text form is
// "4000 gcp.audit,3 ,1 okta.system".
type Formats []Run[string]

// Add appends n records of a format.
func (fs Formats) Add(format string, n int64) Formats { return longer(fs, format, n) }

// Records is how many records fs speaks of.
func (fs Formats) Records() int64 { return length(fs) }

// Slice is the formats of n records from the skip-th on. Records that fs does
// not speak of have none.
func (fs Formats) Slice(skip, n int64) Formats {
	out := cut(fs, skip, n)
	return longer(out, "", n-length(out))
}

// At is the format of the record with that many before it.
func (fs Formats) At(position int64) string {
	for _, r := range fs {
		if position < r.N {
			return r.Of
		}
		position -= r.N
	}
	return ""
}

// MarshalText gives the text form; nothing where no format is known.
func (fs Formats) MarshalText() ([]byte, error) {
	known := false
	for _, r := range fs {
		known = known || r.Of != ""
	}
	if !known {
		return nil, nil
	}
	var b []byte
	for i, r := range fs {
		if strings.Contains(r.Of, ",") {
			return nil, fmt.Errorf("format %q has a comma in its name", r.Of)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(strconv.AppendInt(b, r.N, 10), ' ')
		b = append(b, r.Of...)
	}
	return b, nil
}

// UnmarshalText reads the text form.
func (fs *Formats) UnmarshalText(b []byte) error {
	*fs = nil
	if len(b) == 0 {
		return nil
	}
	var out Formats
	for run := range strings.SplitSeq(string(b), ",") {
		count, format, _ := strings.Cut(run, " ")
		n, err := strconv.ParseInt(count, 10, 64)
		if err != nil || n < 1 {
			return fmt.Errorf("formats %q: %q is no count", b, count)
		}
		out = out.Add(format, n)
	}
	*fs = out
	return nil
}
