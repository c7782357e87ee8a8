#!/usr/bin/env bash
# web_bundle.sh OUT: puts the files of the page into OUT/site and lists them in OUT/manifest.txt, one a line:
# path, content type, name below OUT/site, size in bytes, ETag (tabs between). Nothing is fetched: the libraries are
# those of Debian's packages markdown-it, KaTeX and highlight.js.
set -euo pipefail
web=$(cd "$(dirname "$0")/../web" && pwd)
[ $# -eq 1 ] || { echo "usage: web_bundle.sh OUT" >&2; exit 2; }
out=$1
modules=/usr/share/nodejs
katex=/usr/share/javascript/katex
fonts=/usr/share/fonts/truetype/katex

need() {
  [ -e "$1" ] || { echo "web_bundle.sh: $1 is missing; run: apt-get install $2" >&2; exit 2; }
}
command -v esbuild >/dev/null || { echo "web_bundle.sh: esbuild is missing; run: apt-get install esbuild" >&2; exit 2; }
need "$modules/markdown-it/lib/index.js" node-markdown-it
need "$modules/highlight.js/lib/highlight.js" node-highlight.js
need "$modules/punycode" node-punycode
need "$katex/katex.mjs" libjs-katex
need "$fonts/KaTeX_Main-Regular.woff2" fonts-katex

rm -rf "$out/site"
mkdir -p "$out/site/fonts"
site=$(cd "$out/site" && pwd)
bundle() { esbuild "$@" --bundle --log-level=warning --charset=utf8 --legal-comments=eof; }
NODE_PATH=$modules:/usr/share/javascript bundle "$web/vendor/vendor.js" --format=esm --minify --drop:console \
  --outfile="$site/vendor.js"
bundle "$web/js/main.js" --format=esm --external:/vendor.js --outfile="$site/app.js"
bundle "$web/css/main.css" --outfile="$site/app.css"
cp "$web/index.html" "$web/icon.svg" "$site/"

# Every browser with these features reads woff2: the other two formats of each font are dropped from the style sheet.
sed -E 's/,url\([^)]*\.(woff|ttf)\) format\([^)]*\)//g' "$katex/katex.min.css" >"$site/katex.css"
if grep -qE '\.(woff|ttf)\)' "$site/katex.css"; then
  echo "web_bundle.sh: $katex/katex.min.css names its fonts in an unknown way" >&2
  exit 1
fi
for font in $(grep -oE 'KaTeX_[A-Za-z0-9-]+\.woff2' "$site/katex.css" | sort -u); do
  cp "$fonts/$font" "$site/fonts/"
done
for package in node-markdown-it libjs-katex fonts-katex node-highlight.js node-punycode; do
  printf '==== %s ====\n\n' "$package"
  cat "/usr/share/doc/$package/copyright"
  printf '\n'
done >"$site/licenses.txt"

content_type() {
  case $1 in
    *.html) echo "text/html; charset=utf-8" ;;
    *.js) echo "text/javascript; charset=utf-8" ;;
    *.css) echo "text/css; charset=utf-8" ;;
    *.txt) echo "text/plain; charset=utf-8" ;;
    *.svg) echo "image/svg+xml" ;;
    *.woff2) echo "font/woff2" ;;
    *) echo "web_bundle.sh: no content type for $1" >&2; exit 1 ;;
  esac
}
(cd "$site" && find . -type f -printf '%P\n' | LC_ALL=C sort) | while read -r name; do
  path=/$name
  [ "$name" = index.html ] && path=/
  type=$(content_type "$name")
  etag=$(sha256sum "$site/$name" | cut -c1-24)
  printf '%s\t%s\t%s\t%s\t%s\n' "$path" "$type" "$name" "$(stat -c %s "$site/$name")" "$etag"
done | LC_ALL=C sort >"$out/manifest.txt"
