#include "apps/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/error.h"

namespace fathom::apps {
namespace {

constexpr size_t kLongestLine = size_t{64} << 20;

}  // namespace

// False when nothing came: the end, an interruption, or nothing there and no wish to wait.
bool LineReader::fill(bool wait) {
  pollfd poll_fd{.fd = fd_, .events = POLLIN, .revents = 0};
  const int ready = ::poll(&poll_fd, 1, wait ? 200 : 0);
  if (ready <= 0) return false;
  char block[65536];
  const ssize_t got = ::read(fd_, block, sizeof block);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return false;
  if (got < 0)
    throw Exception({"standard input",
                     {},
                     "cannot be read: " + std::generic_category().message(errno),
                     "check the pipe"});
  if (got == 0) ended_ = true;
  buffer_.append(block, static_cast<size_t>(got));
  return got > 0;
}

std::optional<std::string> LineReader::next(bool wait) {
  while (true) {
    const size_t end = buffer_.find('\n', searched_);
    const bool whole = end != std::string::npos;
    if (!whole) searched_ = buffer_.size();
    const bool cut = !whole && buffer_.size() > kLongestLine;
    if (!whole && !cut && !ended_) {
      if (!fill(wait) && !ended_) return std::nullopt;
      continue;
    }
    if (buffer_.empty()) return std::nullopt;
    std::string line = buffer_.substr(0, std::min({end, buffer_.size(), kLongestLine}));
    buffer_.erase(0, whole ? end + 1 : buffer_.size());
    searched_ = 0;
    const bool rest_of_cut_line = skipping_;
    skipping_ = cut;
    if (!rest_of_cut_line) return line;
  }
}

}  // namespace fathom::apps
