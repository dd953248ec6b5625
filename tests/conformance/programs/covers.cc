// covers [late MS | daemon] [wait] [fill] [remove] CODE: leaves coverage files in GOCOVERDIR as a
// Go program does: covmeta at the start, covcounters at the end.
//   late MS   the counters come from a grandchild that long after the end
//   daemon    a process stays, as in daemon.cc
//   wait      ends at the end of stdin
//   fill      first writes until the disk is full
//   remove    removes GOCOVERDIR before the end
#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string_view>

#include "say.h"

namespace {

constexpr const char* kHash = "00112233445566778899aabbccddeeff";

std::string folder() {
  const char* name = std::getenv("GOCOVERDIR");
  return name == nullptr ? "" : name;
}

void write_file(const std::string& name) {
  const std::string final_name = folder() + '/' + name;
  const std::string temporary = folder() + "/tmp." + name;
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return say("no " + name.substr(0, name.find('.')));
  say("content of " + name, fd);
  close(fd);
  std::rename(temporary.c_str(), final_name.c_str());
}

void write_counters() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  const long long ns = time.tv_sec * 1'000'000'000LL + time.tv_nsec;
  write_file(std::string("covcounters.") + kHash + '.' + std::to_string(getpid()) + '.' +
             std::to_string(ns));
}

void fill_disk() {
  const int fd = open((folder() + "/ballast").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  for (std::size_t size = 1 << 16; size > 0; size /= 2) {
    const std::string block(size, 'x');
    while (write(fd, block.data(), block.size()) > 0) {
    }
  }
  close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  long late_ms = -1;
  bool daemon = false;
  bool wait = false;
  bool remove = false;
  int code = 0;
  write_file(std::string("covmeta.") + kHash);
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "late")
      late_ms = std::atol(argv[++i]);
    else if (word == "daemon")
      daemon = true;
    else if (word == "wait")
      wait = true;
    else if (word == "fill")
      fill_disk();
    else if (word == "remove")
      remove = true;
    else
      code = std::atoi(argv[i]);
  }
  say("ready");
  char byte = 0;
  while (wait && read(0, &byte, 1) > 0) {
  }
  if (remove) std::filesystem::remove_all(folder());
  if ((daemon || late_ms >= 0) && fork() == 0) {
    setsid();
    while (daemon) pause();
    const timespec delay{late_ms / 1000, late_ms % 1000 * 1'000'000};
    nanosleep(&delay, nullptr);
    write_counters();
    _exit(0);
  }
  if (late_ms < 0) write_counters();
  return code;
}
