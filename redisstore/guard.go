package redisstore

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// A guard ends calls with their contexts where the client would not.
//
// On a connection that is there the client does so itself. While it makes one it does not: whoever needs
// the same connection waits for the dial and the handshake, up to Dialer.Timeout and
// ConnWriteTimeout, whatever his own context says. Then a call is made apart, in a goroutine that can be left
// behind. A hop to a goroutine and back costs as much as the call itself, so that is done only where
// something has gone wrong of late.
type guard struct {
	began   time.Time
	warned  atomic.Int64 // when something last went wrong, after began; 0 if nothing has
	client  rueidis.Client
	trouble time.Duration // how long that counts
}

func newGuard(client rueidis.Client) guard {
	return guard{began: time.Now(), client: client, trouble: 10 * time.Second}
}

// kept keeps cmd for itself if the client may send it again. The client lends the memory of a command that was answered
// to the next one, whosever it is; but one that was sent again, because its connection broke, may still be read by who was
// writing it to that connection.
func kept(cmd rueidis.Completed) rueidis.Completed {
	if cmd.IsRetryable() {
		return cmd.Pin()
	}
	return cmd
}

func (g *guard) do(ctx context.Context, cmd rueidis.Completed) rueidis.RedisResult {
	cmd = kept(cmd)
	return guarded(g, ctx, g.troubled(), func() (rueidis.RedisResult, error) {
		answer := g.client.Do(ctx, cmd)
		return answer, answer.NonRedisError()
	}, rueidis.NewErrorResult)
}

func (g *guard) doMulti(ctx context.Context, cmds ...rueidis.Completed) []rueidis.RedisResult {
	for i, cmd := range cmds {
		cmds[i] = kept(cmd)
	}
	return guarded(g, ctx, g.troubled(), func() ([]rueidis.RedisResult, error) {
		answers := g.client.DoMulti(ctx, cmds...)
		return answers, answers[0].NonRedisError()
	}, func(err error) []rueidis.RedisResult {
		answers := make([]rueidis.RedisResult, len(cmds))
		for i := range answers {
			answers[i] = rueidis.NewErrorResult(err)
		}
		return answers
	})
}

func (g *guard) doCache(ctx context.Context, cmd rueidis.Cacheable, age time.Duration) rueidis.RedisResult {
	cmd = cmd.Pin() // as kept does
	return guarded(g, ctx, g.troubled(), func() (rueidis.RedisResult, error) {
		answer := g.client.DoCache(ctx, cmd, age)
		return answer, answer.NonRedisError()
	}, rueidis.NewErrorResult)
}

func (g *guard) exec(ctx context.Context, lua *rueidis.Lua, key string, args []string) rueidis.RedisResult {
	return guarded(g, ctx, g.troubled(), func() (rueidis.RedisResult, error) {
		answer := lua.Exec(ctx, g.client, []string{key}, args)
		return answer, answer.NonRedisError()
	}, rueidis.NewErrorResult)
}

// execRead does a program that only reads, by its hash, and by its text where the server has forgotten it.
func (g *guard) execRead(ctx context.Context, p *program, key string) rueidis.RedisResult {
	answer := g.do(ctx, g.client.B().EvalshaRo().Sha1(p.sha).Numkeys(1).Key(key).Build())
	if e, ok := rueidis.IsRedisErr(answer.Error()); ok && e.IsNoScript() {
		return g.do(ctx, g.client.B().EvalRo().Script(p.text).Numkeys(1).Key(key).Build())
	}
	return answer
}

// dedicated runs commands on a connection of their own. The client waits for one without a context, so this
// is always done apart.
func (g *guard) dedicated(ctx context.Context, cmds func(c rueidis.DedicatedClient) []rueidis.Completed) ([]rueidis.RedisResult, error) {
	type result struct {
		answers []rueidis.RedisResult
		err     error
	}
	r := guarded(g, ctx, true, func() (r result, _ error) {
		r.err = g.client.Dedicated(func(c rueidis.DedicatedClient) error {
			if err := ctx.Err(); err != nil {
				return err // nobody waits any more: nothing is sent
			}
			r.answers = c.DoMulti(ctx, cmds(c)...)
			return r.answers[0].NonRedisError()
		})
		return r, r.err
	}, func(err error) result { return result{err: err} })
	return r.answers, r.err
}

// guarded does a call here, or apart.
func guarded[T any](g *guard, ctx context.Context, apart bool, call func() (T, error), gaveUp func(error) T) T {
	if !apart || ctx.Done() == nil {
		answer, err := call()
		g.note(err)
		return answer
	}
	answers := make(chan T, 1)
	go func() {
		answer, err := call()
		g.note(err)
		answers <- answer
	}()
	select {
	case answer := <-answers:
		return answer
	case <-ctx.Done():
		return gaveUp(ctx.Err())
	}
}

// note remembers that something went wrong; a client that has left is nothing wrong.
func (g *guard) note(err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		g.warned.Store(int64(max(time.Since(g.began), 1)))
	}
}

func (g *guard) troubled() bool {
	at := g.warned.Load()
	return at != 0 && time.Since(g.began)-time.Duration(at) < g.trouble
}
