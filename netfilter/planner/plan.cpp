// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/plan.hpp"

#include "daemon/base/text.hpp"

#include <fmt/format.h>

namespace schultor::netfilter::planner {
namespace {

using namespace operation;

std::string elements_text(const std::vector<model::Element>& elements) {
  std::string text;
  for (const auto& element : elements) text += (text.empty() ? "" : ", ") + model::to_string(element);
  return text;
}

std::string with_devices(const model::Flowtable& flowtable) {
  return fmt::format("{} {{ devices = {{ {} }} }}", flowtable.name, fmt::join(flowtable.devices, ", "));
}

struct OperationText {
  std::string_view table;

  std::string named(std::string_view verb, std::string_view name) const {
    return fmt::format("{} inet {} {}", verb, table, base::printable(name));
  }
  std::string of_elements(std::string_view verb, const model::SetDeclaration& set,
                          const std::vector<model::Element>& elements) const {
    return fmt::format("{} element inet {} {} {{ {} }}", verb, table, set.name, elements_text(elements));
  }

  std::string operator()(const AddTable& add) const {
    return fmt::format("add table inet {}{}", table, add.owned ? " { flags owner }" : "");
  }
  std::string operator()(const DeleteTable&) const { return fmt::format("delete table inet {}", table); }
  std::string operator()(const AddSet& add) const {
    return named(add.set.maps == model::Maps::nothing ? "add set" : "add map", add.set.name);
  }
  std::string operator()(const DeleteSet& remove) const { return named("delete set", remove.set); }
  std::string operator()(const FlushSet& flush) const { return named("flush set", flush.set); }
  std::string operator()(const AddCounter& add) const { return named("add counter", add.counter); }
  std::string operator()(const DeleteObject& remove) const {
    return named("delete object", fmt::format("{} of type {}", remove.object, remove.type));
  }
  std::string operator()(const AddFlowtable& add) const { return named("add flowtable", with_devices(add.flowtable)); }
  std::string operator()(const DeleteDevices& remove) const { return named("delete flowtable", with_devices(remove.flowtable)); }
  std::string operator()(const DeleteFlowtable& remove) const { return named("delete flowtable", remove.flowtable); }
  std::string operator()(const AddChain& add) const { return named("add chain", add.chain); }
  std::string operator()(const DeleteChain& remove) const { return named("delete chain", remove.chain); }
  std::string operator()(const FlushChain& flush) const { return named("flush chain", flush.chain); }
  std::string operator()(const AddRule& add) const { return named("add rule", add.chain + " " + model::to_string(add.rule)); }
  std::string operator()(const AddElements& add) const { return of_elements("add", add.set, add.elements); }
  std::string operator()(const DeleteElements& remove) const { return of_elements("delete", remove.set, remove.elements); }
  std::string operator()(const PinElements& pin) const { return of_elements("pin", pin.set, pin.elements); }
};

}  // namespace

std::string to_string(const Operation& operation, std::string_view table) { return std::visit(OperationText{table}, operation); }

std::string to_string(const Plan& plan) {
  std::string text;
  for (const Operation& operation : plan.operations) text += to_string(operation, plan.table) + "\n";
  return text;
}

}  // namespace schultor::netfilter::planner
