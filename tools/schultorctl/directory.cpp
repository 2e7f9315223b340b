// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/directory.hpp"

#include <cstdio>
#include <system_error>

namespace schultor::ctl {

std::array<std::filesystem::path, 2> list_folders(const Request& request) {
  return {std::filesystem::path(request.directory) / "lists", request.state + "/lists"};
}

std::string list_table(const Request& request) { return request.state + "/lists.table"; }

std::optional<Directory> load(const Request& request, config::Need need) {
  // Hours are asked for where no lists may be.
  const auto folders = list_folders(request);
  auto loaded =
      policy::load(need.endpoints ? config::read(request.directory, need, folders) : config::read(request.directory, need), need);
  if (loaded.policy && loaded.config) return Directory{std::move(*loaded.config), std::move(*loaded.policy)};
  for (const auto& diagnostic : loaded.diagnostics) fmt::print(stderr, "{}\n", config::to_string(diagnostic));
  return std::nullopt;
}

bool has_roster(const Request& request) {
  std::error_code error;
  return std::filesystem::exists(std::filesystem::path(request.directory) / "roster.csv", error);
}

const policy::Group* find_group(const policy::Policy& policy, const std::string& name) {
  const auto* group = policy.find_group(name);
  if (group != nullptr) return group;
  std::vector<std::string_view> known;
  for (const auto& one : policy.groups) known.push_back(one.name);
  complain(fmt::format("there is no group “{}”{}", name, config::suggestion(name, known)));
  return nullptr;
}

std::optional<policy::Seconds> time_of(const policy::Policy& policy, std::string_view option, const std::string& text) {
  const auto time = policy::parse_local(policy, text);
  if (time) return *time;
  complain(fmt::format("{}: {}", option, time.error().what()));
  return std::nullopt;
}

}  // namespace schultor::ctl
