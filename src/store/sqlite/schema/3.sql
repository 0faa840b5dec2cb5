-- What operators ask for: the audit log by time, and the deletions in it.

DROP INDEX audit_by_app;
CREATE INDEX audit_by_time ON audit (time);
CREATE INDEX audit_by_app ON audit (app, time);
CREATE INDEX deletion_by_app ON audit (app, id) WHERE action = 'conversation.delete';
CREATE INDEX deletion_by_user ON audit (app, target, id) WHERE action = 'conversation.delete';
