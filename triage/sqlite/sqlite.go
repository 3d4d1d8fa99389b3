// Package sqlite keeps findings and decisions in a SQLite file, state.db,
// beside whatever else is kept there.
//
// Occurrences are kept one a key, batch and day, or one a key, hunter and hour.
// Each finding is kept folded beside them, in a row of its own: a new occurrence
// merges into it, and only where one is replaced or gone, or a window is about
// it, the finding is folded anew from all of its occurrences. What findings are
// chosen, ordered and counted by is kept in memory besides, see index, from the
// first time that somebody asks.
package sqlite

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/triage"
)

// Times are microseconds since 1970, UTC; days are days since 1970.
var schema = []string{`
CREATE TABLE judged (
	batch BLOB PRIMARY KEY,
	counts TEXT NOT NULL -- counts, JSON: what the batch added to the two tables of days
) WITHOUT ROWID;
CREATE TABLE occurrence (
	key TEXT NOT NULL, batch BLOB NOT NULL,
	first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL,
	trouble TEXT NOT NULL,  -- finding.Trouble, JSON
	evidence BLOB NOT NULL, -- see packEvidence
	PRIMARY KEY (key, batch)
) WITHOUT ROWID;
CREATE INDEX occurrence_batch ON occurrence (batch);
CREATE TABLE finding (
	key TEXT PRIMARY KEY,
	-- The merged occurrence; batch is the latest one's.
	batch BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL,
	trouble TEXT NOT NULL, evidence BLOB NOT NULL,
	-- To choose and order by; severity is its rank.
	kind TEXT NOT NULL, rule TEXT NOT NULL, log_source TEXT NOT NULL, severity INTEGER NOT NULL,
	account TEXT NOT NULL, actor TEXT NOT NULL, resource TEXT NOT NULL, text TEXT NOT NULL,
	priority INTEGER NOT NULL, status TEXT NOT NULL, demoted INTEGER NOT NULL,
	decisions INTEGER NOT NULL -- how many
);
CREATE INDEX finding_order ON finding (priority DESC, last DESC, key);
CREATE INDEX finding_rule ON finding (rule, log_source, last);
CREATE TABLE decision (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	key TEXT NOT NULL,
	decision TEXT NOT NULL -- finding.Decision, JSON
);
CREATE INDEX decision_key ON decision (key);
CREATE TABLE rule_day (
	rule TEXT NOT NULL, log_source TEXT NOT NULL, day INTEGER NOT NULL,
	matches INTEGER NOT NULL, demoted INTEGER NOT NULL,
	PRIMARY KEY (log_source, day, rule)
) WITHOUT ROWID;
CREATE INDEX rule_day_rule ON rule_day (rule, log_source, day, demoted);
CREATE INDEX rule_day_demoted ON rule_day (day, rule, log_source) WHERE demoted;
CREATE TABLE source_day (
	log_source TEXT NOT NULL, day INTEGER NOT NULL,
	events INTEGER NOT NULL,
	PRIMARY KEY (log_source, day)
) WITHOUT ROWID;
`, `
-- Occurrences are one a day or, of hunters, one an hour. Those that were made
-- before span the days they span.
CREATE TABLE occurrence_new (
	key TEXT NOT NULL, batch BLOB NOT NULL, -- of a hunter: zero
	hunter TEXT NOT NULL,                   -- of a batch: empty
	since INTEGER NOT NULL, until INTEGER NOT NULL,
	rule TEXT NOT NULL,
	first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL,
	trouble TEXT NOT NULL, evidence BLOB NOT NULL,
	PRIMARY KEY (key, batch, hunter, since)
) WITHOUT ROWID;
INSERT INTO occurrence_new SELECT key, batch, '', first - first % 86400000000, last - last % 86400000000 + 86400000000,
	coalesce(json_extract(trouble, '$.rule'), ''), first, last, count, trouble, evidence FROM occurrence;
DROP TABLE occurrence;
ALTER TABLE occurrence_new RENAME TO occurrence;
CREATE INDEX occurrence_batch ON occurrence (batch) WHERE hunter = '';
CREATE INDEX occurrence_rule ON occurrence (rule, since) WHERE hunter = '';
CREATE INDEX occurrence_hunter ON occurrence (hunter, since) WHERE hunter <> '';
ALTER TABLE finding ADD COLUMN hunter TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE finding ADD COLUMN until INTEGER NOT NULL DEFAULT 0;
UPDATE finding SET since = last - last % 86400000000, until = last - last % 86400000000 + 86400000000;
CREATE TABLE sequence (n INTEGER NOT NULL); -- one row: grows with every recording
INSERT INTO sequence VALUES (1);
ALTER TABLE judged ADD COLUMN seq INTEGER NOT NULL DEFAULT 1; -- when the batch was first recorded
CREATE TABLE mark (
	hunter TEXT NOT NULL, hour INTEGER NOT NULL, -- microseconds
	seq INTEGER NOT NULL,
	PRIMARY KEY (hunter, hour)
) WITHOUT ROWID;
-- What batches first recorded up to seq say of the rule and day counts no more:
-- a hunt has said all of it.
CREATE TABLE covered (
	rule TEXT NOT NULL, day INTEGER NOT NULL, seq INTEGER NOT NULL,
	PRIMARY KEY (rule, day)
) WITHOUT ROWID;
CREATE TABLE stage (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	rule TEXT NOT NULL,
	latest INTEGER NOT NULL, -- whether it is the rule's latest
	hidden INTEGER NOT NULL, -- stage.Hidden
	stage TEXT NOT NULL      -- finding.Stage, JSON
);
CREATE INDEX stage_rule ON stage (rule, id);
CREATE INDEX stage_hidden ON stage (rule) WHERE latest AND hidden;
CREATE TABLE stage_audit (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	at INTEGER NOT NULL, by TEXT NOT NULL,
	stage TEXT NOT NULL -- finding.Stage as it was after that, JSON
);
`, `
-- What hunters keep of days.
CREATE TABLE note (
	hunter TEXT NOT NULL, day INTEGER NOT NULL, -- microseconds
	body BLOB NOT NULL,
	PRIMARY KEY (hunter, day)
);
`, `
-- Findings are chosen and ordered by what is kept of them in memory: see index.
CREATE TABLE finding_new (
	key TEXT PRIMARY KEY,
	-- The merged occurrence; batch is the latest one's.
	batch BLOB NOT NULL, hunter TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
	rule TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL,
	trouble TEXT NOT NULL, evidence BLOB NOT NULL,
	decisions INTEGER NOT NULL -- how many
);
CREATE TABLE listed (
	key TEXT PRIMARY KEY,
	rule TEXT NOT NULL, log_source TEXT NOT NULL, severity INTEGER NOT NULL, -- its rank
	priority INTEGER NOT NULL, count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
	demoted INTEGER NOT NULL,
	facts BLOB NOT NULL -- see entry; made anew where known says another layout
) WITHOUT ROWID;
INSERT INTO finding_new SELECT key, batch, hunter, since, until, rule, first, last, count, trouble, evidence, decisions FROM finding;
INSERT INTO listed SELECT key, rule, log_source, severity, priority, count, first, last, demoted, x'' FROM finding;
DROP TABLE finding;
ALTER TABLE finding_new RENAME TO finding;
CREATE INDEX listed_rule ON listed (rule, log_source, last);
-- Decisions have names, unique about a finding; those of before are named by
-- their number.
ALTER TABLE decision ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE decision ADD COLUMN "group" TEXT NOT NULL DEFAULT '';
UPDATE decision SET name = 'd' || id, decision = json_set(decision, '$.id', 'd' || id);
CREATE UNIQUE INDEX decision_name ON decision (key, name);
CREATE INDEX decision_by_name ON decision (name);
CREATE INDEX decision_group ON decision ("group") WHERE "group" <> '';
CREATE TABLE audit (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	at INTEGER NOT NULL, by TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_subject ON audit (subject);
INSERT INTO audit (at, by, action, subject, text)
	SELECT at, by, action, subject, text FROM (
		SELECT CAST(strftime('%s', json_extract(decision, '$.at')) AS INTEGER) * 1000000 AS at, json_extract(decision, '$.by') AS by,
			'finding.decide' AS action, key AS subject, decision AS text, id AS n FROM decision
		UNION ALL SELECT at, by, 'rule.stage', json_extract(stage, '$.rule'), stage, id FROM stage_audit
	) ORDER BY at, n;
DROP TABLE stage_audit;
-- What was decided and written stays.
CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'audit lines are never changed'); END;
CREATE TRIGGER audit_delete BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'audit lines are never taken away'); END;
CREATE TRIGGER audit_replace BEFORE INSERT ON audit WHEN NEW.id IN (SELECT id FROM audit) BEGIN SELECT raise(ABORT, 'audit lines are never changed'); END;
CREATE TRIGGER decision_update BEFORE UPDATE ON decision BEGIN SELECT raise(ABORT, 'decisions are never changed'); END;
CREATE TRIGGER decision_delete BEFORE DELETE ON decision BEGIN SELECT raise(ABORT, 'decisions are never taken away'); END;
CREATE TRIGGER decision_replace BEFORE INSERT ON decision
	WHEN NEW.id IN (SELECT id FROM decision) OR EXISTS (SELECT 1 FROM decision WHERE key = NEW.key AND name = NEW.name) BEGIN SELECT raise(ABORT, 'decisions are never changed'); END;
-- Bodies are the nouns as JSON.
CREATE TABLE exception (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE planned (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID; -- finding.Window
CREATE TABLE assessed (subject TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE view (id TEXT PRIMARY KEY, page TEXT NOT NULL, owner TEXT NOT NULL, shared INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE known (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID; -- estate, layout
CREATE TABLE revision (n INTEGER NOT NULL); -- one row: grows with every change to findings or to what is known
INSERT INTO revision VALUES (1);
`, `
-- What findings of other products are folded by, and into what: see together.
CREATE TABLE topic (
	topic TEXT NOT NULL, key TEXT NOT NULL,
	external INTEGER NOT NULL, state INTEGER NOT NULL, -- of a finding of another product; of how something is
	first INTEGER NOT NULL, last INTEGER NOT NULL,     -- finding.Finding.Active
	PRIMARY KEY (topic, key)
) WITHOUT ROWID;
CREATE INDEX topic_key ON topic (key);
CREATE TABLE folded (
	key TEXT PRIMARY KEY,
	lead TEXT NOT NULL,   -- the finding that it is folded into or stands beside
	source TEXT NOT NULL, -- the product that says it; empty: it stands apart
	same TEXT NOT NULL,   -- finding.Same or finding.Apart, JSON
	CHECK (key <> lead)
) WITHOUT ROWID;
CREATE INDEX folded_lead ON folded (lead);
`, `
-- What one product says twice is never folded, so that it need not be compared.
DROP TABLE topic;
CREATE TABLE topic (
	topic TEXT NOT NULL, key TEXT NOT NULL,
	source TEXT NOT NULL,                          -- the product that says it; empty: we do
	state INTEGER NOT NULL,                        -- whether it says how something is
	first INTEGER NOT NULL, last INTEGER NOT NULL, -- finding.Finding.Active
	PRIMARY KEY (topic, key)
) WITHOUT ROWID;
CREATE INDEX topic_key ON topic (key);
CREATE INDEX topic_theirs ON topic (topic) WHERE source <> ''; -- to tell at once that there are none
DELETE FROM folded;
DELETE FROM known WHERE name = 'layout'; -- all are listed anew, with their topics
`, `
-- What projects applied for, and what was accepted as a gap in an application.
CREATE TABLE registered (project TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID; -- register.Entry
CREATE TABLE registered_change (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	project TEXT NOT NULL, body TEXT NOT NULL -- register.Change
);
CREATE INDEX registered_change_project ON registered_change (project, id);
CREATE TRIGGER registered_change_update BEFORE UPDATE ON registered_change BEGIN SELECT raise(ABORT, 'history is never changed'); END;
CREATE TRIGGER registered_change_delete BEFORE DELETE ON registered_change BEGIN SELECT raise(ABORT, 'history is never taken away'); END;
CREATE TABLE registered_file (digest TEXT PRIMARY KEY, name TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID; -- what was imported
CREATE TABLE accepted (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID; -- of a finding: finding.Acceptance
`, `
-- Findings that name a service which may be missing in the register.
CREATE TABLE wanting (key TEXT PRIMARY KEY, project TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX wanting_project ON wanting (project);
`, `
-- Decisions that stand for more than a finding's verdict, and how they came about.
CREATE TABLE standing (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID; -- decision.Decision
CREATE TABLE standing_change (
	n INTEGER PRIMARY KEY AUTOINCREMENT,
	id TEXT NOT NULL, body TEXT NOT NULL -- decision.Change
);
CREATE INDEX standing_change_id ON standing_change (id, n);
CREATE TRIGGER standing_change_update BEFORE UPDATE ON standing_change BEGIN SELECT raise(ABORT, 'history is never changed'); END;
CREATE TRIGGER standing_change_delete BEFORE DELETE ON standing_change BEGIN SELECT raise(ABORT, 'history is never taken away'); END;
`}

// Store is a triage in a SQLite file.
type Store struct {
	db     *sqlitedb.DB
	own    bool // Close closes db
	expand triage.Expand

	writing   sync.Mutex // held while the file is changed and what is in memory follows
	now       atomic.Pointer[state]
	assessing sync.Mutex // held by who judges principals and resources
	planned   time.Time  // how far repeating windows are expanded; of who holds writing
}

// state is what is kept in memory of the file.
type state struct {
	revision int64
	known    *finding.Known // never changed: replaced
	index    *index         // nil until somebody lists or counts
}

// Option is a choice about a Store.
type Option func(*Store)

// Expanding gives the store what expands repeating windows; without it those
// are refused.
func Expanding(e triage.Expand) Option { return func(s *Store) { s.expand = e } }

var (
	_ triage.Store     = (*Store)(nil)
	_ triage.Compacter = (*Store)(nil)
)

// Open opens or creates the file for writing. One process at a time may.
func Open(ctx context.Context, path string, options ...Option) (*Store, error) {
	db, err := sqlitedb.Open(ctx, path)
	return owned(ctx, db, err, options)
}

// OpenReader opens an existing file for reading, beside a process that writes.
func OpenReader(ctx context.Context, path string, options ...Option) (*Store, error) {
	db, err := sqlitedb.OpenReader(ctx, path)
	return owned(ctx, db, err, options)
}

func owned(ctx context.Context, db *sqlitedb.DB, err error, options []Option) (*Store, error) {
	if err != nil {
		return nil, err
	}
	s, err := On(ctx, db, options...)
	if err != nil {
		_ = db.Close() // nothing was written: the first error says it all
		return nil, err
	}
	s.own = true
	return s, nil
}

// On uses a file that is open already and that the caller closes after s.
func On(ctx context.Context, db *sqlitedb.DB, options ...Option) (*Store, error) {
	if err := db.Migrate(ctx, "triage", schema); err != nil {
		return nil, err
	}
	s := &Store{db: db}
	for _, o := range options {
		o(s)
	}
	if err := s.learn(ctx); err != nil {
		return nil, err
	}
	if !db.ReadOnly() {
		if err := s.upgrade(ctx); err != nil {
			return nil, fmt.Errorf("bring findings up to date: %w", err)
		}
	}
	return s, nil
}

// Close closes the file, unless it was opened elsewhere.
func (s *Store) Close() error {
	if !s.own {
		return nil
	}
	return s.db.Close()
}
