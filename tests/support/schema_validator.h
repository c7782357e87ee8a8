// A plain validator of JSON schemas, written apart from the program's: what grammars produce is checked with
// it.
#pragma once

#include <string>

#include "base/json.h"

namespace fathom::test {

// What is wrong with `value`, and where; empty: it is valid. Knows the keywords that the program enforces.
std::string schema_violation(const OrderedJson& schema, const OrderedJson& value);

}  // namespace fathom::test
