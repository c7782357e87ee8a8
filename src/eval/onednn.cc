#include "eval/onednn.h"

#if __has_include(<oneapi/dnnl/dnnl.h>)
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>

#include <vector>

#include "base/error.h"
#include "numeric/bf16.h"
#include "tensor/buffer.h"

namespace fathom::eval {
namespace {

#define FATHOM_TEXT(x) #x
#define FATHOM_VALUE_TEXT(x) FATHOM_TEXT(x)
constexpr const char* kLibrary = "libdnnl.so." FATHOM_VALUE_TEXT(DNNL_VERSION_MAJOR);

// The functions of the C interface that are needed, by their names.
struct Library {
  void* handle = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  bool complete = handle != nullptr;

  template <class Function>
  Function* find(const char* name) {
    void* at = handle == nullptr ? nullptr : ::dlsym(handle, name);
    complete = complete && at != nullptr;
    return reinterpret_cast<Function*>(at);
  }
#define FATHOM_FUNCTION(name) decltype(::dnnl_##name)* name = find<decltype(::dnnl_##name)>("dnnl_" #name)
  FATHOM_FUNCTION(engine_create);
  FATHOM_FUNCTION(stream_create);
  FATHOM_FUNCTION(stream_wait);
  FATHOM_FUNCTION(memory_create);
  FATHOM_FUNCTION(memory_desc_get_size);
  FATHOM_FUNCTION(primitive_create);
  FATHOM_FUNCTION(primitive_execute);
  FATHOM_FUNCTION(primitive_desc_query_md);
  FATHOM_FUNCTION(version);
#if DNNL_VERSION_MAJOR >= 3
  FATHOM_FUNCTION(memory_desc_create_with_tag);
  FATHOM_FUNCTION(matmul_primitive_desc_create);
  FATHOM_FUNCTION(reorder_primitive_desc_create);
#else
  FATHOM_FUNCTION(memory_desc_init_by_tag);
  FATHOM_FUNCTION(matmul_desc_init);
  FATHOM_FUNCTION(primitive_desc_create);
  FATHOM_FUNCTION(reorder_primitive_desc_create);
#endif
#undef FATHOM_FUNCTION
};

#if DNNL_VERSION_MAJOR >= 3
using Description = dnnl_memory_desc_t;
const_dnnl_memory_desc_t pointer_to(const Description& d) { return d; }
#else
using Description = dnnl_memory_desc_t;
const dnnl_memory_desc_t* pointer_to(const Description& d) { return &d; }
#endif

// Handles live as long as the process: the yardstick is made once.
class Product final : public OneDnnProduct {
 public:
  Product(Library& lib, int64_t m, int64_t n, int64_t k) : lib_(lib), n_(n) {
    check(lib.engine_create(&engine_, dnnl_cpu, 0));
    check(lib.stream_create(&stream_, engine_, dnnl_stream_default_flags));
    const Description x = describe({m, k}, dnnl_bf16, dnnl_ab),
                      w_any = describe({k, n}, dnnl_bf16, dnnl_format_tag_any);
    const Description w_plain = describe({k, n}, dnnl_bf16, dnnl_ba), y = describe({m, n}, dnnl_f32, dnnl_ab);
    dnnl_primitive_desc_t product{}, reorder{};
#if DNNL_VERSION_MAJOR >= 3
    check(lib.matmul_primitive_desc_create(&product, engine_, x, w_any, nullptr, y, nullptr));
#else
    dnnl_matmul_desc_t operation;
    check(lib.matmul_desc_init(&operation, &x, &w_any, nullptr, &y));
    check(lib.primitive_desc_create(&product, &operation, nullptr, engine_, nullptr));
#endif
    const auto w = lib.primitive_desc_query_md(product, dnnl_query_weights_md, 0);
    check(lib.primitive_create(&product_, product));
    x_ = memory(pointer_to(x), x_bytes_);
    w_ = memory(w, w_bytes_);
    y_ = memory(pointer_to(y), y_bytes_);
    fill(x_bytes_, m, k, x_value);
    Buffer plain_bytes;
    const dnnl_memory_t plain = memory(pointer_to(w_plain), plain_bytes);
    fill(plain_bytes, n, k, w_value);
    check(lib.reorder_primitive_desc_create(&reorder, pointer_to(w_plain), engine_, w, engine_, nullptr));
    dnnl_primitive_t pack{};
    check(lib.primitive_create(&pack, reorder));
    execute(pack, {{DNNL_ARG_FROM, plain}, {DNNL_ARG_TO, w_}});
  }

  void run() override { execute(product_, {{DNNL_ARG_SRC, x_}, {DNNL_ARG_WEIGHTS, w_}, {DNNL_ARG_DST, y_}}); }
  std::string version() const override {
    const dnnl_version_t* v = lib_.version();
    return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
  }
  float result(int64_t row, int64_t column) const override {
    return reinterpret_cast<const float*>(y_bytes_.data())[row * n_ + column];
  }

 private:
  static void check(dnnl_status_t status) {
    if (status != dnnl_success)
      throw Exception({"oneDNN",
                       {},
                       "refused with status " + std::to_string(static_cast<int>(status)),
                       "leave the yardstick out: remove the library"});
  }
  Description describe(std::vector<dnnl_dim_t> dims, dnnl_data_type_t type, dnnl_format_tag_t tag) {
    Description d;
#if DNNL_VERSION_MAJOR >= 3
    check(lib_.memory_desc_create_with_tag(&d, static_cast<int>(dims.size()), dims.data(), type, tag));
#else
    check(lib_.memory_desc_init_by_tag(&d, static_cast<int>(dims.size()), dims.data(), type, tag));
#endif
    return d;
  }
  template <class Pointer>
  dnnl_memory_t memory(Pointer description, Buffer& bytes) {
    bytes = Buffer(lib_.memory_desc_get_size(description));
    dnnl_memory_t out{};
    check(lib_.memory_create(&out, description, engine_, bytes.data()));
    return out;
  }
  static void fill(Buffer& bytes, int64_t rows, int64_t cols, float (*value)(int64_t, int64_t)) {
    bf16* at = reinterpret_cast<bf16*>(bytes.data());
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < cols; ++c) *at++ = to_bf16(value(r, c));
  }
  void execute(dnnl_primitive_t primitive, std::vector<dnnl_exec_arg_t> arguments) {
    check(lib_.primitive_execute(primitive, stream_, static_cast<int>(arguments.size()), arguments.data()));
    check(lib_.stream_wait(stream_));
  }

  Library& lib_;
  int64_t n_;
  dnnl_engine_t engine_{};
  dnnl_stream_t stream_{};
  dnnl_primitive_t product_{};
  Buffer x_bytes_, w_bytes_, y_bytes_;
  dnnl_memory_t x_{}, w_{}, y_{};
};

// The threads are OpenMP's, which the library brings along.
void set_threads(const Library& lib, int threads) {
  if (void* at = ::dlsym(lib.handle, "omp_set_num_threads")) reinterpret_cast<void (*)(int)>(at)(threads);
}

}  // namespace

std::unique_ptr<OneDnnProduct> OneDnnProduct::create(int64_t m, int64_t n, int64_t k, int threads,
                                                     std::string& why_not) {
  static Library library;
  if (!library.complete) {
    why_not = std::string(kLibrary) + " is not on this system";
    return nullptr;
  }
  set_threads(library, threads);
  return std::make_unique<Product>(library, m, n, k);
}

}  // namespace fathom::eval

#else

namespace fathom::eval {

std::unique_ptr<OneDnnProduct> OneDnnProduct::create(int64_t, int64_t, int64_t, int, std::string& why_not) {
  why_not = "this build found no oneDNN headers (libdnnl-dev)";
  return nullptr;
}

}  // namespace fathom::eval

#endif
