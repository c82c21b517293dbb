// Package readme compiles and runs what the README and the pages about moving show.
package readme
