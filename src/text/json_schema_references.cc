#include <algorithm>

#include "text/json_schema_keywords.h"

namespace fathom::text {
namespace {

// One step of a JSON pointer with its escapes undone.
std::string unescaped(std::string_view step) {
  std::string out;
  for (size_t i = 0; i < step.size(); ++i) {
    const bool escape = step[i] == '~' && i + 1 < step.size() && (step[i + 1] == '0' || step[i + 1] == '1');
    out += escape ? (step[++i] == '0' ? '~' : '/') : step[i];
  }
  return out;
}

}  // namespace

const OrderedJson* ReferenceIndex::member(const OrderedJson& object, const std::string& name) {
  constexpr size_t kLarge = 32;
  if (object.size() < kLarge) return find_keyword(object, name.c_str());
  auto& members = members_[&object];
  if (members.empty()) {
    for (auto item = object.begin(); item != object.end(); ++item) members.try_emplace(item.key(), &*item);
  }
  const auto found = members.find(name);
  return found == members.end() ? nullptr : found->second;
}

const OrderedJson* ReferenceIndex::find(std::string_view reference) {
  if (!reference.starts_with('#')) return nullptr;
  reference.remove_prefix(1);
  const OrderedJson* at = &root_;
  while (at != nullptr && !reference.empty()) {
    if (reference[0] != '/') return nullptr;
    reference.remove_prefix(1);
    const size_t end = std::min(reference.find('/'), reference.size());
    const std::string name = unescaped(reference.substr(0, end));
    reference.remove_prefix(end);
    if (at->is_object()) {
      at = member(*at, name);
      continue;
    }
    const bool index = at->is_array() && !name.empty() && name.size() < 7 &&
                       name.find_first_not_of("0123456789") == std::string::npos;
    if (!index || std::stoul(name) >= at->size()) return nullptr;
    at = &(*at)[std::stoul(name)];
  }
  return at;
}

}  // namespace fathom::text
