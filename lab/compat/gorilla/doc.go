// Package gorilla has libraries that are written against gorilla/sessions run, unchanged, on gorillacompat: goth,
// authboss, gin-contrib/sessions and echo-contrib/session. All of it is tests.
package gorilla
