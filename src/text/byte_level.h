// The byte alphabet of byte-level BPE files: every byte is written as one printable character (GPT-2's
// table).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fathom::text {

// Appends to `out` the bytes that `token`, as a tokenizer.json spells it, stands for. False, with `out` as it
// was, when a character of it stands for no byte: such tokens mean themselves. Pure; any thread.
bool append_bytes(std::string_view token, std::string& out);

// How a tokenizer.json spells `bytes`.
std::string byte_symbols(std::string_view bytes);

}  // namespace fathom::text
