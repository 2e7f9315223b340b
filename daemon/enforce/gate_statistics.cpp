// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/gate_statistics.hpp"

#include "daemon/policy/schedule.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace schultor::enforce {
namespace {

using nlohmann::json;

json to_object(const dns::Histogram& histogram) {
  const auto quantile = [&](double q) {
    const auto found = histogram.quantile(q);
    return found ? json(found->count()) : json(nullptr);
  };
  json buckets = json::array();
  for (std::size_t i = 0; i < dns::Histogram::buckets; ++i)
    if (histogram.counts[i] > 0) buckets.push_back({dns::Histogram::end_of(i).count(), histogram.counts[i]});
  return {{"count", histogram.count()}, {"p50_us", quantile(0.5)}, {"p99_us", quantile(0.99)}, {"buckets_us", std::move(buckets)}};
}

json to_object(const dns::ViewCounts& counts) {
  json verdicts = json::object();
  for (std::size_t i = 0; i < dns::verdicts; ++i)
    verdicts[std::string(to_string(static_cast<dns::Verdict>(i)))] = counts.by_verdict[i];
  return {{"questions", counts.questions()}, {"cached", counts.cached}, {"verdicts", std::move(verdicts)}};
}

json to_array(const Numbers& numbers, const std::map<std::uint32_t, dns::ViewCounts>& views) {
  const auto profiles = profiles_of_views(numbers);
  json array = json::array();
  for (const auto& [number, counts] : views) {
    auto view = to_object(counts);
    // The last place is shared, and the first is nobody's.
    const auto profile = number + 1 < dns::counted_views ? profiles.find(number) : profiles.end();
    const bool known = profile != profiles.end();
    view["view"] = number;
    view["profile"] = known ? json(profile->second) : json(nullptr);
    const auto steered = known ? numbers.views.find(view_key(profile->second, true)) : numbers.views.end();
    view["steer"] = steered != numbers.views.end() && steered->second == number;
    array.push_back(std::move(view));
  }
  return array;
}

json to_object(const dns::ResolverCounts& counts, const dns::Histogram& round_trip) {
  return {{"questions", counts.questions},
          {"answers", counts.answers},
          {"again", counts.again},
          {"silent", counts.silent},
          {"tcp", counts.tcp},
          {"under_way", counts.under_way},
          {"round_trip", to_object(round_trip)}};
}

json to_object(const dns::PinCounts& counts) {
  return {{"requests", counts.requests}, {"addresses", counts.addresses}, {"pinned", counts.pinned}, {"stale", counts.stale},
          {"refused", counts.refused},   {"failed", counts.failed},       {"lost", counts.lost}};
}

std::int64_t whole_seconds(std::chrono::steady_clock::duration span) {
  return std::chrono::floor<std::chrono::seconds>(span).count();
}

}  // namespace

dns::StatisticsRequest StatisticsInquiry::ask() {
  views_.clear();
  asking_ = true;
  return {++sequence_};
}

void StatisticsInquiry::take(const dns::ViewStatistics& part) {
  if (!asking_ || part.sequence != sequence_) return;
  for (const auto& one : part.views) views_.insert_or_assign(one.view, one.counts);
}

bool StatisticsInquiry::take(const dns::GateStatistics& last, std::chrono::steady_clock::time_point now) {
  if (!asking_ || last.sequence != sequence_) return false;
  asking_ = false;
  told_ = ToldStatistics{now, last.statistics, std::exchange(views_, {})};
  return true;
}

std::string to_json(const policy::Policy& policy, const Numbers& numbers, bool connected, const std::optional<ToldStatistics>& told,
                    const Now& now) {
  json document{{"connected", connected}};
  if (!told) {
    for (const auto* member : {"since", "seconds", "age", "views", "waiting", "answered", "resolver", "pins"})
      document[member] = nullptr;
    return document.dump();
  }
  // An instant that is not of this machine's clock is the gate's lie, and no reason to go wrong.
  const auto since = std::min(told->gate.since, told->at);
  const auto wall = now.wall - std::chrono::duration_cast<base::Instant::duration>(now.monotonic - since);
  json answered = json::object();
  for (std::size_t i = 0; i < dns::waited_kinds; ++i)
    answered[std::string(to_string(static_cast<dns::Waited>(i)))] = to_object(told->gate.answered[i]);
  document["since"] = policy::format_local(policy, std::chrono::floor<std::chrono::seconds>(wall));
  document["seconds"] = whole_seconds(told->at - since);
  document["age"] = whole_seconds(now.monotonic - told->at);
  document["views"] = to_array(numbers, told->views);
  document["waiting"] = told->gate.waiting;
  document["answered"] = std::move(answered);
  document["resolver"] = to_object(told->gate.resolver, told->gate.round_trip);
  document["pins"] = to_object(told->gate.pins);
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace schultor::enforce
