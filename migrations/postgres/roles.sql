-- Spark Gateway: three roles without login; grant them to the login roles of your choice.
--   spark_gateway_owner   everything, retention of the audit included; for `migrate` and `audit prune`
--   spark_gateway_app     what `serve` needs; audit_log: insert and select only, so the audit is append-only for it
--   spark_gateway_reader  select only
-- `spark-gateway migrate` runs these statements at each call, one by one; a role that exists already is no error.
-- Without the right to create roles it leaves this file out and says so: a DBA runs it then.

CREATE ROLE spark_gateway_owner NOLOGIN;

CREATE ROLE spark_gateway_app NOLOGIN;

CREATE ROLE spark_gateway_reader NOLOGIN;

GRANT ALL ON sessions, bindings, replicas, session_turn, gateway_instance, audit_log, schema_migrations, schema_lock, session_audit TO spark_gateway_owner;

GRANT SELECT, INSERT, UPDATE, DELETE ON sessions, bindings, replicas TO spark_gateway_app;

GRANT SELECT, UPDATE ON session_turn TO spark_gateway_app;

GRANT SELECT, INSERT ON audit_log TO spark_gateway_app;

GRANT SELECT ON schema_migrations, session_audit, gateway_instance TO spark_gateway_app;

GRANT SELECT ON sessions, bindings, replicas, audit_log, schema_migrations, session_audit, gateway_instance TO spark_gateway_reader;
