// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/counter_sums.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace schultor::enforce {
namespace {

using nlohmann::json;

/// The longest name of an object of nf_tables, without its terminator (NFT_OBJ_MAXNAMELEN).
constexpr std::size_t longest_name = 255;

}  // namespace

bool CounterSums::take(const std::vector<CounterReading>& readings) {
  const auto known = counters_;
  for (auto& [name, counter] : counters_) {
    const bool gone =
        std::none_of(readings.begin(), readings.end(), [&name = name](const auto& reading) { return reading.name == name; });
    if (gone) counter = {counter.before + counter.packets, 0, 0};
  }
  for (const auto& reading : readings) {
    auto& counter = counters_[reading.name];
    const bool anew = reading.handle != counter.handle || reading.packets < counter.packets;
    counter = {counter.before + (anew ? counter.packets : 0), reading.handle, reading.packets};
  }
  return counters_ != known;
}

std::map<std::string, std::uint64_t> CounterSums::sums() const {
  std::map<std::string, std::uint64_t> sums;
  for (const auto& [name, counter] : counters_) sums.emplace(name, counter.before + counter.packets);
  return sums;
}

std::string CounterSums::to_json() const {
  json document = json::object();
  for (const auto& [name, counter] : counters_) document[name] = {counter.before, counter.handle, counter.packets};
  return document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

base::Result<CounterSums> CounterSums::from_json(std::string_view text) {
  const auto document = json::parse(text, nullptr, false);
  if (!document.is_object()) return base::fail("no JSON object");
  CounterSums sums;
  for (const auto& [name, values] : document.items()) {
    const bool good = name.size() <= longest_name && values.is_array() && values.size() == 3 &&
                      std::all_of(values.begin(), values.end(), [](const json& value) { return value.is_number_unsigned(); });
    if (!good) return base::fail("a counter is no three numbers");
    sums.counters_[name] = {values[0].get<std::uint64_t>(), values[1].get<std::uint64_t>(), values[2].get<std::uint64_t>()};
  }
  return sums;
}

}  // namespace schultor::enforce
