// exits code N | signal N | pause: ends with that status, or waits for a signal to end it.
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <string_view>

#include "say.h"

int main(int argc, char** argv) {
  const std::string_view how = argc > 1 ? argv[1] : "";
  const int number = argc > 2 ? std::atoi(argv[2]) : 0;
  if (how == "code") return number;
  if (how == "signal") {
    const rlimit no_core{};
    setrlimit(RLIMIT_CORE, &no_core);
    kill(getpid(), number);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  say("ready");
  while (true) pause();
}
