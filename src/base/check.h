// Checks of our own invariants. User input is never checked with these: it gets an Error (base/error.h).
#pragma once

#include <stdexcept>
#include <string>

namespace fathom {

class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
  throw InternalError(std::string("[check] ") + condition + " at " + file + ":" + std::to_string(line));
}

}  // namespace fathom

#define FATHOM_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::fathom::check_failed(#condition, __FILE__, __LINE__))
