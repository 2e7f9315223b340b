// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/model/program.hpp"
#include "netfilter/model/ruleset.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace schultor::netfilter::model {

struct FoundSet {
  SetDeclaration declaration;
  bool foreign = false;  ///< of types or flags that this library never declares: only the name can be trusted
  std::vector<Element> elements{};
};

struct FoundChain {
  std::string name;
  std::optional<Hook> hook{};
  bool foreign = false;  ///< of a hook or type that this library never declares
  std::vector<Program> rules{};
};

struct FoundObject {
  std::string name;
  std::uint32_t type = 0;  ///< NFT_OBJECT_…; counters are 1
};

struct FoundFlowtable {
  Flowtable flowtable;
  bool foreign = false;  ///< with flags, a hook or devices that this library never asks for
};

/// What the kernel holds of our table.
struct Found {
  bool exists = false;
  std::uint32_t flags = 0;  ///< NFT_TABLE_F_…: a dormant table enforces nothing
  std::vector<FoundSet> sets{};
  std::vector<FoundObject> objects{};
  std::vector<FoundFlowtable> flowtables{};
  std::vector<FoundChain> chains{};
};

}  // namespace schultor::netfilter::model
