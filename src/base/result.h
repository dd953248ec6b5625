// Result<T>: a value or one Error whose message is a sentence for the user.
// GCC 12 has no std::expected; this is the small part of it that the project needs.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace integcov {

struct Error {
  std::string message;  // one clear sentence, without a final full stop or newline
  int code = 0;         // errno of the failed system call, if any
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Precondition: ok().
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }

  // Precondition: !ok().
  [[nodiscard]] const Error& error() const { return std::get<1>(state_); }
  [[nodiscard]] const std::string& message() const { return error().message; }

 private:
  std::variant<T, Error> state_;
};

// Success carries nothing.
struct Success {};
using Status = Result<Success>;

}  // namespace integcov
