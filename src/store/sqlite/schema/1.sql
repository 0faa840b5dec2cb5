-- Schema 1. Times are milliseconds since 1970; seqs, versions and positions count from 1, 0 is "none yet".

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value ANY
) STRICT, WITHOUT ROWID;

CREATE TABLE app (
  id          INTEGER PRIMARY KEY,
  keys        TEXT NOT NULL,          -- JSON, newest first
  admins      TEXT NOT NULL,          -- JSON
  sync_conversation_deletion INTEGER NOT NULL,
  undo_window INTEGER NOT NULL,
  revoke_window INTEGER NOT NULL,
  relationship_check INTEGER NOT NULL,
  login_mode  TEXT NOT NULL,
  instances_per_platform INTEGER,
  disabled    INTEGER NOT NULL,
  created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE operator (
  name          TEXT PRIMARY KEY,
  password_hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE account (
  key        INTEGER PRIMARY KEY,
  app        INTEGER NOT NULL,
  user       TEXT NOT NULL,
  version    INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  UNIQUE (app, user)
) STRICT;

-- One log for a pair of accounts (one < other), one for a group, one for each account's @TIM#SYSTEM.
CREATE TABLE log (
  id            INTEGER PRIMARY KEY,
  app           INTEGER NOT NULL,
  kind          TEXT NOT NULL,        -- pair, group, system
  one           TEXT NOT NULL,        -- account key, or group ID
  other         TEXT NOT NULL,        -- account key, or empty
  last_seq      INTEGER NOT NULL DEFAULT 0,
  last_message_seq INTEGER NOT NULL DEFAULT 0,
  message_count INTEGER NOT NULL DEFAULT 0,
  position      INTEGER NOT NULL DEFAULT 0,
  UNIQUE (app, kind, one, other)
) STRICT;
CREATE INDEX log_by_position ON log (position);

CREATE TABLE entry (
  log           INTEGER NOT NULL,
  seq           INTEGER NOT NULL,
  message_count INTEGER NOT NULL,     -- messages at or below seq
  sender        INTEGER,              -- account key; NULL: the system
  time          INTEGER NOT NULL,
  kind          TEXT NOT NULL,
  payload       TEXT,                 -- JSON; NULL once revoked
  is_control    INTEGER NOT NULL,
  is_revoked    INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (log, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE view (
  account       INTEGER NOT NULL,
  conversation  TEXT NOT NULL,
  log           INTEGER NOT NULL,
  hidden_upto   INTEGER NOT NULL,
  history_floor INTEGER NOT NULL,
  told_hidden_upto   INTEGER NOT NULL,
  told_history_floor INTEGER NOT NULL,
  undo          TEXT,                 -- JSON
  read_upto     INTEGER NOT NULL,
  read_count    INTEGER NOT NULL,
  is_pinned     INTEGER NOT NULL,
  left          TEXT,                 -- JSON; NULL: still in it
  version       INTEGER NOT NULL,
  -- Newest log entry of a conversation that few look at (a pair, @TIM#SYSTEM). Groups keep theirs in log alone,
  -- so that a message to many writes no row for each.
  position      INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account, conversation)
) STRICT, WITHOUT ROWID;
CREATE INDEX view_by_version ON view (account, version);
CREATE INDEX view_by_position ON view (account, position) WHERE position > 0;
CREATE INDEX view_by_log ON view (log);
CREATE INDEX view_pinned ON view (account) WHERE is_pinned;

-- "group" is a word of SQL's.
CREATE TABLE chat_group (
  log        INTEGER PRIMARY KEY,
  app        INTEGER NOT NULL,
  id         TEXT NOT NULL,
  name       TEXT NOT NULL,
  type       TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  dismissed  INTEGER NOT NULL,
  UNIQUE (app, id)
) STRICT;

CREATE TABLE member (
  group_log INTEGER NOT NULL,
  account   INTEGER NOT NULL,
  role      TEXT NOT NULL,
  joined_at INTEGER NOT NULL,
  PRIMARY KEY (group_log, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_by_account ON member (account);

CREATE TABLE friend (
  account  INTEGER NOT NULL,
  friend   INTEGER NOT NULL,
  added_at INTEGER NOT NULL,
  PRIMARY KEY (account, friend)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
  account    INTEGER NOT NULL,
  id         TEXT NOT NULL,
  platform   TEXT NOT NULL,
  login_time INTEGER NOT NULL,
  ack        INTEGER NOT NULL,
  sigs_refused_upto INTEGER NOT NULL,
  PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX device_by_time ON device (login_time);

-- What calls with a requestID did.
CREATE TABLE request (
  account     INTEGER NOT NULL,
  device      TEXT NOT NULL,          -- empty: the app's back end
  id          TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  answer      TEXT NOT NULL,
  time        INTEGER NOT NULL,
  PRIMARY KEY (account, device, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX request_by_time ON request (time);

CREATE TABLE audit (
  id     INTEGER PRIMARY KEY,
  time   INTEGER NOT NULL,
  app    INTEGER NOT NULL,
  actor  TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  detail TEXT NOT NULL                -- JSON
) STRICT;
CREATE INDEX audit_by_app ON audit (app, id);

-- Logs whose cleared history may be physically erased once the undo window has passed.
CREATE TABLE erasure (
  log    INTEGER PRIMARY KEY,
  due_at INTEGER NOT NULL
) STRICT;
CREATE INDEX erasure_by_time ON erasure (due_at);
