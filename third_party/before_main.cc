// What libraries would do before main, and a start shouldn't pay for: the linker directs these calls
// of theirs to us (--wrap, static.cmake; docs/decisions/0010).
#include <utility>

extern "C" {
void __real_OPENSSL_cpuid_setup();
void __wrap_OPENSSL_cpuid_setup();
const char* __wrap__dl_get_origin();
}

// OpenSSL asks the processor what it can do, in a virtual machine the hypervisor. It does so before
// main, which is left out here, and again when it is first used (OpenSSL crypto/init.c,
// ossl_init_base).
void __wrap_OPENSSL_cpuid_setup() {
  static bool before_main = true;
  if (!std::exchange(before_main, false)) __real_OPENSSL_cpuid_setup();
}

// Our folder, for libraries that are looked for beside the program: unknown, as without /proc (glibc
// sysdeps/unix/sysv/linux/dl-origin.c). We load none, and the look into /proc costs more than any
// other system call of a start.
const char* __wrap__dl_get_origin() { return reinterpret_cast<const char*>(-1); }
