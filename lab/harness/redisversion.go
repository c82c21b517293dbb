package harness

import (
	"bufio"
	"io"
	"net"
	"strings"
	"time"
)

// knowRedis asks the server at addr which it is, and notes that; how is "", or what it is a part of.
func knowRedis(addr, how string) {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(c, "INFO server\r\nQUIT\r\n")
	engine, version := "Redis", ""
	for lines := bufio.NewScanner(c); lines.Scan(); {
		field, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), ":")
		switch field {
		case "redis_version":
			if version == "" {
				version = value
			}
		case "valkey_version": // it says a redis_version too, for whoever is not to notice
			engine, version = "Valkey", value
		}
	}
	if version != "" {
		meet(strings.TrimSpace(engine+" "+how), version)
	}
}
