// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/name.hpp"
#include "daemon/lists/table_file.hpp"
#include "tools/schultorctl/answer.hpp"
#include "tools/schultorctl/columns.hpp"
#include "tools/schultorctl/compile_lists.hpp"
#include "tools/schultorctl/directory.hpp"
#include "tools/schultorctl/lists_commands.hpp"
#include "tools/schultorctl/lists_text.hpp"

#include <date/date.h>

#include <chrono>
#include <filesystem>

namespace schultor::ctl {
namespace {

Exit fail(const base::Error& error) {
  complain(error.what());
  return Exit::failed;
}

base::Result<lists::MappedTable> open_table(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error) && !error)
    return base::fail("{}: there is no table: run “schultorctl lists compile”", file);
  return lists::MappedTable::open(file);
}

std::string to_string(std::chrono::system_clock::time_point time) {
  return date::format("%FT%TZ", std::chrono::time_point_cast<std::chrono::seconds>(time));
}

/// What is known of a table, for both ways of printing it.
json describe(const lists::MappedTable& mapped, const std::string& file) {
  const auto& table = mapped.table();
  json all = json::array();
  for (std::size_t i = 0; i < table.lists(); ++i) {
    const auto list = table.list(i);
    all.push_back({{"list", list.name},
                   {"names", list.names},
                   {"addresses", list.networks},
                   {"junk", list.junk},
                   {"unusable", list.unusable}});
  }
  return {{"file", file},
          {"compiled", to_string(mapped.written())},
          {"names", table.names()},
          {"addresses", table.networks()},
          {"lists", std::move(all)}};
}

void print_text(const json& description) {
  Rows rows{{"LIST", "NAMES", "ADDRESSES", "JUNK", "UNUSABLE"}};
  for (const auto& list : description["lists"])
    rows.push_back({list["list"].get<std::string>(), list["names"].dump(), list["addresses"].dump(), list["junk"].dump(),
                    list["unusable"].dump()});
  fmt::print("{}\n{} names and {} addresses in {}, compiled {}\n", align(rows), description["names"].dump(),
             description["addresses"].dump(), description["file"].get<std::string>(), description["compiled"].get<std::string>());
}

Exit show(const Request& request, const std::string& file) {
  const auto mapped = open_table(file);
  if (!mapped) return fail(mapped.error());
  const auto updates = downloads(request);
  if (!updates) return fail(updates.error());
  auto description = describe(*mapped, file);
  if (*updates) description["downloads"] = (*updates)->at("lists");
  if (request.json) {
    print(description);
  } else {
    print_text(description);
    if (*updates) fmt::print("\n{}", downloads_text(description["downloads"]));
  }
  return Exit::yes;
}

/// Nothing is replaced that is no table.
bool may_be_replaced(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::symlink_status(file, error))) return true;
  if (std::filesystem::is_regular_file(std::filesystem::symlink_status(file, error)) && lists::MappedTable::open(file)) return true;
  complain(fmt::format("{} is there and is no table: remove it, or give another --output", file));
  return false;
}

Exit compile(const Request& request) {
  std::error_code error;
  if (!std::filesystem::is_directory(request.directory, error)) {
    complain(fmt::format("{}: there is no such directory: give the one of the configuration with --config", request.directory));
    return Exit::failed;
  }
  if (request.output && !may_be_replaced(*request.output)) return Exit::failed;
  const auto file = request.output.value_or(list_table(request));
  if (auto compiled = compile_lists(list_folders(request), file); !compiled) return fail(compiled.error());
  return show(request, file);
}

json holders_of_name(const lists::Table& table, std::string_view name) {
  json holders = json::array();
  const auto hits = table.look_up(name);
  hits.lists.for_each([&](std::size_t list) {
    holders.push_back({{"list", table.list(list).name}, {"entry", lists::entry_of(name, hits.labels[list])}});
  });
  return holders;
}

json holders_of_address(const lists::Table& table, const base::Address& address) {
  json holders = json::array();
  for (std::size_t i = 0; i < table.networks(); ++i) {
    const auto network = table.network(i);
    if (!network || !base::contains(network->prefix, address)) continue;
    network->lists.for_each([&](std::size_t list) {
      if (list < table.lists()) holders.push_back({{"list", table.list(list).name}, {"entry", base::to_string(network->prefix)}});
    });
  }
  return holders;
}

Exit check(const Request& request, const std::string& file) {
  const auto mapped = open_table(file);
  if (!mapped) return fail(mapped.error());
  const auto& table = mapped->table();
  if (auto verified = table.verify_body(); !verified) return fail(base::Error(verified.error()).within(file));
  const auto& asked = request.arguments.back();
  json answer{{"name", asked}};
  if (const auto address = base::parse_address(asked)) {
    answer["lists"] = holders_of_address(table, *address);
  } else {
    lists::NameBuffer buffer{};
    const auto read = lists::read_name(asked, lists::Labels::any, buffer);
    if (read.name.empty()) {
      complain(fmt::format("“{}”: {}", asked, read.fault));
      return Exit::failed;
    }
    answer["name"] = read.name;
    answer["lists"] = holders_of_name(table, read.name);
  }
  const bool held = !answer["lists"].empty();
  if (request.json) {
    print(answer);
  } else if (held) {
    Rows rows;
    for (const auto& holder : answer["lists"])
      rows.push_back({holder["list"].get<std::string>(), holder["entry"].get<std::string>()});
    fmt::print("{}", align(rows));
  } else {
    fmt::print("no list holds {}\n", answer["name"].get<std::string>());
  }
  return held ? Exit::yes : Exit::no;
}

}  // namespace

Exit lists(const Request& request) {
  const auto table = request.table.value_or(list_table(request));
  if (request.arguments.empty()) return show(request, table);
  const auto& verb = request.arguments.front();
  if (verb == "compile") return compile(request);
  if (verb == "update") return lists_update(request);
  return verb == "status" ? lists_status(request) : check(request, table);
}

}  // namespace schultor::ctl
