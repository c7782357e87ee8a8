// Errors that a user can cause: what is wrong, where, and what to do about it.
//
// One policy for the whole program. Parsers of files and network bytes return Result<T>. Everything above them throws
// Exception, which carries the same Error. A broken invariant of our own throws InternalError (base/check.h).
#pragma once

#include <exception>
#include <string>
#include <utility>
#include <variant>

namespace fathom {

struct Error {
  std::string where;    // file, command-line option or request field; may be empty
  std::string key;      // configuration key, tensor name, line number; may be empty
  std::string problem;  // what is wrong
  std::string remedy;   // what the user can do; may be empty

  // "where: key: problem; remedy" on one line, control bytes and broken UTF-8 replaced, at most 390 bytes.
  std::string line() const;
};

class Exception : public std::exception {
 public:
  explicit Exception(Error error) : error_(std::move(error)), line_(error_.line()) {}
  const Error& error() const { return error_; }
  const char* what() const noexcept override { return line_.c_str(); }

 private:
  Error error_;
  std::string line_;
};

// A value or an Error. Reading value() of an error throws Exception.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT: implicit, so that `return value;` works
  Result(Error error) : state_(std::move(error)) {}  // NOLINT

  explicit operator bool() const { return std::holds_alternative<T>(state_); }
  const Error& error() const { return std::get<Error>(state_); }
  Error& error() { return std::get<Error>(state_); }

  T& value() & { return require(), std::get<T>(state_); }
  const T& value() const& { return require(), std::get<T>(state_); }
  T&& value() && { return require(), std::get<T>(std::move(state_)); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }

 private:
  void require() const {
    if (!*this) throw Exception(error());
  }
  std::variant<T, Error> state_;
};

// Success or an Error.
struct Ok {};
using Status = Result<Ok>;

// `text` made fit to be quoted in an error: control characters and broken UTF-8 replaced, cut to `limit` bytes.
std::string quotable(const std::string& text, size_t limit = 60);

}  // namespace fathom
