// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "tools/schultorctl/commands.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>

/// How the commands answer.
namespace schultor::ctl {

using json = nlohmann::ordered_json;

/// JSON on standard output. Text that is no UTF-8 is made such.
inline void print(const json& document) { fmt::print("{}\n", document.dump(2, ' ', false, json::error_handler_t::replace)); }

/// Says why it failed.
template <typename T>
Exit give_up(const base::Result<T>& failed) {
  complain(failed.error().what());
  return Exit::failed;
}

/// A daemon's answer, in words or, where --json is given, as it is.
inline Exit say(const Request& request, const std::string& answer, base::Result<std::string> (*in_words)(const json&)) {
  const auto document = json::parse(answer, nullptr, false);
  const auto text = in_words(document);
  if (!text) return give_up(text);
  if (request.json) print(document);
  else fmt::print("{}", *text);
  return Exit::yes;
}

}  // namespace schultor::ctl
