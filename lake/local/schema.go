package local

import (
	"bytes"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/usage"
)

// layoutVersion is the version of everything under a data directory's lake:
// folders, Parquet columns and lake.db. DIR/format holds it.
const layoutVersion = 1

// rowGroupRows is DuckDB's own row group: one of its threads scans one. Every
// row group of a segment but the last has exactly so many rows.
const rowGroupRows = 122_880

// maxRawRows bounds the rows of a page of raw: the block of the token filters to
// come, which choose pages of raw to read.
const maxRawRows = 8_192

// paging is how large pages are. A merge holds a page of every column of every
// input, so fresh segments, of which it reads many, have small ones; at rest
// larger pages compress better. Not so raw, where reading a found event's page
// is most of what a search costs: 512 KiB take 1.1 % more bytes than 8 MiB
// (237.0 and 234.4 an event) and a sixteenth of the time.
type paging struct {
	rawBytes int // of a page of raw, about
	rows     int // of a page of any other column
}

var (
	freshPages = paging{512 << 10, 4_096}
	restPages  = paging{512 << 10, 20_480}
)

// eventRow is the layout of an events segment, which is public: any Parquet
// engine may read it. The type is only ever reflected on, as columns are written
// and read one at a time.
//
//   - An absent string is "", never NULL, with one exception: event_uid is NULL
//     where it equals the text of uid, which is so for nearly every CloudTrail
//     record; the 36 random characters would be a tenth of the segment.
//     Read it as coalesce(event_uid, uid::VARCHAR).
//   - Times are microseconds UTC without the UTC flag: with the flag DuckDB
//     reads TIMESTAMP WITH TIME ZONE, and casting it ends pruning.
//   - Columns starting with an underscore are Yagura's own and may change.
type eventRow struct {
	Time               int64    `parquet:"time,timestamp(microsecond:local),delta"`
	IngestTime         int64    `parquet:"ingest_time,timestamp(microsecond:local),delta"`
	UID                [16]byte `parquet:"uid,uuid,uncompressed"`
	EventUID           *string  `parquet:"event_uid,optional"`
	SharedUID          string   `parquet:"shared_uid,dict"`
	ClassUID           int32    `parquet:"class_uid,dict"`
	ActivityID         int32    `parquet:"activity_id,dict"`
	SeverityID         int32    `parquet:"severity_id,dict"`
	StatusID           int32    `parquet:"status_id,dict"`
	StatusCode         string   `parquet:"status_code,dict"`
	StatusDetail       string   `parquet:"status_detail,dict"`
	Outcome            string   `parquet:"outcome,dict"`
	Format             string   `parquet:"format,dict"`
	CloudProvider      string   `parquet:"cloud_provider,dict"`
	AccountUID         string   `parquet:"account_uid,dict"`
	Region             string   `parquet:"region,dict"`
	APIService         string   `parquet:"api_service,dict"`
	APIOperation       string   `parquet:"api_operation,dict"`
	APIRequestUID      string   `parquet:"api_request_uid"`
	ReadOnly           bool     `parquet:"read_only"`
	Category           string   `parquet:"category,dict"`
	ActorType          string   `parquet:"actor_type,dict"`
	ActorUID           string   `parquet:"actor_uid,dict"`
	ActorName          string   `parquet:"actor_name,dict"`
	ActorAccountUID    string   `parquet:"actor_account_uid,dict"`
	ActorSession       string   `parquet:"actor_session,dict"`
	ActorCredentialUID string   `parquet:"actor_credential_uid,dict"`
	ActorInvokedBy     string   `parquet:"actor_invoked_by,dict"`
	ActorMFA           bool     `parquet:"actor_mfa"`
	Caller             string   `parquet:"caller,dict"`
	CallerConfidence   float32  `parquet:"caller_confidence,dict"`
	CallerEvidence     string   `parquet:"caller_evidence,dict"`
	SrcIP              string   `parquet:"src_ip,dict"`
	SrcHost            string   `parquet:"src_host,dict"`
	SrcVPCE            string   `parquet:"src_vpce,dict"`
	UserAgent          string   `parquet:"user_agent,dict"`
	ResourceUID        string   `parquet:"resource_uid,dict"`
	ResourceType       string   `parquet:"resource_type,dict"`
	ResourceAccountUID string   `parquet:"resource_account_uid,dict"`
	ResourceUIDs       []string `parquet:"resource_uids,list" parquet-element:",dict"`
	Twin               bool     `parquet:"twin"`
	DeviceUID          string   `parquet:"device_uid,dict"`
	DeviceName         string   `parquet:"device_name,dict"`
	Process            string   `parquet:"process,dict"`
	URL                string   `parquet:"url,dict"`
	Message            string   `parquet:"message"`
	Raw                string   `parquet:"raw"`
	Object             string   `parquet:"object,dict"`
	Position           int64    `parquet:"position,delta"`
	Batch              [16]byte `parquet:"batch,uuid,dict"`

	// BodyHash is the low half of xxhash64 over the bytes of raw: equal bodies
	// of one uid are told to be duplicates without reading raw.
	BodyHash uint32 `parquet:"_body_hash,uncompressed"`
	// ObjectVersion is the version of object that the record was read from: a
	// record read again from the same version keeps its first verdict.
	ObjectVersion string `parquet:"_object_version,dict"`
}

// usageRow is the layout of a usage segment; it, too, is only reflected on.
type usageRow struct {
	Hour          int64  `parquet:"hour,timestamp(microsecond:local),delta"`
	CloudProvider string `parquet:"cloud_provider,dict"`
	AccountUID    string `parquet:"account_uid,dict"`
	ActorUID      string `parquet:"actor_uid,dict"`
	ActorType     string `parquet:"actor_type,dict"`
	Caller        string `parquet:"caller,dict"`
	APIService    string `parquet:"api_service,dict"`
	APIOperation  string `parquet:"api_operation,dict"`
	ResourceUID   string `parquet:"resource_uid,dict"`
	Region        string `parquet:"region,dict"`
	Outcome       string `parquet:"outcome,dict"`
	Count         int64  `parquet:"count,delta"`
	First         int64  `parquet:"first,timestamp(microsecond:local),delta"`
	Last          int64  `parquet:"last,timestamp(microsecond:local),delta"`
}

// record is an event with the private columns.
type record struct {
	*event.Event
	hash    uint32
	version string
}

// column moves one column between records and Parquet values. Its place in
// eventColumns is its index in the file.
type column struct {
	name string
	put  func(dst []parquet.Value, r *record) []parquet.Value
	get  func(r *record, v []parquet.Value) // v: all values of one row
}

var (
	eventSchema = parquet.SchemaOf(eventRow{})
	usageSchema = parquet.SchemaOf(usageRow{})
)

// bloomBits per distinct value: about 1 % of absent values pass.
const bloomBits = 10

// eventBlooms are the columns in which people look for a single value. DuckDB
// uses the text ones by itself; uid and resource_uids are asked from Go.
var eventBlooms = []parquet.BloomFilterColumn{
	parquet.SplitBlockFilter(bloomBits, "uid"),
	parquet.SplitBlockFilter(bloomBits, "shared_uid"),
	parquet.SplitBlockFilter(bloomBits, "api_request_uid"),
	parquet.SplitBlockFilter(bloomBits, "actor_uid"),
	parquet.SplitBlockFilter(bloomBits, "actor_name"),
	parquet.SplitBlockFilter(bloomBits, "actor_session"),
	parquet.SplitBlockFilter(bloomBits, "actor_credential_uid"),
	parquet.SplitBlockFilter(bloomBits, "src_ip"),
	parquet.SplitBlockFilter(bloomBits, "src_vpce"),
	parquet.SplitBlockFilter(bloomBits, "resource_uid"),
	parquet.SplitBlockFilter(bloomBits, "resource_uids", "list", "element"),
}

// Indices of the columns that code asks for by name.
var (
	colTime      = columnIndex("time")
	colUID       = columnIndex("uid")
	colAccount   = columnIndex("account_uid")
	colOperation = columnIndex("api_operation")
	colRaw       = columnIndex("raw")
	colObject    = columnIndex("object")
	colPosition  = columnIndex("position")
	colHash      = columnIndex("_body_hash")
	colVersion   = columnIndex("_object_version")
	colResources = columnIndex("resource_uids")
)

func columnIndex(name string) int {
	for i, c := range eventColumns {
		if c.name == name {
			return i
		}
	}
	panic("no column " + name)
}

// eventColumns is every column of an events segment in its order there.
var eventColumns = []column{
	micros("time", func(r *record) *time.Time { return &r.Time }),
	micros("ingest_time", func(r *record) *time.Time { return &r.IngestTime }),
	uuid("uid", func(r *record) *[16]byte { return (*[16]byte)(&r.UID) }),
	{name: "event_uid", put: putEventUID, get: getEventUID},
	text("shared_uid", func(r *record) *string { return &r.SharedUID }),
	number("class_uid", func(r *record) *int32 { return &r.ClassUID }),
	number("activity_id", func(r *record) *int32 { return &r.ActivityID }),
	number("severity_id", func(r *record) *int32 { return &r.SeverityID }),
	number("status_id", func(r *record) *int32 { return &r.StatusID }),
	text("status_code", func(r *record) *string { return &r.StatusCode }),
	text("status_detail", func(r *record) *string { return &r.StatusDetail }),
	text("outcome", func(r *record) *event.Outcome { return &r.Outcome }),
	text("format", func(r *record) *string { return &r.Format }),
	text("cloud_provider", func(r *record) *string { return &r.CloudProvider }),
	text("account_uid", func(r *record) *string { return &r.AccountUID }),
	text("region", func(r *record) *string { return &r.Region }),
	text("api_service", func(r *record) *string { return &r.APIService }),
	text("api_operation", func(r *record) *string { return &r.APIOperation }),
	text("api_request_uid", func(r *record) *string { return &r.APIRequestUID }),
	truth("read_only", func(r *record) *bool { return &r.ReadOnly }),
	text("category", func(r *record) *event.Category { return &r.Category }),
	text("actor_type", func(r *record) *event.ActorType { return &r.ActorType }),
	text("actor_uid", func(r *record) *string { return &r.ActorUID }),
	text("actor_name", func(r *record) *string { return &r.ActorName }),
	text("actor_account_uid", func(r *record) *string { return &r.ActorAccountUID }),
	text("actor_session", func(r *record) *string { return &r.ActorSession }),
	text("actor_credential_uid", func(r *record) *string { return &r.ActorCredentialUID }),
	text("actor_invoked_by", func(r *record) *string { return &r.ActorInvokedBy }),
	truth("actor_mfa", func(r *record) *bool { return &r.ActorMFA }),
	text("caller", func(r *record) *event.Caller { return &r.Caller }),
	{
		name: "caller_confidence",
		put: func(dst []parquet.Value, r *record) []parquet.Value {
			return append(dst, parquet.FloatValue(r.CallerConfidence))
		},
		get: func(r *record, v []parquet.Value) { r.CallerConfidence = v[0].Float() },
	},
	text("caller_evidence", func(r *record) *string { return &r.CallerEvidence }),
	text("src_ip", func(r *record) *string { return &r.SrcIP }),
	text("src_host", func(r *record) *string { return &r.SrcHost }),
	text("src_vpce", func(r *record) *string { return &r.SrcVPCE }),
	text("user_agent", func(r *record) *string { return &r.UserAgent }),
	text("resource_uid", func(r *record) *string { return &r.ResourceUID }),
	text("resource_type", func(r *record) *string { return &r.ResourceType }),
	text("resource_account_uid", func(r *record) *string { return &r.ResourceAccountUID }),
	{name: "resource_uids", put: putResources, get: getResources},
	truth("twin", func(r *record) *bool { return &r.Twin }),
	text("device_uid", func(r *record) *string { return &r.DeviceUID }),
	text("device_name", func(r *record) *string { return &r.DeviceName }),
	text("process", func(r *record) *string { return &r.Process }),
	text("url", func(r *record) *string { return &r.URL }),
	text("message", func(r *record) *string { return &r.Message }),
	{
		name: "raw",
		put: func(dst []parquet.Value, r *record) []parquet.Value {
			if !utf8.Valid(r.Raw) {
				return append(dst, parquet.ByteArrayValue(bytes.ToValidUTF8(r.Raw, []byte("\uFFFD"))))
			}
			return append(dst, parquet.ByteArrayValue(r.Raw))
		},
		get: func(r *record, v []parquet.Value) { r.Raw = append([]byte(nil), v[0].ByteArray()...) },
	},
	text("object", func(r *record) *string { return &r.Object }),
	{
		name: "position",
		put: func(dst []parquet.Value, r *record) []parquet.Value {
			return append(dst, parquet.Int64Value(r.Position))
		},
		get: func(r *record, v []parquet.Value) { r.Position = v[0].Int64() },
	},
	uuid("batch", func(r *record) *[16]byte { return (*[16]byte)(&r.Batch) }),
	{
		name: "_body_hash",
		put: func(dst []parquet.Value, r *record) []parquet.Value {
			return append(dst, parquet.Int32Value(int32(r.hash)))
		},
		get: func(r *record, v []parquet.Value) { r.hash = v[0].Uint32() },
	},
	text("_object_version", func(r *record) *string { return &r.version }),
}

func text[S ~string](name string, field func(*record) *S) column {
	return column{
		name: name,
		put: func(dst []parquet.Value, r *record) []parquet.Value {
			return putText(dst, string(*field(r)))
		},
		get: func(r *record, v []parquet.Value) { *field(r) = S(v[0].ByteArray()) },
	}
}

func number(name string, field func(*record) *int32) column {
	return column{
		name: name,
		put: func(dst []parquet.Value, r *record) []parquet.Value {
			return append(dst, parquet.Int32Value(*field(r)))
		},
		get: func(r *record, v []parquet.Value) { *field(r) = v[0].Int32() },
	}
}

func truth(name string, field func(*record) *bool) column {
	return column{
		name: name,
		put: func(dst []parquet.Value, r *record) []parquet.Value {
			return append(dst, parquet.BooleanValue(*field(r)))
		},
		get: func(r *record, v []parquet.Value) { *field(r) = v[0].Boolean() },
	}
}

func micros(name string, field func(*record) *time.Time) column {
	return column{
		name: name,
		put: func(dst []parquet.Value, r *record) []parquet.Value {
			return append(dst, parquet.Int64Value(field(r).UnixMicro()))
		},
		get: func(r *record, v []parquet.Value) { *field(r) = time.UnixMicro(v[0].Int64()).UTC() },
	}
}

func uuid(name string, field func(*record) *[16]byte) column {
	return column{
		name: name,
		put: func(dst []parquet.Value, r *record) []parquet.Value {
			return append(dst, parquet.FixedLenByteArrayValue(field(r)[:]))
		},
		get: func(r *record, v []parquet.Value) { copy(field(r)[:], v[0].ByteArray()) },
	}
}

func putEventUID(dst []parquet.Value, r *record) []parquet.Value {
	var text [36]byte
	if string(r.UID.AppendText(text[:0])) == r.EventUID {
		return append(dst, parquet.Value{})
	}
	return append(dst, stringValue(r.EventUID).Level(0, 1, 0))
}

func getEventUID(r *record, v []parquet.Value) {
	if v[0].IsNull() {
		r.EventUID = r.UID.String()
		return
	}
	r.EventUID = string(v[0].ByteArray())
}

func putResources(dst []parquet.Value, r *record) []parquet.Value {
	if len(r.ResourceUIDs) == 0 {
		return append(dst, parquet.Value{})
	}
	for i, uid := range r.ResourceUIDs {
		dst = append(dst, stringValue(uid).Level(min(i, 1), 1, 0))
	}
	return dst
}

func getResources(r *record, v []parquet.Value) {
	r.ResourceUIDs = nil
	for _, uid := range v {
		if !uid.IsNull() {
			r.ResourceUIDs = append(r.ResourceUIDs, string(uid.ByteArray()))
		}
	}
}

// stringValue shares the bytes of s, which Parquet only reads. Text that is not
// UTF-8 would make DuckDB refuse the whole segment, so what is not is replaced.
func stringValue(s string) parquet.Value {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// putText appends s. Rows are sorted, so often it is what the last one had, and
// need not be looked at again.
func putText(dst []parquet.Value, s string) []parquet.Value {
	if n := len(dst); n > 0 && string(dst[n-1].ByteArray()) == s {
		return append(dst, dst[n-1])
	}
	return append(dst, stringValue(s))
}

// bounded are the columns with smallest and largest values in the footer: the
// sorted ones and numbers, by which whole row groups are passed over. Finding
// them for text in no order costs time and prunes nothing.
var bounded = map[string]bool{
	"time": true, "ingest_time": true, "account_uid": true, "api_operation": true, "class_uid": true,
	"activity_id": true, "severity_id": true, "status_id": true, "position": true,
	"hour": true, "count": true, "first": true, "last": true,
}

// writerOptions of a segment; codec is for all columns that do not name their own.
func writerOptions(schema *parquet.Schema, codec compress.Codec) []parquet.WriterOption {
	o := []parquet.WriterOption{
		schema,
		parquet.CreatedBy("yagura", "1", ""),
		parquet.Compression(codec),
		parquet.MaxRowsPerRowGroup(rowGroupRows),
		// Pages end where a call to the column writer ends, so our calls decide
		// their size; a small buffer keeps fifty columns from allocating ahead.
		parquet.PageBufferSize(64 << 10),
		parquet.DataPageStatistics(false), // the column index says the same once
		parquet.ColumnIndexSizeLimit(func([]string) int { return 64 }),
	}
	if schema == eventSchema {
		o = append(o, parquet.BloomFilters(eventBlooms...))
	}
	for _, path := range schema.Columns() {
		if !bounded[path[0]] {
			o = append(o, parquet.SkipPageBounds(path...))
		}
	}
	return o
}

// usageColumn moves one column between usage rows and Parquet values. Its place
// in usageLayout is its index in the file.
type usageColumn struct {
	put func(dst []parquet.Value, u *usage.Row) []parquet.Value
	// get fills u; last is the row before it, of which u shares equal text.
	get func(u, last *usage.Row, v parquet.Value)
}

// usageLayout is every column of a usage segment, in the order of usageRow.
var usageLayout = []usageColumn{
	usageTime(func(u *usage.Row) *time.Time { return &u.Hour }),
	usageText(func(u *usage.Row) *string { return &u.CloudProvider }),
	usageText(func(u *usage.Row) *string { return &u.AccountUID }),
	usageText(func(u *usage.Row) *string { return &u.ActorUID }),
	usageText(func(u *usage.Row) *event.ActorType { return &u.ActorType }),
	usageText(func(u *usage.Row) *event.Caller { return &u.Caller }),
	usageText(func(u *usage.Row) *string { return &u.APIService }),
	usageText(func(u *usage.Row) *string { return &u.APIOperation }),
	usageText(func(u *usage.Row) *string { return &u.ResourceUID }),
	usageText(func(u *usage.Row) *string { return &u.Region }),
	usageText(func(u *usage.Row) *event.Outcome { return &u.Outcome }),
	{
		put: func(dst []parquet.Value, u *usage.Row) []parquet.Value {
			return append(dst, parquet.Int64Value(u.Count))
		},
		get: func(u, _ *usage.Row, v parquet.Value) { u.Count = v.Int64() },
	},
	usageTime(func(u *usage.Row) *time.Time { return &u.First }),
	usageTime(func(u *usage.Row) *time.Time { return &u.Last }),
}

func usageText[S ~string](field func(*usage.Row) *S) usageColumn {
	return usageColumn{
		put: func(dst []parquet.Value, u *usage.Row) []parquet.Value { return putText(dst, string(*field(u))) },
		get: func(u, last *usage.Row, v parquet.Value) {
			b, had := v.ByteArray(), *field(last)
			if string(b) != string(had) {
				had = S(b)
			}
			*field(u) = had
		},
	}
}

func usageTime(field func(*usage.Row) *time.Time) usageColumn {
	return usageColumn{
		put: func(dst []parquet.Value, u *usage.Row) []parquet.Value {
			return append(dst, parquet.Int64Value(field(u).UnixMicro()))
		},
		get: func(u, _ *usage.Row, v parquet.Value) { *field(u) = time.UnixMicro(v.Int64()).UTC() },
	}
}
