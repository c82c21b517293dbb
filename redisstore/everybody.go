package redisstore

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
)

// ListAll yields the live sessions of everybody, a page at a time, each primary's after the other's. One that Redis
// moves about meanwhile may come twice.
func (s *Store) ListAll(ctx context.Context) iter.Seq2[sojourn.Record, error] {
	const op = "list all"
	return func(yield func(sojourn.Record, error) bool) {
		for ids, err := range s.everybody(ctx) {
			var all []sojourn.Record
			if err == nil {
				all, err = s.loadAll(ctx, ids)
			}
			if err != nil {
				yield(sojourn.Record{}, failed(op, err))
				return
			}
			for i := range all {
				if !yield(all[i], nil) {
					return
				}
			}
		}
	}
}

// Count asks each primary for the keys of sessions, and counts them.
func (s *Store) Count(ctx context.Context) (n int, err error) {
	for ids, err := range s.everybody(ctx) {
		if err != nil {
			return 0, failed("count", err)
		}
		n += len(ids)
	}
	return n, nil
}

// everybody yields the ids of all sessions in pages.
func (s *Store) everybody(ctx context.Context) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		primaries, begin := 0, s.key("")
		for addr, node := range s.client.Nodes() {
			role, err := s.askNode(ctx, node, node.B().Role().Build()).ToArray()
			if err == nil && len(role) == 0 {
				err = rueidis.Nil
			}
			if err != nil {
				yield(nil, fmt.Errorf("%s: ROLE: %w", addr, err))
				return
			}
			if name, _ := role[0].ToString(); name != "master" {
				continue
			}
			primaries++
			for cursor, more := uint64(0), true; more; more = cursor != 0 {
				e, err := s.askNode(ctx, node, node.B().Scan().Cursor(cursor).Match(glob(begin)+"*").Count(5*page).Build()).AsScanEntry()
				if err != nil {
					yield(nil, fmt.Errorf("%s: SCAN: %w", addr, err))
					return
				}
				cursor = e.Cursor
				if ids := idsOf(e.Elements, begin); len(ids) > 0 && !yield(ids, nil) {
					return
				}
			}
		}
		if primaries == 0 {
			yield(nil, errNoPrimary)
		}
	}
}

func (s *Store) askNode(ctx context.Context, node rueidis.Client, cmd rueidis.Completed) rueidis.RedisResult {
	return guarded(&s.guard, ctx, s.guard.troubled(), func() (rueidis.RedisResult, error) {
		answer := node.Do(ctx, kept(cmd))
		return answer, answer.NonRedisError()
	}, rueidis.NewErrorResult)
}

// idsOf are those of the keys that are of sessions.
func idsOf(keys []string, begin string) (ids []string) {
	for _, key := range keys {
		if id, ours := strings.CutPrefix(key, begin); ours && wellFormed(id) {
			ids = append(ids, id)
		}
	}
	return ids
}

var patterns = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`)

// glob is text as a pattern that nothing else matches.
func glob(text string) string { return patterns.Replace(text) }
