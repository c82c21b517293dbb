// Package redisstore keeps sessions in Redis or Valkey: one node, Sentinel or Cluster. The application
// brings the [rueidis.Client], with its TLS, users and time limits.
//
// docs/redisstore.md has the keys byte by byte, what each call costs, and what happens to sessions when a
// node fails.
package redisstore
