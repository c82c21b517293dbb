-- +goose Up
-- Other collations than _bin take e and é for the same letter, and two people for one.
CREATE TABLE IF NOT EXISTS users (
	id BIGINT NOT NULL PRIMARY KEY AUTO_INCREMENT,
	name VARCHAR(100) NOT NULL,
	email VARCHAR(254) COLLATE utf8mb4_bin NOT NULL UNIQUE,
	hashed_password VARCHAR(255) NOT NULL,
	created DATETIME NOT NULL
) CHARACTER SET utf8mb4;
