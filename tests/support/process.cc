#include "tests/support/process.h"
#include "tests/support/cases.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace fathom::test {
namespace {

// A file in memory: takes any amount of output without anyone reading along.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& content = {}) : fd_(::memfd_create("test", MFD_CLOEXEC)) {
    if (fd_ < 0 || ::write(fd_, content.data(), content.size()) != static_cast<ssize_t>(content.size()) ||
        ::lseek(fd_, 0, SEEK_SET) != 0)
      throw std::runtime_error("cannot make a file in memory");
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int fd() const { return fd_; }
  std::string content() const {
    struct stat info {};
    ::fstat(fd_, &info);
    std::string text(static_cast<size_t>(info.st_size), '\0');
    if (::pread(fd_, text.data(), text.size(), 0) != info.st_size)
      throw std::runtime_error("cannot read output");
    return text;
  }

 private:
  int fd_;
};

[[noreturn]] void become(char* const* arguments, int in, int out, int err, uint64_t file_size_limit) {
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  if (file_size_limit > 0) {
    const rlimit limit{file_size_limit, file_size_limit};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  std::vector<std::string> copy = arguments;
  std::vector<char*> pointers;
  for (std::string& argument : copy) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const MemoryFile in(options.in), out, err;

  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("cannot fork");
  if (pid == 0) become(pointers.data(), in.fd(), out.fd(), err.fd(), options.file_size_limit);

  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  pollfd wait{.fd = handle, .events = POLLIN, .revents = 0};
  bool interrupted = false, killed = false;
  while (handle >= 0 && ::poll(&wait, 1, 5) <= 0) {
    if (options.interrupt_when && !interrupted && options.interrupt_when())
      interrupted = ::kill(pid, SIGINT) == 0;
    if (elapsed() > options.timeout && !killed) killed = ::kill(pid, SIGKILL) == 0;
  }
  ProcessResult result;
  int status = 0;
  rusage usage{};
  while (::wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  result.seconds = elapsed();
  if (handle >= 0) ::close(handle);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  result.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  result.max_resident = static_cast<size_t>(usage.ru_maxrss) * 1024;
  result.out = out.content();
  result.err = err.content();
  return result;
}

ProcessResult run_fathom(std::vector<std::string> arguments, const ProcessOptions& options) {
  arguments.insert(arguments.begin(), fathom_binary());
  return run_process(arguments, options);
}

bool machine_is_busy() {
  double load = 0;
  return ::getloadavg(&load, 1) == 1 && load > 1.5 * static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN));
}

}  // namespace fathom::test
