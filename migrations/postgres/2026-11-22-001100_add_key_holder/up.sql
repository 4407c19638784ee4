-- The process that carries out the first request under a key: when it starts again, what it left is free at once.

ALTER TABLE idempotency_keys ADD COLUMN held_by TEXT;
