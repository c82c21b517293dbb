package harness

import "fmt"

// Serve starts a private server for a program that is no test, of the programs that the environment names, or
// else of those on this machine: "mysql", "postgres" or "redis". It answers what the tests want in SOJOURN_MYSQL
// and so on.
func Serve(name string) (address string, stop func(), err error) {
	if name == "redis" {
		r, err := newRedis()
		if err != nil {
			return "", nil, err
		}
		return r.addr, r.remove, nil
	}
	for _, k := range []*kind{&mysql, &postgres} {
		if k.name != name {
			continue
		}
		first, err := k.template()
		if first == nil || err != nil {
			return "", nil, fmt.Errorf("%s: %w", k.noPrograms, err)
		}
		p, err := k.install()
		if err == nil {
			err = p.start()
		}
		if err != nil {
			return "", nil, err
		}
		return p.base(p.addr), func() { p.remove(); closing.run() }, nil
	}
	return "", nil, fmt.Errorf("no server is named %q", name)
}
