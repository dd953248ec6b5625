// OpenSSL's and libcurl's tables hold addresses. In the static binary they are not made right
// before main, as all others are, but here: who uploads nothing never pays for them
// (third_party/defer_relocations.py, docs/decisions/0010).
#pragma once

namespace integcov::app {

// Before the first use of either; further calls do nothing. Throws
// std::system_error if the tables can't be written to. Without effect in other builds.
void relocate_deferred();

}  // namespace integcov::app
