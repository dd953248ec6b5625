// Snapshots of a program that is still running: how, when, and how to ask for them.
#pragma once

#include <chrono>
#include <csignal>

#include "base/time.h"

namespace integcov::config {

enum class FlushMode {
  automatic,  // by signal where the program has said that it has a handler, else from memory
  signal,     // the user knows of a handler
  memory,     // counters are read from the program's memory
  off,
};

struct FlushOptions {
  FlushMode mode = FlushMode::automatic;
  Duration interval = std::chrono::seconds(30);  // zero: only on demand
  int signal = SIGUSR1;
  Duration wait = std::chrono::seconds(5);  // for the snapshot that a signal asked for

  friend bool operator==(const FlushOptions&, const FlushOptions&) = default;
};

}  // namespace integcov::config
