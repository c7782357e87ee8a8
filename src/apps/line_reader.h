// Lines of a file descriptor, without blocking while there is other work.
#pragma once

#include <optional>
#include <string>

namespace fathom::apps {

class LineReader {
 public:
  explicit LineReader(int fd) : fd_(fd) {}

  // The next line without its newline; nullopt at the end and while no whole line is there, after a fifth of
  // a second if `wait`. Lines above 64 MiB come cut at that length. Throws Exception when reading fails.
  std::optional<std::string> next(bool wait);
  // Nothing more will come.
  bool at_end() const { return ended_ && buffer_.empty(); }

 private:
  bool fill(bool wait);

  int fd_;
  std::string buffer_;
  size_t searched_ = 0;
  bool ended_ = false, skipping_ = false;
};

}  // namespace fathom::apps
