// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/lists_in_force.hpp"

#include "daemon/base/sealed_memory.hpp"
#include "daemon/config/diagnostic.hpp"
#include "daemon/lists/table_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace schultor::enforce {
namespace {

/// Of a table, in octets: some 25 million names. It is kept in memory.
constexpr std::size_t largest_table = std::size_t{256} << 20U;
constexpr std::string_view what_to_do = "run “schultorctl lists compile”";

TakenLists refused(const std::string& why) {
  const bool said = why.find(what_to_do) != std::string::npos;
  return {std::nullopt, {said ? why : fmt::format("{}: {}", why, what_to_do)}};
}

std::vector<std::string> missing_lists(const policy::GateRules& rules, const lists::Table& table, const std::string& file) {
  std::vector<std::string_view> known;
  for (std::size_t i = 0; i < table.lists(); ++i) known.push_back(table.list(i).name);
  std::vector<std::string> errors;
  for (const auto* category : policy::named_lists(rules)) {
    if (category->number) continue;
    const auto near = config::nearest(category->list, known);
    errors.push_back(config::to_string(config::Diagnostic{
        category->source.file, category->source.line, 0, config::Severity::error,
        fmt::format("there is no list “{}” in {}: {}, or “schultorctl lists update” where it is downloaded{}", category->list, file,
                    what_to_do, near.empty() ? "" : fmt::format(", or did you mean “{}”?", near))}));
  }
  return errors;
}

}  // namespace

base::Result<ListedNetworks> networks_of(const policy::GateRules& rules, const lists::Table* table) {
  ListedNetworks networks;
  const auto never = rules.never_lists.numbers();
  std::vector<std::pair<lists::ListSet, std::vector<base::Prefix>*>> blocked;
  for (const auto& profile : rules.profiles)
    if (!profile.city_block_lists.named().empty() || !profile.block_lists.named().empty())
      blocked.emplace_back(profile.city_block_lists.numbers() | profile.block_lists.numbers(), &networks.blocked[profile.name]);
  if (table == nullptr) return networks;
  for (std::size_t i = 0; i < table->networks(); ++i) {
    const auto network = table->network(i);
    if (!network) return base::fail("network {} of the table is none: {}", i, what_to_do);
    if (!(network->lists & never).empty()) networks.never.push_back(network->prefix);
    for (const auto& [some, prefixes] : blocked)
      if (!(network->lists & some).empty()) prefixes->push_back(network->prefix);
  }
  if (networks.never.size() > lists::most_networks_of_a_rule)
    return base::fail("the lists of [never] categories hold {} networks, expected at most {}: leave out those that need it least",
                      networks.never.size(), lists::most_networks_of_a_rule);
  for (const auto& [profile, prefixes] : networks.blocked)
    if (prefixes.size() > lists::most_networks_of_a_rule)
      return base::fail(
          "the block_categories of profile “{}” hold {} networks, expected at most {}: leave out those that need it least", profile,
          prefixes.size(), lists::most_networks_of_a_rule);
  return networks;
}

TakenLists take_lists(const std::string& file, policy::GateRules& rules) {
  if (policy::named_lists(rules).empty()) return {ListsInForce{}};
  // Without O_NONBLOCK a pipe of that name would be waited for.
  const base::UniqueFd file_fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file_fd) return refused(fmt::format("{}: {}", file, std::generic_category().message(errno)));
  struct stat status {};
  if (fstat(file_fd.get(), &status) != 0) return refused(fmt::format("{}: {}", file, std::generic_category().message(errno)));
  // A copy that nobody changes: the file belongs to the user who downloads lists, and the gate must not fall with it.
  auto copy = base::sealed_copy_of_file("schultor-lists", file_fd.get(), largest_table);
  if (!copy) return refused(base::Error(copy.error()).within(file).what());
  auto fd = std::make_shared<base::UniqueFd>(std::move(*copy));
  const auto mapped = lists::MappedTable::map(fd->get());
  if (!mapped) return refused(base::Error(mapped.error()).within(file).what());
  const auto& table = mapped->table();
  // The gate does not look at all of it again, and what a disk has turned over would open without a word.
  if (auto verified = table.verify_body(); !verified) return refused(base::Error(verified.error()).within(file).what());
  policy::number_lists(rules, [&](std::string_view name) { return table.find_list(name); });
  if (auto errors = missing_lists(rules, table, file); !errors.empty()) return {std::nullopt, std::move(errors)};
  rules.table = table.identity();
  auto networks = networks_of(rules, &table);
  if (!networks) return {std::nullopt, {networks.error().what()}};
  return {ListsInForce{std::move(fd), base::Instant(std::chrono::seconds(status.st_mtim.tv_sec)), std::move(*networks)}};
}

}  // namespace schultor::enforce
