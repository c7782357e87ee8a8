// Objects and arrays of a schema.
#include <algorithm>
#include <unordered_set>

#include "text/json_schema_compiler.h"

namespace fathom::text {

SchemaDocument::Object SchemaDocument::read_object(const SchemaPlace& place) const {
  const OrderedJson& schema = *place.schema;
  Object out;
  std::unordered_set<std::string> required;
  std::vector<std::string> order;
  if (const OrderedJson* names = find_keyword(schema, "required")) {
    for (const OrderedJson& name : *names)
      if (required.insert(name.get<std::string>()).second) order.push_back(name.get<std::string>());
  }
  std::unordered_set<std::string> listed;
  if (const OrderedJson* properties = find_keyword(schema, "properties")) {
    for (const auto& item : properties->items()) {
      listed.insert(item.key());
      const std::string path =
          place.path.size() > 300 ? place.path : place.path + "/properties/" + item.key();
      out.properties.push_back({item.key(), SchemaPlace{&item.value(), path}, required.contains(item.key())});
    }
  }
  const OrderedJson* further = find_keyword(schema, "additionalProperties");
  out.open = further != nullptr ? *further != false : listed.empty();
  if (further != nullptr && further->is_object())
    out.further = SchemaPlace{further, place.path + "/additionalProperties"};
  for (const std::string& name : order) {
    if (listed.contains(name)) continue;
    if (!out.open)
      fail(place, "required", "\"" + quotable(name) + "\" is not among the properties", "add it there");
    out.properties.push_back({name, out.further, true});
  }
  return out;
}

// Between the members: `next[i]` is where property i may begin, its comma behind it, and `after[i]` follows a
// member when property i is the next candidate. What is not required can be passed over.
void SchemaDocument::add_object(const SchemaPlace& place, Node from, Node to) {
  const Object object = read_object(place);
  const size_t count = object.properties.size();
  std::vector<Node> next, after;
  for (size_t i = 0; i <= count; ++i) {
    next.push_back(b_.add_node());
    after.push_back(b_.add_node());
  }
  const Node first = b_.add_node();
  json_.open(from, '{', first);
  b_.epsilon(first, next[0]);
  bool may_end = true;  // nothing that is required is left
  for (size_t i = count + 1; i-- > 0 && !b_.full();) {
    if (i < count) {
      const Property& property = object.properties[i];
      const Node value = b_.add_node();
      json_.key(next[i], property.name, value);
      if (property.place) {
        add_value(*property.place, value, after[i + 1]);
      } else {
        b_.call(value, json_.value(), after[i + 1]);
      }
      may_end = may_end && !property.required;
      if (!property.required) b_.epsilon(next[i], next[i + 1]);
    }
    if (i < count || object.open) json_.comma(after[i], next[i]);
    if (may_end) json_.close(after[i], '}', to);
  }
  if (object.open) add_further(object, next[count], after[count]);
  if (may_end) b_.literal(first, "}", to);
}

void SchemaDocument::add_further(const Object& object, Node from, Node to) {
  const Node key = b_.add_node(), value = b_.add_node();
  std::vector<std::vector<uint32_t>> names;
  for (const Property& property : object.properties) names.push_back(characters(property.name));
  b_.call(from, names.empty() ? json_.string() : json_.string_of(all_but(names)), key);
  json_.colon(key, value);
  if (object.further) {
    add_value(*object.further, value, to);
  } else {
    b_.call(value, json_.value(), to);
  }
}

SchemaDocument::Items SchemaDocument::read_items(const SchemaPlace& place) const {
  Items out;
  out.min = count(place, "minItems", 0);
  out.max = count(place, "maxItems", -1);
  out.prefix = find_keyword(*place.schema, "prefixItems");
  if (const OrderedJson* items = find_keyword(*place.schema, "items")) {
    out.closed = *items == false;
    if (!out.closed) out.rest = SchemaPlace{items, place.path + "/items"};
  }
  if (out.max >= 0 && out.min > out.max) fail(place, "minItems", "is above maxItems");
  const auto prefix = static_cast<int64_t>(out.prefix != nullptr ? out.prefix->size() : 0);
  if (out.closed && out.min > prefix) fail(place, "minItems", "asks for more items than may come");
  if (out.closed) out.max = out.max < 0 ? prefix : std::min(out.max, prefix);
  return out;
}

void SchemaDocument::add_array(const SchemaPlace& place, Node from, Node to) {
  const Items items = read_items(place);
  const auto prefix = static_cast<int64_t>(items.prefix != nullptr ? items.prefix->size() : 0);
  const Node first = b_.add_node();
  json_.open(from, '[', first);
  if (items.min == 0) b_.literal(first, "]", to);
  // Items are told apart as long as the prefix and the limits ask for it; then the last one repeats.
  const int64_t told = items.max >= 0 ? items.max : std::max(prefix, items.min) + 1;
  Node at = b_.add_node();
  b_.epsilon(first, at);
  for (int64_t i = 0; i < told && !b_.full(); ++i) {
    const Node after = b_.add_node();
    const bool last = i + 1 == told;
    if (i < prefix) {
      add_value(part(place, "prefixItems", std::to_string(i)), at, after);
    } else if (items.rest) {
      add_value(*items.rest, at, after);
    } else {
      b_.call(at, json_.value(), after);
    }
    if (i + 1 >= items.min) json_.close(after, ']', to);
    if (last && items.max < 0) json_.comma(after, at);
    if (last) break;
    const Node next = b_.add_node();
    json_.comma(after, next);
    at = next;
  }
}

}  // namespace fathom::text
