// Owner of a libuv handle. libuv needs the handle's memory until its close callback has run, so the
// memory outlives the owner (cf. CMake Source/cmUVHandlePtr.h). The only new/delete in the project.
#pragma once

#include <uv.h>

#include <utility>

namespace integcov::event {

template <class T>
class Handle {
 public:
  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { close(); }

  // Gives a fresh, zeroed handle to be initialised by uv_*_init; `owner` comes back in callbacks.
  T* create(void* owner) {
    close();
    handle_ = new T{};
    handle_->data = owner;
    return handle_;
  }
  // For a handle whose uv_*_init failed: libuv doesn't know it.
  void discard() { delete std::exchange(handle_, nullptr); }

  void close() {
    if (handle_ == nullptr) return;
    handle_->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(std::exchange(handle_, nullptr)),
             [](uv_handle_t* closed) noexcept { delete reinterpret_cast<T*>(closed); });
  }

  [[nodiscard]] T* get() const { return handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  T* handle_ = nullptr;
};

}  // namespace integcov::event
