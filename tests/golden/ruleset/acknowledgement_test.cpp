// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/catch.hpp"

#include "netfilter/kernel/acknowledgement.hpp"
#include "netfilter/planner/build.hpp"
#include "netfilter/planner/switch.hpp"

#include <libmnl/libmnl.h>

#include <array>
#include <cerrno>
#include <cstring>

using namespace schultor;
using namespace schultor::netfilter;
using namespace schultor::netfilter::kernel;
using Catch::Matchers::Contains;

namespace {

constexpr std::uint32_t first_sequence = 0xfffffffe;  // numbers wrap

/// The kernel's answer to the message of that position: 1 is the first after the beginning of the batch.
std::vector<std::uint8_t> answer(std::uint32_t position, int error, const char* words = nullptr,
                                 std::optional<std::uint32_t> offset = {}) {
  std::array<char, 512> buffer{};
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = NLMSG_ERROR;
  message->nlmsg_flags = NLM_F_CAPPED;
  auto* body = static_cast<nlmsgerr*>(mnl_nlmsg_put_extra_header(message, sizeof(nlmsgerr)));
  body->error = error;
  body->msg.nlmsg_seq = first_sequence + position;
  body->msg.nlmsg_len = 4000;
  if (words) mnl_attr_put_strz(message, NLMSGERR_ATTR_MSG, words);
  if (offset) mnl_attr_put_u32(message, NLMSGERR_ATTR_OFFS, *offset);
  if (words || offset) message->nlmsg_flags |= NLM_F_ACK_TLVS;
  return {buffer.data(), buffer.data() + message->nlmsg_len};
}

/// A switch of two groups: ten messages of two elements each.
struct Transaction {
  planner::Plan plan = planner::switch_groups(
      {{planner::Group{1, "school", 1, 1}, {1, "leisure", 2, 2}}, {planner::Group{2, "school", 1, 1}, {2, "leisure", 2, 2}}});
  Batch batch = Batch::encode(plan, RefreshMode::replace, first_sequence).value();
  Ledger ledger{plan, batch};

  void feed(const std::vector<std::uint8_t>& datagram) {
    const auto acknowledgements = read_acknowledgements(datagram);
    REQUIRE(acknowledgements);
    for (const auto& acknowledgement : *acknowledgements) ledger.note(acknowledgement);
  }
  void feed_success(std::uint32_t but) {
    for (std::uint32_t position = 1; position <= 10; ++position)
      if (position != but) feed(answer(position, 0));
  }
};

}  // namespace

TEST_CASE("a transaction has succeeded when every message is acknowledged, and not before") {
  Transaction transaction;
  transaction.feed_success(4);
  CHECK_FALSE(transaction.ledger.is_complete());
  REQUIRE_FALSE(transaction.ledger.outcome());
  CHECK_THAT(transaction.ledger.outcome().error().what(), Contains("1 of 10 messages were not acknowledged"));
  // The same answer again, and one to another request, stand for nothing.
  transaction.feed(answer(3, 0));
  transaction.feed(answer(5000, 0));
  CHECK_FALSE(transaction.ledger.is_complete());
  transaction.feed(answer(4, 0));
  CHECK(transaction.ledger.is_complete());
  CHECK(transaction.ledger.outcome());
}

TEST_CASE("the kernel's errors are negative, and each is reported with its element") {
  const auto [error, words] = GENERATE(table<int, std::string>(
      {{-ENOENT, "No such file or directory"}, {-EEXIST, "File exists"}, {-EPERM, "CAP_NET_ADMIN"}, {-ENOMEM, "out of memory"}}));
  Transaction transaction;
  const auto second = transaction.batch.notes()[1].offsets[1];
  transaction.feed_success(2);
  transaction.feed(answer(2, error, "words of the kernel", second));
  CHECK(transaction.ledger.is_complete());
  const auto outcome = transaction.ledger.outcome();
  REQUIRE_FALSE(outcome);
  CHECK_THAT(outcome.error().what(), Contains("delete element inet schultor group_stamp { 0x00000002 : 0x00020001 }"));
  CHECK_THAT(outcome.error().what(), Contains(words));
  CHECK_THAT(outcome.error().what(), Contains("words of the kernel"));
}

TEST_CASE("without a place in the message the first element is named, and how many there are") {
  Transaction transaction;
  transaction.feed_success(2);
  transaction.feed(answer(2, -ENOENT));
  CHECK_THAT(transaction.ledger.outcome().error().what(), Contains("{ 0x00000001 : 0x00010001 } and 1 more"));
}

TEST_CASE("the first failure in the plan is reported, whatever order the answers come in") {
  Transaction transaction;
  transaction.feed(answer(7, -EEXIST));
  transaction.feed(answer(3, -ENOENT));
  CHECK_THAT(transaction.ledger.outcome().error().what(), Contains("delete element inet schultor group_view"));
  CHECK_THAT(transaction.ledger.outcome().error().what(), Contains("1 more failed with it"));
}

TEST_CASE("lost answers ask for a resync") {
  Transaction transaction;
  transaction.feed(answer(0, -ENOBUFS));
  CHECK(transaction.ledger.is_complete());
  const auto outcome = transaction.ledger.outcome();
  REQUIRE_FALSE(outcome);
  CHECK_THAT(outcome.error().what(), Contains("resync"));
}

TEST_CASE("a refusal of the whole transaction is no success, even if all its messages were acknowledged") {
  Transaction transaction;
  transaction.feed_success(0);
  transaction.feed(answer(0, -EOPNOTSUPP));
  REQUIRE_FALSE(transaction.ledger.outcome());
  CHECK_THAT(transaction.ledger.outcome().error().what(), Contains("the transaction of 10 operations"));
}

TEST_CASE("answers that are cut off or malformed are an error, never a success, and never read beyond their end") {
  const auto whole = answer(1, -ENOENT, "words", 40);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const std::vector<std::uint8_t> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(read_acknowledgements(part));
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const std::uint8_t octet : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{0x7f}, std::uint8_t{0xff}}) {
      auto broken = whole;
      broken[at] = octet;
      const auto acknowledgements = read_acknowledgements(broken);
      if (acknowledgements) CHECK(acknowledgements->size() <= 1);
    }
  }
}
