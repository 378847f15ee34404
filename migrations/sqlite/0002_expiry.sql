-- Spark Gateway: sessions end by themselves. Replicas ask every 2 s which sessions have ended, and old tombstones are deleted.

CREATE INDEX sessions_ended ON sessions (ended_at) WHERE state = 'ended';
