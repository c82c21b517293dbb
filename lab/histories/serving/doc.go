// Package serving is the application of package histories as processes of their own, on a store of servers.
package serving
