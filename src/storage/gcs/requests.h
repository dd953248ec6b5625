// The requests of one object's upload through GCS's JSON API, without credentials. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "http/message.h"

namespace integcov::storage::gcs {

struct ObjectSpec {
  std::string base_url;  // "https://storage.googleapis.com" or an emulator's, without a final '/'
  std::string bucket;
  std::string name;
  std::uint64_t size = 0;                       // bytes
  std::uint32_t crc32c = 0;                     // of the content; the server checks it
  std::map<std::string, std::string> metadata;  // custom metadata
  bool content_addressed = false;               // the name is a hash of the content
  bool unique_name = false;                     // no other file has it: a process and its time
  bool look_first = false;                      // sending is dear, and it may well be there
  bool replaces = false;                        // an older version that is ours may be there
  std::uint64_t generation = 0;                 // of that version; 0: not known
  std::uint64_t multipart_limit = 8 << 20;      // bytes; larger objects use a session
  std::uint64_t chunk_size = 0;  // bytes per PUT, a multiple of 256 KiB; 0: the rest in one
  std::string user_project;      // who pays; may be empty
  std::string kms_key;           // may be empty
  std::string boundary;          // random: must not occur in the content
};

// Why no object can have this name, as a clause; empty if it can.
std::string unfit_name(const ObjectSpec& spec);
// "gs://BUCKET/NAME", printable.
std::string display_url(const ObjectSpec& spec);

// `generation` is what must be there now; 0: nothing.
http::Request multipart_request(const ObjectSpec& spec, std::uint64_t generation, int fd);
http::Request start_request(const ObjectSpec& spec, std::uint64_t generation);

// Precondition: 0 < length <= size - offset.
http::Request data_request(const ObjectSpec& spec, const std::string& session, std::uint64_t offset,
                           std::uint64_t length, int fd);
http::Request status_request(const ObjectSpec& spec, const std::string& session);

// Size, checksum and generation of what is stored under the name.
http::Request look_request(const ObjectSpec& spec);
// The same look in a batch (cloud.google.com/storage/docs/batch) with a body of kWakeBytes: it
// reads, but sending it widens the connection's congestion window.
inline constexpr std::size_t kWakeBytes = 64 << 10;
http::Request wake_request(const ObjectSpec& spec);

}  // namespace integcov::storage::gcs
