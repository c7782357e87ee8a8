// What a request's answers are held to: JSON, schemas, calls, a cap on thoughts.
#pragma once

#include <functional>
#include <memory>

#include "infer/token_bits.h"
#include "server/request.h"
#include "server/served_model.h"
#include "text/output_parser.h"

namespace fathom::server {

struct ConstraintPlan {
  // One for each choice; null: everything is allowed.
  std::function<std::shared_ptr<infer::TokenConstraint>()> make = [] { return nullptr; };
};

// Refuses schemas that are not supported, also those of strict tools that this request lets nobody call.
void check_schemas(const ChatRequest& request, const text::OutputSyntax& syntax, const ServedModel& model);

// `syntax`: of the output. Throws Refusal for a schema that is not supported, naming the keyword.
ConstraintPlan plan_constraint(const ChatRequest& request, const text::OutputSyntax& syntax,
                               const ServedModel& model, const ServiceOptions& options);

}  // namespace fathom::server
