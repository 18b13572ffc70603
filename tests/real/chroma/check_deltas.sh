#!/usr/bin/env bash
# Opens deltas with the real Chroma; see --help.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: tests/real/chroma/check_deltas.sh [--cache FOLDER] [--chroma VERSION]... FOLDER

Opens every *.tar.gz under FOLDER with Chroma's own Python client and checks the collection,
ids, documents, metadata with its types, where-filters, and that each vector finds itself.
The expectation is the expected.json beside an archive, a list of {id, document, metadata,
vector?}; without one it is what the archive's queue holds. An archive below a folder `lines`
or `words` must hold the collection of that name.

First it reads them as the known consumer does: up to ten of a collection one after the other in one process, each
extracted over the one before into one folder and opened with a new client; all of it must arrive in a collection
that they are merged into. Then each by itself, in a folder of its own.

  --chroma VERSION  the version of chromadb to check with, repeatable (default: 1.3.3, the oldest that can read a
                    delta, and the newest that the package index has)
  --cache FOLDER    where the versions are installed and kept for the next time
                    (default: a temporary folder, removed afterwards)
  --install         install the versions there, and do nothing else
  --help            this text

Needs Python 3.9 to 3.12 with venv (PYTHON names another than python3) and a package index for pip.
Prints a line for each archive and a total; ends with 0 when all passed, 1 when one failed or
FOLDER holds no archive, 2 for wrong arguments.
TEXT
}

wrong() {
  printf '%s\n\n' "$1" >&2
  usage >&2
  exit 2
}

cache=''
folder=''
versions=()
install_only=''
while (($# > 0)); do
  case $1 in
    --help) usage; exit 0 ;;
    --cache) (($# > 1)) || wrong '--cache needs a folder'; cache=$2; shift 2 ;;
    --install) install_only=yes; shift ;;
    --chroma) (($# > 1)) || wrong '--chroma needs a version'; versions+=("$2"); shift 2 ;;
    -*) wrong "unknown option $1" ;;
    *) [[ -z $folder ]] || wrong 'one FOLDER only'; folder=$1; shift ;;
  esac
done
[[ -n $folder || -n $install_only ]] || wrong 'FOLDER is missing'
[[ -n $install_only || -d $folder ]] || wrong "no folder $folder"
((${#versions[@]} > 0)) || versions=(1.3.3 newest)

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [[ -z $cache ]]; then cache=$work/cache; fi
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)

status=0
for version in "${versions[@]}"; do
  venv=$cache/chromadb-$version
  # The marker is written last: an installation that was cut short is done again.
  if [[ ! -e $venv/complete ]]; then
    printf 'Installing chromadb %s …\n' "$version" >&2
    "${PYTHON:-python3}" -m venv --clear "$venv"
    requirement=chromadb==$version
    [[ $version != newest ]] || requirement=chromadb
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$requirement"
    touch "$venv/complete"
  fi
  [[ -z $install_only ]] || continue
  printf 'Chroma %s\n' "$("$venv/bin/python" -c 'from importlib.metadata import version; print(version("chromadb"))')"
  for together in --together ''; do
    HOME=$work TMPDIR=$work ANONYMIZED_TELEMETRY=False \
      "$venv/bin/python" -B "$here/check_deltas.py" "$folder" $together || status=1
  done
done
exit "$status"
