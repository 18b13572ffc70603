#!/usr/bin/env bash
# Deploys the program with Pulumi's own engine; see --help.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: tests/real/pulumi/check_pulumi.sh [--cache FOLDER]

Runs the README's commands with Pulumi's own CLI and engine, built from their Go modules: preview, up,
changes of settings and code, destroy; a protected stack, the longest name of a stack, an up that dies in
the middle, an adopted table, the policy pack. AWS's part is played by a small provider of the check's own, which
knows what AWS refuses; the language host for Node.js is a small one too. Nothing leaves this machine,
and nothing of the user's own Pulumi is touched.

  --cache FOLDER   where the CLI is built and kept for the next time
                   (default: a temporary folder, removed afterwards)
  --install        build the CLI there, and do nothing else
  --help           this text

Needs Go 1.25 or later with access to Go modules (some minutes for the first build), and an `npm ci`.
Prints a line for each check and a total; ends with 0 when all passed, 1 when one failed, 2 for
wrong arguments.
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

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cache=${cache:-$work}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

version=$(awk '$1 == "github.com/pulumi/pulumi/pkg/v3" { print $2 }' "$here/engine/go.mod")
cli=$cache/pulumi-$version/pulumi
# In place whole: a build that was cut short is done again.
if [[ ! -e $cli ]]; then
  command -v go >/dev/null || { printf 'Go is missing: Pulumi is built with it\n' >&2; exit 1; }
  printf 'Building Pulumi %s …\n' "$version" >&2
  (cd "$here/engine" && go build -o "$cli.part" \
    -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$version" \
    github.com/pulumi/pulumi/pkg/v3/cmd/pulumi)
  mv "$cli.part" "$cli"
fi
[[ -z $install_only ]] || exit 0

cd "$here/../../.."
TMPDIR=$work node_modules/.bin/node tests/real/pulumi/check_program.ts --cli "$cli"
