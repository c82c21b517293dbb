-- +goose Up
-- Each form that is shown has a name of its own, so that one sent twice publishes once.
ALTER TABLE snippets ADD COLUMN form TEXT;
CREATE UNIQUE INDEX snippets_form ON snippets (user_id, form);
