-- Spark Gateway: who this gateway is, and how old drivers are. Drivers in a cluster bear the id, so that no gateway touches those of another.

-- One row. Its age says how far the absence of a session from this database can be believed.
CREATE TABLE gateway_instance (
    id          INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    instance_id TEXT    NOT NULL,                          -- a UUID
    created_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;

INSERT INTO gateway_instance (id, instance_id)
SELECT 1, substr(hex, 1, 8) || '-' || substr(hex, 9, 4) || '-4' || substr(hex, 14, 3) || '-A' || substr(hex, 18, 3) || '-' || substr(hex, 21, 12)
FROM (SELECT hex(randomblob(16)) AS hex);

-- Drivers that are found on a cluster: when their pod was made. An older one never takes the place of a younger one of its name.
ALTER TABLE sessions ADD COLUMN runtime_since INTEGER;   -- milliseconds since 1970 on the cluster's clock, which is not the store's
