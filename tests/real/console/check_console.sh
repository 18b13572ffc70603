#!/usr/bin/env bash
# Uses the page of `receipts console` in a real browser; see --help.
set -euo pipefail

case ${1-} in
  --help)
    cat <<'TEXT'
Usage: tests/real/console/check_console.sh [--screenshots FOLDER] [--picture FILE] [--receipts N]

Starts a local stack whose OpenAI fails for one receipt, runs the workflows, and `receipts console` on it, and uses the page
in headless Chromium, as a person would:

  run        → the failed item → its log
  search     → a hit → the frame, where the row's box is
  keyboard   the same without a mouse
  page       no console error, no request elsewhere, an address that changes before the first frame is followed, a hidden
             page hears nothing; below 300 kB, nothing wider than a telephone; how long the first views
             take in a table of N receipts (5,000), which is printed

Writes screenshots at 1280 and 390 pixels, light and dark, to the folder, for a person to look at, and the README's picture to
FILE (docs/console.png). Needs an `npm ci` and Chromium: Debian's package `chromium`, which is installed where there is none and
this is root, or what CHROMIUM names.
Prints a line for each check and a total; ends with 0 when all passed, else 1.
TEXT
    exit 0
    ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
if [[ -z ${CHROMIUM-} ]] && ! CHROMIUM=$(command -v chromium || command -v google-chrome); then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
  CHROMIUM=$(command -v chromium)
fi
export CHROMIUM
node_modules/.bin/node tests/real/console/check_console.ts "$@"
