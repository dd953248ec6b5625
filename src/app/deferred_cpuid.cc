#include "app/deferred_cpuid.h"

// The linker's --wrap: what OpenSSL calls, and what it meant.
// NOLINTBEGIN(*-identifier)
extern "C" {
[[gnu::weak]] void __real_OPENSSL_cpuid_setup();
void __wrap_OPENSSL_cpuid_setup();
}

namespace integcov::app {
namespace {

bool may_ask = false;

}  // namespace

void ask_processor() {
  may_ask = true;
  if (__real_OPENSSL_cpuid_setup != nullptr) __real_OPENSSL_cpuid_setup();
}

}  // namespace integcov::app

void __wrap_OPENSSL_cpuid_setup() {
  if (integcov::app::may_ask) __real_OPENSSL_cpuid_setup();
}
// NOLINTEND(*-identifier)
