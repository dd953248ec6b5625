// What libraries do before main, and a start shouldn't pay for. In the static binary for x86-64 the
// linker directs these calls of theirs to us (third_party/static.cmake, docs/decisions/0010).
#pragma once

namespace integcov::app {

// OpenSSL asks the processor what it can do, before main; in a virtual machine the hypervisor
// answers. Here it asks, and not before: call this before the first use of OpenSSL. Without effect
// in other builds: there it has asked.
void ask_processor();

}  // namespace integcov::app
