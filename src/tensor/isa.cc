#include "tensor/isa.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace fathom {
namespace {

struct CpuBits {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

CpuBits cpuid(unsigned leaf, unsigned sub) {
  CpuBits r;
  __get_cpuid_count(leaf, sub, &r.a, &r.b, &r.c, &r.d);
  return r;
}

uint64_t enabled_state() {
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t{high} << 32) | low;
}

bool has_avx512() {
  const CpuBits leaf = cpuid(7, 0);
  const unsigned b = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
  constexpr unsigned kVbmi = 1u << 1;
  constexpr uint64_t kState = 0xE6;  // SSE, AVX, opmask, upper ZMM
  return (leaf.b & b) == b && (leaf.c & kVbmi) != 0 && (enabled_state() & kState) == kState;
}

// Linux grants the 8 KB tile state on request, to the whole process.
bool has_amx() {
  constexpr unsigned kAmxBf16 = 1u << 22, kAmxTile = 1u << 24;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  const CpuBits leaf = cpuid(7, 0);
  if ((leaf.d & (kAmxBf16 | kAmxTile)) != (kAmxBf16 | kAmxTile)) return false;
  constexpr uint64_t kState = (uint64_t{1} << 17) | (uint64_t{1} << 18);
  if ((enabled_state() & kState) != kState) return false;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

std::vector<Isa> detect() {
  std::vector<Isa> found{Isa::avx2};
  if (!has_avx512()) return found;
  found.push_back(Isa::avx512);
  if (has_amx()) found.push_back(Isa::amx);
  return found;
}

}  // namespace

std::string_view name_of(Isa isa) {
  switch (isa) {
    case Isa::avx2: return "avx2";
    case Isa::avx512: return "avx512";
    case Isa::amx: return "amx";
  }
  return "?";
}

std::optional<Isa> isa_named(std::string_view name) {
  for (Isa isa : {Isa::avx2, Isa::avx512, Isa::amx})
    if (name == name_of(isa)) return isa;
  return std::nullopt;
}

const std::vector<Isa>& available_isas() {
  static const std::vector<Isa> isas = detect();
  return isas;
}

bool available(Isa isa) {
  const auto& isas = available_isas();
  return std::find(isas.begin(), isas.end(), isa) != isas.end();
}

Isa best_isa() { return available_isas().back(); }

}  // namespace fathom
