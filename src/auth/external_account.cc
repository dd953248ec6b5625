#include "auth/external_account.h"

#include <algorithm>
#include <optional>

#include "auth/json.h"

namespace integcov::auth {
namespace {

constexpr std::string_view kSource = "credential_source";
constexpr std::string_view kWanted = "; a file or a url is";

bool is_header(const std::pair<std::string, std::string>& header) {
  constexpr std::string_view kOddInName = "()<>@,;:\\\"/[]?={}";  // RFC 9110 section 5.6.2
  const auto is_name_char = [&](char c) {
    return c > ' ' && c < 0x7f && kOddInName.find(c) == std::string_view::npos;
  };
  constexpr std::string_view kBreaks{"\r\n\0", 3};
  return !header.first.empty() && std::ranges::all_of(header.first, is_name_char) &&
         header.second.find_first_of(kBreaks) == std::string::npos;
}

void read_headers(Members& source, SubjectTokenPlace& place) {
  if (!source.object().has("headers")) return;
  const auto headers = source.object().object("headers");
  const auto all = headers ? headers->all_strings() : std::nullopt;
  if (all && std::ranges::all_of(*all, is_header)) {
    place.headers = *all;
  } else {
    source.blame("headers", "must be an object of header names and texts");
  }
}

void read_format(Members& source, SubjectTokenPlace& place) {
  if (!source.object().has("format")) return;
  const auto object = source.object().object("format");
  if (!object) return source.blame("format", "is not an object");
  Members format(*object, "credential_source.format.");
  const std::string type = format.optional("type");
  if (type == "json") {
    place.json_field = format.required("subject_token_field_name");
  } else if (!type.empty() && type != "text") {
    format.blame("type", "must be text or json");
  }
  source.take_fault_of(format);
}

SubjectTokenPlace read_subject(Members& members) {
  SubjectTokenPlace place;
  if (!members.object().has(kSource)) {
    members.required(kSource);
    return place;
  }
  const auto object = members.object().object(kSource);
  if (!object) {
    members.blame(kSource, "is not an object");
    return place;
  }
  Members source(*object, std::string(kSource) + '.');
  if (source.optional("environment_id").starts_with("aws")) {
    members.blame(kSource, "is AWS, which is not supported" + std::string(kWanted));
  } else if (object->has("file")) {
    place.file = source.required("file");
    if (place.file.find('\0') != std::string::npos) source.blame("file", "is not a path");
  } else if (object->has("url")) {
    place.url = source.required("url");
    if (!is_http_uri(place.url)) source.blame("url", "must be an http:// or https:// address");
    read_headers(source, place);
  } else if (object->has("executable")) {
    members.blame(kSource, "is an executable, which is not supported" + std::string(kWanted));
  } else if (object->has("certificate")) {
    members.blame(kSource, "is a certificate, which is not supported" + std::string(kWanted));
  } else {
    members.blame(kSource, "has neither file nor url");
  }
  read_format(source, place);
  members.take_fault_of(source);
  return place;
}

int read_lifetime(Members& members) {
  constexpr std::string_view kName = "service_account_impersonation";
  constexpr std::string_view kSeconds = "token_lifetime_seconds";
  constexpr int kShortest = 600;  // both limits are IAM's
  constexpr int kLongest = 43200;
  const auto object = members.object().object(kName);
  if (!object || !object->has(kSeconds)) return kImpersonationLifetime;
  const auto seconds = object->integer(kSeconds);
  if (seconds && *seconds >= kShortest && *seconds <= kLongest) return static_cast<int>(*seconds);
  members.blame("service_account_impersonation.token_lifetime_seconds",
                "must be a number from 600 to 43200");
  return kImpersonationLifetime;
}

}  // namespace

std::string read_impersonation_url(Members& members) {
  constexpr std::string_view kName = "service_account_impersonation_url";
  std::string url = members.https_uri(kName, "");
  if (!url.empty() && !url.ends_with(":generateAccessToken"))
    members.blame(kName, "must end with :generateAccessToken");
  return url;
}

ExternalAccount read_external_account(Members& members, std::string_view universe) {
  ExternalAccount account;
  account.audience = members.required("audience");
  account.subject_token_type = members.required("subject_token_type");
  account.token_uri =
      members.https_uri("token_url", "https://sts." + std::string(universe) + "/v1/token");
  account.client_id = members.optional("client_id");
  account.client_secret = members.optional("client_secret");
  account.user_project = members.optional("workforce_pool_user_project");
  account.impersonation_url = read_impersonation_url(members);
  account.impersonation_lifetime = read_lifetime(members);
  account.subject = read_subject(members);
  return account;
}

}  // namespace integcov::auth
