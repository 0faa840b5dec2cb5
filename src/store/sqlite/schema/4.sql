-- What each deletion writes, laid out so that new rows stand beside each other at a table's end.

-- Logs whose cleared history may be physically erased once the undo window has passed. A queue: a log stands in it
-- once for each time at which it is to be looked at.
CREATE TABLE erasure_queue (
  due_at INTEGER NOT NULL,
  log    INTEGER NOT NULL,
  PRIMARY KEY (due_at, log)
) STRICT, WITHOUT ROWID;
INSERT INTO erasure_queue SELECT due_at, log FROM erasure;
DROP TABLE erasure;
ALTER TABLE erasure_queue RENAME TO erasure;

-- What calls with a requestID did.
CREATE TABLE request_log (
  key         INTEGER PRIMARY KEY,    -- in the order in which they were made
  account     INTEGER NOT NULL,
  device      TEXT NOT NULL,          -- empty: the app's back end
  id          TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  answer      TEXT NOT NULL,
  time        INTEGER NOT NULL,
  UNIQUE (account, device, id)
) STRICT;
INSERT INTO request_log (account, device, id, fingerprint, answer, time)
  SELECT account, device, id, fingerprint, answer, time FROM request ORDER BY time;
DROP TABLE request;
ALTER TABLE request_log RENAME TO request;
