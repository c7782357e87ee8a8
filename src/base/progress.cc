#include "base/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace fathom {
namespace {

constexpr double kQuietSeconds = 2, kRedrawSeconds = 0.1;
constexpr size_t kColumns = 78;

// Three digits and a suffix.
std::string scaled(double value, const char* const* suffixes, int count) {
  int at = 0;
  while (value >= 999.5 && at + 1 < count) value /= 1000, ++at;
  char text[48];
  std::snprintf(text, sizeof text,
                at == 0 || value >= 99.95 ? "%.0f%s"
                : value >= 9.995          ? "%.1f%s"
                                          : "%.2f%s",
                value, suffixes[at]);
  return text;
}

std::string amount_text(double amount, ProgressUnit unit) {
  constexpr const char* kCounts[] = {"", " k", " M", " G", " T"};
  return unit == ProgressUnit::bytes ? bytes_text(amount) : scaled(amount, kCounts, 5);
}

std::string time_text(double seconds) {
  const auto whole = static_cast<int64_t>(std::min(seconds, 1e9) + 0.5);
  char text[48];
  if (whole >= 3600)
    std::snprintf(text, sizeof text, "%lld h %02lld min", static_cast<long long>(whole / 3600),
                  static_cast<long long>(whole / 60 % 60));
  else if (whole >= 60)
    std::snprintf(text, sizeof text, "%lld min %02lld s", static_cast<long long>(whole / 60),
                  static_cast<long long>(whole % 60));
  else
    std::snprintf(text, sizeof text, "%lld s", static_cast<long long>(whole));
  return text;
}

}  // namespace

std::string bytes_text(double bytes) {
  constexpr const char* kBytes[] = {" B", " kB", " MB", " GB", " TB", " PB", " EB"};
  return scaled(bytes, kBytes, 7);
}

std::string progress_line(const std::string& what, uint64_t done, uint64_t total, double seconds,
                          ProgressUnit unit) {
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  std::string line = what;
  if (total > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    constexpr int kCells = 10;
    const int full = static_cast<int>(share * kCells);
    line += " [" + std::string(static_cast<size_t>(full), '#') +
            std::string(static_cast<size_t>(kCells - full), '.') + "]";
    char percent[16];
    std::snprintf(percent, sizeof percent, " %3d%% ", static_cast<int>(share * 100));
    line += percent + amount_text(static_cast<double>(done), unit) + " of " +
            amount_text(static_cast<double>(total), unit);
  } else {
    line += " " + amount_text(static_cast<double>(done), unit);
  }
  if (rate > 0) line += ", " + amount_text(rate, unit) + "/s";
  if (rate > 0 && total > done) line += ", " + time_text(static_cast<double>(total - done) / rate) + " left";
  return line.substr(0, kColumns);
}

Progress::Progress(std::string what, uint64_t total, ProgressUnit unit)
    : what_(std::move(what)), total_(total), unit_(unit), terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (!visible_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
}

void Progress::add(uint64_t amount) {
  done_.fetch_add(amount, std::memory_order_relaxed);
  if (!terminal_) return;
  const double now = clock_.seconds();
  if (now < kQuietSeconds) return;
  // Whoever finds another thread drawing has nothing to add to it.
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock.owns_lock() && now - drawn_at_ >= kRedrawSeconds) draw(now);
}

void Progress::draw(double seconds) {
  drawn_at_ = seconds;
  visible_ = true;
  const std::string line =
      progress_line(what_, done_.load(std::memory_order_relaxed), total_, seconds, unit_);
  std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
  std::fflush(stderr);
}

}  // namespace fathom
