#include "tensor/dtype.h"

namespace fathom {

std::optional<DType> dtype_named(std::string_view name) {
  for (DType t : {DType::f32, DType::bf16, DType::f16, DType::e4m3, DType::i32, DType::i64})
    if (name == name_of(t)) return t;
  return std::nullopt;
}

}  // namespace fathom
