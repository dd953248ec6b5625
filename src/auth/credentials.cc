#include "auth/credentials.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "auth/json.h"
#include "auth/members.h"
#include "auth/pem.h"

namespace integcov::auth {
namespace {

constexpr std::string_view kSource = "source_credentials";  // of an impersonated account

std::string read_universe(Members& members) {
  std::string universe = members.optional("universe_domain");
  if (const auto source = members.object().object(kSource); universe.empty() && source)
    universe = source->string("universe_domain").value_or("");
  if (universe.empty()) return std::string(kGoogleUniverse);
  if (!is_universe(universe)) members.blame("universe_domain", "is not a domain");
  return universe;
}

// It becomes a header.
std::string read_quota_project(Members& members) {
  std::string project = members.optional("quota_project_id");
  if (!std::ranges::all_of(project, [](char c) { return c > ' ' && c < 0x7f; }))
    members.blame("quota_project_id", "is not a project");
  return project;
}

ServiceAccountKey read_service_account(Members& members) {
  ServiceAccountKey key;
  key.client_email = members.required("client_email");
  key.private_key_id = members.optional("private_key_id");
  key.private_key = members.required("private_key");
  if (const auto shape = check_private_key(key.private_key); !shape)
    members.blame("private_key", shape.message());
  key.token_uri = members.https_uri("token_uri", kGoogleTokenUri);
  return key;
}

AuthorizedUser read_authorized_user(Members& members, const std::string& universe) {
  AuthorizedUser user;
  user.client_id = members.required("client_id");
  user.client_secret = members.required("client_secret");
  user.refresh_token = members.required("refresh_token");
  user.token_uri = members.https_uri("token_uri", kGoogleTokenUri);
  if (universe != kGoogleUniverse) {
    members.blame("universe_domain",
                  "is another one than googleapis.com, where no authorized_user can log in");
  }
  return user;
}

bool is_direct(std::string_view type) {
  return type == "service_account" || type == "authorized_user" || type == "external_account";
}

// Precondition: is_direct(type).
DirectAccount read_direct(std::string_view type, Members& members, const std::string& universe) {
  if (type == "service_account") return read_service_account(members);
  if (type == "authorized_user") return read_authorized_user(members, universe);
  return read_external_account(members, universe);
}

DirectAccount read_source(Members& members, const std::string& universe) {
  const auto object = members.object().object(kSource);
  if (!object) {
    if (members.object().has(kSource)) members.blame(kSource, "is not an object");
    members.required(kSource);
    return {};
  }
  Members source(*object, std::string(kSource) + '.');
  const std::string type = source.required("type");
  DirectAccount account;
  if (is_direct(type)) {
    account = read_direct(type, source, universe);
  } else {
    source.blame("type", "must be service_account, authorized_user or external_account");
  }
  if (const auto* external = std::get_if<ExternalAccount>(&account);
      external != nullptr && !external->impersonation_url.empty())
    source.blame("service_account_impersonation_url", "makes a second impersonation");
  if (const std::string its = source.optional("universe_domain"); !its.empty() && its != universe)
    source.blame("universe_domain", "is another one than the account's");
  members.take_fault_of(source);
  return account;
}

ImpersonatedAccount read_impersonated(Members& members, const std::string& universe) {
  constexpr std::string_view kUrl = "service_account_impersonation_url";
  ImpersonatedAccount account;
  account.url = read_impersonation_url(members);
  if (account.url.empty()) members.required(kUrl);
  if (members.object().has("delegates")) {
    const auto delegates = members.object().strings("delegates");
    if (!delegates) members.blame("delegates", "is not a list of service accounts");
    account.delegates = delegates.value_or(std::vector<std::string>());
  }
  account.source = read_source(members, universe);
  return account;
}

}  // namespace

bool is_universe(std::string_view text) {
  return text.size() <= 253 && text.find('.') != std::string_view::npos &&
         text.find("..") == std::string_view::npos && text.front() != '.' && text.back() != '.' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

Result<Credentials> parse_credentials(std::string_view json) {
  const auto object = JsonObject::parse(json);
  if (!object) return Error{"it is not a JSON object"};
  Members members(*object);
  const std::string type = members.required("type");
  if (members.fault()) return Error{*members.fault()};

  Credentials credentials;
  credentials.universe = read_universe(members);
  credentials.quota_project = read_quota_project(members);
  if (is_direct(type)) {
    std::visit([&](auto account) { credentials.account = std::move(account); },
               read_direct(type, members, credentials.universe));
  } else if (type == "impersonated_service_account") {
    credentials.account = read_impersonated(members, credentials.universe);
  } else {
    return Error{"credentials of " +
                 (is_plain_word(type) ? "type \"" + type + '"' : std::string("an unknown type")) +
                 " are not supported; use service_account, authorized_user, external_account or "
                 "impersonated_service_account, or the metadata server"};
  }
  if (!members.fault()) return credentials;
  const bool told = type == "service_account" || type == "authorized_user";
  return Error{*members.fault() + (told ? "" : " (type " + type + ')')};
}

}  // namespace integcov::auth
