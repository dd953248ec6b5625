// Labels: custom metadata that the user puts on every uploaded object.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace integcov::config {

using Labels = std::map<std::string, std::string>;

// GCS allows 8 KiB of keys and values per object; 1 KiB is kept for our own.
inline constexpr std::size_t kMaxLabelBytes = std::size_t{7} * 1024;

// "key=value"; the value may hold anything printable, '=' and ',' too. Replaces an earlier value.
Status add_label(Labels& labels, std::string_view pair);

// "key=value,key2=value2"; white space around a pair and empty pairs are skipped. On an error the
// pairs before it have been added.
Status add_labels(Labels& labels, std::string_view list);

}  // namespace integcov::config
