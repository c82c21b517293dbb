-- +goose Up
-- Each form that is shown has a name of its own, so that one sent twice publishes once.
ALTER TABLE snippets ADD COLUMN form VARCHAR(26) CHARACTER SET ascii COLLATE ascii_bin NULL, ADD UNIQUE KEY snippets_form (user_id, form);
