#!/usr/bin/env bash
# run.sh            the page in Chromium on scripted answers
# run.sh ADDRESS    what holds for every model, on the server that runs at ADDRESS (http://127.0.0.1:8000)
# Needs Debian's chromium and, for the Python that runs it, playwright and axe-playwright-python from PyPI.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
if ! "$python" -c 'import playwright, axe_playwright_python' 2>/dev/null; then
  echo "tests/web: run: $python -m pip install playwright axe-playwright-python" >&2
  exit 2
fi
cd "$here"
export PYTHONDONTWRITEBYTECODE=1
if [ $# -gt 0 ]; then
  FATHOM_WEB_ADDRESS=$1 exec "$python" -m unittest -q test_live
fi
FATHOM_WEB_BUNDLE=$(mktemp -d)
trap 'rm -rf "$FATHOM_WEB_BUNDLE"' EXIT
export FATHOM_WEB_BUNDLE
"$here/../../tools/web_bundle.sh" "$FATHOM_WEB_BUNDLE"
"$python" -m unittest -q test_answers test_conversations
