// The other identity provider's token, which an external account hands in for one of Google's. It
// is read anew each time: its owner replaces it before it expires.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "auth/external_account.h"
#include "auth/token_source.h"
#include "base/result.h"
#include "event/loop.h"
#include "http/client.h"

namespace integcov::auth {

using ReadFile = std::function<Result<std::string>(const std::string& path)>;

// The Token that these bring is the subject token; its `expires` says nothing.
class FileSubjectSource final : public TokenSource {
 public:
  FileSubjectSource(event::Loop& loop, SubjectTokenPlace place, ReadFile read);

  std::unique_ptr<Fetch> fetch(WallTime now, Done done) override;

 private:
  event::Loop& loop_;
  SubjectTokenPlace place_;
  ReadFile read_;
};

class UrlSubjectSource final : public TokenSource {
 public:
  UrlSubjectSource(http::Client& client, SubjectTokenPlace place);

  std::unique_ptr<Fetch> fetch(WallTime now, Done done) override;

 private:
  http::Client& client_;
  SubjectTokenPlace place_;
};

// The token in what was read; the error is a clause and repeats nothing of it: "holds no JSON
// object".
Result<std::string> extract_subject_token(std::string_view text, std::string_view json_field);

}  // namespace integcov::auth
