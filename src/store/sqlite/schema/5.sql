-- Schema 5: what each deletion writes, again: one index of the audit log instead of four, and one row for all that it
-- has erased.

-- A user's deletions hang together: the account has its newest, each deletion the one before it.
ALTER TABLE account ADD COLUMN last_deletion INTEGER;   -- audit.id; NULL: none
ALTER TABLE audit ADD COLUMN previous INTEGER;          -- audit.id; NULL: none, or not a deletion
UPDATE audit SET previous = (
    SELECT MAX(earlier.id) FROM audit earlier
    WHERE earlier.action = 'conversation.delete' AND earlier.app = audit.app AND earlier.target = audit.target
      AND earlier.id < audit.id
  ) WHERE action = 'conversation.delete';
UPDATE account SET last_deletion = (
    SELECT MAX(id) FROM audit
    WHERE action = 'conversation.delete' AND audit.app = account.app AND audit.target = account.user
  );

DROP INDEX deletion_by_user;
DROP INDEX deletion_by_app;
DROP INDEX audit_by_app;
DROP INDEX audit_by_time;
CREATE INDEX audit_by_time ON audit (app, action = 'conversation.delete', time);

-- Logs whose cleared history may be physically erased once the undo window has passed. A queue: a log stands in it
-- once for each operation after which it is to be looked at.
CREATE TABLE erasure_queue (
  due_at INTEGER NOT NULL,
  logs   TEXT NOT NULL,               -- JSON
  PRIMARY KEY (due_at, logs)
) STRICT, WITHOUT ROWID;
INSERT INTO erasure_queue SELECT due_at, '[' || log || ']' FROM erasure;
DROP TABLE erasure;
ALTER TABLE erasure_queue RENAME TO erasure;
