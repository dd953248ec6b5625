// parse_counters and write_counters.
#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include "coverage/counters.h"
#include "coverage/leb128.h"

namespace integcov::coverage {
namespace {

using Args = std::vector<std::pair<std::string, std::string>>;
using Function = Counters::Function;

constexpr std::string_view kMagic{"\0cwm", 4};
constexpr std::uint32_t kVersion = 1;
constexpr unsigned char kRaw = 1;
constexpr unsigned char kUleb = 2;
constexpr std::size_t kHeaderSize = 32;
constexpr std::size_t kFooterSize = 16;
// Linux gives a program 6 MiB of arguments at most; equal ones share their bytes in the file.
constexpr std::size_t kMostArgBytes = 64 << 20;

struct Flavor {
  bool uleb = true;
  bool big_endian = false;
};

std::optional<std::uint32_t> read_value(Reader& reader, Flavor flavor) {
  return flavor.uleb ? reader.uleb32() : reader.u32(flavor.big_endian);
}

std::optional<Args> read_args(std::string_view string_table, std::string_view bytes) {
  Reader strings_reader(string_table);
  const auto string_count = strings_reader.uleb();
  if (!string_count || *string_count > strings_reader.left()) return std::nullopt;
  std::vector<std::string_view> strings;
  for (std::uint64_t i = 0; i < *string_count; ++i) {
    const auto length = strings_reader.uleb();
    const auto text = length ? strings_reader.take(*length) : std::nullopt;
    if (!text) return std::nullopt;
    strings.push_back(*text);
  }

  Reader reader(bytes);
  const auto count = reader.uleb();
  if (!count || *count > reader.left() / 2) return std::nullopt;
  Args args;
  std::size_t size = 0;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto name = reader.uleb();
    const auto value = reader.uleb();
    if (!name || !value || *name >= strings.size() || *value >= strings.size()) return std::nullopt;
    size += strings[*name].size() + strings[*value].size();
    if (size > kMostArgBytes) return std::nullopt;
    args.emplace_back(strings[*name], strings[*value]);
  }
  return args;
}

bool read_function(Reader& reader, Flavor flavor, Counters& into) {
  const auto count = read_value(reader, flavor);
  const auto package = read_value(reader, flavor);
  const auto function = read_value(reader, flavor);
  if (!count || !package || !function || *count > reader.left()) return false;
  into.functions.push_back({*package, *function, into.values.size(), *count});
  for (std::uint32_t i = 0; i < *count; ++i) {
    const auto value = read_value(reader, flavor);
    if (!value) return false;
    into.values.push_back(*value);
  }
  return true;
}

// Functions that are there more than once, added up as Go does; false if their lengths differ.
bool add_up(Counters& counters) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> seen;
  Counters sum;
  for (const Function& function : counters.functions) {
    const auto [at, is_new] =
        seen.try_emplace({function.package, function.function}, sum.functions.size());
    if (is_new) {
      sum.add(function.package, function.function, counters.of(function));
      continue;
    }
    const Function& first = sum.functions[at->second];
    if (first.count != function.count) return false;
    for (std::size_t i = 0; i < function.count; ++i) {
      std::uint32_t& value = sum.values[first.first + i];
      const std::uint32_t more = counters.values[function.first + i];
      value = more > std::numeric_limits<std::uint32_t>::max() - value
                  ? std::numeric_limits<std::uint32_t>::max()
                  : value + more;
    }
  }
  counters.functions = std::move(sum.functions);
  counters.values = std::move(sum.values);
  return true;
}

// The running number of the segment that the footer ends.
std::optional<std::uint32_t> read_footer(Reader& reader) {
  if (reader.take(kMagic.size()) != kMagic || !reader.u32()) return std::nullopt;
  const auto segments = reader.u32();
  return reader.u32() ? segments : std::nullopt;
}

bool read_segment(Reader& reader, Flavor flavor, bool only_one, Counters& into) {
  const auto functions = reader.u64();
  const auto strings_length = reader.u32();
  const auto args_length = reader.u32();
  if (!functions || !strings_length || !args_length) return false;
  const auto strings = reader.take(*strings_length);
  const auto args_bytes = reader.take(*args_length);
  if (!strings || !args_bytes) return false;
  auto args = read_args(*strings, *args_bytes);
  if (!args) return false;
  if (into.args.empty()) into.args = std::move(*args);

  const auto more = [&](std::uint64_t read) {
    return read < *functions || (only_one && reader.left() > kFooterSize);
  };
  for (std::uint64_t read = 0; more(read); ++read) {
    if (!read_function(reader, flavor, into)) return false;
  }
  return true;
}

Error damaged(const char* what) { return {std::string("is no whole counters file: ") + what}; }

void append_u32(std::string& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift);
}

void append_u64(std::string& out, std::uint64_t value) {
  append_u32(out, static_cast<std::uint32_t>(value));
  append_u32(out, static_cast<std::uint32_t>(value >> 32));
}

}  // namespace

Result<Counters> parse_counters(std::string_view bytes) {
  Reader reader(bytes);
  const auto header = reader.take(kHeaderSize);
  if (!header || !header->starts_with(kMagic)) return damaged("its first bytes are others");
  Reader fields(header->substr(kMagic.size()));
  if (fields.u32().value_or(0) != kVersion) return damaged("its version is unknown");
  Counters counters;
  std::ranges::copy(*fields.take(counters.hash.size()), counters.hash.begin());
  const auto flavor_byte = static_cast<unsigned char>(fields.take(1)->front());
  if (flavor_byte != kRaw && flavor_byte != kUleb) return damaged("its encoding is unknown");
  const Flavor flavor{flavor_byte == kUleb, fields.take(1)->front() != 0};

  if (reader.left() < kFooterSize) return damaged("it is too short");
  Reader end(bytes.substr(bytes.size() - kFooterSize));
  const auto segments = read_footer(end);
  if (!segments) return damaged("its end is missing");
  if (*segments == 0 || *segments > bytes.size() / kHeaderSize) {
    return damaged("its number of segments is wrong");
  }
  for (std::uint32_t number = 1; number <= *segments; ++number) {
    if (!read_segment(reader, flavor, *segments == 1, counters))
      return damaged("it is inconsistent");
    if (read_footer(reader) != number) return damaged("a segment has no end");
  }
  if (reader.left() != 0) return damaged("more bytes follow its end");
  if (!each_function_once(counters) && !add_up(counters)) {
    return damaged("a function has two numbers of counters");
  }
  return counters;
}

std::string write_counters(const Counters& counters) {
  Args args = counters.args;
  std::ranges::sort(args);
  std::map<std::string_view, std::uint64_t> indexes{{"", 0}};
  std::vector<std::string_view> strings{""};
  const auto index_of = [&](std::string_view text) {
    const auto [at, is_new] = indexes.try_emplace(text, strings.size());
    if (is_new) strings.push_back(text);
    return at->second;
  };
  std::string pairs;
  append_uleb(pairs, args.size());
  for (const auto& [name, value] : args) {
    append_uleb(pairs, index_of(name));
    append_uleb(pairs, index_of(value));
  }
  std::string table;
  append_uleb(table, strings.size());
  for (const std::string_view text : strings) {
    append_uleb(table, text.size());
    table += text;
  }
  while ((table.size() + pairs.size()) % 4 != 0) pairs += '\0';

  std::string out;
  out.reserve(table.size() + pairs.size() + 64 + 6 * counters.functions.size() +
              2 * counters.values.size());
  out += kMagic;
  append_u32(out, kVersion);
  out.append(counters.hash.data(), counters.hash.size());
  out += static_cast<char>(kUleb);
  out.append(7, '\0');
  append_u64(out, counters.functions.size());
  append_u32(out, static_cast<std::uint32_t>(table.size()));
  append_u32(out, static_cast<std::uint32_t>(pairs.size()));
  out += table;
  out += pairs;
  for (const Function& function : counters.functions) {
    append_uleb(out, function.count);
    append_uleb(out, function.package);
    append_uleb(out, function.function);
    for (const std::uint32_t value : counters.of(function)) append_uleb(out, value);
  }
  out += kMagic;
  append_u32(out, 0);
  append_u32(out, 1);  // segments
  append_u32(out, 0);
  return out;
}

}  // namespace integcov::coverage
