module github.com/gosojourn/sojourn/redisstore

go 1.26.0

require (
	github.com/gosojourn/sojourn v0.1.0
	github.com/redis/rueidis v1.0.79
)

require golang.org/x/sys v0.49.0 // indirect
