module github.com/gosojourn/sojourn

go 1.26
