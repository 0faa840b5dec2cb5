-- Schema 3: what operators ask for, and how long history is kept.

-- The audit log by time, and the deletions in it.

DROP INDEX audit_by_app;
CREATE INDEX audit_by_time ON audit (time);
CREATE INDEX audit_by_app ON audit (app, time);
CREATE INDEX deletion_by_app ON audit (app, id) WHERE action = 'conversation.delete';
CREATE INDEX deletion_by_user ON audit (app, target, id) WHERE action = 'conversation.delete';

-- How long history is kept; NULL: for ever.
ALTER TABLE app ADD COLUMN history_retention INTEGER;
-- Time of a log's oldest entry, or earlier; NULL: it has none. Finds the logs that have something to expire.
ALTER TABLE log ADD COLUMN oldest_time INTEGER;
UPDATE log SET oldest_time = (SELECT time FROM entry WHERE entry.log = log.id ORDER BY seq LIMIT 1);
-- Time of a log's newest message, which is known when the message itself is erased; NULL: there was none.
ALTER TABLE log ADD COLUMN last_message_time INTEGER;
UPDATE log SET last_message_time = (SELECT time FROM entry WHERE entry.log = log.id AND seq = last_message_seq);
CREATE INDEX log_by_age ON log (app, oldest_time) WHERE oldest_time IS NOT NULL;
