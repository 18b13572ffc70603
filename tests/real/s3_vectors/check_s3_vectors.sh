#!/usr/bin/env bash
# Holds the embedded AWS's S3 Vectors against AWS's own model of the service; see --help.
set -euo pipefail

case ${1-} in
  '') ;;
  --help)
    cat <<'TEXT'
Usage: tests/real/s3_vectors/check_s3_vectors.sh

Fetches botocore (PyPI), which has AWS's model of S3 Vectors, starts the embedded AWS and holds it against the model:

  answers    of each operation: members, required ones, types, lengths, patterns, enumerations
  requests   without each required member, and with each value just inside and just outside of its limits
  errors     the operation has one of that name, with that status and those members
  the rest   operations that do not exist here say so by name

Needs an `npm ci`, Python 3 with venv (PYTHON names another than python3) and a package index. Prints a line for each check
and a total; ends with 0 when all passed, else 1.
TEXT
    exit 0
    ;;
  *) printf 'unknown argument %s; only --help is one\n' "$1" >&2; exit 2 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

# The version that the stand-in was made by. A newer one is for whoever raises it.
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check botocore==1.44.8
"$work/venv/bin/python" tests/real/s3_vectors/check_model.py \
  node_modules/.bin/node tests/real/s3_vectors/serve_vectors.ts
