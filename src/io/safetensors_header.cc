#include "io/safetensors_header.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <tuple>
#include <utility>

#include "base/json.h"

namespace fathom::io {
namespace {

constexpr const char* kRemedy = "fetch the file again or write it anew";

struct FileType {
  std::string_view name;
  uint64_t bits;  // of an element
};
// All types of the format; those that dtype_named() does not know are skipped.
constexpr std::array kFileTypes = {
    FileType{"F32", 32},        FileType{"BF16", 16},       FileType{"F16", 16},    FileType{"F8_E4M3", 8},
    FileType{"I32", 32},        FileType{"I64", 64},        FileType{"BOOL", 8},    FileType{"U8", 8},
    FileType{"I8", 8},          FileType{"I16", 16},        FileType{"U16", 16},    FileType{"U32", 32},
    FileType{"U64", 64},        FileType{"F64", 64},        FileType{"F8_E5M2", 8}, FileType{"F8_E8M0", 8},
    FileType{"F8_E4M3FNUZ", 8}, FileType{"F8_E5M2FNUZ", 8}, FileType{"F6_E2M3", 6}, FileType{"F6_E3M2", 6},
    FileType{"F4", 4},          FileType{"C64", 64},
};

// A tensor as the header describes it; offsets count from the start of the data.
struct RawTensor {
  size_t name_at = 0, name_length = 0;
  const FileType* type = nullptr;
  Shape shape;
  uint64_t begin = 0, end = 0;
  bool has_type = false, has_shape = false, has_offsets = false;
};

template <class Named>
const Named* find_by_name(const std::vector<Named>& sorted, std::string_view name) {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), name,
                                   [](const Named& t, std::string_view n) { return t.name < n; });
  return at != sorted.end() && at->name == name ? &*at : nullptr;
}

}  // namespace

const TensorInfo* SafetensorsHeader::find(std::string_view name) const {
  return find_by_name(tensors_, name);
}

const UnusableTensor* SafetensorsHeader::find_unusable(std::string_view name) const {
  return find_by_name(unusable_, name);
}

// Follows the events of the header's JSON, which must have exactly the format's structure.
class HeaderParser final : public JsonEvents {
 public:
  HeaderParser(const std::string& where, uint64_t data_at, uint64_t data_bytes)
      : where_(where), data_at_(data_at), data_bytes_(data_bytes) {}

  bool begin_object() override {
    if (at_ == At::start) return go(At::root);
    if (at_ == At::metadata_value) return go(At::metadata);
    if (at_ == At::tensor_value) return go(At::tensor);
    return misplaced();
  }
  bool end_object() override {
    if (at_ == At::root) return go(At::done);
    if (at_ == At::metadata) return go(At::root);
    return end_tensor();  // the grammar leaves nothing else
  }
  bool key(std::string& name) override {
    if (at_ == At::root) return begin_entry(name);
    if (at_ == At::metadata) return go(At::metadata_text);
    if (name == "dtype" && !raw().has_type) return go(At::dtype);
    if (name == "shape" && !raw().has_shape) return go(At::shape);
    if (name == "data_offsets" && !raw().has_offsets) return go(At::offsets);
    return fail("field '" + quotable(name) + "' is unknown or there twice");
  }
  bool string(std::string& value) override {
    if (at_ == At::metadata_text) return go(At::metadata);
    if (at_ == At::dtype) return set_type(value);
    return misplaced();
  }
  bool begin_array() override {
    if (at_ == At::shape) return go(At::shape_items);
    if (at_ == At::offsets) return go(At::offset_items);
    return misplaced();
  }
  bool end_array() override {
    if (at_ == At::shape_items) {
      raw().has_shape = true;
      return go(At::tensor);
    }
    if (offsets_seen_ != 2) return fail("data_offsets must hold two numbers");
    offsets_seen_ = 0;
    raw().has_offsets = true;
    return go(At::tensor);
  }
  bool integer(int64_t value) override {
    if (at_ == At::shape_items) return add_axis(value);
    if (at_ == At::offset_items) return add_offset(value);
    return misplaced();
  }
  bool number(double) override {
    if (at_ == At::shape_items || at_ == At::offset_items)
      return fail("a number is not an integer from 0 to 2^63-1");
    return misplaced();
  }
  bool boolean(bool) override { return misplaced(); }
  bool null() override { return misplaced(); }

  const std::optional<Error>& error() const { return error_; }
  Result<SafetensorsHeader> finish() {
    if (Status s = check_cover(); !s) return s.error();
    return collect();
  }

 private:
  enum class At {
    start,
    root,
    metadata_value,
    metadata,
    metadata_text,
    tensor_value,
    tensor,
    dtype,
    shape,
    shape_items,
    offsets,
    offset_items,
    done
  };

  bool go(At next) { return at_ = next, true; }
  RawTensor& raw() { return tensors_.back(); }
  std::string name_of_tensor(const RawTensor& t) const { return {text_.data() + t.name_at, t.name_length}; }
  Error problem(const RawTensor& t, std::string what) const {
    return {where_, name_of_tensor(t), std::move(what), kRemedy};
  }
  bool fail(std::string what) {
    const std::string key = at_ >= At::tensor_value ? name_of_tensor(raw())
                            : at_ == At::start      ? ""
                                                    : "__metadata__";
    error_ = Error{where_, key, std::move(what), kRemedy};
    return false;
  }
  bool misplaced() {
    switch (at_) {
      case At::start:
        return fail("the header is not a JSON object");
      case At::metadata_value:
        return fail("must be an object of strings");
      case At::metadata_text:
        return fail("must hold strings only");
      case At::tensor_value:
        return fail("must be an object with dtype, shape and data_offsets");
      case At::dtype:
        return fail("dtype must be a string");
      case At::shape:
        return fail("shape must be an array of integers");
      case At::shape_items:
        return fail("shape must hold integers only");
      case At::offsets:
        return fail("data_offsets must be an array of two integers");
      default:
        return fail("data_offsets must hold integers only");
    }
  }

  bool begin_entry(const std::string& name) {
    if (name == "__metadata__") {
      if (std::exchange(has_metadata_, true)) return at_ = At::metadata, fail("is there twice");
      return go(At::metadata_value);
    }
    RawTensor& tensor = tensors_.emplace_back();
    tensor.name_at = text_.size();
    tensor.name_length = name.size();
    text_.insert(text_.end(), name.begin(), name.end());
    return go(At::tensor_value);
  }
  bool set_type(const std::string& name) {
    for (const FileType& type : kFileTypes)
      if (type.name == name) raw().type = &type;
    if (raw().type == nullptr) return fail("dtype '" + quotable(name) + "' is not known");
    raw().has_type = true;
    return go(At::tensor);
  }
  bool add_axis(int64_t value) {
    if (value < 0) return fail("shape has a negative axis");
    if (raw().shape.rank() == Shape::kMaxRank)
      return fail("has more than " + std::to_string(Shape::kMaxRank) +
                  " axes, which no tensor of these models has");
    raw().shape.append(value);
    return true;
  }
  bool add_offset(int64_t value) {
    if (value < 0) return fail("data_offsets has a negative number");
    if (offsets_seen_ == 2) return fail("data_offsets must hold two numbers");
    (offsets_seen_++ == 0 ? raw().begin : raw().end) = static_cast<uint64_t>(value);
    return true;
  }
  // The entry is whole: its own numbers must agree with each other and with the file's size.
  bool end_tensor() {
    const RawTensor& t = raw();
    if (!t.has_type || !t.has_shape || !t.has_offsets) return fail("lacks dtype, shape or data_offsets");
    if (t.begin > t.end) return fail("data_offsets run backwards");
    if (t.end > data_bytes_)
      return fail("ends at byte " + std::to_string(t.end) + " of the data, of which the file has " +
                  std::to_string(data_bytes_) + " (truncated?)");
    uint64_t bits = t.type->bits;
    int64_t elements = 1;
    bool fits = true;
    for (int axis = 0; axis < t.shape.rank(); ++axis) {
      fits = fits && !__builtin_mul_overflow(elements, t.shape[axis], &elements);
      fits = fits && !__builtin_mul_overflow(bits, static_cast<uint64_t>(t.shape[axis]), &bits);
    }
    if (!fits) return fail("shape " + t.shape.text() + " has too many elements");
    if (bits % 8 != 0 || bits / 8 != t.end - t.begin)
      return fail("shape " + t.shape.text() + " of " + std::string(t.type->name) + " does not have the " +
                  std::to_string(t.end - t.begin) + " bytes of its data_offsets");
    return go(At::root);
  }

  // The data must be covered without gap or overlap.
  Status check_cover() {
    std::sort(tensors_.begin(), tensors_.end(), [](const RawTensor& a, const RawTensor& b) {
      return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
    });
    uint64_t covered = 0;
    for (const RawTensor& t : tensors_) {
      if (t.begin < covered) return problem(t, "its data overlaps that of another tensor");
      if (t.begin > covered) return problem(t, "bytes before its data belong to no tensor");
      covered = t.end;
    }
    if (covered != data_bytes_)
      return Error{where_,
                   {},
                   std::to_string(data_bytes_ - covered) + " bytes at the end belong to no tensor",
                   kRemedy};
    return Ok{};
  }

  Result<SafetensorsHeader> collect() {
    SafetensorsHeader header;
    header.text_ = std::move(text_);
    text_ = {};
    const auto name_in = [&](const RawTensor& t) {
      return std::string_view(header.text_.data() + t.name_at, t.name_length);
    };
    std::sort(tensors_.begin(), tensors_.end(),
              [&](const RawTensor& a, const RawTensor& b) { return name_in(a) < name_in(b); });
    header.tensors_.reserve(tensors_.size());
    for (size_t i = 0; i < tensors_.size(); ++i) {
      const RawTensor& t = tensors_[i];
      const std::string_view name = name_in(t);
      if (i > 0 && name == name_in(tensors_[i - 1]))
        return Error{where_, std::string(name), "is there twice", kRemedy};
      const size_t bytes = t.end - t.begin;
      if (const auto dtype = dtype_named(t.type->name))
        header.tensors_.push_back({name, *dtype, t.shape, data_at_ + t.begin, bytes});
      else
        header.unusable_.push_back({name, t.type->name, bytes});
    }
    return header;
  }

  const std::string& where_;
  const uint64_t data_at_, data_bytes_;
  At at_ = At::start;
  int offsets_seen_ = 0;
  bool has_metadata_ = false;
  std::vector<RawTensor> tensors_;
  std::vector<char> text_;
  std::optional<Error> error_;
};

Result<SafetensorsHeader> parse_header(std::span<const std::byte> head, uint64_t file_size,
                                       const std::string& where) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  if (text.starts_with("version https://git-lfs"))
    return Error{where, {}, "is a Git LFS pointer, not the weights", "fetch them with git lfs pull"};
  if (head.size() < 8 || file_size < 8)
    return Error{where, {}, "shorter than 8 bytes, so not a safetensors file", kRemedy};
  uint64_t length = 0;
  for (size_t i = 8; i-- > 0;) length = length << 8 | static_cast<uint64_t>(head[i]);
  if (length > kMaxHeaderBytes)
    return Error{where,
                 {},
                 "claims a header of " + std::to_string(length) + " bytes, so not a safetensors file",
                 kRemedy};
  if (length > file_size - 8 || length > head.size() - 8)
    return Error{where,
                 {},
                 "its header of " + std::to_string(length) + " bytes ends beyond the file (truncated?)",
                 kRemedy};
  HeaderParser parser(where, 8 + length, file_size - 8 - length);
  JsonLimits limits;
  limits.depth = 3;
  const Status parsed = parse_json_events(text.substr(8, length), where, parser, limits);
  if (parser.error()) return *parser.error();
  if (!parsed) return parsed.error();
  return parser.finish();
}

}  // namespace fathom::io
