// Log lines on stderr, which belongs to the app too: nothing that happens to it may stop or kill
// us.
#pragma once

#include <map>
#include <string>

#include "base/log.h"

namespace integcov::app {

class StderrLog {
 public:
  struct Style {
    Severity lowest = Severity::info;
    bool json = false;
    bool color = false;
    std::map<std::string, std::string> labels;  // on JSON lines
  };

  void set_style(Style style) { style_ = std::move(style); }

  void write(const LogRecord& record);
  void write(Severity severity, std::string message) { write({severity, std::move(message)}); }

  // Before the exit: gives a full pipe a moment to take what is left.
  void flush();

 private:
  // Writes what stderr takes now, without blocking; keeps the rest.
  void drain(int wait_ms);

  Style style_;
  std::string pending_;
};

}  // namespace integcov::app
