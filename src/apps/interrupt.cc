#include "apps/interrupt.h"

#include <csignal>
#include <initializer_list>

namespace fathom::apps {
namespace {

// The one thing a signal handler may touch: it cannot be given anything else to write to.
std::atomic<bool> flag{false};
std::atomic<bool> must_end{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void raise_flag(int signal) {
  if (signal != SIGINT) must_end.store(true, std::memory_order_relaxed);
  flag.store(true, std::memory_order_relaxed);
}

bool take_signals() {
  struct sigaction action {};
  action.sa_handler = raise_flag;
  action.sa_flags = SA_RESTART;
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    // A signal that the parent ignores (nohup) stays ignored.
    if (::sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    ::sigaction(signal, &action, nullptr);
  }
  return true;
}

}  // namespace

const std::atomic<bool>& interrupted() {
  static const bool taken = take_signals();
  (void)taken;
  return flag;
}

bool forget_interruption() {
  if (must_end.load(std::memory_order_relaxed)) return false;
  flag.store(false, std::memory_order_relaxed);
  return true;
}

}  // namespace fathom::apps
