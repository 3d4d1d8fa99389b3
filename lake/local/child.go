package local

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/landlock-lsm/go-landlock/landlock"
	llsys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
)

// Landlock is the version of the kernel's Landlock, 0 if it has none: then the
// child that answers SQL is held by its limits, DuckDB's settings and the check
// of statements alone.
func Landlock() (abi int) {
	v, err := llsys.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return v
}

// ChildMain answers the one statement that its parent asks on stdin and returns
// the exit code. It takes what it does not need from itself before it looks at
// the statement. Call it in a process of its own, at the start.
func ChildMain(stdin io.Reader, stdout io.Writer) int {
	debug.SetMemoryLimit(128 << 20) // of Go; DuckDB has its own
	in := bufio.NewReader(stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		fmt.Fprintln(os.Stderr, "no request:", err)
		return 2
	}
	var req childRequest
	if err := json.Unmarshal(line, &req); err != nil {
		fmt.Fprintln(os.Stderr, "request:", err)
		return 2
	}
	go func() {
		in.ReadByte() //nolint:errcheck // any end will do: nobody waits for the answer
		os.Exit(3)
	}()
	w := &frameWriter{w: bufio.NewWriterSize(stdout, 64<<10)}
	// DuckDB looks at the machine's files when it opens, so it opens first, with
	// no thread of its own that could miss the confinement.
	conn, err := openChild()
	if err == nil {
		err = confine(&req)
	}
	if err == nil {
		err = respond(conn, &req, w)
	}
	if err != nil {
		w.json(frameError, describe(err, &req))
	} else {
		w.json(frameDone, nil)
	}
	if err := w.flush(); err != nil {
		return 3
	}
	return 0
}

// confine limits the process: memory, processor time, file size, files, and
// what of the file system and the network it can reach.
func confine(req *childRequest) error {
	l := req.Limits
	cpu := uint64(l.Timeout.Seconds()+1)*uint64(l.Threads) + 2
	for _, r := range []struct {
		name string
		what int
		max  uint64
	}{
		{"address space", unix.RLIMIT_AS, uint64(l.AddressSpace)},
		{"processor time", unix.RLIMIT_CPU, cpu},
		{"file size", unix.RLIMIT_FSIZE, uint64(l.Spill)},
		{"core", unix.RLIMIT_CORE, 0},
		{"files", unix.RLIMIT_NOFILE, uint64(len(req.Events)+len(req.Usage)) + 512},
	} {
		if r.what == unix.RLIMIT_AS && !limitAddressSpace {
			continue
		}
		limit := unix.Rlimit{Cur: r.max, Max: r.max}
		var now unix.Rlimit
		if err := unix.Getrlimit(r.what, &now); err == nil && now.Max < r.max {
			limit = unix.Rlimit{Cur: now.Max, Max: now.Max}
		}
		if err := unix.Setrlimit(r.what, &limit); err != nil {
			return fmt.Errorf("limit %s to %d: %w", r.name, r.max, err)
		}
	}
	segments := append(append([]string{}, req.Events...), req.Usage...)
	// What is missing was merged away; reading it fails and is asked again.
	err := landlock.V7.BestEffort().Restrict(
		landlock.ROFiles(segments...).IgnoreIfMissing(),
		landlock.RWDirs(req.Temp),
	)
	if err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	return nil
}

// openChild opens DuckDB in memory. It is never closed: the process ends.
func openChild() (*sql.Conn, error) {
	db, err := sql.Open("duckdb", "?threads=1")
	if err != nil {
		return nil, err
	}
	return db.Conn(context.Background())
}

// respond checks and runs the statement.
func respond(conn *sql.Conn, req *childRequest, w *frameWriter) error {
	ctx := context.Background()
	if err := setUp(ctx, conn, req); err != nil {
		return err
	}
	err := checkStatement(ctx, conn, req)
	if syntax := (*syntaxError)(nil); errors.As(err, &syntax) {
		// Preparing fails the same way, before it looks at anything, and knows
		// the line.
		if _, err := describeColumns(ctx, conn, req); err != nil {
			return err
		}
		return &lake.SQLError{Kind: lake.SQLInvalid, Msg: syntax.msg}
	}
	if err != nil {
		return err
	}
	columns, err := describeColumns(ctx, conn, req)
	if err != nil {
		return err
	}
	rows, err := queryLimited(ctx, conn, req, columns)
	if err != nil {
		return err
	}
	defer rows.Close()
	return sendRows(rows, columns, req.Limits, w)
}

// setUp makes the views while files may still be opened, then locks the door.
func setUp(ctx context.Context, conn *sql.Conn, req *childRequest) error {
	l := req.Limits
	steps := []string{
		"SET TimeZone = 'UTC'",
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		fmt.Sprintf("SET threads = %d", l.Threads),
		fmt.Sprintf("SET memory_limit = '%dB'", l.Memory),
		"SET temp_directory = " + quoteSQL(req.Temp),
		fmt.Sprintf("SET max_temp_directory_size = '%dB'", l.Spill),
		"SET parquet_metadata_cache = true",
		"SET errors_as_json = false",
		eventsView(req.Events, req.within()),
		usageView(req.Usage, req.within()),
	}
	if allowed := append(append([]string{}, req.Events...), req.Usage...); len(allowed) > 0 {
		quoted := make([]string, len(allowed))
		for i, p := range allowed {
			quoted[i] = quoteSQL(p)
		}
		steps = append(steps, "SET allowed_paths = ["+strings.Join(quoted, ",")+"]")
	}
	steps = append(steps, "SET enable_external_access = false", "SET lock_configuration = true")
	for _, step := range steps {
		if _, err := conn.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("set up: %w", err)
		}
	}
	return nil
}

// sqlTypes are the columns' types in the view where there is no segment to take
// them from.
var sqlTypes = map[query.Type]string{
	query.Text: "VARCHAR", query.Enum: "VARCHAR", query.Addr: "VARCHAR", query.JSON: "VARCHAR",
	query.Int: "INTEGER", query.Float: "FLOAT", query.Bool: "BOOLEAN", query.Time: "TIMESTAMP",
	query.UUID: "UUID", query.List: "VARCHAR[]",
}

func eventsView(paths []string, within string) string {
	var names, empty []string
	for _, c := range query.Columns() {
		name := `"` + c.Name + `"`
		typ := sqlTypes[c.Type]
		if c.Name == "position" {
			typ = "BIGINT"
		}
		empty = append(empty, "NULL::"+typ+" AS "+name)
		if c.Name == "event_uid" {
			name = "coalesce(event_uid, uid::VARCHAR) AS event_uid"
		}
		names = append(names, name)
	}
	if len(paths) == 0 {
		return "CREATE VIEW events AS SELECT " + strings.Join(empty, ", ") + " WHERE false"
	}
	return "CREATE VIEW events AS SELECT " + strings.Join(names, ", ") + " FROM " + readParquet(paths) + within
}

func usageView(paths []string, within string) string {
	const keys = "hour, cloud_provider, account_uid, actor_uid, actor_type, caller, api_service, api_operation, resource_uid, region, outcome"
	if len(paths) == 0 {
		return `CREATE VIEW usage AS SELECT NULL::TIMESTAMP AS hour, '' AS ` + strings.ReplaceAll(strings.TrimPrefix(keys, "hour, "), ", ", ", '' AS ") +
			`, 0::BIGINT AS "count", NULL::TIMESTAMP AS "first", NULL::TIMESTAMP AS "last" WHERE false`
	}
	return `CREATE VIEW usage AS SELECT ` + keys + `, sum("count")::BIGINT AS "count", min("first") AS "first", max("last") AS "last" FROM ` +
		readParquet(paths) + within + ` GROUP BY ALL`
}

// checkStatement holds that the text is one SELECT, by the driver's word, and
// that its tree has nothing that is not allowed.
func checkStatement(ctx context.Context, conn *sql.Conn, req *childRequest) error {
	var tree string
	if err := conn.QueryRowContext(ctx, "SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR), skip_null := true, skip_empty := true) AS VARCHAR)", req.Text).Scan(&tree); err != nil {
		return err
	}
	names, err := conn.QueryContext(ctx, "SELECT lower(view_name) FROM duckdb_views() WHERE internal")
	if err != nil {
		return err
	}
	defer names.Close()
	catalog := map[string]bool{}
	for names.Next() {
		var name string
		if err := names.Scan(&name); err != nil {
			return err
		}
		catalog[name] = true
	}
	if err := errors.Join(names.Err(), names.Close()); err != nil {
		return err
	}
	return checkSQL([]byte(tree), catalog, len(req.Values) > 0)
}

// describeColumns prepares the statement, alone as it was written.
func describeColumns(ctx context.Context, conn *sql.Conn, req *childRequest) (columns []lake.SQLColumn, err error) {
	err = conn.Raw(func(driverConn any) error {
		stmt, err := driverConn.(*duckdb.Conn).Prepare(req.Text) // refuses more than one statement
		if err != nil {
			return err
		}
		defer stmt.Close()
		s := stmt.(*duckdb.Stmt)
		typ, err := s.StatementType()
		if err != nil {
			return err
		}
		if typ != duckdb.STATEMENT_TYPE_SELECT {
			return refuse("only SELECT is answered here")
		}
		if s.NumInput() > 0 { // what the columns are follows from the values
			return req.checkParameters(s)
		}
		n, err := s.ColumnCount()
		if err != nil {
			return err
		}
		for i := range n {
			name, err := s.ColumnName(i)
			if err != nil {
				return err
			}
			columns = append(columns, lake.SQLColumn{Name: name})
		}
		return nil
	})
	if err == nil && columns == nil {
		return boundColumns(ctx, conn, req)
	}
	return columns, err
}

// queryLimited runs the statement under a limit one row above what is allowed,
// so that DuckDB, which holds a whole result, does not hold more; and fills in
// the columns' types. Columns of type JSON are asked for as text, for the
// driver would take their numbers for floats.
func queryLimited(ctx context.Context, conn *sql.Conn, req *childRequest, columns []lake.SQLColumn) (*sql.Rows, error) {
	inner := strings.TrimRight(strings.TrimSpace(req.Text), "; \t\r\n")
	names := make([]string, len(columns))
	for i := range names {
		names[i] = fmt.Sprintf("c%d", i)
	}
	from := fmt.Sprintf(" FROM (\n%s\n) AS q(%s)", inner, strings.Join(names, ", "))
	probe, err := conn.QueryContext(ctx, "SELECT * FROM (SELECT *"+from+") LIMIT 0", req.bound()...)
	if err != nil {
		// Something behind the statement, such as a comment after the
		// semicolon, does not stand in parentheses. Then it runs as it is.
		rows, err := conn.QueryContext(ctx, req.Text, req.bound()...)
		if err != nil {
			return nil, err
		}
		return rows, fillTypes(rows, columns)
	}
	err = errors.Join(fillTypes(probe, columns), probe.Close())
	if err != nil {
		return nil, err
	}
	for i, c := range columns {
		if c.Type == "JSON" {
			names[i] = "CAST(" + names[i] + " AS VARCHAR)"
		}
	}
	return conn.QueryContext(ctx, fmt.Sprintf("SELECT %s%s LIMIT %d", strings.Join(names, ", "), from, req.Limits.MaxRows+1), req.bound()...)
}

func fillTypes(rows *sql.Rows, columns []lake.SQLColumn) error {
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	if len(types) != len(columns) {
		return fmt.Errorf("%d columns became %d", len(columns), len(types))
	}
	for i, t := range types {
		columns[i].Type = t.DatabaseTypeName()
	}
	return nil
}

func sendRows(rows *sql.Rows, columns []lake.SQLColumn, limits SQLLimits, w *frameWriter) error {
	w.json(frameColumns, columns)
	cells := make([]any, len(columns))
	dest := make([]any, len(columns))
	for i := range dest {
		dest[i] = &cells[i]
	}
	for n := int64(0); rows.Next(); n++ {
		if n == limits.MaxRows {
			w.json(frameTruncated, fmt.Sprintf("cut off at %d rows", limits.MaxRows))
			return w.err
		}
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		for i, v := range cells {
			if s, ok := v.(string); ok && columns[i].Type == "JSON" {
				v = json.RawMessage(s)
			}
			cells[i] = encodeValue(v, columns[i].Type)
		}
		body, err := w.encode(cells)
		if err != nil {
			return err
		}
		if w.sent+int64(len(body)) > limits.MaxBytes {
			w.json(frameTruncated, fmt.Sprintf("cut off at %d MB after %d rows", limits.MaxBytes>>20, n))
			return w.err
		}
		if w.frame(frameRow, body); w.err != nil {
			return w.err
		}
	}
	return rows.Err()
}

// frameWriter writes frames; its first error stays.
type frameWriter struct {
	w    *bufio.Writer
	buf  bytes.Buffer
	sent int64
	err  error
}

// encode gives JSON that is valid until the next call.
func (w *frameWriter) encode(v any) ([]byte, error) {
	w.buf.Reset()
	e := json.NewEncoder(&w.buf)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return w.buf.Bytes(), err
}

func (w *frameWriter) json(kind byte, v any) {
	body, err := w.encode(v)
	if err != nil && w.err == nil {
		w.err = err
		return
	}
	w.frame(kind, body)
}

func (w *frameWriter) frame(kind byte, body []byte) {
	if w.err != nil {
		return
	}
	var head [5]byte
	head[0] = kind
	binary.BigEndian.PutUint32(head[1:], uint32(len(body)))
	w.sent += int64(len(body))
	_, err1 := w.w.Write(head[:])
	_, err2 := w.w.Write(body)
	w.err = errors.Join(err1, err2)
}

func (w *frameWriter) flush() error {
	if w.err != nil {
		return w.err
	}
	return w.w.Flush()
}

// describe sorts an error for the parent.
func describe(err error, req *childRequest) childError {
	if se := (*lake.SQLError)(nil); errors.As(err, &se) {
		return childError{Kind: se.Kind, Msg: se.Msg}
	}
	if isGone(err) {
		return childError{Gone: true, Msg: err.Error()}
	}
	de := (*duckdb.Error)(nil)
	if !errors.As(err, &de) {
		return childError{Msg: err.Error()}
	}
	msg, _, _ := strings.Cut(de.Msg, "\n\nPossible solutions")
	switch de.Type {
	case duckdb.ErrorTypeOutOfMemory:
		if strings.Contains(de.Msg, "max_temp_directory_size") {
			return childError{lake.SQLLimit, fmt.Sprintf("stopped at %d MB of temporary files, the disk limit of a statement", req.Limits.Spill>>20), false}
		}
		return childError{lake.SQLLimit, fmt.Sprintf("the statement needs more than %d MB, the memory limit: %s", req.Limits.Memory>>20, msg), false}
	case duckdb.ErrorTypePermission:
		return childError{lake.SQLRefused, msg, false}
	}
	return childError{lake.SQLInvalid, msg, false}
}
