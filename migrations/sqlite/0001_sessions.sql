-- Spark Gateway: sessions (Spark drivers), the client sessions bound to them, the replicas, and the audit.
-- Times are the database's clock, UTC, as text that sorts: 2030-01-31T12:00:00.000Z. The same tables as for PostgreSQL.

-- One row: one Spark driver that the gateway routes to, and its life. Ended rows stay a week as tombstones.
CREATE TABLE sessions (
    id                 TEXT        NOT NULL PRIMARY KEY,   -- "session row id" in texts and in audit_log
    namespace          TEXT        NOT NULL,
    name               TEXT        NOT NULL,               -- what clients send as x-spark-session-id
    incarnation        INTEGER     NOT NULL CHECK (incarnation >= 1),   -- counts the drivers that had this name
    kind               TEXT        NOT NULL CHECK (kind IN ('on_demand', 'attached')),
    platform           TEXT        NOT NULL,               -- local, kubernetes; config: attached by the configuration
    state              TEXT        NOT NULL CHECK (state IN ('starting', 'ready', 'ending', 'ended')),
    team               TEXT,
    environment        TEXT,
    opened_by          TEXT,                               -- user as the client claims it; NULL: attached, or pre-created
    owner_replica      TEXT,                               -- who launched the driver (replicas.id)
    launch_lease_until TEXT,
    address            TEXT,                               -- host:port of the driver once it is ready
    runtime_id         TEXT,                               -- pod uid and container id, or pid and start time
    opened_at          TEXT        NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    ready_at           TEXT,
    last_activity_at   TEXT,
    busy_until         TEXT,                               -- renewed while calls are open
    max_ttl_at         TEXT,
    ended_at           TEXT,
    end_reason         TEXT,                               -- idle, max_ttl, released, closed_by_operator, crashed, lost, ...
    end_detail         TEXT,
    CONSTRAINT sessions_name_once UNIQUE (namespace, name, incarnation),
    CONSTRAINT sessions_ended_whole CHECK ((state = 'ended') = (ended_at IS NOT NULL))
) STRICT;

CREATE INDEX sessions_not_ended ON sessions (opened_at) WHERE state <> 'ended';

-- One row: one client session (user, Spark's session id) and the driver it uses. Many to one.
-- The pair is a credential, so only its SHA-256 is kept, and 8 characters of the id for people.
CREATE TABLE bindings (
    key                   BLOB        NOT NULL PRIMARY KEY,
    claimed_user          TEXT,
    client_session_prefix TEXT        NOT NULL CHECK (length(client_session_prefix) <= 8),
    session_row_id        TEXT        NOT NULL REFERENCES sessions (id),
    state                 TEXT        NOT NULL CHECK (state IN ('bound', 'released', 'ended')),
    via                   TEXT        NOT NULL CHECK (via IN ('id', 'header', 'config', 'connection', 'clone', 'ondemand', 'precreated')),
    created_at            TEXT        NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    released_at           TEXT                             -- the client released it itself
) STRICT;

CREATE INDEX bindings_session ON bindings (session_row_id, state);

-- One row: one gateway process that used this store.
CREATE TABLE replicas (
    id           TEXT        NOT NULL PRIMARY KEY,
    host         TEXT        NOT NULL,
    started_at   TEXT        NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    heartbeat_at TEXT        NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    steady_since TEXT        NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))    -- start of its heartbeats without a gap: before it, it judges no other replica
) STRICT;

-- One row. Who opens or attaches sessions updates it first, so that limits and incarnations are counted one after the other.
CREATE TABLE session_turn (
    id       INTEGER     NOT NULL PRIMARY KEY CHECK (id = 1),
    taken_at TEXT        NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;

INSERT INTO session_turn (id) VALUES (1);

-- Append-only: each row was written in the transaction of the change it records. The triggers below refuse the rest.
CREATE TABLE audit_log (
    id                    INTEGER     NOT NULL PRIMARY KEY AUTOINCREMENT,
    at                    TEXT        NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    actor                 TEXT        NOT NULL,            -- the user as the client claims it, or spark-gateway
    action                TEXT        NOT NULL,            -- open, attach, bind, ready, release, end, deny
    namespace             TEXT,
    session_name          TEXT,
    session_row_id        TEXT,
    team                  TEXT,
    claimed_user          TEXT,                            -- whose client session, or who opened the session
    client_session_prefix TEXT        CHECK (length(client_session_prefix) <= 8),
    reason                TEXT,
    detail                TEXT        NOT NULL DEFAULT '{}' CHECK (json_valid(detail)),
    client_address        TEXT,
    user_agent            TEXT,
    replica               TEXT        NOT NULL             -- the gateway process that wrote the row
) STRICT;

CREATE INDEX audit_log_session ON audit_log (session_row_id, action);
CREATE INDEX audit_log_at ON audit_log (at);

CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'audit_log is append-only');
END;

-- INSERT OR REPLACE deletes without telling the trigger below.
CREATE TRIGGER audit_log_no_replace BEFORE INSERT ON audit_log WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'audit_log is append-only');
END;

CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'audit_log is append-only');
END;

-- Who used what, when, how long, and why it ended: one row for each use of a session by a client session
-- (and one for a session that nobody used). Reads audit_log only, so it outlives the tombstones.
CREATE VIEW session_audit AS
SELECT used.namespace, used.session_name, used.session_row_id, used.kind, used.team, used.opened_by, used.opened_at, used.ready_at,
       used.used_by, used.client_session_prefix, used.via, used.client_address, used.user_agent, used.bound_at, used.released_at,
       used.ended_at,
       round((julianday(COALESCE(used.released_at, used.ended_at, 'now')) - julianday(used.bound_at)) * 86400, 3) AS used_seconds,
       round((julianday(COALESCE(used.ended_at, 'now')) - julianday(used.opened_at)) * 86400, 3) AS session_seconds,
       used.end_reason, used.end_detail
FROM (
    SELECT o.namespace, o.session_name, o.session_row_id,
           CASE o.action WHEN 'attach' THEN 'attached' ELSE 'on_demand' END AS kind,
           o.team, o.claimed_user AS opened_by, o.at AS opened_at,
           CASE o.action WHEN 'attach' THEN o.at ELSE r.at END AS ready_at,
           b.claimed_user AS used_by, b.client_session_prefix, b.detail ->> 'via' AS via, b.client_address, b.user_agent, b.at AS bound_at,
           (SELECT min(l.at) FROM audit_log l
            WHERE l.session_row_id = b.session_row_id AND l.action = 'release' AND l.id > b.id
              AND l.claimed_user = b.claimed_user AND l.client_session_prefix = b.client_session_prefix) AS released_at,
           e.at AS ended_at, e.reason AS end_reason, e.detail ->> 'text' AS end_detail
    FROM audit_log o
    LEFT JOIN audit_log r ON r.session_row_id = o.session_row_id AND r.action = 'ready'
    LEFT JOIN audit_log e ON e.session_row_id = o.session_row_id AND e.action = 'end'
    LEFT JOIN audit_log b ON b.session_row_id = o.session_row_id AND b.action = 'bind'
    WHERE o.action IN ('open', 'attach')
) used;
