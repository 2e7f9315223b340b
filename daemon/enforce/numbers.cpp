// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/numbers.hpp"

#include <nlohmann/json.hpp>

#include <limits>
#include <set>

namespace schultor::enforce {
namespace {

using nlohmann::json;

constexpr std::uint64_t highest_group = 0xfffe;
constexpr std::uint64_t highest_label = 127;
constexpr std::uint64_t highest_view = std::numeric_limits<std::uint32_t>::max();

/// Gives `name` the number after the highest one so far, unless it has one.
template <typename Number>
base::Result<void> number(std::map<std::string, Number, std::less<>>& numbers, const std::string& name, std::uint64_t highest,
                          std::string_view kind) {
  if (numbers.contains(name)) return {};
  std::uint64_t last = 0;
  for (const auto& entry : numbers) last = std::max<std::uint64_t>(last, entry.second);
  if (last >= highest)
    return base::fail("no number is left for {} “{}”: all {} have been given to names, also to names that are gone", kind, name,
                      highest);
  numbers[name] = static_cast<Number>(last + 1);
  return {};
}

template <typename Number>
base::Result<std::map<std::string, Number, std::less<>>> read_numbers(const json& document, const char* key,
                                                                      std::uint64_t highest) {
  std::map<std::string, Number, std::less<>> numbers;
  std::set<std::uint64_t> given;
  if (!document.contains(key) || !document[key].is_object()) return base::fail("“{}” is missing", key);
  for (const auto& [name, value] : document[key].items()) {
    const std::uint64_t found = value.is_number_unsigned() ? value.template get<std::uint64_t>() : 0;
    if (found == 0 || found > highest) return base::fail("{}: “{}”: expected a number from 1 to {}", key, name, highest);
    if (!given.insert(found).second) return base::fail("{}: “{}”: {} is given twice", key, name, found);
    numbers[name] = static_cast<Number>(found);
  }
  return numbers;
}

}  // namespace

std::string view_key(std::string_view profile, bool steer) { return fmt::format("{}/{}", profile, steer ? "steer" : "plain"); }

std::map<netfilter::planner::ViewNumber, std::string> profiles_of_views(const Numbers& numbers) {
  std::map<netfilter::planner::ViewNumber, std::string> profiles;
  for (const auto& [key, view] : numbers.views) profiles[view] = key.substr(0, key.rfind('/'));
  return profiles;
}

base::Result<Numbers> with_numbers_for(Numbers known, const policy::Policy& policy) {
  for (const auto& group : policy.groups)
    if (auto done = number(known.groups, group.name, highest_group, "group"); !done) return base::pass(std::move(done));
  for (const auto& profile : policy.gate.profiles) {
    if (profile.listed)
      if (auto done = number(known.labels, profile.name, highest_label, "listed profile"); !done)
        return base::pass(std::move(done));
    for (const bool steer : {false, true})
      if (auto done = number(known.views, view_key(profile.name, steer), highest_view, "view"); !done)
        return base::pass(std::move(done));
  }
  return known;
}

std::string to_json(const Numbers& numbers) {
  return json{{"groups", numbers.groups}, {"labels", numbers.labels}, {"views", numbers.views}}.dump(2) + "\n";
}

base::Result<Numbers> numbers_from_json(std::string_view text) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object()) return base::fail("not a JSON object");
  auto groups = read_numbers<netfilter::planner::GroupNumber>(document, "groups", highest_group);
  if (!groups) return base::pass(std::move(groups));
  auto labels = read_numbers<std::uint8_t>(document, "labels", highest_label);
  if (!labels) return base::pass(std::move(labels));
  auto views = read_numbers<netfilter::planner::ViewNumber>(document, "views", highest_view);
  if (!views) return base::pass(std::move(views));
  return Numbers{std::move(*groups), std::move(*labels), std::move(*views)};
}

}  // namespace schultor::enforce
