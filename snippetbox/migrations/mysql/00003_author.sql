-- +goose Up
-- Whoever leaves leaves the snippets behind, as nobody's.
ALTER TABLE snippets ADD COLUMN user_id BIGINT NULL, ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL;
