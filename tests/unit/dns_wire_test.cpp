// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/wire.hpp"
#include "tests/catch.hpp"

#include <string>

using namespace schultor::dns;

namespace {

Name read_name(const Bytes& packet, std::size_t from, bool& ok) {
  WireReader in(packet);
  in.skip(from);
  auto name = in.name();
  ok = in.ok();
  return name;
}

std::string text_at(const Bytes& packet, std::size_t from) {
  bool ok = false;
  const auto name = read_name(packet, from, ok);
  return ok ? name.lower_text() + "." : "malformed";
}

}  // namespace

TEST_CASE("a reader that ran out stays empty and says so once") {
  const Bytes packet{0x12, 0x34, 0x56};
  WireReader in(packet);
  CHECK(in.u16() == 0x1234);
  CHECK(in.u16() == 0);
  CHECK(in.u8() == 0);
  CHECK(in.bytes(1).empty());
  CHECK_FALSE(in.ok());
  CHECK(in.left() == 0);
}

TEST_CASE("compressed names are read") {
  // RFC 1035, section 4.1.4: F.ISI.ARPA, FOO.F.ISI.ARPA, ARPA and the root.
  const Bytes packet{1, 'F', 3, 'I', 'S', 'I', 4, 'A', 'R', 'P', 'A', 0, 3, 'F', 'O', 'O', 0xc0, 0x00, 0xc0, 0x06, 0};
  CHECK(text_at(packet, 0) == "f.isi.arpa.");
  CHECK(text_at(packet, 12) == "foo.f.isi.arpa.");
  CHECK(text_at(packet, 18) == "arpa.");
  CHECK(text_at(packet, 20) == ".");
  WireReader in(packet);
  in.skip(12);
  in.name();
  CHECK(in.position() == 18);
}

TEST_CASE("a compression pointer that does not lead backwards is malformed") {
  CHECK(text_at({0xc0, 0x00}, 0) == "malformed");                                 // itself
  CHECK(text_at({0xc0, 0x02, 1, 'a', 0}, 0) == "malformed");                      // forwards
  CHECK(text_at({1, 'a', 0xc0, 0x00}, 0) == "malformed");                         // its own beginning
  CHECK(text_at({1, 'a', 0xc0, 0x04, 0xc0, 0x00}, 4) == "malformed");             // two that lead to one another
  CHECK(text_at({1, 'a', 0xc0, 0x05, 0, 1, 'b', 0xc0, 0x00}, 5) == "malformed");  // back, then forwards
  CHECK(text_at({0xff, 0xff}, 0) == "malformed");                                 // beyond the packet
  CHECK(text_at({0xc0}, 0) == "malformed");                                       // cut
}

TEST_CASE("a chain of pointers is followed only so far") {
  // The root, then pointers, each to the one before.
  Bytes packet{0};
  for (unsigned i = 0; i < 300; ++i) {
    const std::size_t target = i == 0 ? 0 : packet.size() - 2;
    packet.push_back(static_cast<std::uint8_t>(0xc0U | target >> 8U));
    packet.push_back(static_cast<std::uint8_t>(target & 0xffU));
  }
  CHECK(text_at(packet, 1 + 2 * 100) == ".");
  CHECK(text_at(packet, 1 + 2 * 299) == "malformed");
}

TEST_CASE("labels and names of any wrong length are malformed") {
  CHECK(text_at({}, 0) == "malformed");
  CHECK(text_at({3, 'a', 'b'}, 0) == "malformed");
  CHECK(text_at({3, 'a', 'b', 'c'}, 0) == "malformed");  // no root
  CHECK(text_at({0x40, 'a', 0}, 0) == "malformed");      // a label type that is not in use
  Bytes longest;
  for (int i = 0; i < 127; ++i) longest.insert(longest.end(), {1, 'a'});
  longest.push_back(0);
  REQUIRE(longest.size() == 255);
  CHECK(text_at(longest, 0) != "malformed");
  longest.insert(longest.begin(), {1, 'a'});
  CHECK(text_at(longest, 0) == "malformed");
}

TEST_CASE("a name stays within its part of the packet until it points") {
  const Bytes packet{1, 'a', 0, 1, 'b', 1, 'c', 0};
  WireReader in(packet);
  in.skip(3);
  auto part = in.part(2);
  part.name();
  CHECK_FALSE(part.ok());
  CHECK(in.ok());
  CHECK(in.position() == 5);
  CHECK_FALSE([&] {
    auto beyond = in.part(4);
    return beyond.ok() || in.ok();
  }());
}

TEST_CASE("different names never read alike") {
  CHECK(Name::from_wire(std::string("\6lernen\4test\0", 13)).lower_text() == "lernen.test");
  CHECK(Name::from_wire(std::string("\6LerNen\4TEST\0", 13)).lower_text() == "lernen.test");
  CHECK(Name::from_wire(std::string("\13lernen.test\0", 13)).lower_text() == "lernen\\046test");
  CHECK(Name::from_wire(std::string("\4\\046\0", 6)).lower_text() == "\\092046");
  CHECK(Name::from_wire(std::string("\2a\0\0", 4)).lower_text() == "a\\000");
  CHECK(Name().lower_text().empty());
}

TEST_CASE("names compare without their case, but keep it") {
  const auto lower = name_from_text("lernen.test");
  const auto mixed = name_from_text("LeRnEn.TeSt.");
  REQUIRE((lower && mixed));
  CHECK(lower->same_as(*mixed));
  CHECK_FALSE(*lower == *mixed);
  CHECK_FALSE(lower->same_as(*name_from_text("lernen.tes")));
  CHECK_FALSE(name_from_text("a..b"));
  CHECK_FALSE(name_from_text("a.."));
  CHECK_FALSE(name_from_text(std::string(64, 'a')));
}

TEST_CASE("a writer points at names that it wrote, and stops at its limit") {
  WireWriter out(64);
  out.u32(0);
  out.name(*name_from_text("Lernen.test"));
  const auto first = out.size();
  out.name(*name_from_text("lernen.test"));
  CHECK(out.size() == first + 2);
  out.name(Name());
  CHECK(out.size() == first + 3);
  out.bytes(Bytes(61 - first));
  CHECK(out.ok());
  out.u8(0);
  CHECK_FALSE(out.ok());
  out.rewind(4);
  CHECK(out.ok());
  out.name(*name_from_text("lernen.test"));
  const auto packet = out.take();
  CHECK(packet.size() == first);
  CHECK(text_at(packet, 4) == "lernen.test.");
}
