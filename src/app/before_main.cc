#include "app/before_main.h"

// The linker's --wrap: what is called instead, and what was meant.
// NOLINTBEGIN(*-identifier,performance-no-int-to-ptr)
extern "C" {
[[gnu::weak]] void __real_OPENSSL_cpuid_setup();
void __wrap_OPENSSL_cpuid_setup();
const char* __wrap__dl_get_origin();
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

// Our folder, for libraries that are looked for beside the program: unknown, as without /proc. We
// load none, and the look into /proc costs more than any other system call of a start.
const char* __wrap__dl_get_origin() { return reinterpret_cast<const char*>(-1); }
// NOLINTEND(*-identifier,performance-no-int-to-ptr)
