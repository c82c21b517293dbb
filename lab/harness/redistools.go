package harness

import "os/exec"

func redisInstalled() bool {
	_, server := redisTool("server")
	_, cli := redisTool("cli")
	return server != "" && cli != ""
}

// redisRoot names a folder with the programs of Redis, or of Valkey, see unpacked.
const redisRoot = "SOJOURN_REDIS_ROOT"

func redisTool(name string) (u unpacked, path string) {
	if u = rootOf(redisRoot); u != "" {
		return u, u.path("usr/bin/redis-"+name, "usr/bin/valkey-"+name)
	}
	return u, u.path("redis-" + name)
}

// redisCommand is one of "server" or of "cli".
func redisCommand(name string, args ...string) *exec.Cmd {
	u, path := redisTool(name)
	return u.command(path, args...)
}
