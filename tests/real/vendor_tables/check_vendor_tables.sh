#!/usr/bin/env bash
# Holds our tables of vendors' errors against what the vendors publish; see --help.
set -euo pipefail

case ${1-} in
  '') ;;
  --help)
    cat <<'TEXT'
Usage: tests/real/vendor_tables/check_vendor_tables.sh

Fetches the vendors' own packages, which are generated from their API descriptions, and holds the tables in
layers/receipt_embedding/vendor_answers/ against them:

  AWS       botocore (PyPI): the service models' errors, and the names that AWS's client retries
  OpenAI    openai (npm): states and error fields of a batch, error codes, parameters of a request
  Pinecone  @pinecone-database/pinecone (npm): the codes of an error
  Chroma    chromadb (npm): which status means what to its own client
  Google    googleapis-common-protos (PyPI): reasons and codes of an error

Needs Node 24 (that of npm ci will do), npm, Python 3 with pip (PYTHON names another than python3), and their registries. Prints the
versions and a line for each check; ends with 0 when all hold, else 1.
TEXT
    exit 0
    ;;
  *) printf 'unknown argument %s; only --help is one\n' "$1" >&2; exit 2 ;;
esac

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Versions that were looked at when the tables were made. Newer ones are for whoever raises these.
pip=(botocore==1.44.8 googleapis-common-protos==1.76.0)
npm=(openai@6.49.0 @pinecone-database/pinecone@8.2.0 chromadb@3.5.0)

"${PYTHON:-python3}" -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
  --no-deps --no-compile --target "$work/pip" "${pip[@]}" &
mkdir "$work/npm"
(cd "$work/npm" && npm pack --silent "${npm[@]}" >/dev/null)
for archive in "$work"/npm/*.tgz; do
  mkdir "${archive%.tgz}"
  tar -xzf "$archive" -C "${archive%.tgz}" --strip-components 1
done
wait $!

printf 'Held against %s\n' "${pip[*]} ${npm[*]}"
cd "$root"
PATH=$root/node_modules/.bin:$PATH node tests/real/vendor_tables/check_vendor_tables.ts "$work"
