// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The kernel's settings (sysctl(8)) that enforcement leans on, and how full its table of connections is. Pure: values are read by
/// whoever calls.
namespace schultor::enforce {

/// A number; or a list of numbers as the kernel writes it, "0,3-127".
using SettingValue = std::variant<std::int64_t, std::string>;

/// A setting as it is to be. Lists are exactly what they are.
struct Setting {
  enum class Bound : std::uint8_t { exactly, at_least, at_most };

  std::string path;  ///< below /proc/sys: "net/ipv4/conf/lan0/rp_filter"
  Bound bound = Bound::exactly;
  SettingValue value = 0;
  bool may_be_absent = false;  ///< of an interface that is not there, of IPv6, or the machine's alone

  bool operator==(const Setting&) const = default;
};

/// A setting that is otherwise.
struct WrongSetting {
  std::string name;  ///< as sysctl(8) takes it: with dots, or with slashes where an interface's name has a dot
  std::optional<SettingValue> found;
  std::string expected;  ///< "1", "at least 262144"
  std::string remedy;    ///< a command

  bool operator==(const WrongSetting&) const = default;
};

/// The value of a setting; none where there is no such setting.
using ReadSetting = std::function<std::optional<SettingValue>(const std::string& path)>;

/// How many connections the kernel is to track for a roster of `devices`: 200 for each, and 42 more that have as many as the
/// ruleset lets one have; at least what Linux has by itself on a machine of 4 GiB, for those that no roster names. An entry takes
/// about 400 octets, once it is there.
[[nodiscard]] std::int64_t connections_for(std::size_t devices);

/// Below /proc/sys: how many connections may be tracked, and how many are, in this network namespace.
inline constexpr const char* most_connections = "net/netfilter/nf_conntrack_max";
inline constexpr const char* tracked_connections = "net/netfilter/nf_conntrack_count";

[[nodiscard]] std::vector<Setting> settings_for(const std::vector<std::string>& lan_interfaces, const std::string& wan_interface,
                                                std::size_t devices);

/// Those that are otherwise, in their order.
[[nodiscard]] std::vector<WrongSetting> wrong_settings(const std::vector<Setting>& settings, const ReadSetting& read);

/// "net.ipv4.ip_forward is 0, expected 1"
[[nodiscard]] std::string to_string(const WrongSetting& wrong);

/// The kernel's table of connections.
struct ConnectionTable {
  std::int64_t tracked = 0;
  std::int64_t most = 0;  ///< a new connection beyond it is dropped

  [[nodiscard]] int percent() const { return most <= 0 ? 0 : static_cast<int>(tracked * 100 / most); }
  bool operator==(const ConnectionTable&) const = default;
};

/// Says once that the table is full to some part, and again only after it was clearly emptier.
class FillWatch {
public:
  static constexpr int nearly_full = 80;  ///< percent
  static constexpr int half_full = 50;    ///< percent: from here on the rest is for devices that the roster names
  static constexpr int clearly = 10;      ///< percent below

  /// `full`: in percent.
  explicit FillWatch(int full = nearly_full) : most_(full) {}
  enum class Change : std::uint8_t { none, filled, emptied };
  [[nodiscard]] Change look(const ConnectionTable& table);

  [[nodiscard]] bool is_full() const { return full_; }

private:
  int most_;
  bool full_ = false;
};

}  // namespace schultor::enforce
