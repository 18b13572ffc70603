#!/usr/bin/env bash
# Fills and asks a real Chroma server, through the store and by the product; see --help.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: tests/real/chroma/check_store.sh [--cache FOLDER] [--chroma VERSION]... [--deltas FOLDER]

Starts Chroma's own server, and fills, changes, asks and empties it through the store `chroma`. The hits and their scores must be
those of an exact search, and of the store `s3_vectors` before its stand-in; filters must mean the same; a record must keep
nothing of what it had before; what is stored must have the types of the deltas.

Then a local stack with the stores `s3_vectors`, `pinecone` and `chroma` embeds a dozen receipts, half by each path, and `search` must
answer some twenty questions alike from `s3_vectors` and `chroma`: afterwards, after a label has changed and a receipt is gone, and on
another stack that gets `chroma` later and fills it by one full run without OpenAI.

  --chroma VERSION  the version of chromadb to check with, repeatable (default: 1.3.3 and the newest that the package index has)
  --deltas FOLDER   write the deltas of both paths there, for check_deltas.sh (default: nowhere)
  --cache FOLDER    where the versions are installed and kept for the next time
                    (default: a temporary folder, removed afterwards)
  --help            this text

Needs Python 3.9 to 3.12 with venv (PYTHON names another than python3), curl, and a package index for pip.
Prints a line for each check; ends with 0 when all passed, 1 when one failed, 2 for wrong arguments.
TEXT
}

wrong() {
  printf '%s\n\n' "$1" >&2
  usage >&2
  exit 2
}

cache=''
deltas=''
versions=()
while (($# > 0)); do
  case $1 in
    --help) usage; exit 0 ;;
    --cache) (($# > 1)) || wrong '--cache needs a folder'; cache=$2; shift 2 ;;
    --deltas) (($# > 1)) || wrong '--deltas needs a folder'; deltas=$2; shift 2 ;;
    --chroma) (($# > 1)) || wrong '--chroma needs a version'; versions+=("$2"); shift 2 ;;
    *) wrong "unknown argument $1" ;;
  esac
done
((${#versions[@]} > 0)) || versions=(1.3.3 newest)

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
server=''
trap '[[ -z $server ]] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
if [[ -z $cache ]]; then cache=$work/cache; fi
if [[ -n $deltas ]]; then mkdir -p "$deltas"; deltas=$(cd "$deltas" && pwd); fi
check() { (cd "$here/../../.." && npm exec -- node "tests/real/chroma/$1" "${@:2}") || status=1; }

free_port() {
  "${PYTHON:-python3}" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

status=0
for version in "${versions[@]}"; do
  "$here/check_deltas.sh" --cache "$cache" --chroma "$version" --install
  port=$(free_port)
  HOME=$work ANONYMIZED_TELEMETRY=False "$cache/chromadb-$version/bin/chroma" run \
    --path "$work/data-$version" --host 127.0.0.1 --port "$port" >"$work/server.log" 2>&1 &
  server=$!
  curl --silent --retry 60 --retry-delay 1 --retry-all-errors --max-time 5 \
    "http://127.0.0.1:$port/api/v2/heartbeat" >/dev/null || { cat "$work/server.log" >&2; exit 1; }
  printf 'Chroma %s\n' "$version"
  check check_store.ts "http://127.0.0.1:$port"
  check check_run.ts "http://127.0.0.1:$port" ${deltas:+"$deltas"}
  # The same with every version.
  deltas=''
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=''
done
exit "$status"
