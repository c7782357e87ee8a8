// Instruction sets that the CPU kernels are written for, and which of them this machine has.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace fathom {

// In rising order of preference.
//   avx2    any processor the program starts on
//   avx512  AVX-512 F, BW, DQ, VL and VBMI (Ice Lake, Zen 4)
//   amx     the same and AMX-BF16 tiles (Sapphire Rapids)
enum class Isa : uint8_t { avx2, avx512, amx };

std::string_view name_of(Isa isa);
std::optional<Isa> isa_named(std::string_view name);

// What the processor has and the kernel allows. Asks Linux for the AMX state of this process the first time.
const std::vector<Isa>& available_isas();
bool available(Isa isa);
Isa best_isa();

}  // namespace fathom
