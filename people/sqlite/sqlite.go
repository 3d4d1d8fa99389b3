// Package sqlite keeps people in a SQLite file, state.db, beside whatever else
// is kept there.
package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/people"
)

// Times are microseconds since 1970, UTC.
var schema = []string{`
CREATE TABLE person (
	name TEXT PRIMARY KEY,
	provider TEXT NOT NULL, subject TEXT NOT NULL,
	admin INTEGER NOT NULL, -- that may come in
	person TEXT NOT NULL    -- people.User, JSON
) WITHOUT ROWID;
CREATE UNIQUE INDEX person_subject ON person (provider, subject) WHERE provider <> '';
CREATE TABLE session (
	id BLOB PRIMARY KEY, person TEXT NOT NULL,
	made INTEGER NOT NULL, seen INTEGER NOT NULL,
	way TEXT NOT NULL, address TEXT NOT NULL, agent TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_person ON session (person);
CREATE TABLE token (
	id TEXT PRIMARY KEY, secret BLOB NOT NULL UNIQUE, person TEXT NOT NULL,
	made INTEGER NOT NULL, expires INTEGER NOT NULL, used INTEGER NOT NULL, -- 0: never
	token TEXT NOT NULL -- people.Token, JSON, without the above
) WITHOUT ROWID;
CREATE TABLE link (
	secret BLOB PRIMARY KEY, kind TEXT NOT NULL, person TEXT NOT NULL, maker TEXT NOT NULL,
	expires INTEGER NOT NULL
) WITHOUT ROWID;
`}

// Store is a people.Store in a SQLite file.
type Store struct {
	db  *sqlitedb.DB
	own bool // Close closes db
}

var _ people.Store = (*Store)(nil)

// Open opens or creates the file for writing.
func Open(ctx context.Context, path string) (*Store, error) {
	db, err := sqlitedb.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	s, err := On(ctx, db)
	if err != nil {
		_ = db.Close() // nothing was written: the first error says it all
		return nil, err
	}
	s.own = true
	return s, nil
}

// On uses a file that is open already and that the caller closes after s.
func On(ctx context.Context, db *sqlitedb.DB) (*Store, error) {
	if err := db.Migrate(ctx, "people", schema); err != nil {
		return nil, err
	}
	return &Store{db: db}, nil
}

// Close closes the file, unless it was opened elsewhere.
func (s *Store) Close() error {
	if !s.own {
		return nil
	}
	return s.db.Close()
}

// rower is a pool of connections or a transaction.
type rower interface {
	row(query string, args []any, into ...any) error
}

type reading struct {
	ctx context.Context
	db  *sql.DB
}

func (r reading) row(query string, args []any, into ...any) error {
	return r.db.QueryRowContext(r.ctx, query, args...).Scan(into...)
}

type writing struct{ *sqlitedb.Tx }

func (w writing) row(query string, args []any, into ...any) error {
	return w.Scan(query, args, into...)
}

func (s *Store) reading(ctx context.Context) reading { return reading{ctx, s.db.Read()} }

// Users implements people.Users.
func (s *Store) Users(ctx context.Context) (out []people.User, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT person FROM person ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var text []byte
		if err := rows.Scan(&text); err != nil {
			return nil, fmt.Errorf("list users: %w", err)
		}
		u, err := parseUser(text)
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, rows.Err()
}

func parseUser(text []byte) (u people.User, err error) {
	if err := json.Unmarshal(text, &u); err != nil {
		return u, fmt.Errorf("read a user: %w", err)
	}
	return u, nil
}

const (
	byName    = `SELECT person FROM person WHERE name = ?`
	bySubject = `SELECT person FROM person WHERE provider = ? AND subject = ? AND provider <> ''`
)

func user(r rower, query string, args ...any) (people.User, error) {
	var text []byte
	err := r.row(query, args, &text)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return people.User{}, people.ErrNotFound
	case err != nil:
		return people.User{}, fmt.Errorf("read a user: %w", err)
	}
	return parseUser(text)
}

// User implements people.Users.
func (s *Store) User(ctx context.Context, name string) (people.User, error) {
	return user(s.reading(ctx), byName, name)
}

// UserBySubject implements people.Users.
func (s *Store) UserBySubject(ctx context.Context, provider, subject string) (people.User, error) {
	return user(s.reading(ctx), bySubject, provider, subject)
}

// put keeps u in the place of who had its name.
func put(t *sqlitedb.Tx, u people.User) error {
	text, err := json.Marshal(u)
	if err != nil {
		return fmt.Errorf("keep user %s: %w", u.Name, err)
	}
	_, err = t.Exec(`INSERT INTO person (name, provider, subject, admin, person) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET admin = excluded.admin, person = excluded.person`,
		u.Name, u.Provider, u.Subject, u.Admin(), text)
	if err != nil {
		return fmt.Errorf("keep user %s: %w", u.Name, err)
	}
	return nil
}

// AddUser implements people.Users.
func (s *Store) AddUser(ctx context.Context, u people.User) error {
	return s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		for _, known := range []func() (people.User, error){
			func() (people.User, error) { return user(writing{t}, byName, u.Name) },
			func() (people.User, error) { return user(writing{t}, bySubject, u.Provider, u.Subject) },
		} {
			if _, err := known(); err == nil {
				return people.ErrTaken
			} else if !errors.Is(err, people.ErrNotFound) {
				return err
			}
		}
		return put(t, u)
	})
}

// otherAdmins counts those but for the one of that name.
func otherAdmins(t *sqlitedb.Tx, name string) (n int, err error) {
	err = t.Scan(`SELECT count(*) FROM person WHERE admin AND name <> ?`, []any{name}, &n)
	return n, err
}

// ChangeUser implements people.Users.
func (s *Store) ChangeUser(ctx context.Context, name string, change func(*people.User, int) error) (u people.User, err error) {
	err = s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		was, err := user(writing{t}, byName, name)
		if err != nil {
			return err
		}
		admins, err := otherAdmins(t, name)
		if err != nil {
			return fmt.Errorf("count admins: %w", err)
		}
		u = was.Clone()
		if err := change(&u, admins); err != nil {
			return err
		}
		u.Name, u.Made, u.Provider, u.Subject = was.Name, was.Made, was.Provider, was.Subject
		return put(t, u)
	})
	if err != nil {
		return people.User{}, err
	}
	return u, nil
}

// RemoveUser implements people.Users.
func (s *Store) RemoveUser(ctx context.Context, name string) error {
	return s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		u, err := user(writing{t}, byName, name)
		if err != nil {
			return err
		}
		admins, err := otherAdmins(t, name)
		if err != nil {
			return fmt.Errorf("count admins: %w", err)
		}
		var all int
		if err := t.Scan(`SELECT count(*) FROM person`, nil, &all); err != nil {
			return fmt.Errorf("count users: %w", err)
		}
		if u.Admin() && admins == 0 && all > 1 {
			return people.ErrLastAdmin
		}
		for _, query := range []string{
			`DELETE FROM person WHERE name = ?`, `DELETE FROM session WHERE person = ?`,
			`DELETE FROM token WHERE person = ?`, `DELETE FROM link WHERE person = ?`,
		} {
			if _, err := t.Exec(query, name); err != nil {
				return fmt.Errorf("remove user %s: %w", name, err)
			}
		}
		return nil
	})
}

// exec runs one statement as a transaction and tells how many rows it changed.
func (s *Store) exec(ctx context.Context, what, query string, args ...any) (n int64, err error) {
	err = s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		r, err := t.Exec(query, args...)
		if err != nil {
			return err
		}
		n, err = r.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	return n, nil
}

// AddSession implements people.Sessions.
func (s *Store) AddSession(ctx context.Context, x people.Session) error {
	_, err := s.exec(ctx, "keep a session", `INSERT INTO session (id, person, made, seen, way, address, agent) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		x.ID[:], x.User, sqlitedb.Micros(x.Made), sqlitedb.Micros(x.Seen), x.By, x.Address, x.Agent)
	return err
}

// Session implements people.Sessions.
func (s *Store) Session(ctx context.Context, id people.Hash) (people.Session, error) {
	x := people.Session{ID: id}
	var made, seen int64
	err := s.reading(ctx).row(`SELECT person, made, seen, way, address, agent FROM session WHERE id = ?`, []any{id[:]},
		&x.User, &made, &seen, &x.By, &x.Address, &x.Agent)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return people.Session{}, people.ErrNobody
	case err != nil:
		return people.Session{}, fmt.Errorf("read a session: %w", err)
	}
	x.Made, x.Seen = sqlitedb.Time(made), sqlitedb.Time(seen)
	return x, nil
}

// TouchSession implements people.Sessions.
func (s *Store) TouchSession(ctx context.Context, id people.Hash, seen time.Time) error {
	_, err := s.exec(ctx, "keep that a session was used", `UPDATE session SET seen = ? WHERE id = ?`, sqlitedb.Micros(seen), id[:])
	return err
}

// EndSessions implements people.Sessions.
func (s *Store) EndSessions(ctx context.Context, user string, keep people.Hash) error {
	_, err := s.exec(ctx, "end sessions", `DELETE FROM session WHERE person = ? AND id <> ?`, user, keep[:])
	return err
}

// EndSession implements people.Sessions.
func (s *Store) EndSession(ctx context.Context, id people.Hash) error {
	_, err := s.exec(ctx, "end a session", `DELETE FROM session WHERE id = ?`, id[:])
	return err
}

// Sweep implements people.Sessions.
func (s *Store) Sweep(ctx context.Context, made, seen, expired time.Time) error {
	return s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		if _, err := t.Exec(`DELETE FROM session WHERE made < ? OR seen < ?`, sqlitedb.Micros(made), sqlitedb.Micros(seen)); err != nil {
			return fmt.Errorf("sweep sessions: %w", err)
		}
		if _, err := t.Exec(`DELETE FROM token WHERE expires < ?`, sqlitedb.Micros(expired)); err != nil {
			return fmt.Errorf("sweep tokens: %w", err)
		}
		if _, err := t.Exec(`DELETE FROM link WHERE expires < ?`, sqlitedb.Micros(expired)); err != nil {
			return fmt.Errorf("sweep links: %w", err)
		}
		return nil
	})
}

// said is what of a token is kept as JSON.
type said struct {
	Name             string
	Role             people.Role
	Accounts, Scopes []string
}

// AddToken implements people.Tokens.
func (s *Store) AddToken(ctx context.Context, t people.Token) error {
	text, err := json.Marshal(said{t.Name, t.Role, t.Accounts, t.Scopes})
	if err != nil {
		return fmt.Errorf("keep a token: %w", err)
	}
	_, err = s.exec(ctx, "keep a token", `INSERT INTO token (id, secret, person, made, expires, used, token) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		t.ID, t.Secret[:], t.User, sqlitedb.Micros(t.Made), sqlitedb.Micros(t.Expires), sqlitedb.Micros(t.Used), text)
	return err
}

const tokens = `SELECT id, secret, person, made, expires, used, token FROM token`

func scanToken(scan func(...any) error) (t people.Token, err error) {
	var secret, text []byte
	var made, expires, used int64
	if err := scan(&t.ID, &secret, &t.User, &made, &expires, &used, &text); err != nil {
		return t, err
	}
	var x said
	if err := json.Unmarshal(text, &x); err != nil || len(secret) != len(t.Secret) {
		return t, fmt.Errorf("read token %s: damaged: %w", t.ID, errors.Join(err, errors.New("what is kept of it")))
	}
	t.Secret, t.Made, t.Expires, t.Used = people.Hash(secret), sqlitedb.Time(made), sqlitedb.Time(expires), sqlitedb.Time(used)
	t.Name, t.Role, t.Accounts, t.Scopes = x.Name, x.Role, x.Accounts, x.Scopes
	return t, nil
}

// Tokens implements people.Tokens.
func (s *Store) Tokens(ctx context.Context) (out []people.Token, err error) {
	rows, err := s.db.Read().QueryContext(ctx, tokens+` ORDER BY made DESC, id`)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		t, err := scanToken(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("list tokens: %w", err)
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// TokenOf implements people.Tokens.
func (s *Store) TokenOf(ctx context.Context, secret people.Hash) (people.Token, error) {
	t, err := scanToken(s.db.Read().QueryRowContext(ctx, tokens+` WHERE secret = ?`, secret[:]).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return people.Token{}, people.ErrNoToken
	case err != nil:
		return people.Token{}, fmt.Errorf("read a token: %w", err)
	}
	return t, nil
}

// TouchToken implements people.Tokens.
func (s *Store) TouchToken(ctx context.Context, id string, used time.Time) error {
	_, err := s.exec(ctx, "keep that a token was used", `UPDATE token SET used = ? WHERE id = ?`, sqlitedb.Micros(used), id)
	return err
}

// RemoveToken implements people.Tokens.
func (s *Store) RemoveToken(ctx context.Context, id string) error {
	n, err := s.exec(ctx, "remove a token", `DELETE FROM token WHERE id = ?`, id)
	if err == nil && n == 0 {
		err = people.ErrNoToken
	}
	return err
}

// AddLink implements people.Links.
func (s *Store) AddLink(ctx context.Context, l people.Link) error {
	return s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		if l.Kind == people.LinkFirst {
			if _, err := t.Exec(`DELETE FROM link WHERE kind = ?`, l.Kind); err != nil {
				return fmt.Errorf("replace a link: %w", err)
			}
		}
		_, err := t.Exec(`INSERT INTO link (secret, kind, person, maker, expires) VALUES (?, ?, ?, ?, ?)`, l.Secret[:], l.Kind, l.User, l.By, sqlitedb.Micros(l.Expires))
		if err != nil {
			return fmt.Errorf("keep a link: %w", err)
		}
		return nil
	})
}

func link(r rower, secret people.Hash, now time.Time) (people.Link, error) {
	l := people.Link{Secret: secret}
	var expires int64
	err := r.row(`SELECT kind, person, maker, expires FROM link WHERE secret = ? AND expires > ?`, []any{secret[:], sqlitedb.Micros(now)}, &l.Kind, &l.User, &l.By, &expires)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return people.Link{}, people.ErrGone
	case err != nil:
		return people.Link{}, fmt.Errorf("read a link: %w", err)
	}
	l.Expires = sqlitedb.Time(expires)
	return l, nil
}

// Link implements people.Links.
func (s *Store) Link(ctx context.Context, secret people.Hash, now time.Time) (people.Link, error) {
	return link(s.reading(ctx), secret, now)
}

// TakeLink implements people.Links.
func (s *Store) TakeLink(ctx context.Context, secret people.Hash, now time.Time) (l people.Link, err error) {
	err = s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		if l, err = link(writing{t}, secret, now); err != nil {
			return err
		}
		if _, err := t.Exec(`DELETE FROM link WHERE secret = ?`, secret[:]); err != nil {
			return fmt.Errorf("take a link: %w", err)
		}
		return nil
	})
	if err != nil {
		return people.Link{}, err
	}
	return l, nil
}
