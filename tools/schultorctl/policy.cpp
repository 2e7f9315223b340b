// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/effective.hpp"
#include "tools/schultorctl/answer.hpp"
#include "tools/schultorctl/columns.hpp"
#include "tools/schultorctl/directory.hpp"

namespace schultor::ctl {
namespace {

json to_json(const policy::EffectiveLine& line) {
  json object{{"section", to_string(line.section)}};
  object["name"] = line.name.empty() ? json(nullptr) : json(line.name);
  object["what"] = line.what;
  object["text"] = line.text;
  if (!line.names.empty()) object["names"] = line.names;
  object["by"] = policy::author_of(line);
  object["source"] = {{"file", line.source.file}, {"line", line.source.line}};
  return object;
}

}  // namespace

Exit policy(const Request& request) {
  // The roster is counted where there is one.
  const auto loaded = load(request, config::Need::rules(has_roster(request)));
  if (!loaded) return Exit::failed;
  const auto* group = request.group ? find_group(loaded->policy, *request.group) : nullptr;
  if (request.group && group == nullptr) return Exit::failed;
  std::optional<policy::Seconds> at;
  if (request.at && !(at = time_of(loaded->policy, "--at", *request.at))) return Exit::failed;
  const auto lines = policy::effective(loaded->config, loaded->policy, group, at);
  if (request.json) {
    json list = json::array();
    for (const auto& line : lines) list.push_back(to_json(line));
    print(list);
    return Exit::yes;
  }
  Rows rows;
  for (const auto& line : lines)
    rows.push_back({config::to_string(config::Source{line.source.file, line.source.line}),
                    fmt::format("{}{}{}", to_string(line.section), line.name.empty() ? "" : " ", line.name), line.what, line.text});
  fmt::print("{}", align(rows));
  return Exit::yes;
}

}  // namespace schultor::ctl
