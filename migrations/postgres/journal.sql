-- Spark Gateway: which migrations this database has, and who migrates it now.
-- Safe to run again. `spark-gateway migrate` runs it before it looks for work.

CREATE TABLE IF NOT EXISTS schema_migrations (
    name       TEXT        NOT NULL PRIMARY KEY,   -- file name of the migration
    applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- One row. Whoever migrates holds it; a crashed holder loses it when it expires.
CREATE TABLE IF NOT EXISTS schema_lock (
    id         INT         NOT NULL PRIMARY KEY CHECK (id = 1),
    owner      TEXT,                               -- host and process id; NULL: free
    expires_at TIMESTAMPTZ
);

INSERT INTO schema_lock (id) VALUES (1) ON CONFLICT (id) DO NOTHING;
