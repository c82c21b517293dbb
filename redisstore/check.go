package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gosojourn/sojourn"
)

// Check says everything that keeps this Redis from keeping sessions: a version that is too old, a policy
// that evicts them without a word, replicas that are not there to be waited for, rights that are missing.
func (s *Store) Check(ctx context.Context) error {
	var bad []error
	primaries := 0
	nodes := s.client.Nodes()
	addrs := make([]string, 0, len(nodes))
	for addr := range nodes {
		addrs = append(addrs, addr)
	}
	slices.Sort(addrs)
	for _, addr := range addrs {
		info, err := nodes[addr].Do(ctx, nodes[addr].B().Info().Build()).ToString()
		if err != nil {
			bad = append(bad, fmt.Errorf("redisstore: check: %s: INFO: %w: allow it (ACL: +info)", addr, err))
			continue
		}
		facts := parseInfo(info)
		if facts["role"] != "master" {
			continue
		}
		primaries++
		for _, wrong := range s.judge(facts) {
			bad = append(bad, fmt.Errorf("redisstore: check: %s: %s", addr, wrong))
		}
	}
	if primaries == 0 && len(bad) == 0 {
		bad = append(bad, errors.New("redisstore: check: there is no primary among the nodes"))
	}
	if err := s.rehearse(ctx); err != nil {
		bad = append(bad, fmt.Errorf("redisstore: check: a session cannot be kept: %w", err))
	}
	return errors.Join(bad...)
}

func parseInfo(text string) map[string]string {
	facts := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			facts[name] = value
		}
	}
	return facts
}

func (s *Store) judge(facts map[string]string) (bad []string) {
	if policy := facts["maxmemory_policy"]; policy != "noeviction" && policy != "" {
		bad = append(bad, fmt.Sprintf("maxmemory-policy is %s, which drops sessions, and the marks of those that were ended, when memory is short: CONFIG SET maxmemory-policy noeviction", policy))
	}
	version := facts["redis_version"]
	if cmpVersions(version, "6.2") < 0 {
		bad = append(bad, fmt.Sprintf("version %s is too old: 6.2 or newer, or Valkey", version))
	}
	if n, _ := strconv.Atoi(facts["connected_slaves"]); n < s.o.WaitReplicas {
		bad = append(bad, fmt.Sprintf("%d replicas are connected, Options.WaitReplicas wants %d: nothing could be saved", n, s.o.WaitReplicas))
	}
	return bad
}

func cmpVersions(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, _ := strconv.Atoi(x[i])
		n, _ := strconv.Atoi(y[i])
		if c := cmp.Compare(m, n); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}

// rehearse does with a session of nobody what is done with sessions.
func (s *Store) rehearse(ctx context.Context) error {
	id, now := "check-"+strings.Repeat("0", idLen-len("check-")), time.Now()
	r := sojourn.Record{ID: id, Expiry: now.Add(time.Minute), Seen: now, Version: uint64(now.UnixNano())&maxMillis | 1, Data: []byte("x")}
	if err := s.Delete(ctx, id, 0); err != nil {
		return err
	}
	if err := s.Create(ctx, r); err != nil && !errors.Is(err, sojourn.ErrConflict) { // another's check
		return err
	}
	if err := s.Touch(ctx, r); err != nil && !errors.Is(err, sojourn.ErrConflict) {
		return err
	}
	if _, err := s.Fence(ctx, id); err != nil {
		return err
	}
	for _, err := range s.members(ctx, id) {
		if err != nil {
			return err
		}
	}
	if err := s.Delete(ctx, id, 0); err != nil {
		return err
	}
	return s.client.Do(ctx, s.client.B().Zrem().Key(s.ownerKey(id)).Member(id).Build()).Error()
}
