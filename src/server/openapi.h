// The document at /openapi.json.
#pragma once

#include <string>

#include "server/served_model.h"

namespace fathom::server {

// OpenAPI 3.1, the whole API as it is for this model: names, modes, vocabulary, keys. Where what is accepted
// cannot be said by a schema, the description says the rest: the document's schema is the narrower where a
// choice must name one of the tools, and the wider where a field is itself a JSON schema. Any thread.
std::string openapi_document(const ServedModel& model, const ServiceOptions& options);

// Its parts, as members of objects; {{NAME}} stands for what depends on the model.
namespace openapi {
extern const char* const kPaths;
extern const char* const kChatSchemas;
extern const char* const kMessageSchemas;
extern const char* const kResponsesSchemas;
extern const char* const kOtherSchemas;
}  // namespace openapi

}  // namespace fathom::server
