#!/usr/bin/env bash
# run.sh            the page in Chromium on scripted answers
# run.sh ADDRESS    what holds for every model, on the server that runs at ADDRESS (http://127.0.0.1:8000)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
"$root/tools/packages.sh" chromium
python=$("$root/tools/python_env.sh")/bin/python
cd "$here"
export PYTHONDONTWRITEBYTECODE=1
if [ $# -gt 0 ]; then
  FATHOM_WEB_ADDRESS=$1 exec "$python" -m unittest -q test_live
fi
FATHOM_WEB_BUNDLE=$(mktemp -d)
trap 'rm -rf "$FATHOM_WEB_BUNDLE"' EXIT
export FATHOM_WEB_BUNDLE
"$root/tools/web_bundle.sh" "$FATHOM_WEB_BUNDLE"
"$python" -m unittest -q test_answers &
answers=$!
"$python" -m unittest -q test_conversations
wait "$answers"
