module github.com/gosojourn/sojourn/gorillacompat

go 1.26.0

require (
	github.com/gorilla/securecookie v1.1.2
	github.com/gorilla/sessions v1.4.0
	github.com/gosojourn/sojourn v0.1.0
)
