#!/usr/bin/env bash
# Holds the embedded DynamoDB's statements against another DynamoDB; see --help.
set -euo pipefail

MINISTACK_VERSION=1.5.33

usage() {
  cat <<'TEXT'
Usage: tests/real/partiql/check_statements.sh [--cache FOLDER]

Sends the statements by which embedding statuses change, and wrong ones, to the embedded DynamoDB and to MiniStack, an
emulator of AWS that others maintain: the outcomes, and the rows afterwards, must be the same.

  --cache FOLDER  where MiniStack is installed and kept for the next time
                  (default: a temporary folder, removed afterwards)
  --install       install it there, and do nothing else
  --help          this text

Needs Python 3.10 or later with venv (PYTHON names another than python3), a package index for pip, and an `npm ci`. Prints a line for
each check and a total; ends with 0 when all passed, 1 when one failed, 2 for wrong arguments.
TEXT
}

cache=''
install_only=''
while (($# > 0)); do
  case $1 in
    --help) usage; exit 0 ;;
    --install) install_only=yes; shift ;;
    --cache) (($# > 1)) || { usage >&2; exit 2; }; cache=$2; shift 2 ;;
    *) printf 'unknown argument %s\n\n' "$1" >&2; usage >&2; exit 2 ;;
  esac
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
work=$(mktemp -d)
server=''
cleanup() {
  if [[ -n $server ]]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT
cache=${cache:-$work/cache}
mkdir -p "$cache"

venv=$cache/ministack-$MINISTACK_VERSION
# The marker is written last: an installation that was cut short is done again.
if [[ ! -e $venv/complete ]]; then
  printf 'Installing MiniStack %s …\n' "$MINISTACK_VERSION" >&2
  "${PYTHON:-python3}" -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "ministack==$MINISTACK_VERSION"
  touch "$venv/complete"
fi
[[ -z $install_only ]] || exit 0

port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
(cd "$work" && exec env HOME="$work" TMPDIR="$work" GATEWAY_PORT="$port" SERVICES=dynamodb "$venv/bin/python" -m ministack) \
  >"$work/ministack.log" 2>&1 &
server=$!
printf 'MiniStack %s\n' "$MINISTACK_VERSION"
cd "$root"
if ! node packages/cli/bin/run.js tests/real/partiql/check_statements.ts "http://127.0.0.1:$port"; then
  tail -n 20 "$work/ministack.log" >&2
  exit 1
fi
