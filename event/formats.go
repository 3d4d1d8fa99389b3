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
type Formats []FormatRun

// FormatRun is N records in a row of one format.
type FormatRun struct {
	N      int64
	Format string
}

// Add appends n records of a format.
func (fs Formats) Add(format string, n int64) Formats {
	if n <= 0 {
		return fs
	}
	if last := len(fs) - 1; last >= 0 && fs[last].Format == format {
		fs[last].N += n
		return fs
	}
	return append(fs, FormatRun{n, format})
}

// Records is how many records fs speaks of.
func (fs Formats) Records() int64 {
	var n int64
	for _, r := range fs {
		n += r.N
	}
	return n
}

// Slice is the formats of n records from the skip-th on. Records that fs does
// not speak of have none.
func (fs Formats) Slice(skip, n int64) Formats {
	var out Formats
	for _, r := range fs {
		if skip >= r.N {
			skip -= r.N
			continue
		}
		take := min(r.N-skip, n)
		out = out.Add(r.Format, take)
		n -= take
		skip = 0
		if n <= 0 {
			break
		}
	}
	return out.Add("", n)
}

// At is the format of the record with that many before it.
func (fs Formats) At(position int64) string {
	for _, r := range fs {
		if position < r.N {
			return r.Format
		}
		position -= r.N
	}
	return ""
}

// MarshalText gives the text form; nothing where no format is known.
func (fs Formats) MarshalText() ([]byte, error) {
	known := false
	for _, r := range fs {
		known = known || r.Format != ""
	}
	if !known {
		return nil, nil
	}
	var b []byte
	for i, r := range fs {
		if strings.Contains(r.Format, ",") {
			return nil, fmt.Errorf("format %q has a comma in its name", r.Format)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(strconv.AppendInt(b, r.N, 10), ' ')
		b = append(b, r.Format...)
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
