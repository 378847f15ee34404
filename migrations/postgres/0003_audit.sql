-- Spark Gateway: questions to the audit are quick at ten million rows, see docs/audit.md.

-- By what happened, by user, by session name; each with the time, so that a question about a month reads a month.
CREATE INDEX audit_log_action ON audit_log (action, at);
CREATE INDEX audit_log_user ON audit_log (claimed_user, at);
CREATE INDEX audit_log_name ON audit_log (session_name, at);

-- What the view joins, without a look at the table. A session is opened once and ends once: that holds for all who write here,
-- and tells the planner that a join finds one row.
CREATE UNIQUE INDEX audit_log_opened ON audit_log (session_row_id) INCLUDE (at, action, namespace, session_name, team, claimed_user) WHERE action IN ('open', 'attach');
CREATE UNIQUE INDEX audit_log_ended ON audit_log (session_row_id) INCLUDE (at, reason) WHERE action = 'end';
CREATE INDEX audit_log_bound ON audit_log (session_row_id, at) WHERE action = 'bind';

-- Sessions that became ready under a gateway that knew no max TTL had none: they get the default of four hours from now.
UPDATE sessions SET max_ttl_at = now() + INTERVAL '4 hours' WHERE kind = 'on_demand' AND state = 'ready' AND max_ttl_at IS NULL;

-- The same view, with the environment, and written so that a filter on a column of it finds its index of audit_log.
CREATE OR REPLACE VIEW session_audit AS
SELECT used.namespace, used.session_name, used.session_row_id, used.kind, used.team, used.opened_by, used.opened_at, used.ready_at,
       used.used_by, used.client_session_prefix, used.via, used.client_address, used.user_agent, used.bound_at, used.released_at,
       used.ended_at,
       CAST(extract(epoch FROM COALESCE(used.released_at, used.ended_at, now()) - used.bound_at) AS DECIMAL(18, 3)) AS used_seconds,
       CAST(extract(epoch FROM COALESCE(used.ended_at, now()) - used.opened_at) AS DECIMAL(18, 3)) AS session_seconds,
       used.end_reason, used.end_detail, used.environment
FROM (
    SELECT o.namespace, o.session_name, o.session_row_id,
           CASE o.action WHEN 'attach' THEN 'attached' ELSE 'on_demand' END AS kind,
           o.team, o.claimed_user AS opened_by, o.at AS opened_at,
           CASE o.action WHEN 'attach' THEN o.at ELSE (
               SELECT min(r.at) FROM audit_log r WHERE r.session_row_id = o.session_row_id AND r.action = 'ready') END AS ready_at,
           b.claimed_user AS used_by, b.client_session_prefix, b.detail ->> 'via' AS via, b.client_address, b.user_agent, b.at AS bound_at,
           (SELECT min(l.at) FROM audit_log l
            WHERE l.session_row_id = b.session_row_id AND l.action = 'release' AND l.id > b.id
              AND l.claimed_user = b.claimed_user AND l.client_session_prefix = b.client_session_prefix) AS released_at,
           e.at AS ended_at, e.reason AS end_reason, e.detail ->> 'text' AS end_detail, o.detail ->> 'environment' AS environment
    FROM audit_log o
    LEFT JOIN audit_log e ON e.session_row_id = o.session_row_id AND e.action = 'end'
    LEFT JOIN audit_log b ON b.session_row_id = o.session_row_id AND b.action = 'bind'
    WHERE o.action IN ('open', 'attach')
) used;
