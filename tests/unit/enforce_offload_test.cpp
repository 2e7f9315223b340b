// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/offload.hpp"
#include "tests/catch.hpp"

namespace {

using namespace schultor;
using namespace schultor::enforce;
using Names = std::vector<std::string>;

// Names that no machine gives to an interface of its own; each has a loopback.
const std::string there = "lo", gone = "schultor-gone0", gone_as_well = "schultor-gone1";

policy::Network network(const std::string& wan, bool offload = true) {
  policy::Network network;
  network.wan_interface = wan;
  network.offload = offload;
  return network;
}

}  // namespace

SCENARIO("connections are offloaded by the interfaces that are there, or the reason why not is told") {
  const auto some = offload_now(network(there), {gone}, "");
  CHECK(some.interfaces == Names{there});
  CHECK(some.text == "cloud connections");
  const auto none = offload_now(network(gone), {gone_as_well}, "");
  CHECK(none.interfaces.empty());
  CHECK(none.text == "no: none of the interfaces is there");
  const auto unable = offload_now(network(there), {there}, "the kernel has no flowtables");
  CHECK(unable.interfaces.empty());
  CHECK(unable.text == "no: the kernel has no flowtables");
  const auto off = offload_now(network(there, false), {there}, "the kernel has no flowtables");
  CHECK(off.interfaces.empty());
  CHECK(off.text == "switched off");
}

SCENARIO("a device that went with its interface is missed by nobody, one that somebody took away is") {
  const netfilter::model::Flowtable wanted{"cloud_flows", 0, {there, gone, gone_as_well}};
  netfilter::model::Ruleset ruleset{"schultor"};
  ruleset.flowtables = {wanted};
  netfilter::model::Found found{true};
  // As newer kernels do, it keeps the name of one.
  found.flowtables = {{{"cloud_flows", 0, {gone_as_well}}}};
  leave_out_gone_devices(ruleset, found);
  CHECK(ruleset.flowtables == std::vector{netfilter::model::Flowtable{"cloud_flows", 0, {there, gone_as_well}}});
}
