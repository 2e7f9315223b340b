// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/kernel_settings.hpp"
#include "tests/catch.hpp"

#include <map>

using namespace schultor::enforce;
using Change = FillWatch::Change;

namespace {

/// A kernel whose settings are all as they are to be.
std::map<std::string, SettingValue> right_for(const std::vector<Setting>& settings) {
  std::map<std::string, SettingValue> values;
  for (const auto& setting : settings) values[setting.path] = setting.value;
  return values;
}

std::vector<WrongSetting> wrong_in(const std::vector<Setting>& settings, const std::map<std::string, SettingValue>& values) {
  return wrong_settings(settings, [&](const std::string& path) {
    const auto found = values.find(path);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  });
}

}  // namespace

SCENARIO("a setting that is otherwise is named with what it is to be and the command that sets it") {
  const auto settings = settings_for({"lan0", "lan0.20"}, "wan0", 300);
  auto values = right_for(settings);
  CHECK(wrong_in(settings, values).empty());

  values["net/ipv4/tcp_fwmark_accept"] = 0;
  values["net/ipv4/conf/all/rp_filter"] = 2;
  values["net/netfilter/nf_conntrack_max"] = 65'536;
  values["net/ipv4/conf/lan0.20/rp_filter"] = 0;
  values["net/ipv6/icmp/ratemask"] = "0-1,3-127";
  CHECK(wrong_in(settings, values) ==
        std::vector<WrongSetting>{
            {"net.ipv4.tcp_fwmark_accept", 0, "1", "sysctl -w net.ipv4.tcp_fwmark_accept=1"},
            {"net.ipv4.conf.all.rp_filter", 2, "at most 1", "sysctl -w net.ipv4.conf.all.rp_filter=1"},
            {"net.ipv6.icmp.ratemask", "0-1,3-127", "0,3-127", "sysctl -w net.ipv6.icmp.ratemask=0,3-127"},
            {"net.netfilter.nf_conntrack_max", 65'536, "at least 262144", "sysctl -w net.netfilter.nf_conntrack_max=262144"},
            // sysctl(8) takes slashes where a name has a dot.
            {"net/ipv4/conf/lan0.20/rp_filter", 0, "1", "sysctl -w net/ipv4/conf/lan0.20/rp_filter=1"}});
}

SCENARIO("more than is asked for is right, and so is two ways towards the internet") {
  const auto settings = settings_for({"lan0"}, "wan0", 300);
  auto values = right_for(settings);
  values["net/netfilter/nf_conntrack_max"] = 4'000'000;
  values["net/ipv4/conf/all/rp_filter"] = 0;
  values["net/ipv4/conf/wan0/rp_filter"] = 2;
  values["net/ipv6/conf/all/accept_source_route"] = -1;
  CHECK(wrong_in(settings, values).empty());
  values["net/ipv4/conf/wan0/rp_filter"] = 0;
  CHECK(wrong_in(settings, values).size() == 1);
}

SCENARIO("an interface that is not there, and IPv6 switched off, are not wrong") {
  const auto settings = settings_for({"lan0"}, "wan0", 300);
  auto values = right_for(settings);
  for (auto value = values.begin(); value != values.end();)
    value = value->first.find("ipv6") != std::string::npos || value->first.find("lan0") != std::string::npos ? values.erase(value)
                                                                                                             : std::next(value);
  CHECK(wrong_in(settings, values).empty());
  values.erase("net/ipv4/tcp_fwmark_accept");
  const auto wrong = wrong_in(settings, values);
  REQUIRE(wrong.size() == 1);
  CHECK(to_string(wrong[0]) == "net.ipv4.tcp_fwmark_accept is not there, expected 1");
}

SCENARIO("the table of connections grows with the roster, and is never smaller than Linux has it") {
  CHECK(connections_for(0) == 262'144);
  CHECK(connections_for(600) == 262'144);
  CHECK(connections_for(1'000) == 328'000);
  CHECK(connections_for(10'000) == 2'128'000);
}

SCENARIO("a table that is nearly full is told of once, until it was clearly emptier") {
  FillWatch watch;
  CHECK(watch.look({799, 1000}) == Change::none);
  CHECK(watch.look({800, 1000}) == Change::filled);
  for (const int tracked : {1000, 790, 700, 805}) CHECK(watch.look({tracked, 1000}) == Change::none);
  CHECK(watch.look({699, 1000}) == Change::emptied);
  CHECK(watch.look({799, 1000}) == Change::none);
  CHECK(watch.look({900, 1000}) == Change::filled);
  FillWatch half(FillWatch::half_full);
  CHECK(half.look({499, 1000}) == Change::none);
  CHECK(half.look({500, 1000}) == Change::filled);
  CHECK(half.look({400, 1000}) == Change::none);
  CHECK(half.is_full());
  CHECK(half.look({399, 1000}) == Change::emptied);
  CHECK_FALSE(half.is_full());
  // A kernel that tracks none.
  CHECK(ConnectionTable{7, 0}.percent() == 0);
}
