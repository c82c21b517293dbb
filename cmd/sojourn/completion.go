package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (completionCmd) Help() string {
	return `bash: source <(sojourn completion bash) in ~/.bashrc. zsh: sojourn completion zsh > a file named _sojourn in a folder of
$fpath. fish: sojourn completion fish > ~/.config/fish/completions/sojourn.fish`
}

func (c *completionCmd) Run(said *kong.Context, t *terminal) error {
	script := map[string]func([]place) string{"bash": bash, "zsh": zsh, "fish": fish}[c.Shell](places(said.Model.Node, nil))
	if t.json {
		return t.answer(map[string]string{"shell": c.Shell, "script": script})
	}
	t.printf("%s", strings.TrimSuffix(script, "\n"))
	return nil
}

// A place is where somebody may be on the command line, and what can stand there next.
type place struct {
	path  []string // commands so far
	words []offer
}

// An offer is a command or a flag.
type offer struct {
	word, help  string
	takes, file bool // a value; the path of a file
}

func (o offer) flag() bool { return strings.HasPrefix(o.word, "--") }

// places are n and all below it.
func places(n *kong.Node, path []string) []place {
	here := place{path: path}
	for _, child := range n.Children {
		here.words = append(here.words, offer{word: child.Name, help: firstLine(child.Help)})
	}
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			here.words = append(here.words, offer{"--" + f.Name, firstLine(f.Help), !f.IsBool(), f.PlaceHolder == "FILE"})
		}
	}
	for _, p := range n.Positional {
		for _, v := range p.EnumSlice() {
			here.words = append(here.words, offer{word: v})
		}
	}
	all := []place{here}
	for _, child := range n.Children {
		all = append(all, places(child, append(path[:len(path):len(path)], child.Name))...)
	}
	return all
}

func firstLine(text string) string {
	text, _, _ = strings.Cut(text, ". ")
	return strings.TrimSuffix(text, ".")
}

// walk is a shell's case that follows the commands among the words that were said: into variable at, with a blank
// before each.
func walk(all []place, open string) string {
	var alternatives []string
	for _, p := range all[1:] {
		above := strings.Join(p.path[:len(p.path)-1], " ")
		if above != "" {
			above = " " + above
		}
		alternatives = append(alternatives, fmt.Sprintf("%q", above+" "+p.path[len(p.path)-1]))
	}
	return fmt.Sprintf(`case "$at $w" in %s%s) at="$at $w" ;; esac`, open, strings.Join(alternatives, "|"))
}

// spoken is how at looks in p.
func (p place) spoken() string {
	if len(p.path) == 0 {
		return `""`
	}
	return fmt.Sprintf("%q", " "+strings.Join(p.path, " "))
}

func bash(all []place) string {
	var b strings.Builder
	fmt.Fprintf(&b, `_sojourn() {
  local at="" w words="" cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  for w in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do %s; done
  case "$prev" in %s) return ;; esac
  case "$at" in
`, walk(all, ""), strings.Join(withValue(all), "|"))
	for _, p := range all {
		words := make([]string, len(p.words))
		for i, o := range p.words {
			words[i] = o.word
		}
		fmt.Fprintf(&b, "    %s) words=%q ;;\n", p.spoken(), strings.Join(words, " "))
	}
	b.WriteString(`  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _sojourn sojourn
`)
	return b.String()
}

// withValue are the flags behind which something else than a word of ours is expected.
func withValue(all []place) (flags []string) {
	seen := map[string]bool{}
	for _, p := range all {
		for _, o := range p.words {
			if o.takes && !seen[o.word] {
				seen[o.word] = true
				flags = append(flags, o.word)
			}
		}
	}
	return flags
}

func zsh(all []place) string {
	var b strings.Builder
	fmt.Fprintf(&b, `#compdef sojourn
_sojourn() {
  local at="" w
  local -a commands flags
  for w in "${(@)words[2,CURRENT-1]}"; do %s; done
  case "${words[CURRENT-1]}" in (%s) _files; return ;; esac
  case "$at" in
`, walk(all, "("), strings.Join(withValue(all), "|"))
	for _, p := range all {
		fmt.Fprintf(&b, "    (%s)\n", p.spoken())
		for _, part := range []struct {
			name string
			flag bool
		}{{"commands", false}, {"flags", true}} {
			fmt.Fprintf(&b, "      %s=(", part.name)
			for _, o := range p.words {
				if o.flag() == part.flag {
					fmt.Fprintf(&b, "%s ", single(strings.ReplaceAll(o.word, ":", `\:`)+":"+o.help))
				}
			}
			b.WriteString(")\n")
		}
		b.WriteString("      ;;\n")
	}
	b.WriteString(`  esac
  if [[ "${words[CURRENT]}" == -* ]]; then
    _describe -o flag flags
  elif (( ${#commands} )); then
    _describe command commands
  else
    _files
  fi
}
if [[ "${funcstack[1]}" == _sojourn ]]; then _sojourn "$@"; else compdef _sojourn sojourn; fi
`)
	return b.String()
}

func fish(all []place) string {
	var b strings.Builder
	b.WriteString("complete -c sojourn -f\n")
	for _, p := range all {
		condition := "__fish_use_subcommand"
		if len(p.path) > 0 {
			condition = "__fish_seen_subcommand_from " + strings.Join(p.path, "; and __fish_seen_subcommand_from ")
		}
		for _, o := range p.words {
			fmt.Fprintf(&b, "complete -c sojourn -n %s", single(condition))
			switch {
			case o.flag() && o.file:
				fmt.Fprintf(&b, " -l %s -r -F", o.word[2:])
			case o.flag() && o.takes:
				fmt.Fprintf(&b, " -l %s -x", o.word[2:])
			case o.flag():
				fmt.Fprintf(&b, " -l %s", o.word[2:])
			default:
				fmt.Fprintf(&b, " -a %s", o.word)
			}
			if o.help != "" {
				fmt.Fprintf(&b, " -d %s", single(o.help))
			}
			b.WriteString("\n")
		}
	}
	b.WriteString("complete -c sojourn -n '__fish_seen_subcommand_from rotate' -F\n")
	return b.String()
}

// single quotes text for the shells, none of which expands anything in there. Fish alone knows a backslash there.
func single(text string) string {
	return "'" + strings.NewReplacer("'", `'"'"'`, `\`, `\\`).Replace(text) + "'"
}
