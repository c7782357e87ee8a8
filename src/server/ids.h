// Names of answers and calls: random, so that no two are equal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fathom::server {

// `prefix` and 24 random letters and digits. Any thread.
std::string random_id(std::string_view prefix);
// A random UUID, version 4.
std::string random_uuid();
// 64 random bits, for requests that name no seed.
uint64_t random_seed();

}  // namespace fathom::server
