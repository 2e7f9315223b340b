// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/load.hpp"
#include "daemon/lists/update.hpp"
#include "tools/schultorctl/bus_client.hpp"
#include "tools/schultorctl/compile_lists.hpp"
#include "tools/schultorctl/directory.hpp"
#include "tools/schultorctl/lists_commands.hpp"
#include "tools/schultorctl/lists_text.hpp"

#include <date/date.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <utility>

namespace schultor::ctl {
namespace {

using std::chrono::sys_seconds;

std::string to_text(sys_seconds at) { return date::format("%FT%TZ", at); }

json describe(const lists::UpdateStatus& status) {
  json all = json::array();
  for (const auto& one : status.lists)
    all.push_back({{"list", one.list},
                   {"state", lists::to_string(one.state)},
                   {"reason", one.reason},
                   {"since", to_text(std::chrono::floor<std::chrono::seconds>(one.since))},
                   {"updated", one.updated ? json(to_text(*one.updated)) : json(nullptr)},
                   {"entries", one.entries},
                   {"from", one.host}});
  return {{"lists", std::move(all)}, {"table_fault", status.table_fault.empty() ? json(nullptr) : json(status.table_fault)}};
}

void print_status(const Request& request, const lists::UpdateStatus& status) {
  const auto description = describe(status);
  if (request.json) return print(description);
  fmt::print("{}", downloads_text(description["lists"]));
  if (!status.table_fault.empty()) fmt::print("\nThe table could not be compiled: {}\n", status.table_fault);
}

/// The lists that the configuration names, by name. Whatever is wrong with it has been told.
std::optional<std::vector<config::BlockList>> configured(const Request& request) {
  config::Need need;
  need.city = need.school = true;
  auto loaded = config::load(request.directory, need);
  if (!loaded.config) {
    for (const auto& diagnostic : loaded.diagnostics) fmt::print(stderr, "{}\n", config::to_string(diagnostic));
    return std::nullopt;
  }
  auto all = std::move(loaded.config->city.lists);
  auto& of_school = loaded.config->school.lists;
  all.insert(all.end(), std::make_move_iterator(of_school.begin()), std::make_move_iterator(of_school.end()));
  return all;
}

/// Whether each list that was asked for by name is configured.
bool are_known(const std::vector<config::BlockList>& lists, const Request& request) {
  auto asked = request.force;
  if (request.only) asked.push_back(*request.only);
  for (const auto& name : asked) {
    std::vector<std::string_view> known;
    for (const auto& list : lists) known.push_back(list.name.value);
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    complain(fmt::format("there is no list “{}” in city.toml and school.toml{}", name, config::suggestion(name, known)));
    return false;
  }
  return true;
}

std::optional<std::uint32_t> number_of(const std::string& option, const std::optional<std::string>& text, std::uint32_t otherwise) {
  constexpr std::uint32_t most = 100'000;
  if (!text) return otherwise;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error == std::errc{} && end == text->data() + text->size() && number > 0 && number <= most) return number;
  complain(fmt::format("{}: “{}” is no number from 1 to {}", option, *text, most));
  return std::nullopt;
}

std::optional<lists::UpdateOptions> options_of(const Request& request) {
  lists::UpdateOptions options;
  const auto patience = number_of("--patience", request.patience, static_cast<std::uint32_t>(options.limits.stalled.count()));
  const auto largest = number_of("--largest", request.largest, static_cast<std::uint32_t>(options.limits.octets >> 20U));
  if (!patience || !largest) return std::nullopt;
  options.authorities = request.cacert.value_or("");
  options.limits.stalled = std::chrono::seconds(*patience);
  options.limits.connect = std::min(options.limits.connect, options.limits.stalled);
  options.limits.octets = std::uint64_t{*largest} << 20U;
  return options;
}

/// What there is now goes into force, where schultord runs. Else it reads it when it starts.
base::Result<void> put_in_force() {
  auto bus = BusClient::connect();
  if (!bus) return {};
  const auto runs = bus->schultord_runs();
  if (!runs) return tl::unexpected<base::Error>(runs.error());
  if (!*runs) return {};
  const auto refusal = bus->reload();
  if (!refusal) return tl::unexpected<base::Error>(refusal.error());
  if (*refusal) return base::fail("{}", **refusal);
  return {};
}

base::Result<void> run(lists::Updater& updater, const std::vector<config::BlockList>& lists, const Request& request,
                       const lists::UpdateOptions& options) {
  const auto now = [] { return std::chrono::floor<base::Instant::duration>(std::chrono::system_clock::now()); };
  if (!request.only)
    if (auto kept = updater.keep_only(lists); !kept) return kept;
  for (const auto& list : lists) {
    const auto& name = list.name.value;
    const bool forced = std::find(request.force.begin(), request.force.end(), name) != request.force.end();
    if (request.only && *request.only != name) continue;
    if (auto done = updater.update(list, forced, options, now()); !done) return done;
  }
  if (!updater.status().compiled) {
    const auto compiled = compile_lists(list_folders(request), request.output.value_or(list_table(request)));
    if (auto noted = updater.note_table(compiled ? "" : compiled.error().what(), now()); !noted) return noted;
  }
  return {};
}

}  // namespace

base::Result<std::optional<json>> downloads(const Request& request) {
  const auto status = lists::read_update_status(request.state + "/status.json");
  if (!status) return tl::unexpected<base::Error>(status.error());
  return status->lists.empty() && status->table_fault.empty() ? std::nullopt : std::optional(describe(*status));
}

Exit lists_status(const Request& request) {
  const auto status = lists::read_update_status(request.state + "/status.json");
  if (!status) return give_up(status);
  print_status(request, *status);
  return Exit::yes;
}

Exit lists_update(const Request& request) {
  const auto options = options_of(request);
  if (!options) return Exit::failed;
  const auto lists = configured(request);
  if (!lists || !are_known(*lists, request)) return Exit::failed;
  auto updater = lists::Updater::open(request.state);
  if (!updater) return give_up(updater);
  if (!updater->fault().empty()) complain(fmt::format("{}: begun anew", updater->fault()));
  if (const auto done = run(*updater, *lists, request, *options); !done) return give_up(done);
  const auto& status = updater->status();
  const bool is_table_good = status.table_fault.empty();
  const auto in_force = updater->has_news() || !status.compiled ? put_in_force() : base::Result<void>();
  print_status(request, status);
  if (!in_force) return give_up(in_force);
  if (is_table_good)
    if (const auto noted = updater->note_in_force(); !noted) return give_up(noted);
  const bool all_good = std::all_of(status.lists.begin(), status.lists.end(),
                                    [](const lists::ListStatus& one) { return one.state == lists::UpdateState::ok; });
  return !is_table_good ? Exit::failed : all_good ? Exit::yes : Exit::no;
}

}  // namespace schultor::ctl
