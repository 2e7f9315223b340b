// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/gate_rules.hpp"

#include "daemon/policy/json_reader.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace schultor::policy {
namespace {

using nlohmann::json;

constexpr int format_version = 4;
constexpr std::size_t longest_json = 128U << 20U;
constexpr int deepest_nesting = 6;
constexpr std::size_t most_patterns = 4'000'000;
constexpr std::size_t most_profiles = 1000;
constexpr std::size_t most_views = 10'000;
constexpr std::size_t most_addresses = 64;
constexpr std::size_t most_steered = most_origins * 32;

json to_array(const NamePatterns& names) {
  json list = json::array();
  for (const auto& pattern : names.patterns()) list.push_back({pattern.text, pattern.source.file, pattern.source.line});
  return list;
}

json to_array_with_doors(const NamePatterns& names) {
  json list = json::array();
  for (const auto& pattern : names.patterns())
    list.push_back({pattern.text, pattern.source.file, pattern.source.line, pattern.doors});
  return list;
}

json to_array(const Categories& lists) {
  json list = json::array();
  for (const auto& category : lists.named())
    list.push_back(
        {category.list, category.source.file, category.source.line, category.number ? json(*category.number) : json(nullptr)});
  return list;
}

/// Empty where there is none.
std::string to_hex(const std::optional<lists::Digest>& digest) {
  std::string text;
  if (digest)
    for (const auto octet : *digest) text += fmt::format("{:02x}", static_cast<unsigned>(octet));
  return text;
}

json to_array(const Ports& ports) {
  json list = json::array();
  for (const auto& range : ports) list.push_back({range.protocol, range.first, range.last});
  return list;
}

class Reader : public JsonReader {
public:
  /// With `doors` every entry bears some of these as well.
  NamePatterns names(const json& value, std::string_view what, Doors doors = 0) {
    std::vector<Pattern> patterns;
    if (!is_list(value, most_patterns - patterns_read_, what)) return {};
    patterns_read_ += value.size();
    patterns.reserve(value.size());
    for (const auto& entry : value) {
      if (!entry.is_array() || entry.size() != (doors == 0 ? 3U : 4U))
        refuse("{}: expected entries of name, file and line{}", what, doors == 0 ? "" : " and doors");
      if (!fault().empty()) return {};
      Source source{text(entry[1], 255, what), static_cast<int>(number(entry[2], std::numeric_limits<int>::max(), what))};
      const auto name = text(entry[0], 254, what);
      auto pattern = parse_pattern(name, std::move(source));
      if (!pattern) refuse("{}: {}", what, pattern.error().what());
      if (!fault().empty()) return {};
      if (doors != 0) pattern->doors = number(entry[3], doors, "doors");
      if (pattern->doors == 0 || (doors != 0 && (pattern->doors & ~doors) != 0)) refuse("{}: expected doors of {:#x}", what, doors);
      patterns.push_back(std::move(*pattern));
    }
    return NamePatterns(std::move(patterns));
  }

  /// `numbered`: they may have numbers, of a table's lists.
  Categories lists(const json& value, std::string_view what, bool numbered) {
    std::vector<Category> named;
    if (!is_list(value, lists::most_lists, what)) return {};
    for (const auto& entry : value) {
      if (!entry.is_array() || entry.size() != 4) refuse("{}: expected entries of list, file, line and number", what);
      if (!fault().empty()) return {};
      Category category{text(entry[0], 255, what),
                        {text(entry[1], 255, what), static_cast<int>(number(entry[2], std::numeric_limits<int>::max(), what))}};
      if (!entry[3].is_null()) category.number = number(entry[3], lists::most_lists - 1, what);
      if (category.number && !numbered) refuse("{}: a list has a number where there is no table", what);
      named.push_back(std::move(category));
    }
    return fault().empty() ? Categories(std::move(named)) : Categories();
  }

  std::optional<lists::Digest> digest(const json& value, std::string_view what) {
    const auto hex = text(value, 2 * sizeof(lists::Digest), what);
    if (hex.empty()) return std::nullopt;
    lists::Digest digest{};
    if (hex.size() != 2 * digest.size() || hex.find_first_not_of("0123456789abcdef") != std::string::npos) {
      refuse("{}: expected {} digits of 0-9 and a-f, or none", what, 2 * digest.size());
      return std::nullopt;
    }
    const auto half = [&](std::size_t at) { return static_cast<unsigned>(hex[at] <= '9' ? hex[at] - '0' : hex[at] - 'a' + 10); };
    for (std::size_t i = 0; i < digest.size(); ++i) digest[i] = static_cast<std::byte>(half(2 * i) << 4U | half(2 * i + 1));
    return digest;
  }

  Ports ports(const json& value, std::string_view what) {
    Ports ports;
    if (!is_list(value, most_pinned_ports, what)) return ports;
    for (const auto& range : value) {
      if (!range.is_array() || range.size() != 3) refuse("{}: expected ranges of protocol, first and last port", what);
      if (!fault().empty()) return {};
      ports.push_back({static_cast<std::uint8_t>(number(range[0], 255, what)),
                       static_cast<std::uint16_t>(number(range[1], 65535, what)),
                       static_cast<std::uint16_t>(number(range[2], 65535, what))});
      const auto& read = ports.back();
      if ((read.protocol != IPPROTO_TCP && read.protocol != IPPROTO_UDP) || read.first == 0)
        refuse("{}: expected ports of TCP and UDP, from 1", what);
    }
    if (ports.empty() || ports != base::merged(ports) || base::count_ports(ports) > most_pinned_ports)
      refuse("{}: expected 1 to {} ports, in order", what, most_pinned_ports);
    return ports;
  }

private:
  std::size_t patterns_read_ = 0;
};

ProfileNames read_profile(Reader& reader, const json& value, bool with_table) {
  ProfileNames profile;
  if (!reader.has_keys(value,
                       {"name", "listed", "city_block", "city_allow", "allow", "block", "city_block_lists", "block_lists", "file",
                        "line", "safe_search", "youtube", "safe_search_file", "safe_search_line"},
                       "profile"))
    return profile;
  profile.name = reader.text(value["name"], 32, "profile name");
  profile.listed = reader.flag(value["listed"], "listed");
  profile.city_block = reader.names(value["city_block"], "city_block");
  profile.city_allow = reader.names(value["city_allow"], "city_allow");
  profile.allow = reader.names(value["allow"], "allow");
  profile.block = reader.names(value["block"], "block");
  profile.city_block_lists = reader.lists(value["city_block_lists"], "city_block_lists", with_table);
  profile.block_lists = reader.lists(value["block_lists"], "block_lists", with_table);
  profile.source = {reader.text(value["file"], 255, "file"),
                    static_cast<int>(reader.number(value["line"], std::numeric_limits<int>::max(), "line"))};
  profile.safe_search.search = reader.flag(value["safe_search"], "safe_search");
  profile.safe_search.youtube = static_cast<YouTube>(reader.number(value["youtube"], 2, "youtube"));
  profile.safe_search_source = {
      reader.text(value["safe_search_file"], 255, "safe_search_file"),
      static_cast<int>(reader.number(value["safe_search_line"], std::numeric_limits<int>::max(), "safe_search_line"))};
  return profile;
}

void read_view(Reader& reader, const json& value, GateRules& rules) {
  if (!reader.has_keys(value, {"number", "profile", "steer"}, "view")) return;
  const auto number = reader.number(value["number"], std::numeric_limits<std::uint32_t>::max(), "view number");
  const auto profile = reader.number(value["profile"], rules.profiles.size(), "view profile");
  const bool steer = reader.flag(value["steer"], "steer");
  if (number == 0 || profile >= rules.profiles.size()) {
    reader.refuse("view {}: expected a number from 1 and the index of a profile", number);
    return;
  }
  if (!rules.views.emplace(static_cast<std::uint32_t>(number), View{static_cast<std::size_t>(profile), steer}).second)
    reader.refuse("view {} occurs twice", number);
}

/// Reads the sets of ports, and gives the doors that there are with them.
Doors read_cloud_ports(Reader& reader, const json& value, std::vector<Ports>& classes) {
  Doors doors = cloud_door;
  if (!reader.is_list(value, most_port_classes, "cloud_ports")) return doors;
  for (const auto& entry : value) {
    auto ports = reader.ports(entry, "cloud_ports");
    if (!reader.fault().empty()) return doors;
    if (ports == usual_cloud_ports() || std::find(classes.begin(), classes.end(), ports) != classes.end())
      reader.refuse("cloud_ports: expected each set of ports once, and not the usual ones");
    doors |= port_class_door(classes.size());
    classes.push_back(std::move(ports));
  }
  return doors;
}

/// Entries of host, origin, whether it is everybody's, file and line.
void read_steered(Reader& reader, const json& value, GateRules& rules) {
  if (!reader.is_list(value, most_steered, "steered")) return;
  for (const auto& entry : value) {
    if (!entry.is_array() || entry.size() != 5) reader.refuse("steered: expected entries of host, origin, scope, file and line");
    if (!reader.fault().empty()) return;
    SteeredHost steered;
    steered.host = reader.text(entry[0], 253, "steered");
    steered.origin = reader.number(entry[1], most_origins - 1, "steered");
    steered.scope = reader.flag(entry[2], "steered") ? Scope::all : Scope::school;
    steered.source = {reader.text(entry[3], 255, "steered"),
                      static_cast<int>(reader.number(entry[4], std::numeric_limits<int>::max(), "steered"))};
    const auto pattern = parse_pattern(steered.host, {});
    if (!pattern || pattern->text != steered.host || steered.host.find('*') != std::string::npos)
      reader.refuse("steered: expected exact names in lower case without a dot at the end");
    if (!rules.steered.empty() && rules.steered.back().host >= steered.host)
      reader.refuse("steered: expected names in order, each once");
    rules.steered.push_back(std::move(steered));
  }
}

GateRules read_rules(Reader& reader, const json& document) {
  GateRules rules;
  if (!reader.has_keys(
          document,
          {"version", "table", "cloud", "cloud_ports", "never", "never_lists", "profiles", "views", "local", "lan", "steered"},
          "rules"))
    return rules;
  if (document["version"] != format_version) reader.refuse("expected version {}", format_version);
  rules.table = reader.digest(document["table"], "table");
  const bool with_table = rules.table.has_value();
  const auto doors = read_cloud_ports(reader, document["cloud_ports"], rules.cloud_ports);
  rules.cloud = reader.names(document["cloud"], "cloud", doors);
  rules.never = reader.names(document["never"], "never");
  rules.never_lists = reader.lists(document["never_lists"], "never_lists", with_table);
  std::size_t listed = 0;
  if (!reader.is_list(document["profiles"], most_profiles, "profiles")) return rules;
  for (const auto& value : document["profiles"]) {
    rules.profiles.push_back(read_profile(reader, value, with_table));
    listed += rules.profiles.back().listed ? 1 : 0;
    if (!reader.fault().empty()) return rules;
  }
  if (listed > most_listed_profiles) reader.refuse("expected at most {} listed profiles", most_listed_profiles);
  if (!reader.is_list(document["views"], most_views, "views")) return rules;
  for (const auto& value : document["views"]) read_view(reader, value, rules);
  rules.local = reader.names(document["local"], "local");
  if (!reader.is_list(document["lan"], most_addresses, "lan")) return rules;
  for (const auto& value : document["lan"]) {
    const auto address = base::parse_interface_address(reader.text(value, 64, "lan"));
    if (address) rules.lan.push_back(*address);
    else reader.refuse("lan: {}", address.error().what());
  }
  read_steered(reader, document["steered"], rules);
  return rules;
}

}  // namespace

std::string to_json(const GateRules& rules) {
  json profiles = json::array();
  for (const auto& profile : rules.profiles)
    profiles.push_back({{"name", profile.name},
                        {"listed", profile.listed},
                        {"city_block", to_array(profile.city_block)},
                        {"city_allow", to_array(profile.city_allow)},
                        {"allow", to_array(profile.allow)},
                        {"block", to_array(profile.block)},
                        {"city_block_lists", to_array(profile.city_block_lists)},
                        {"block_lists", to_array(profile.block_lists)},
                        {"file", profile.source.file},
                        {"line", profile.source.line},
                        {"safe_search", profile.safe_search.search},
                        {"youtube", static_cast<unsigned>(profile.safe_search.youtube)},
                        {"safe_search_file", profile.safe_search_source.file},
                        {"safe_search_line", profile.safe_search_source.line}});
  json cloud_ports = json::array();
  for (const auto& ports : rules.cloud_ports) cloud_ports.push_back(to_array(ports));
  json views = json::array();
  for (const auto& [number, view] : rules.views)
    views.push_back({{"number", number}, {"profile", view.profile}, {"steer", view.steer}});
  json lan = json::array();
  for (const auto& address : rules.lan) lan.push_back(base::to_string(address));
  json steered = json::array();
  for (const auto& one : rules.steered)
    steered.push_back({one.host, one.origin, one.scope == Scope::all, one.source.file, one.source.line});
  const json document = {{"version", format_version},
                         {"table", to_hex(rules.table)},
                         {"cloud", to_array_with_doors(rules.cloud)},
                         {"cloud_ports", std::move(cloud_ports)},
                         {"never", to_array(rules.never)},
                         {"never_lists", to_array(rules.never_lists)},
                         {"profiles", std::move(profiles)},
                         {"views", std::move(views)},
                         {"local", to_array(rules.local)},
                         {"lan", std::move(lan)},
                         {"steered", std::move(steered)}};
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

base::Result<GateRules> gate_rules_from_json(std::string_view text) {
  const auto document = parse_json(text, longest_json, deepest_nesting);
  if (!document)
    return base::fail("the gate's rules are no JSON document of at most {} octets and the expected depth", longest_json);
  Reader reader;
  auto rules = read_rules(reader, *document);
  if (!reader.fault().empty()) return base::fail("the gate's rules: {}", reader.fault());
  return rules;
}

}  // namespace schultor::policy
