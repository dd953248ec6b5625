// From now on the kernel has no such system calls for this process and what it becomes
// (seccomp(2)).
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>

#ifdef SYS_signalfd
inline constexpr std::array<unsigned, 2> kSignalfd{SYS_signalfd, SYS_signalfd4};
#else
inline constexpr std::array<unsigned, 2> kSignalfd{SYS_signalfd4, SYS_signalfd4};
#endif
#ifdef SYS_vfork
inline constexpr std::array<unsigned, 2> kVfork{SYS_vfork, SYS_vfork};
#else
inline constexpr std::array<unsigned, 2> kVfork{~0U, ~0U};  // it is clone(2) there
#endif

inline bool refuse(const std::array<unsigned, 2>& calls, unsigned error) {
  std::array<sock_filter, 5> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[0], 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[1], 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}
