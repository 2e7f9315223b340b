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

}  // namespace schultor::ctl
