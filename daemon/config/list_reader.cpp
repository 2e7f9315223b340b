// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/file_readers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace schultor::config {
namespace {

constexpr std::size_t longest_name = 32;
constexpr std::size_t longest_url = 2048;
constexpr std::size_t longest_host = 253;
constexpr std::string_view scheme = "https://";

bool is_list_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// ":8443".
bool is_port(std::string_view text) {
  if (!text.starts_with(':')) return false;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() && number >= 1 && number <= 65535;
}

/// What is wrong with an address to download from; empty where nothing is.
std::string fault_of_url(std::string_view url) {
  if (url.starts_with("http://")) return "is not encrypted, so that anyone on the way may change the list: expected https://…";
  if (!url.starts_with(scheme)) return "is no address to download from: expected one such as https://lists.example/adult.tar.gz";
  if (url.size() > longest_url) return fmt::format("is longer than {} octets", longest_url);
  if (std::any_of(url.begin(), url.end(), [](char c) { return c <= 0x20 || c >= 0x7f || c == '"' || c == '\\'; }))
    return "holds blanks or characters beyond ASCII: expected them percent-encoded";
  const auto authority = url.substr(scheme.size(), url.find_first_of("/?#", scheme.size()) - scheme.size());
  if (authority.find('@') != std::string_view::npos)
    return "holds a user's name or password, which everybody may read here: expected one without";
  if (host_of_url(url).empty() || host_of_url(url).size() > longest_host)
    return "names no host: expected one such as https://lists.example/adult.tar.gz";
  const auto behind_host = authority.substr(host_of_url(url).size());
  if (!behind_host.empty() && !is_port(behind_host)) return "names no port from 1 to 65535 behind its host";
  if (url.find('#') != std::string_view::npos) return "has a part behind “#”, which no server is told: expected one without";
  return {};
}

BlockList read_list(TableReader table) {
  BlockList list;
  const auto fault = [&](const Text& where, const std::string& text) {
    table.out().error(where.source, fmt::format("{}: {}", table.what(), text));
  };
  if (auto name = table.text("name")) {
    list.name = std::move(*name);
    if (is_list_name(list.name.value)) table.rename(fmt::format("list “{}”", list.name.value));
    else
      fault(list.name,
            fmt::format("“{}” is no name for a list: expected at most {} of a-z, 0-9, - and _", list.name.value, longest_name));
  } else {
    table.missing("name", "the category that the list is, such as \"adult\"");
    list.name.source = table.where();
  }
  if (auto url = table.text("url")) {
    list.url = std::move(*url);
    if (const auto wrong = fault_of_url(list.url.value); !wrong.empty())
      fault(list.url, fmt::format("url “{}” {}", list.url.value.substr(0, 200), wrong));
  } else {
    table.missing("url", "where it is downloaded from, such as \"https://lists.example/adult.tar.gz\"");
  }
  if (auto format = table.text("format")) {
    const std::vector<std::string_view> known{"domains", "hosts", "adblock", "rpz"};
    if (std::find(known.begin(), known.end(), format->value) == known.end())
      fault(*format, fmt::format("format “{}” is not known{}", format->value, suggestion(format->value, known)));
    list.format = std::move(*format);
  }
  table.finish();
  return list;
}

}  // namespace

std::string_view host_of_url(std::string_view url) {
  if (!url.starts_with(scheme)) return {};
  url.remove_prefix(scheme.size());
  url = url.substr(0, url.find_first_of("/?#"));
  if (url.starts_with('[')) return url.substr(0, url.find(']') + 1);
  return url.substr(0, url.find(':'));
}

std::vector<BlockList> read_lists(TableReader& file) {
  std::vector<BlockList> lists;
  for (auto& table : file.tables("list")) lists.push_back(read_list(std::move(table)));
  return lists;
}

void check_lists(const Config& config, Diagnostics& out) {
  std::map<std::string_view, const Text*> known;
  const auto add = [&](const BlockList& list, bool is_schools) {
    if (list.name.value.empty()) return;
    const auto [first, fresh] = known.try_emplace(list.name.value, &list.name);
    if (fresh) return;
    const bool is_citys = is_schools && first->second->source.file == "city.toml";
    out.error(list.name.source,
              is_citys ? fmt::format("list “{}” is the city's ({}), which alone may say where it comes from: choose another name",
                                     list.name.value, to_string(first->second->source))
                       : fmt::format("list “{}” exists already, first at {}", list.name.value, to_string(first->second->source)));
  };
  for (const auto& list : config.city.lists) add(list, false);
  for (const auto& list : config.school.lists) add(list, true);
  const auto of_city = config.city.lists.size();
  if (of_city + config.school.lists.size() <= most_block_lists) return;
  const auto& beyond =
      of_city > most_block_lists ? config.city.lists[most_block_lists] : config.school.lists[most_block_lists - of_city];
  out.error(beyond.name.source, fmt::format("more than {} lists, those of city and school together", most_block_lists));
}

}  // namespace schultor::config
