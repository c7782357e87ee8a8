#include "server/ids.h"

#include <random>

namespace fathom::server {
namespace {

std::mt19937_64 seeded() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

uint64_t draw() {
  thread_local std::mt19937_64 engine = seeded();
  return engine();
}

}  // namespace

std::string random_id(std::string_view prefix) {
  constexpr std::string_view kLetters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::string id(prefix);
  for (int word = 0; word < 3; ++word) {
    uint64_t bits = draw();
    for (int i = 0; i < 8; ++i, bits /= kLetters.size()) id += kLetters[bits % kLetters.size()];
  }
  return id;
}

std::string random_uuid() {
  constexpr std::string_view kHex = "0123456789abcdef";
  const uint64_t words[2] = {draw(), draw()};
  std::string id;
  for (int i = 0; i < 32; ++i) {
    auto digit = static_cast<unsigned>(words[i / 16] >> (4 * (i % 16)) & 15);
    if (i == 12) digit = 4;
    if (i == 16) digit = 8 | (digit & 3);
    if (i == 8 || i == 12 || i == 16 || i == 20) id += '-';
    id += kHex[digit];
  }
  return id;
}

uint64_t random_seed() { return draw(); }

}  // namespace fathom::server
