// OpenSSL asks the processor what it can do, in code that runs before main. In a virtual machine
// each answer comes from the hypervisor and takes microseconds. In the static binary OpenSSL asks
// here only (third_party/static.cmake, docs/decisions/0010).
#pragma once

namespace integcov::app {

// Before the first use of OpenSSL. Without effect in other builds: there it has asked.
void ask_processor();

}  // namespace integcov::app
