// latency N: sends its parent SIGUSR1 and takes the time until the parent has forwarded it; N
// times, after a warm-up. Says the nanoseconds in one line.
#include <csignal>
#include <cstdlib>
#include <ctime>

#include "say.h"

namespace {

long long now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kWarmUp = 50;
  const int count = argc > 1 ? std::atoi(argv[1]) : 1000;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  std::string line;
  for (int i = 0; i < count + kWarmUp; ++i) {
    const timespec moment{0, 200'000};  // the parent is asleep again
    nanosleep(&moment, nullptr);
    const long long begin = now();
    kill(getppid(), SIGUSR1);
    sigwaitinfo(&set, nullptr);
    const long long took = now() - begin;
    if (i >= kWarmUp) line += std::to_string(took) + ' ';
  }
  say(line);
}
