package redisstore

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// fakeClient is one that nothing is asked of.
type fakeClient struct{ rueidis.Client }

func TestNewReportsEveryMistake(t *testing.T) {
	_, err := New(nil, Options{Prefix: "{a}", Near: time.Minute, WaitReplicas: -1, WaitTimeout: -1})
	for _, part := range []string{"client is nil", `Prefix ("{a}")`, "Near (1m0s)", "WaitReplicas (-1)", "WaitTimeout (-1ns)"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not mention %s", err, part)
		}
	}
	for _, o := range []Options{{}, {Prefix: "app:"}, {Near: 2 * time.Second}, {Near: time.Millisecond}, {WaitReplicas: 1, WaitTimeout: time.Second}} {
		if _, err := New(fakeClient{}, o); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, o := range []Options{{Near: time.Microsecond}, {Near: -1}, {Near: 2*time.Second + 1}, {WaitTimeout: time.Microsecond}} {
		if _, err := New(fakeClient{}, o); err == nil {
			t.Errorf("%+v: accepted", o)
		}
	}
}

func TestVersionsOfRedis(t *testing.T) {
	for _, c := range []struct {
		version string
		old     bool
	}{{"6.0.16", true}, {"6.2", false}, {"6.2.0", false}, {"7.0.15", false}, {"10.1.0", false}, {"5.9.9", true}, {"", true}} {
		if got := cmpVersions(c.version, "6.2") < 0; got != c.old {
			t.Errorf("%q: too old %v, want %v", c.version, got, c.old)
		}
	}
}

func TestJudge(t *testing.T) {
	s := &Store{o: Options{WaitReplicas: 2}}
	bad := ""
	for _, f := range s.judge(parseInfo("# Server\r\nredis_version:5.0.3\r\nmaxmemory_policy:allkeys-lru\r\nconnected_slaves:1\r\n")) {
		bad += f.wrong + "\n"
	}
	for _, part := range []string{"version 5.0.3", "allkeys-lru", "maxmemory-policy noeviction", "1 replicas are connected"} {
		if !strings.Contains(bad, part) {
			t.Errorf("%q does not mention %q", bad, part)
		}
	}
	if bad := s.judge(parseInfo("redis_version:7.2.4\nmaxmemory_policy:noeviction\nconnected_slaves:2\n")); bad != nil {
		t.Errorf("a good one: %v", bad)
	}
}
