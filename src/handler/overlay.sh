#!/bin/sh
# Prints the -overlay JSON that builds the snapshot handler into any Go program. Run it in the
# program's module, with the go that builds:
#   sh .../overlay.sh >/tmp/overlay.json && go build -cover -covermode=atomic -overlay=/tmp/overlay.json .
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
die() { printf 'overlay.sh: %s\n' "$1" >&2; exit 1; }
quote() { printf '"%s"' "$(printf %s "$1" | sed 's/[\\"]/\\&/g')"; }

goroot=$(go env GOROOT) && cache=$(go env GOMODCACHE) && version=$(go env GOVERSION)
case $goroot/ in
"$cache"/*)
  case $version in
  go1.2[0-4] | go1.2[0-4][!0-9]*) ;;
  *) die "$version lies in the module cache, where it refuses -overlay: ln -s $goroot /tmp/go, export GOROOT=/tmp/go PATH=/tmp/go/bin:\$PATH, and try again" ;;
  esac ;;
esac

printf '{"Replace": {'
comma=''
for file in handler signals norace race; do
  printf '%s\n  %s: %s' "$comma" "$(quote "$goroot/src/runtime/coverage/integcov_$file.go")" \
    "$(quote "$here/$file.go")"
  comma=,
done
printf '\n}}\n'
