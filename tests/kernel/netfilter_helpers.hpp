// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/kernel/connection.hpp"
#include "netfilter/planner/build.hpp"
#include "netfilter/planner/reconcile.hpp"
#include "tests/catch.hpp"
#include "tests/kernel/netfilter_examples.hpp"
#include "tests/kernel/network_namespace.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>

namespace schultor::test {

template <typename T>
T must(base::Result<T> result) {
  if (!result) FAIL(result.error().what());
  return std::move(*result);
}

inline netfilter::kernel::Connection fresh_kernel() {
  enter_network_namespace();
  return must(netfilter::kernel::Connection::open());
}

inline netfilter::planner::Plan reconciled(netfilter::kernel::Connection& connection, const netfilter::planner::Intent& intent) {
  return netfilter::planner::reconcile(netfilter::planner::build(intent), must(connection.read(netfilter::planner::table_name)));
}

/// A kernel that holds the ruleset for `intent`.
inline netfilter::kernel::Connection kernel_with(const netfilter::planner::Intent& intent) {
  auto connection = fresh_kernel();
  must(connection.commit(reconciled(connection, intent)));
  return connection;
}

/// Without what may differ: handles, and the order of creation and of elements in hash sets.
inline nlohmann::json without_handles(const std::string& text) {
  nlohmann::json listing = nlohmann::json::parse(text);
  std::size_t position = 0;
  for (auto& item : listing["nftables"]) {
    for (auto& [kind, object] : item.items()) {
      object.erase("handle");
      if (object.contains("elem") && object["elem"].is_array()) std::sort(object["elem"].begin(), object["elem"].end());
      // The order of rules matters.
      if (kind == "rule") object["position"] = position++;
      if (kind == "chain" || kind == "set" || kind == "map") position = 0;
    }
  }
  std::sort(listing["nftables"].begin(), listing["nftables"].end());
  return listing;
}

inline std::string listed() { return run("nft list table inet schultor"); }
inline nlohmann::json listed_json() { return without_handles(run("nft -j list ruleset")); }

}  // namespace schultor::test
