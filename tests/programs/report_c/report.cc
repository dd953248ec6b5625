// Prints how it was started, as lines KEY=VALUE. No runtime has changed anything before: signal
// masks, dispositions and descriptors are what the parent gave. In values a backslash and every
// byte outside of printable ASCII is written as \xHH. Keys that may come several times: ARG, ENV,
// FD.
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {

void print(std::string_view key, std::string_view value) {
  std::string line(key);
  line += '=';
  for (const char c : value) {
    if (c >= ' ' && c <= '~' && c != '\\') {
      line += c;
    } else {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", static_cast<unsigned char>(c));
      line += escaped.data();
    }
  }
  std::puts(line.c_str());
}

void print(std::string_view key, long value) { print(key, std::to_string(value)); }

std::string target_of(const std::string& link) {
  std::array<char, PATH_MAX> target{};
  const ssize_t n = ::readlink(link.c_str(), target.data(), target.size());
  return n < 0 ? "?" : std::string(target.data(), static_cast<std::size_t>(n));
}

// FD=NUMBER TARGET for each open descriptor but the one that lists them.
void print_fds() {
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return;
  const std::string own = std::to_string(::dirfd(folder));
  while (const dirent* entry = ::readdir(folder)) {
    const std::string name = static_cast<const char*>(entry->d_name);
    if (name[0] == '.' || name == own) continue;
    print("FD", name + ' ' + target_of("/proc/self/fd/" + name));
  }
  ::closedir(folder);
}

// The masks as /proc writes them: SigPnd, ShdPnd, SigBlk, SigIgn, SigCgt, 16 hex digits each.
void print_signals() {
  std::FILE* status = std::fopen("/proc/self/status", "re");
  if (status == nullptr) return;
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), static_cast<int>(buffer.size()), status) != nullptr) {
    const std::string_view line = buffer.data();
    if (!line.starts_with("Sig") && !line.starts_with("Shd")) continue;
    if (line.starts_with("SigQ")) continue;
    print(line.substr(0, 6), line.substr(8, 16));
  }
  std::fclose(status);
}

}  // namespace

int main(int argc, char** argv) {
  print_fds();
  print_signals();
  print("pid", ::getpid());
  print("ppid", ::getppid());
  print("pgid==pid", ::getpgrp() == ::getpid() ? "yes" : "no");
  print("sid", ::getsid(0));
  print("stdin_tty", ::isatty(0) == 1 ? "yes" : "no");
  print("foreground", ::tcgetpgrp(0) == ::getpgrp() ? "yes" : "no");
  const mode_t mask = ::umask(0);
  ::umask(mask);
  std::array<char, 8> octal{};
  std::snprintf(octal.data(), octal.size(), "%03o", static_cast<unsigned>(mask));
  print("umask", octal.data());
  print("cwd", target_of("/proc/self/cwd"));
  for (int i = 0; i < argc; ++i) print("ARG", argv[i]);
  for (char** variable = environ; *variable != nullptr; ++variable) print("ENV", *variable);
  const char* code = std::getenv("REPORT_EXIT");
  return code == nullptr ? 0 : std::atoi(code);
}
