// Package redisstore keeps sessions in Redis or Valkey: one node, Sentinel or Cluster, through the
// [rueidis.Client] that you bring, with its TLS, its users and its time limits.
//
// docs/redisstore.md has the keys byte by byte, what each call costs, and what happens to sessions when a
// node fails.
package redisstore
