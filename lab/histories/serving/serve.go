package serving

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/histories"
)

// OrderVar is set for a program that is to serve: Serve reads it.
const OrderVar = "SOJOURN_HISTORIES_ORDER"

// Serve serves the application as the environment orders and says where on standard output. When standard input
// ends it answers what it has been asked, and returns. Without an order it returns at once, with false.
func Serve() (bool, error) {
	text := os.Getenv(OrderVar)
	if text == "" {
		return false, nil
	}
	var o Order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return true, err
	}
	if err := mysql.SetLogger(log.New(io.Discard, "", 0)); err != nil { // it has a line for each connection that is cut
		return true, err
	}
	store, err := o.open()
	if err != nil {
		return true, err
	}
	h, err := histories.App(store, sojourn.Config{StoreTimeout: histories.StoreTimeout, IdleTimeout: o.Idle, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return true, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return true, err
	}
	server := &http.Server{Handler: withClock(withFigures(atOnce(o.AtOnce, h))), ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: o.MaxHeader}
	go func() { _ = server.Serve(l) }()
	fmt.Printf("http://%s\n", l.Addr())
	if _, err = io.Copy(io.Discard, os.Stdin); err != nil {
		return true, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return true, server.Shutdown(ctx)
}
