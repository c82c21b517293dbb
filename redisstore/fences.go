package redisstore

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// Fence returns the number that sessions of owner are stamped with, and how long ago it was raised by the
// clock of the server that keeps it. Both are 0 before the first RevokeOwner. (promise 16)
func (s *Store) Fence(ctx context.Context, owner string) (uint64, time.Duration, error) {
	const op = "fence"
	if owner == "" {
		return 0, 0, failed(op, errNoOwner)
	}
	answer, err := s.ask(ctx, fenceScript, s.fenceKey(owner)).ToArray()
	if err != nil {
		return 0, 0, failed(op, err)
	}
	if len(answer) == 0 {
		return 0, 0, nil
	}
	fence, age, err := parseFence(answer)
	if err != nil {
		return 0, 0, failed(op, err)
	}
	return fence, age, nil
}

// parseFence reads what the script answers: the value of the key, and the server's seconds and microseconds.
func parseFence(answer []rueidis.RedisMessage) (fence uint64, age time.Duration, err error) {
	if len(answer) != 3 {
		return 0, 0, errForeign
	}
	value, _ := answer[0].ToString()
	number, at, timed := strings.Cut(value, " ")
	if fence, err = strconv.ParseUint(number, 10, 64); err != nil || fence == 0 {
		return 0, 0, errForeign
	}
	raised := int64(fence) * 1000 // the first version kept the number alone, and no later clock
	if timed {
		if raised, err = strconv.ParseInt(at, 10, 64); err != nil {
			return 0, 0, errForeign
		}
	}
	secs, err := answer[1].AsInt64()
	if err != nil {
		return 0, 0, errForeign
	}
	micros, err := answer[2].AsInt64()
	if err != nil {
		return 0, 0, errForeign
	}
	return fence, time.Duration(secs*1_000_000+micros-raised) * time.Microsecond, nil
}

// raise raises the owner's fence by the clock of the server that has it.
func (s *Store) raise(ctx context.Context, owner string) (uint64, error) {
	text, err := s.run(ctx, raiseScript, s.fenceKey(owner)).ToString()
	if err != nil {
		return 0, err
	}
	fence, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, errForeign
	}
	return fence, nil
}

// ask does a program that only reads. It is sent as one, because a server whose writes are paused
// answers those, unless the server is older than Redis 7, which has no such command, or its user
// may not use it.
func (s *Store) ask(ctx context.Context, p *program, key string) rueidis.RedisResult {
	if !s.plainly.Load() {
		answer := s.guard.execRead(ctx, p, key)
		e, ok := rueidis.IsRedisErr(answer.Error())
		if !ok || !strings.HasPrefix(strings.TrimPrefix(e.Error(), "ERR "), "unknown command") && !strings.HasPrefix(e.Error(), "NOPERM") {
			return answer
		}
		s.plainly.Store(true)
	}
	return s.guard.exec(ctx, p.lua, key, nil)
}
