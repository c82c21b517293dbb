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

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
)

// Check looks whether this Redis can keep sessions. Its error names everything that is wrong: a version that
// is too old, a policy that evicts sessions, replicas that are missing, rights that are missing.
func (s *Store) Check(ctx context.Context) error {
	return guarded(&s.guard, ctx, true, func() (error, error) { return s.examine(ctx), nil }, func(err error) error { return failed("check", err) })
}

func (s *Store) examine(ctx context.Context) error {
	var bad []error
	primaries, unfit := 0, false // to keep a session would only say the same again
	nodes := s.client.Nodes()
	addrs := make([]string, 0, len(nodes))
	for addr := range nodes {
		addrs = append(addrs, addr)
	}
	slices.Sort(addrs)
	for _, addr := range addrs {
		info, err := nodes[addr].Do(ctx, kept(nodes[addr].B().Info().Build())).ToString()
		if err != nil {
			bad = append(bad, fmt.Errorf("redisstore: check: %s: INFO: %w: allow it (ACL: +info)", addr, err))
			continue
		}
		facts := parseInfo(info)
		if facts["role"] != "master" {
			continue
		}
		primaries++
		if wrong := s.judgeCluster(ctx, nodes[addr], facts); wrong != "" {
			bad, unfit = append(bad, fmt.Errorf("redisstore: check: %s: %s", addr, wrong)), true
		}
		if wrong := s.judgeClock(ctx, nodes[addr]); wrong != "" {
			bad = append(bad, fmt.Errorf("redisstore: check: %s: %s", addr, wrong))
		}
		for _, x := range s.judge(facts) {
			bad, unfit = append(bad, fmt.Errorf("redisstore: check: %s: %s", addr, x.wrong)), unfit || x.unfit
		}
	}
	if primaries == 0 && len(bad) == 0 {
		unfit = true
		bad = append(bad, fmt.Errorf("redisstore: check: %w (%s): give the client the address of the primary, or those of the Sentinels and their MasterSet", errNoPrimary, strings.Join(addrs, ", ")))
	}
	if unfit {
		return errors.Join(bad...)
	}
	if err := s.rehearse(ctx); err != nil {
		remedy := "see to that, or nobody is logged in"
		if strings.Contains(err.Error(), "NOPERM") {
			remedy = "give the user the commands and keys that docs/redisstore.md lists, with ACL SETUSER"
		}
		bad = append(bad, fmt.Errorf("redisstore: check: a session cannot be kept (%w): %s", err, remedy))
	}
	return errors.Join(bad...)
}

var errNoPrimary = errors.New("there is no primary among the nodes")

func parseInfo(text string) map[string]string {
	facts := make(map[string]string)
	for line := range strings.Lines(strings.TrimPrefix(text, "txt:")) { // RESP3 says what kind of text it is
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			facts[name] = value
		}
	}
	return facts
}

// A finding is what is wrong, and what to do about it.
type finding struct {
	wrong string
	unfit bool // no session can be kept
}

func (s *Store) judge(facts map[string]string) (bad []finding) {
	add := func(unfit bool, format string, a ...any) {
		bad = append(bad, finding{fmt.Sprintf(format, a...), unfit})
	}
	if policy := facts["maxmemory_policy"]; policy != "noeviction" && policy != "" {
		add(false, "maxmemory-policy is %s, which drops sessions, and the marks of those that were ended, when memory is short: CONFIG SET maxmemory-policy noeviction", policy)
	}
	if used, most := number(facts["used_memory"]), number(facts["maxmemory"]); most > 0 && used > most/10*9 {
		add(used >= most, "%d of %d bytes of memory are used, and without room nobody is logged in, nor out: CONFIG SET maxmemory to more, or give the sessions a Redis of their own", used, most)
	}
	for _, what := range []string{"rdb_last_bgsave_status", "aof_last_bgrewrite_status", "aof_last_write_status"} {
		if state := facts[what]; state != "" && state != "ok" {
			add(false, "%s is %s: what is written may be refused (MISCONF), or be lost with a restart: look into the server's log, and see to its disk", what, state)
		}
	}
	version := facts["redis_version"]
	if cmpVersions(version, "6.2") < 0 {
		add(false, "version %s is too old: 6.2 or newer, or Valkey", version)
	}
	if n, _ := strconv.Atoi(facts["connected_slaves"]); n < s.o.WaitReplicas {
		add(true, "%d replicas are connected, and Options.WaitReplicas wants %d, so that nothing is saved: bring them back, or set it lower", n, s.o.WaitReplicas)
	}
	return bad
}

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// maxDrift is how far the server's clock may be from this process's.
const maxDrift = time.Minute

// judgeClock compares the server's clock, by which fences are told apart from later logins.
func (s *Store) judgeClock(ctx context.Context, node rueidis.Client) string {
	start := time.Now()
	now, err := node.Do(ctx, kept(node.B().Time().Build())).AsIntSlice()
	if err != nil || len(now) != 2 {
		return fmt.Sprintf("TIME: %v: allow it (ACL: +time)", err)
	}
	here := start.Add(time.Since(start) / 2)
	if drift := time.Unix(now[0], now[1]*1000).Sub(here).Round(time.Second); drift.Abs() > maxDrift {
		return fmt.Sprintf("the server's clock differs from this host's by %s: let NTP set both", drift)
	}
	return ""
}

// judgeCluster says what is wrong with a Cluster, of which one node is asked: a slot without a node makes the whole
// refuse what is asked of it.
func (s *Store) judgeCluster(ctx context.Context, node rueidis.Client, facts map[string]string) string {
	if facts["cluster_enabled"] != "1" {
		return ""
	}
	text, err := node.Do(ctx, kept(node.B().ClusterInfo().Build())).ToString()
	if err != nil {
		return fmt.Sprintf("CLUSTER INFO: %v: allow it (ACL: +cluster)", err)
	}
	const slots = "16384"
	if state := parseInfo(text); state["cluster_state"] != "ok" || state["cluster_slots_ok"] != slots {
		return fmt.Sprintf("the cluster's state is %s, and %s of %s slots are served: redis-cli --cluster fix, or bring back the nodes that are gone",
			state["cluster_state"], state["cluster_slots_ok"], slots)
	}
	return ""
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
	if _, _, err := s.Fence(ctx, id); err != nil {
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
	return s.guard.do(ctx, s.client.B().Zrem().Key(s.ownerKey(id)).Member(id).Build()).Error()
}
