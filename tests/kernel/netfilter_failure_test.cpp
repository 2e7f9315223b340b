// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/switch.hpp"
#include "tests/kernel/netfilter_helpers.hpp"

#include <sys/wait.h>

#include <linux/capability.h>
#include <sys/syscall.h>

using namespace schultor;
using namespace schultor::netfilter;
using namespace schultor::netfilter::planner;
using namespace schultor::test;
using Catch::Matchers::Contains;

namespace {

const bool isolated = (enter_network_namespace(), true);

model::Element entry(std::uint32_t key, std::uint32_t value) { return {{model::Mark{key}}, {}, model::Mark{value}}; }
model::Element verdict(std::uint32_t key, std::string chain) {
  return {{model::Mark{key}}, {}, model::Verdict{model::Verdict::Code::go_to, std::move(chain)}};
}

/// Commits what must fail between two operations that could stand, and gives the error.
std::string failure(Operation failing) {
  auto connection = kernel_with(school());
  const auto before = listed_json();
  const Plan plan{std::string(table_name),
                  {operation::AddElements{declaration::fresh(), {{{model::Mark{0x990001}}}}}, std::move(failing),
                   operation::AddElements{declaration::group_view(), {entry(99, 1)}}}};
  const auto committed = connection.commit(plan);
  REQUIRE_FALSE(committed);
  // The kernel is as it was, and the connection is good for the next transaction.
  CHECK(listed_json() == before);
  CHECK(to_string(reconciled(connection, school())) == "");
  const Plan next{std::string(table_name), {operation::AddElements{declaration::fresh(), {{{model::Mark{0x990001}}}}}}};
  CHECK(connection.commit(next));
  return committed.error().what();
}

}  // namespace

TEST_CASE("an element for a set that is missing is reported with the set and the element") {
  const auto error = failure(operation::PinElements{declaration::pins("no-such", base::Family::ipv4),
                                                    {{{address("192.0.2.1")}, {}, {}, std::chrono::seconds(60)}}});
  CHECK_THAT(error, Contains("element inet schultor allow_no_such4 { 192.0.2.1 timeout 60s }"));
  CHECK_THAT(error, Contains("No such file or directory"));
  CHECK_THAT(error, Contains("read and reconcile"));
}

TEST_CASE("of many elements the one that leads to a missing chain is named") {
  const auto error = failure(operation::AddElements{
      declaration::group_policy(), {verdict(20, "refuse"), verdict(21, "refuse"), verdict(22, "nowhere"), verdict(23, "refuse")}});
  CHECK_THAT(error, Contains("add element inet schultor group_policy { 0x00000016 : goto nowhere }"));
  CHECK_THAT(error, Contains("No such file or directory"));
}

TEST_CASE("of many elements the one that is not there to be deleted is named") {
  const auto error =
      failure(operation::DeleteElements{declaration::group_stamp(), {entry(1, 0), entry(2, 0), entry(55, 0), entry(3, 0)}});
  CHECK_THAT(error, Contains("delete element inet schultor group_stamp { 0x00000037 : 0x00000000 }"));
}

TEST_CASE("an element that is there with other data is named") {
  const auto error = failure(operation::AddElements{declaration::group_view(), {entry(40, 1), entry(1, 77), entry(41, 1)}});
  CHECK_THAT(error, Contains("add element inet schultor group_view { 0x00000001 : 0x0000004d }"));
  CHECK_THAT(error, Contains("File exists"));
}

TEST_CASE("a range that overlaps another is named") {
  model::SetDeclaration never{"never4", {model::Type::ipv4_addr}};
  never.interval = true;
  const auto error = failure(operation::AddElements{never, {{{address("10.9.0.0")}, {address("10.9.255.255")}}}});
  CHECK_THAT(error, Contains("10.9.0.0/16"));
}

TEST_CASE("a set, a chain and a rule that cannot be are reported by name") {
  CHECK_THAT(failure(operation::DeleteChain{"refuse"}), Contains("delete chain inet schultor refuse: Device or resource busy"));
  CHECK_THAT(failure(operation::DeleteSet{"no_such"}), Contains("delete set inet schultor no_such: No such file or directory"));
  CHECK_THAT(failure(operation::FlushChain{"no_such"}), Contains("flush chain inet schultor no_such: No such file or directory"));
  const model::Rule loop{model::Verdict{model::Verdict::Code::jump, "through_gateway"}};
  CHECK_THAT(failure(operation::AddRule{"refuse", loop}), Contains("through_gateway"));
  const model::Rule unknown{model::Count{"no_such"}};
  CHECK_THAT(failure(operation::AddRule{"refuse", unknown}), Contains("counter name \"no_such\""));
}

TEST_CASE("an element that does not fit its set is refused before the kernel is asked") {
  CHECK_THAT(failure(operation::AddElements{declaration::fresh(), {{{address("192.0.2.1")}}}}), Contains("192.0.2.1"));
  model::SetDeclaration lan{"lan", {model::Type::ifname}};
  CHECK_THAT(failure(operation::AddElements{lan, {{{model::InterfaceName{"a-name-far-too-long"}}}}}),
             Contains("a-name-far-too-long"));
}

TEST_CASE("without the right to administer the network the error says which right is missing") {
  // Rights are given up for good, hence in a child.
  const pid_t child = fork();
  if (child == 0) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2]{};
    if (syscall(SYS_capset, &header, none) != 0) _exit(2);
    auto connection = kernel::Connection::open();
    if (!connection) _exit(3);
    const auto committed = connection->commit(Plan{"schultor", {operation::AddTable{}}});
    if (committed) _exit(4);
    _exit(committed.error().what().find("CAP_NET_ADMIN") == std::string::npos ? 5 : 0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("with the right to administer the network and nothing else a ruleset can be written and read") {
  enter_network_namespace();
  const pid_t child = fork();
  if (child == 0) {
    if (setresuid(65534, 65534, 0) != 0) _exit(2);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct only[2]{};
    only[0].effective = only[0].permitted = 1U << CAP_NET_ADMIN;
    if (setresuid(65534, 0, 65534) != 0 || syscall(SYS_capset, &header, only) != 0) _exit(2);
    auto connection = kernel::Connection::open();
    if (!connection) _exit(3);
    const auto wanted = build(large_school(30, 10'000));
    if (!connection->commit(reconcile(wanted, connection->read(table_name).value()))) _exit(4);
    _exit(reconcile(wanted, connection->read(table_name).value()).empty() ? 0 : 5);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
