package redisstore

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"
)

// run does a program on one key; where replicas are to be waited for, it answers an error if too few
// have what was written.
func (s *Store) run(ctx context.Context, p *program, key string, args ...string) rueidis.RedisResult {
	if s.o.WaitReplicas == 0 {
		return s.guard.exec(ctx, p.lua, key, args)
	}
	// WAIT counts the writes of its own connection, so both go over one that nobody else uses.
	answers, err := s.guard.dedicated(ctx, func(c rueidis.DedicatedClient) []rueidis.Completed {
		return []rueidis.Completed{
			c.B().Eval().Script(p.text).Numkeys(1).Key(key).Arg(args...).Build(),
			c.B().Wait().Numreplicas(int64(s.o.WaitReplicas)).Timeout(s.o.WaitTimeout.Milliseconds()).Build(),
		}
	})
	if err != nil {
		return rueidis.NewErrorResult(err)
	}
	if answers[0].Error() != nil {
		return answers[0]
	}
	switch n, err := answers[1].AsInt64(); {
	case err != nil:
		return rueidis.NewErrorResult(err)
	case n < int64(s.o.WaitReplicas):
		return rueidis.NewErrorResult(fmt.Errorf("%d of %d replicas have the write after %v: it may be lost if the primary fails", n, s.o.WaitReplicas, s.o.WaitTimeout))
	}
	return answers[0]
}
