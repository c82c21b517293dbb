package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// shutdownPatience is how long requests under way may take to finish.
const shutdownPatience = 5 * time.Second

// listen refuses to speak plain http to other machines: a cookie without Secure would cross the
// network for anybody to read.
func listen(addr string, secure bool) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w: choose another address with -addr, such as -addr 127.0.0.1:0 for any free port", addr, err)
	}
	if tcp, ok := ln.Addr().(*net.TCPAddr); !secure && (!ok || !tcp.IP.IsLoopback()) {
		ln.Close()
		return nil, fmt.Errorf("-addr %s can be reached from other machines, and plain http would show them the session cookies: add -tls, or use a loopback address such as 127.0.0.1:4000", addr)
	}
	return ln, nil
}

// serve answers requests until ctx ends, and lets those under way finish. It tells on stdout where it
// is, and what keeps the data.
func (app *application) serve(ctx context.Context, ln net.Listener, o options, kept string, stdout io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	srv := &http.Server{
		Handler:           app.routes(),
		ErrorLog:          slog.NewLogLogger(app.logger.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	srv.RegisterOnShutdown(app.adminPages.Close)
	scheme := "http"
	if o.tls {
		host, _, _ := net.SplitHostPort(o.addr)
		cert, err := selfSigned(host)
		if err != nil {
			cancel()
			return err
		}
		srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
		scheme = "https"
	}

	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	background.Go(func() { app.sessionManager.Run(ctx) })

	failed := make(chan error, 1)
	background.Go(func() {
		if o.tls {
			failed <- srv.ServeTLS(ln, "", "")
		} else {
			failed <- srv.Serve(ln)
		}
	})
	fmt.Fprintf(stdout, "snippetbox: %s://%s/\nsnippetbox: the data is kept by %s\n", scheme, reachable(ln.Addr()), kept)

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	app.logger.Info("shutting down")
	soon, stop := context.WithTimeout(context.WithoutCancel(ctx), shutdownPatience)
	defer stop()
	if err := srv.Shutdown(soon); errors.Is(err, context.DeadlineExceeded) {
		app.logger.Warn("some requests were cut off", "after", shutdownPatience)
		return srv.Close()
	} else if err != nil {
		return err
	}
	return nil
}

// reachable is where a browser on this machine finds what listens on a.
func reachable(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return a.String()
}
