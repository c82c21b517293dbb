-- +goose Up
-- They are there from the start, so that the first page is not an empty one.
INSERT INTO snippets (title, content, created, expires)
SELECT title, content, UTC_TIMESTAMP(), DATE_ADD(UTC_TIMESTAMP(), INTERVAL 1 YEAR)
FROM (
SELECT 1 AS n, 'Kettle' AS title, 'The kettle, humming.
Steam draws a map on the pane
of nowhere to be.' AS content
UNION ALL
SELECT 2, 'Night train', 'Last train, empty car:
my reflection rides along
and asks for nothing.'
UNION ALL
SELECT 3, 'Found in a coat', 'In last winter''s coat
a ticket, a chestnut, and
one folded Tuesday.'
) AS seeds
WHERE NOT EXISTS (SELECT 1 FROM snippets AS already)
ORDER BY n;
