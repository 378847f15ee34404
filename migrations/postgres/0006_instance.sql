-- Spark Gateway: who this gateway is, and how old drivers are. Drivers in a cluster bear the id, so that no gateway touches those of another.

-- One row. Its age says how far the absence of a session from this database can be believed.
CREATE TABLE gateway_instance (
    id          INT         NOT NULL PRIMARY KEY CHECK (id = 1),
    instance_id UUID        NOT NULL DEFAULT gen_random_uuid(),
    created_at  TIMESTAMPTZ NOT NULL DEFAULT now()
);

INSERT INTO gateway_instance (id) VALUES (1);

-- Drivers that are found on a cluster: when their pod was made. An older one never takes the place of a younger one of its name.
ALTER TABLE sessions ADD COLUMN runtime_since BIGINT;   -- milliseconds since 1970 on the cluster's clock, which is not the store's
