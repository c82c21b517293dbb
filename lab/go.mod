module github.com/gosojourn/sojourn/lab

go 1.26

require github.com/gosojourn/sojourn v0.1.0
