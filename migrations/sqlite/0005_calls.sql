-- Spark Gateway: what replicas tell of themselves to those who are asked: where their state_dir is, and the calls that they relay.

ALTER TABLE replicas ADD COLUMN state_dir TEXT;          -- on its host; driver logs of platform local lie in it
ALTER TABLE replicas ADD COLUMN open_calls TEXT;         -- JSON: session row id to number of open calls; NULL: none
ALTER TABLE replicas ADD COLUMN calls_at TEXT;           -- when it told
