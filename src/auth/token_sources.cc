#include "auth/token_sources.h"

#include <string>
#include <utility>

#include "auth/authorized_user.h"
#include "auth/impersonated_source.h"
#include "auth/service_account.h"
#include "auth/small_file.h"
#include "auth/sts_source.h"
#include "auth/subject_token.h"

namespace integcov::auth {
namespace {

// `service` is the host's first part of what the token is for: "storage".
struct Maker {
  event::Loop& loop;
  http::Client& client;
  const std::string& universe;
  std::string scope;
  std::string service;

  std::unique_ptr<TokenSource> operator()(const ServiceAccountKey& key) const {
    if (universe == kGoogleUniverse)
      return std::make_unique<ServiceAccountSource>(loop, client, key, scope);
    return std::make_unique<SelfSignedSource>(loop, key,
                                              "https://" + service + '.' + universe + '/');
  }

  std::unique_ptr<TokenSource> operator()(const AuthorizedUser& user) const {
    return std::make_unique<AuthorizedUserSource>(client, user);
  }

  std::unique_ptr<TokenSource> operator()(const ExternalAccount& account) const {
    std::unique_ptr<TokenSource> subject;
    if (account.subject.file.empty()) {
      subject = std::make_unique<UrlSubjectSource>(client, account.subject);
    } else {
      subject = std::make_unique<FileSubjectSource>(loop, account.subject, read_small_file);
    }
    const bool impersonates = !account.impersonation_url.empty();
    auto sts = std::make_unique<StsSource>(
        client, account, impersonates ? std::string(kCloudScope) : scope, std::move(subject));
    if (!impersonates) return sts;
    return std::make_unique<ImpersonatedSource>(
        client, ImpersonationTarget{account.impersonation_url, {}, account.impersonation_lifetime},
        std::move(sts));
  }

  std::unique_ptr<TokenSource> operator()(const ImpersonatedAccount& account) const {
    const Maker inner{loop, client, universe, std::string(kCloudScope), "iamcredentials"};
    return std::make_unique<ImpersonatedSource>(
        client, ImpersonationTarget{account.url, account.delegates, kImpersonationLifetime},
        std::visit(inner, account.source));
  }
};

}  // namespace

std::unique_ptr<TokenSource> make_token_source(event::Loop& loop, http::Client& client,
                                               const Credentials& credentials) {
  return std::visit(
      Maker{loop, client, credentials.universe, std::string(kStorageScope), "storage"},
      credentials.account);
}

}  // namespace integcov::auth
