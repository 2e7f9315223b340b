// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/model/ruleset.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// A transaction as plain values, in the order in which the kernel gets it.
namespace schultor::netfilter::planner {

namespace operation {

struct AddTable {
  /// No other netlink socket can change or delete it, nor flush it with all others, and it goes with the socket that made it
  /// (NFT_TABLE_F_OWNER, kernel 5.12).
  bool owned = false;
};
struct DeleteTable {};
struct AddSet {
  model::SetDeclaration set;
};
struct DeleteSet {
  std::string set;
};
struct FlushSet {
  std::string set;
};
struct AddCounter {
  std::string counter;
};
struct DeleteObject {
  std::string object;
  std::uint32_t type = 0;  ///< NFT_OBJECT_…
};
/// Where it is there, the devices come to those that it has. One that does not exist fails the whole transaction (before 6.16).
struct AddFlowtable {
  model::Flowtable flowtable;
};
/// A device that it does not have fails the whole transaction.
struct DeleteDevices {
  model::Flowtable flowtable;  ///< with the devices that leave it
};
struct DeleteFlowtable {
  std::string flowtable;
};
/// Also changes the policy of a base chain that is there.
struct AddChain {
  std::string chain;
  std::optional<model::Hook> hook{};
};
struct DeleteChain {
  std::string chain;
};
struct FlushChain {
  std::string chain;
};
struct AddRule {
  std::string chain;
  model::Rule rule;
};
/// An element that is there already with the same value is no error to the kernel.
struct AddElements {
  model::SetDeclaration set;
  std::vector<model::Element> elements;
};
/// An element that is not there fails the whole transaction.
struct DeleteElements {
  model::SetDeclaration set;
  std::vector<model::Element> elements;
};
/// Adds elements with timeouts or gives those that are there their new timeout; keys are distinct.
struct PinElements {
  model::SetDeclaration set;
  std::vector<model::Element> elements;
};

}  // namespace operation

using Operation =
    std::variant<operation::AddTable, operation::DeleteTable, operation::AddSet, operation::DeleteSet, operation::FlushSet,
                 operation::AddCounter, operation::DeleteObject, operation::AddFlowtable, operation::DeleteDevices,
                 operation::DeleteFlowtable, operation::AddChain, operation::DeleteChain, operation::FlushChain, operation::AddRule,
                 operation::AddElements, operation::DeleteElements, operation::PinElements>;

struct Plan {
  std::string table;
  std::vector<Operation> operations{};
  /// A set of pins is created by this plan, hence empty: who remembers pins makes them again.
  bool pins_lost = false;

  [[nodiscard]] bool empty() const { return operations.empty(); }
};

/// As nft would be told: "add element inet schultor group_stamp { 0x00000001 : 0x00010002 }".
std::string to_string(const Operation& operation, std::string_view table);
/// One operation a line.
std::string to_string(const Plan& plan);

}  // namespace schultor::netfilter::planner
