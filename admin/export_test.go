package admin

import "context"

// SetEveryone has do end everybody's sessions, in place of the manager.
func (h *Handler) SetEveryone(do func(context.Context) error) { h.everyone = do }

// StyleSheet is that of the pages.
func StyleSheet() string {
	b, err := ui.ReadFile("ui/style.css")
	if err != nil {
		panic(err)
	}
	return string(b)
}
