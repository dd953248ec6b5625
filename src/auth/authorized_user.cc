#include "auth/authorized_user.h"

#include <utility>

#include "auth/token_request.h"

namespace integcov::auth {

AuthorizedUserSource::AuthorizedUserSource(http::Client& client, AuthorizedUser user)
    : client_(client), user_(std::move(user)) {}

std::unique_ptr<Fetch> AuthorizedUserSource::fetch(WallTime now, Done done) {
  return post_token_form(client_, user_.token_uri,
                         {{"grant_type", "refresh_token"},
                          {"refresh_token", user_.refresh_token},
                          {"client_id", user_.client_id},
                          {"client_secret", user_.client_secret}},
                         {user_.refresh_token, user_.client_secret}, now, std::move(done));
}

}  // namespace integcov::auth
