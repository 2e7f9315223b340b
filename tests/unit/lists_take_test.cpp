// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/take.hpp"

#include "daemon/lists/list_set.hpp"
#include "daemon/lists/unpack.hpp"
#include "tests/catch.hpp"

#include <optional>
#include <string_view>

using namespace schultor;
using namespace schultor::lists;

namespace {

Verdict verdict(std::uint64_t entries, std::uint64_t junk, std::optional<std::uint64_t> in_use = std::nullopt,
                bool forced = false) {
  const auto judged = judge({entries, 0, junk}, in_use, forced);
  CHECK(judged.reason.empty() == (judged.verdict == Verdict::take));
  return judged.verdict;
}

base::Result<std::string> unpacked(std::string_view text, std::size_t most = 1000) {
  return unpack(std::as_bytes(std::span(text.data(), text.size())), most);
}

}  // namespace

TEST_CASE("a list is taken where its lines can be read") {
  CHECK(verdict(1, 0) == Verdict::take);
  CHECK(verdict(0, 0) == Verdict::refuse);
  CHECK(verdict(0, 10) == Verdict::refuse);
  CHECK(verdict(90, 10) == Verdict::take);
  CHECK(verdict(90, 11) == Verdict::refuse);
}

TEST_CASE("a list that lost half of what is in use is held back, unless it is asked for") {
  CHECK(verdict(51, 0, 100) == Verdict::take);
  CHECK(verdict(50, 0, 100) == Verdict::hold);
  CHECK(verdict(50, 0, 100, true) == Verdict::take);
  CHECK(verdict(50, 0, 0) == Verdict::take);
  CHECK(verdict(500, 0, 100) == Verdict::take);
  // Nobody can ask for what is no list.
  CHECK(verdict(0, 0, 100, true) == Verdict::refuse);
  CHECK(judge({12, 0, 0}, 4'600'000, false).reason == "it shrank from 4600000 entries to 12");
}

TEST_CASE("a list with more networks than can go into force is not taken, and nothing is lost by it") {
  CHECK(judge({most_networks_of_a_rule + 10, most_networks_of_a_rule, 0}, std::nullopt, false).verdict == Verdict::take);
  CHECK(judge({most_networks_of_a_rule + 10, most_networks_of_a_rule + 1, 0}, std::nullopt, true).reason ==
        "there are 65537 addresses in it, expected at most 65536");
}

TEST_CASE("entries and junk are counted as each format has them") {
  const auto counted = count("a.example\n# comment\nb.example\nno name at all!\n192.0.2.7\n", Format::domains);
  CHECK(counted.entries == 3);
  CHECK(counted.networks == 1);
  CHECK(counted.junk == 1);
  // What a table cannot hold is no junk.
  CHECK(count("||a.example^\n##.banner\n@@||b.example^\n", Format::adblock).junk == 0);
}

TEST_CASE("plain text is its own archive") {
  CHECK(unpacked("a.example\n").value() == "a.example\n");
  CHECK(unpacked("").value().empty());
  CHECK(unpacked(std::string(1000, 'a')).value().size() == 1000);
  CHECK(unpacked(std::string(1001, 'a')).error().what() == "it is larger than 1000 octets when unpacked");
  CHECK_FALSE(unpacked(std::string("\x1f\x8b\x08\0\0\0\0\0\0\3 and then rubbish", 28)));
}
