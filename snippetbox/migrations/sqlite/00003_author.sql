-- +goose Up
-- Whoever leaves leaves the snippets behind, as nobody's.
ALTER TABLE snippets ADD COLUMN user_id INTEGER REFERENCES users (id) ON DELETE SET NULL;
