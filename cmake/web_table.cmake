# Writes OUT/assets.cc and OUT/assets.S from OUT/manifest.txt. The bytes come in by .incbin: no compiler reads them.
file(READ ${CSP} csp)
string(STRIP "${csp}" csp)
file(STRINGS ${OUT}/manifest.txt lines)
set(rows "")
set(symbols "")
set(blobs "  .section .rodata\n")
set(index 0)
foreach(line ${lines})
  string(REPLACE ";" "\\;" line "${line}")
  string(REPLACE "\t" ";" fields "${line}")
  list(GET fields 0 path)
  list(GET fields 1 type)
  list(GET fields 2 name)
  list(GET fields 3 size)
  list(GET fields 4 etag)
  set(symbol fathom_web_asset_${index})
  string(APPEND symbols "extern const char ${symbol}[];\n")
  string(APPEND rows "    {\"${path}\", \"${type}\", {${symbol}, ${size}}, \"\\\"${etag}\\\"\"},\n")
  string(APPEND blobs "  .balign 16\n  .globl ${symbol}\n${symbol}:\n  .incbin \"${OUT}/site/${name}\"\n")
  math(EXPR index "${index} + 1")
endforeach()
string(APPEND blobs "  .section .note.GNU-stack,\"\",@progbits\n")
file(WRITE ${OUT}/assets.S "${blobs}")
file(WRITE ${OUT}/assets.cc "#include \"web/assets.h\"

#include <algorithm>

extern \"C\" {
${symbols}}

namespace fathom::web {
namespace {
const Asset kAssets[] = {
${rows}};
}  // namespace

std::span<const Asset> assets() { return kAssets; }

const Asset* find_asset(std::string_view path) {
  const Asset* found = std::ranges::lower_bound(kAssets, path, {}, &Asset::path);
  return found != std::end(kAssets) && found->path == path ? found : nullptr;
}

std::string_view content_security_policy() { return \"${csp}\"; }

}  // namespace fathom::web
")
