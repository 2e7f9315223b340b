// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/catch.hpp"

#include "netfilter/kernel/connection.hpp"
#include "netfilter/planner/build.hpp"
#include "netfilter/planner/reconcile.hpp"
#include "netfilter/planner/switch.hpp"
#include "tests/kernel/netfilter_examples.hpp"
#include "tests/kernel/network_namespace.hpp"

#include <nlohmann/json.hpp>

using namespace schultor;
using namespace schultor::netfilter;
using kernel::Connection;

namespace {

const bool isolated = (test::enter_network_namespace(), true);

template <typename T>
T must(base::Result<T> result) {
  if (!result) FAIL(result.error().what());
  return std::move(*result);
}

Connection fresh_kernel() {
  test::enter_network_namespace();
  return must(Connection::open());
}

planner::Plan reconciled(Connection& connection, const planner::Intent& intent) {
  return planner::reconcile(planner::build(intent), must(connection.read(planner::table_name)));
}

/// Elements of hash sets come in any order, handles in the order of creation.
nlohmann::json without_handles(const std::string& text) {
  nlohmann::json listing = nlohmann::json::parse(text);
  for (auto& item : listing["nftables"]) {
    for (auto& [kind, object] : item.items()) {
      object.erase("handle");
      if (object.contains("elem") && object["elem"].is_array()) std::sort(object["elem"].begin(), object["elem"].end());
    }
  }
  std::sort(listing["nftables"].begin(), listing["nftables"].end());
  return listing;
}

std::string listed() { return test::run("nft list table inet schultor"); }

}  // namespace

TEST_CASE("the kernel lists what we encode as it lists what nft reads from the text") {
  const auto wanted = planner::build(test::school());
  test::enter_network_namespace();
  const test::TemporaryFile text(model::render(wanted));
  test::run("nft -f " + text.path());
  const std::string by_nft = listed();
  const auto by_nft_json = without_handles(test::run("nft -j list ruleset"));

  auto connection = fresh_kernel();
  must(connection.commit(reconciled(connection, test::school())));
  CHECK(listed() == by_nft);
  CHECK(without_handles(test::run("nft -j list ruleset")) == by_nft_json);
}

TEST_CASE("what nft has loaded from the text needs no change") {
  const auto wanted = planner::build(test::school());
  auto connection = fresh_kernel();
  const test::TemporaryFile text(model::render(wanted));
  test::run("nft -f " + text.path());
  CHECK(to_string(reconciled(connection, test::school())) == "");
}

TEST_CASE("applying twice changes nothing") {
  auto connection = fresh_kernel();
  const auto first = reconciled(connection, test::school());
  CHECK(first.pins_lost);
  const auto committed = must(connection.commit(first));
  CHECK(committed.messages == first.operations.size());
  const auto second = reconciled(connection, test::school());
  CHECK(to_string(second) == "");
  CHECK_FALSE(second.pins_lost);
}
