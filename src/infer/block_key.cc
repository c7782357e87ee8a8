#include "infer/block_key.h"

#include <openssl/sha.h>

#include <cstring>
#include <vector>

namespace fathom::infer {

Digest digest_of(std::span<const std::byte> bytes) {
  Digest out;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out.data());
  return out;
}

Digest digest_of(const Digest& before, std::span<const int32_t> tokens) {
  std::vector<std::byte> bytes(before.size() + tokens.size_bytes());
  std::memcpy(bytes.data(), before.data(), before.size());
  std::memcpy(bytes.data() + before.size(), tokens.data(), tokens.size_bytes());
  return digest_of(bytes);
}

}  // namespace fathom::infer
