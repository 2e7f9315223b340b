// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/file_readers.hpp"

#include "daemon/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace schultor::config {
namespace {

constexpr std::size_t longest_interface = 15;  // IFNAMSIZ of <linux/if.h>, without its terminator
constexpr std::size_t longest_school = 63;
constexpr std::uint16_t mqtts_port = 8883;
constexpr std::size_t longest_directory = 255;
/// A disk that is full leaves neither logs nor events room, and nginx does not recover from one.
constexpr std::uint64_t usual_least_free = 5ULL << 30U;

bool is_school_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_school &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

void check_interface(TableReader& table, const Text& name) {
  const bool fine = !name.value.empty() && name.value.size() <= longest_interface && name.value != "." && name.value != ".." &&
                    std::all_of(name.value.begin(), name.value.end(),
                                [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != ':' && c != '"' && c != '*'; });
  if (!fine) table.out().error(name.source, fmt::format("“{}” is no name of an interface: expected one such as lan0", name.value));
}

template <typename Item>
void check_unique(Diagnostics& out, const std::vector<Located<Item>>& items, std::string_view what) {
  for (std::size_t i = 0; i < items.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (items[i].value == items[j].value) {
        out.error(items[i].source, fmt::format("{} is named twice, first at {}", what, to_string(items[j].source)));
        break;
      }
}

void read_lan(TableReader table, Gateway& gateway, bool needed) {
  constexpr std::size_t most = 64;
  gateway.lan_interfaces = table.texts("interfaces");
  const auto addresses = table.texts("addresses");
  if (gateway.lan_interfaces.size() > most || addresses.size() > most) {
    table.out().error(table.where(), fmt::format("[lan]: expected at most {} interfaces and addresses", most));
    return;
  }
  for (const auto& name : gateway.lan_interfaces) check_interface(table, name);
  for (const auto& text : addresses) {
    const auto address = base::parse_interface_address(text.value);
    if (address) gateway.lan_addresses.push_back({*address, text.source});
    else table.out().error(text.source, address.error().what());
  }
  check_unique(table.out(), gateway.lan_interfaces, "an interface");
  check_unique(table.out(), gateway.lan_addresses, "an address");
  gateway.reachable = table.prefixes("reachable");
  if (gateway.reachable.size() > most)
    table.out().error(gateway.reachable[most].source, fmt::format("[lan]: expected at most {} networks in reachable", most));
  if (const auto offload = table.flag("offload")) gateway.offload = *offload;
  if (needed && gateway.lan_interfaces.empty())
    table.missing("interfaces", "the interfaces that tablets are behind, such as [\"lan0\"]");
  if (needed && addresses.empty())
    table.missing("addresses", "the gateway's addresses there, such as [\"10.77.0.1/16\", \"fd77::1/64\"]");
  table.finish();
}

void read_wan(TableReader table, Gateway& gateway, bool needed) {
  if (auto name = table.text("interface")) {
    check_interface(table, *name);
    for (const auto& lan : gateway.lan_interfaces)
      if (lan.value == name->value)
        table.out().error(name->source, fmt::format("“{}” is an interface of [lan] ({}) as well, expected the one to the internet",
                                                    name->value, to_string(lan.source)));
    gateway.wan_interface = std::move(*name);
  } else if (needed) {
    table.missing("interface", "the interface to the internet, such as \"wan0\"");
  }
  if (const auto masquerade = table.flag("masquerade")) gateway.masquerade = *masquerade;
  table.finish();
}

void read_management(TableReader table, Gateway& gateway) {
  constexpr std::size_t most = 64;
  Management management{table.prefixes("prefixes"), table.ports("ports"), table.where()};
  if (management.prefixes.size() > most || management.ports.size() > most)
    table.out().error(table.where(), fmt::format("[management]: expected at most {} prefixes and ports", most));
  if (management.prefixes.empty())
    table.missing("prefixes", "the networks that the box is managed from, such as [\"10.9.0.0/24\"], or [] for its console alone");
  table.finish();
  gateway.management = std::move(management);
}

void read_resolver(TableReader table, Gateway& gateway, bool needed) {
  if (const auto text = table.text("address")) {
    const auto address = base::parse_endpoint(text->value);
    if (!address) table.out().error(text->source, address.error().what());
    else if (address->port == 0)
      table.out().error(text->source, fmt::format("“{}” has port 0: expected the port that the resolver listens on", text->value));
    else gateway.resolver = {*address, text->source};
  } else if (needed) {
    table.missing("address", "the resolver's address and port, such as \"127.0.0.1:5335\"");
  }
  gateway.local_zones = table.texts("local");
  table.finish();
}

std::optional<std::uint64_t> read_size(TableReader& table, std::string_view key) {
  const auto text = table.text(key);
  if (!text) return std::nullopt;
  const auto octets = parse_size(text->value);
  if (!octets) table.out().error(text->source, fmt::format("“{}” is no size: expected one such as \"200 GiB\"", text->value));
  return octets.value_or(0);
}

void read_cache(TableReader table, Gateway& gateway, bool needed) {
  Cache cache;
  cache.source = table.where();
  if (const auto directory = table.text("directory")) {
    // It is written into nginx's configuration.
    if (!base::is_plain_path(directory->value, longest_directory))
      table.out().error(directory->source,
                        fmt::format("“{}” is no directory for the cache: expected an absolute path of letters, digits and ._- such "
                                    "as /var/cache/schultor",
                                    directory->value));
    cache.directory = directory->value;
  } else if (needed) {
    table.missing("directory", "an absolute path such as \"/var/cache/schultor\"");
  }
  if (const auto size = read_size(table, "size")) cache.size = *size;
  else if (needed) table.missing("size", "a size such as \"200 GiB\"");
  cache.least_free = read_size(table, "free").value_or(usual_least_free);
  table.finish();
  gateway.cache = std::move(cache);
}

/// "mqtts://HOST[:PORT]"
bool parse_broker(std::string_view text, Operations& operations) {
  constexpr std::string_view scheme = "mqtts://";
  if (text.substr(0, scheme.size()) != scheme) return false;
  text.remove_prefix(scheme.size());
  operations.port = mqtts_port;
  const auto bracket = text.rfind(']');
  const auto colon = text.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const auto port = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), operations.port);
    if (error != std::errc{} || end != port.data() + port.size() || operations.port == 0) return false;
    text = text.substr(0, colon);
  }
  if (bracket != std::string_view::npos) {
    if (text.size() < 2 || text.front() != '[' || text.back() != ']') return false;
    text = text.substr(1, text.size() - 2);
    operations.host = text;
    return base::parse_address(text).has_value();
  }
  operations.host = text;
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

void read_service(TableReader table, Gateway& gateway) {
  if (const auto text = table.text("on_stop")) {
    if (text->value == "hold") gateway.on_stop = {OnStop::hold, text->source};
    else if (text->value == "open") gateway.on_stop = {OnStop::open, text->source};
    else
      table.out().error(text->source,
                        fmt::format("on_stop “{}” is not known{}", text->value, suggestion(text->value, {"hold", "open"})));
  }
  table.finish();
}

void read_operations(TableReader table, Gateway& gateway, bool needed) {
  Operations operations;
  operations.source = table.where();
  if (const auto broker = table.text("broker")) {
    if (!parse_broker(broker->value, operations))
      table.out().error(broker->source,
                        fmt::format("“{}” is no broker: expected one such as mqtts://ops.example:8883 (TLS only)", broker->value));
  } else if (needed) {
    table.missing("broker", "the city's broker, such as \"mqtts://ops.example:8883\"");
  }
  const auto file = [&](std::string_view key, std::string_view meaning) -> std::string {
    const auto path = table.text(key);
    if (!path && needed) table.missing(key, meaning);
    if (path && path->value.empty()) table.out().error(path->source, fmt::format("{} is empty, expected {}", key, meaning));
    return path.value_or(Text{}).value;
  };
  operations.ca = file("ca", "the file of the authority that signed the broker's certificate");
  operations.certificate = file("certificate", "the file of this school's certificate");
  operations.key = file("key", "the file of this school's private key");
  table.finish();
  gateway.operations = std::move(operations);
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 5> units{
      {{"MiB", 1ULL << 20U}, {"GiB", 1ULL << 30U}, {"TiB", 1ULL << 40U}, {"GB", 1'000'000'000ULL}, {"TB", 1'000'000'000'000ULL}}};
  constexpr std::uint64_t most = 1'000'000;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number == 0 || number > most) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  for (const auto& [name, factor] : units)
    if (text == name) return number * factor;
  return std::nullopt;
}

Gateway read_gateway(TableReader file, Need need) {
  Gateway gateway;
  if (auto school = file.text("school")) {
    if (!is_school_name(school->value))
      file.out().error(school->source, fmt::format("“{}” is no name for a school: expected at most {} of a-z, 0-9 and -",
                                                   school->value, longest_school));
    gateway.school = std::move(*school);
  } else if (need.school_name) {
    file.missing("school", "the school's name in topics, such as \"ggs-am-park\"");
  }
  if (auto timezone = file.text("timezone")) gateway.timezone = std::move(*timezone);
  else if (need.timezone) file.missing("timezone", "a name of the tz database such as \"Europe/Berlin\"");

  if (auto lan = file.table("lan")) read_lan(*lan, gateway, need.network);
  else if (need.network) file.missing("[lan]", "the tablets' side: interfaces and addresses");
  if (auto wan = file.table("wan")) read_wan(*wan, gateway, need.network);
  else if (need.network) file.missing("[wan]", "the internet's side: interface");
  if (auto management = file.table("management")) read_management(*management, gateway);
  if (auto resolver = file.table("resolver")) read_resolver(*resolver, gateway, need.network);
  else if (need.network) file.missing("[resolver]", "the resolver's address");
  if (auto clock = file.table("clock")) {
    gateway.untrusted_profile = clock->text("untrusted");
    clock->finish();
  }
  if (auto service = file.table("service")) read_service(*service, gateway);
  if (auto cache = file.table("cache")) read_cache(*cache, gateway, need.network);
  if (auto operations = file.table("operations")) read_operations(*operations, gateway, need.network || need.operations);
  else if (need.operations) file.missing("[operations]", "the city's broker, ca, certificate and key");
  file.finish();
  return gateway;
}

}  // namespace schultor::config
