#!/usr/bin/env bash
# Installs what the build needs on Debian 12 and Ubuntu 24.04. Without root it prints the one line that is missing and
# exits 2. With nothing missing it does nothing, without the network.
set -euo pipefail

wanted=(g++ cmake ninja-build ccache pkg-config make nlohmann-json3-dev libcli11-dev
  libfmt-dev libpcre2-dev libssl-dev libsqlite3-dev libedit-dev libncurses-dev libgtest-dev libgmock-dev
  esbuild node-markdown-it node-punycode node-highlight.js libjs-katex fonts-katex "$@")
# Coroutines of Boost.Asio need 1.81: Debian 12 has it beside its default, Ubuntu 24.04's default is newer.
if grep -qs '^VERSION_ID="12"' /etc/os-release; then wanted+=(libboost1.81-dev); else wanted+=(libboost-dev); fi

missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "fathom: packages are missing; run: sudo apt-get install -y ${missing[*]}" >&2
  exit 2
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "fathom: cannot install ${missing[*]}; install them by hand" >&2
  exit 2
fi
