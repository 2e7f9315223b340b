// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/kernel/element.hpp"
#include "tests/kernel/netfilter_helpers.hpp"

using namespace schultor;
using namespace schultor::netfilter;
using namespace schultor::test;

namespace {
const bool isolated = (enter_network_namespace(), true);
}

TEST_CASE("the kernel lists what we encode as it lists what nft reads from the text") {
  enter_network_namespace();
  const TemporaryFile text(model::render(planner::build(school())));
  run("nft -f " + text.path());
  const std::string by_nft = listed();
  const auto by_nft_json = listed_json();

  auto connection = kernel_with(school());
  CHECK(listed() == by_nft);
  CHECK(listed_json() == by_nft_json);
}

TEST_CASE("what nft has loaded from the text needs no change") {
  auto connection = fresh_kernel();
  const TemporaryFile text(model::render(planner::build(school())));
  run("nft -f " + text.path());
  CHECK(to_string(reconciled(connection, school())) == "");
}

TEST_CASE("applying twice changes nothing") {
  auto connection = fresh_kernel();
  const auto first = reconciled(connection, school());
  CHECK(first.pins_lost);
  const auto committed = must(connection.commit(first));
  CHECK(committed.messages == first.operations.size());
  const auto second = reconciled(connection, school());
  CHECK(to_string(second) == "");
  CHECK_FALSE(second.pins_lost);
}

TEST_CASE("an empty ruleset, and ranges up to the ends of the address space, come back as they were written") {
  planner::Intent intent;
  auto connection = kernel_with(intent);
  CHECK(to_string(reconciled(connection, intent)) == "");
  intent.never = {prefix("0.0.0.0/1"), prefix("128.0.0.0/1"), prefix("::/0")};
  must(connection.commit(reconciled(connection, intent)));
  CHECK(to_string(reconciled(connection, intent)) == "");
  intent.never = {prefix("0.0.0.0/8"), prefix("255.255.255.255")};
  must(connection.commit(reconciled(connection, intent)));
  CHECK(to_string(reconciled(connection, intent)) == "");
}

TEST_CASE("an element that does more than stand there is none of ours") {
  const model::SetDeclaration set{"fresh", {model::Type::mark}};
  kernel::RawElement element;
  element.key = {1, 0, 0, 0};
  CHECK(kernel::elements_of(set, {element}).has_value());
  // As one with a limit, which matches now and then.
  element.does_more = true;
  CHECK_FALSE(kernel::elements_of(set, {element}).has_value());
}
