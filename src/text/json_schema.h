// JSON schemas as grammars: what a model may write so that the result is valid by construction.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"
#include "text/grammar_builder.h"

namespace fathom::text {

// What a schema may say. Everything it says is enforced or refused; title, description, default, examples and
// the like are passed over.
//
// kDeepSeek: what DeepSeek's strict functions take: objects with all properties required and
//   additionalProperties false; string with pattern and format; number and integer with minimum, maximum,
//   exclusiveMinimum, exclusiveMaximum, multipleOf; boolean, null, array with items; enum, const, anyOf, $ref
//   with $defs, $def or definitions.
// kOpenAi: the same with minItems and maxItems.
// kLoose: also objects without those two demands, minLength, maxLength, prefixItems, allOf of one schema,
//   true, false and {} as schemas, keywords that are unknown to JSON Schema (passed over).
enum class SchemaRules { kDeepSeek, kOpenAi, kLoose };

// The language of a schema, a subset of the values that are valid by it:
// - Properties come in the order of the schema; what is not required may be left out.
// - additionalProperties true or a schema: further properties after the others, their names not among those
//   of the schema; absent (kLoose): none, unless the schema names no properties at all. Such names may
//   repeat.
// - A type that is not said follows from the other keywords; without any, all values are allowed.
// - integer: digits alone. Limits of numbers and white space: JsonRules.
// - At most 64 levels of nesting.
class SchemaCompiler {
 public:
  // `escape_less_than`: JsonRules.
  SchemaCompiler(GrammarBuilder& builder, WorkBudget& budget, bool escape_less_than);
  ~SchemaCompiler();

  // Adds the rule for a schema, which must outlive this object. `where` names it in errors, whose key is the
  // keyword. `object`: its values must be objects.
  Result<GrammarBuilder::Rule> compile(const nlohmann::ordered_json& schema, SchemaRules rules,
                                       const std::string& where, bool object);
  // The rule for any JSON object.
  GrammarBuilder::Rule any_object();
  // White space that may stand before a value.
  GrammarBuilder::Rule space();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Work for all schemas of a request together: a second or so.
inline constexpr int64_t kSchemaWork = 40'000'000;

// The grammar of one schema.
Result<std::shared_ptr<const Grammar>> compile_schema(const nlohmann::ordered_json& schema, SchemaRules rules,
                                                      const std::string& where);
// The grammar of any JSON object.
std::shared_ptr<const Grammar> any_object_grammar();

// A failed build as an error of the schemas of `where`.
Error grammar_error(GrammarBuilder::Failure failure, const std::string& where);

}  // namespace fathom::text
