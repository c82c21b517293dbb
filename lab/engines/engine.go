package main

import (
	"os"
	"path/filepath"
)

// An engine is a make of server, in the version that Debian's suite sid has of it.
type engine struct {
	name     string
	packages []string // the first is the server's
	program  string   // which is there when it is unpacked
	*family
}

// A family of engines is what one driver speaks to.
type family struct {
	server  string // the harness's word for it
	address string // the variable by which tests find it; with _ROOT, its programs in a folder
	need    string // for SOJOURN_REQUIRE and SOJOURN_ONLY
	skip    string // tests that say nothing of a version
	faults  string // the short rows of lab/faults that are about it
	site    string // the tests of snippetbox that concern it, and of those, what concerns others
	notSite string
}

const siteTests = "^Test(SnippetsOfBefore|SealedSessions$|NewPassword|LoginInFlight|YourSessions|Deleted|SignUp)"

var (
	mysql    = &family{"mysql", "SOJOURN_MYSQL", "mysql", "", "^TestFaults/MariaDB", siteTests, "/^(postgres|sqlite)"}
	postgres = &family{"postgres", "SOJOURN_POSTGRES", "postgres,pgbouncer", "", "^TestFaults/PostgreSQL", siteTests, "/^(mysql|sqlite)"}
	// What a hundred thousand sessions cost is the same in all versions, and so is what copies nearby add to strangers.
	redis = &family{"redis", "SOJOURN_REDIS", "redis,rediscluster", "^TestRedis(ListsMany|Memory)|^TestStrangersOnRedis/near", "^TestFaults/Redis", "^TestSessionsInRedis", "^$"}
)

var engines = []engine{
	{"MySQL", []string{"mysql-server-core"}, "usr/sbin/mysqld", mysql},
	{"MariaDB", []string{"mariadb-server-core"}, "usr/sbin/mariadbd", mysql},
	{"PostgreSQL", []string{"postgresql-18", "patchelf"}, "usr/lib/postgresql/18/bin/postgres", postgres},
	{"Redis", []string{"redis-server", "redis-tools"}, "usr/bin/redis-server", redis},
	{"Valkey", []string{"valkey-server", "valkey-tools"}, "usr/bin/valkey-server", redis},
}

// cache is the folder of unpacked engines. That of root is the machine's: PostgreSQL does not run as root,
// and nobody else enters root's home.
func cache() (string, error) {
	if dir := os.Getenv("SOJOURN_ENGINES"); dir != "" {
		return filepath.Abs(dir)
	}
	if os.Geteuid() == 0 {
		return "/var/cache/sojourn-engines", nil
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "sojourn-engines"), err
}

// environment has the harness take e's programs.
func (e engine) environment(cache string) string { return e.address + "_ROOT=" + e.dir(cache) }

// dir is where e is unpacked below the cache.
func (e engine) dir(cache string) string { return filepath.Join(cache, e.packages[0]) }

// version answers the package's, of what is unpacked there, or "".
func (e engine) version(cache string) string {
	text, _ := os.ReadFile(filepath.Join(e.dir(cache), versionFile))
	return string(text)
}

const versionFile = "sojourn-version" // is written last
