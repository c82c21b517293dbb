package redisstore

import "testing"

// What servers answer, of version 7 and of 6.2.
func TestRefusals(t *testing.T) {
	for text, want := range map[string]bool{
		"OOM command not allowed when used memory > 'maxmemory'. script: 1f, on @user_script:2.":                                             true,
		"ERR Error running script (call to f_1f): @user_script:2: @user_script: 2: -OOM command not allowed when used memory > 'maxmemory'.": true,
		"ERR Error running script (call to f_1f): @user_script:2: -READONLY You can't write against a read only replica.":                    true,
		"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.":                                   true,
		"READONLY You can't write against a read only replica.":                                                                              true,
		"NOREPLICAS Not enough good replicas to write.":                                                                                      true,
		"NOPERM this user has no permissions to run the 'evalsha' command":                                                                   true,
		"The user executing the script can't run this command or subcommand script: 1f, on @user_script:2.":                                  true,
		"ACL failure in script: User default has no permissions to run the 'set' command script: 1f, on @user_script:2.":                     true,
		"WRONGTYPE Operation against a key holding the wrong kind of value":                                                                  true,
		"WRONGPASS invalid username-password pair or user is disabled.":                                                                      true,
		"LOADING Redis is loading the dataset in memory":                                                                                     false,
		"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.":                                             false,
		"TRYAGAIN Multiple keys request during rehashing of slot":                                                                            false,
		"CLUSTERDOWN The cluster is down":                                                                                                    false,
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.":                                                   false,
		"ERR max number of clients reached":                                                                                                  false,
		"ERR Error running script (call to f_1f): @user_script:2: user_script:2: attempt to compare nil with number":                         false,
		"OOMPH": false,
	} {
		if got := refusal(text); got != want {
			t.Errorf("%q: refused %v, want %v", text, got, want)
		}
	}
}
