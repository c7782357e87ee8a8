#include "apps/line_editor.h"

#include <histedit.h>
#include <pwd.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>

#include "base/utf8.h"

namespace fathom::apps {
namespace {

constexpr int kHistoryLines = 1000;
constexpr size_t kLongestPaste = size_t{4} << 20;
constexpr std::wstring_view kPasteEnd = L"\x1b[201~";

}  // namespace

struct LineEditor::Impl {
  std::string prompt, history_file;
  EditLine* edit = nullptr;
  History* history = nullptr;
  bool cancelled = false;

  Impl(std::string p, std::string file) : prompt(std::move(p)), history_file(std::move(file)) {
    // The editor reads characters in the locale's encoding; ours is UTF-8 whatever the surroundings say.
    std::setlocale(LC_CTYPE, "C.UTF-8");
    edit = el_init("fathom", stdin, stdout, stderr);
    history = history_init();
    if (edit == nullptr || history == nullptr) throw std::bad_alloc();
    HistEvent event;
    ::history(history, &event, H_SETSIZE, kHistoryLines);
    ::history(history, &event, H_SETUNIQUE, 1);
    if (!history_file.empty()) ::history(history, &event, H_LOAD, history_file.c_str());
    el_set(edit, EL_CLIENTDATA, this);
    el_set(edit, EL_PROMPT, &Impl::show_prompt);
    el_set(edit, EL_EDITOR, "emacs");
    el_set(edit, EL_HIST, ::history, history);
    // Ctrl-C comes as a key, so that no signal has to interrupt the editor.
    el_set(edit, EL_SETTY, "-d", "-isig", nullptr);
    add_key("fathom-cancel", "Forget the line", &Impl::cancel, "^C");
    add_key("fathom-newline", "Begin another line", &Impl::newline, "\\e^M");
    el_set(edit, EL_BIND, "\\e^J", "fathom-newline",
           nullptr);  // what Enter sends where the terminal translates it
    add_key("fathom-paste", "Take a pasted text", &Impl::paste, "\\e[200~");
    el_set(edit, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  }
  ~Impl() {
    if (history != nullptr) history_end(history);
    if (edit != nullptr) el_end(edit);
  }

  using Key = unsigned char (*)(EditLine*, int);
  void add_key(const char* name, const char* help, Key function, const char* key) {
    el_set(edit, EL_ADDFN, name, help, function);
    el_set(edit, EL_BIND, key, name, nullptr);
  }
  static Impl& of(EditLine* e) {
    void* data = nullptr;
    el_get(e, EL_CLIENTDATA, &data);
    return *static_cast<Impl*>(data);
  }
  static char* show_prompt(EditLine* e) { return of(e).prompt.data(); }
  static unsigned char cancel(EditLine* e, int) {
    of(e).cancelled = true;
    return CC_NEWLINE;
  }
  static unsigned char newline(EditLine* e, int) {
    return el_winsertstr(e, L"\n") == 0 ? CC_REFRESH : CC_ERROR;
  }
  // Everything up to the terminal's mark of the end, newlines included, goes into the line.
  static unsigned char paste(EditLine* e, int) {
    std::wstring text;
    wchar_t c = 0;
    while (text.size() < kLongestPaste && el_wgetc(e, &c) == 1) {
      text += c == L'\r' ? L'\n' : c;
      if (text.ends_with(kPasteEnd)) {
        text.resize(text.size() - kPasteEnd.size());
        break;
      }
    }
    std::erase_if(text, [](wchar_t w) { return w < L' ' && w != L'\n' && w != L'\t'; });
    while (text.ends_with(L'\n')) text.pop_back();
    return text.empty() || el_winsertstr(e, text.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  }

  Kind read(std::string& line) {
    // The terminal marks pasted text only while we ask for it.
    std::fputs("\x1b[?2004h", stdout);
    std::fflush(stdout);
    cancelled = false;
    int count = 0;
    const char* got = el_gets(edit, &count);
    std::fputs("\x1b[?2004l", stdout);
    std::fflush(stdout);
    if (cancelled) {
      std::fputs("\n", stdout);
      return Kind::cancelled;
    }
    if (got == nullptr || count <= 0) return Kind::end;
    line.assign(got, static_cast<size_t>(count));
    if (line.ends_with('\n')) line.pop_back();
    line = utf8::repaired(line);
    if (line.find_first_not_of(" \t\n") != std::string::npos) remember(line);
    return Kind::line;
  }

  void remember(const std::string& line) {
    HistEvent event;
    ::history(history, &event, H_ENTER, line.c_str());
    if (!history_file.empty()) ::history(history, &event, H_SAVE, history_file.c_str());
  }
};

LineEditor::LineEditor(std::string prompt, std::string history_file) {
  if (::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0)
    impl_ = std::make_unique<Impl>(std::move(prompt), std::move(history_file));
}
LineEditor::~LineEditor() = default;

LineEditor::Kind LineEditor::read(std::string& line) {
  if (impl_) return impl_->read(line);
  if (!std::getline(std::cin, line)) return Kind::end;
  line = utf8::repaired(line);
  return Kind::line;
}

std::string default_history_file() {
  const passwd* user = ::getpwuid(::getuid());
  if (user == nullptr || user->pw_dir == nullptr || *user->pw_dir == '\0') return {};
  const std::filesystem::path directory = std::filesystem::path(user->pw_dir) / ".local" / "state" / "fathom";
  std::error_code problem;
  std::filesystem::create_directories(directory, problem);
  std::filesystem::permissions(directory, std::filesystem::perms::owner_all, problem);
  return problem ? std::string() : (directory / "chat_history").string();
}

}  // namespace fathom::apps
