// Names of cache blocks that hold for every process: what a block's bytes depend on, as a digest.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace fathom::infer {

// SHA-256.
using Digest = std::array<uint8_t, 32>;

Digest digest_of(std::span<const std::byte> bytes);
inline Digest digest_of(std::string_view text) { return digest_of(std::as_bytes(std::span(text))); }
// Of what came before and the tokens that follow. 64 tokens lead from one block to the next; the key of a
// block with the MTP module's entries is made with 65, its own and the one after it.
Digest digest_of(const Digest& before, std::span<const int32_t> tokens);

}  // namespace fathom::infer
