-- Schema 2: what operators may do, and their sessions in the console.

-- Those that were there before could do everything.
ALTER TABLE operator ADD COLUMN role TEXT NOT NULL DEFAULT 'administrator';
ALTER TABLE operator ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE operator ADD COLUMN last_sign_in INTEGER;   -- NULL: never
-- When they were made is not known: at this moment at the latest.
UPDATE operator SET created_at = CAST(unixepoch('subsec') * 1000 AS INTEGER);

CREATE TABLE console_session (
  token_hash   BLOB PRIMARY KEY,      -- SHA-256 of what the browser holds
  operator     TEXT NOT NULL,
  signed_in_at INTEGER NOT NULL,
  seen_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX console_session_by_operator ON console_session (operator, signed_in_at);

-- Who changed a setting last.
CREATE INDEX audit_of_setting ON audit (app, target, id) WHERE action = 'app.set';

-- Raised with each change of an app: shows a change made by another process at the cost of one row.
INSERT INTO meta (key, value) VALUES ('app_changes', 0);
