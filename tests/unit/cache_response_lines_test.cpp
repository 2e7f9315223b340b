// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/outside.hpp"
#include "daemon/cache/response_lines.hpp"

#include "tests/catch.hpp"

using namespace schultor::cache;
namespace base = schultor::base;

namespace {

ResponseLines read(std::initializer_list<std::string_view> lines) {
  ResponseLines all;
  for (const auto line : lines) REQUIRE(all.add(std::string(line) + "\r\n"));
  return all;
}

bool outside(std::string_view address, std::initializer_list<std::string_view> inside = {}) {
  std::vector<base::Prefix> networks;
  for (const auto text : inside) networks.push_back(base::parse_prefix(text).value());
  return is_outside(base::parse_address(address).value(), networks);
}

}  // namespace

SCENARIO("the header section of the final response is what counts") {
  const auto lines = read({"HTTP/1.1 100 Continue", "Set-Cookie: a=b", "", "HTTP/1.1 103 Early Hints", "Link: x", "",
                           "HTTP/1.1 200 OK", "ETag: \"a\"", "Content-Length: 4", "", "X-Trailer: late"});
  CHECK(lines.complete());
  CHECK(lines.status() == 200);
  CHECK(lines.well_formed());
  CHECK(lines.length() == 4);
  CHECK(lines.delimited());
  CHECK(lines.fields().all() == std::vector<HeaderField>{{"ETag", "\"a\""}, {"Content-Length", "4"}});
  CHECK_FALSE(read({"HTTP/1.1 100 Continue", ""}).complete());
  CHECK_FALSE(read({"HTTP/1.1 200 OK", "A: b"}).complete());
}

SCENARIO("whether a body that is cut short would show") {
  CHECK(read({"HTTP/2 200", ""}).delimited());
  CHECK(read({"HTTP/1.1 200 OK", "Transfer-Encoding: gzip", "Transfer-Encoding: Chunked", ""}).delimited());
  CHECK(read({"HTTP/1.0 200 OK", "Content-Length: 0", ""}).delimited());
  CHECK(read({"HTTP/1.1 200 OK", "Content-Length: 3, 3", ""}).length() == 3);
  CHECK_FALSE(read({"HTTP/1.1 200 OK", ""}).delimited());
  CHECK_FALSE(read({"HTTP/1.0 200 OK", "Transfer-Encoding: chunked", ""}).delimited());
  CHECK_FALSE(read({"HTTP/1.1 200 OK", "Transfer-Encoding: chunked, gzip", ""}).delimited());
  for (const auto* line : {"Content-Length: 3, 4", "Content-Length: -3", "Content-Length: 3x", "Content-Length: 0x3",
                           "Content-Length: 99999999999999999999"}) {
    CHECK_FALSE(read({"HTTP/1.1 200 OK", line, ""}).delimited());
    CHECK_FALSE(read({"HTTP/1.1 200 OK", line, ""}).length());
  }
  CHECK_FALSE(read({"HTTP/1.1 200 OK", "Content-Length: 4", "Transfer-Encoding: chunked", ""}).length());
}

SCENARIO("header sections are bounded, and nonsense is none") {
  for (const auto* line : {"nonsense", "HTTP/1.1", "HTTP/1.1 2x0 OK", "HTTP/1.1 20", "HTTP/9 200 OK", "HTTP/1.1 099 X", ""}) {
    ResponseLines lines;
    CHECK_FALSE(lines.add(std::string(line) + "\r\n"));
  }
  CHECK_FALSE(read({"HTTP/1.1 200 OK", "Cache-Control : no-store", ""}).well_formed());
  CHECK_FALSE(read({"HTTP/1.1 200 OK", " folded", ""}).well_formed());

  ResponseLines fields;
  REQUIRE(fields.add("HTTP/1.1 200 OK\r\n"));
  std::size_t count = 0;
  while (fields.add("A: b\r\n")) ++count;
  CHECK(count == HeaderFields::most_fields);

  ResponseLines interim;
  std::size_t octets = 0;
  constexpr std::string_view line = "HTTP/1.1 103 Early Hints\r\n";
  while (interim.add(line) && interim.add("\r\n")) octets += line.size() + 2;
  CHECK(octets <= ResponseLines::most_octets);

  auto trailers = read({"HTTP/1.1 200 OK", ""});
  while (trailers.add("A: b\r\n")) octets += 6;
  CHECK(octets <= 2 * ResponseLines::most_octets);
}

SCENARIO("origins are looked for outside alone") {
  for (const auto* address : {"198.51.100.40", "2001:db8:51::40", "::ffff:198.51.100.40", "1.1.1.1"}) CHECK(outside(address));
  for (const auto* address : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.0.1", "169.254.1.1", "224.0.0.1", "240.0.0.1",
                              "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "fe80::1", "febf::1", "ff02::1"}) {
    INFO(address);
    CHECK_FALSE(outside(address));
  }
  CHECK_FALSE(outside("10.1.2.3", {"192.168.0.0/16", "10.0.0.0/8"}));
  CHECK_FALSE(outside("::ffff:10.1.2.3", {"10.0.0.0/8"}));
  CHECK_FALSE(outside("fd00::1", {"fc00::/7"}));
  CHECK(outside("11.1.2.3", {"10.0.0.0/8"}));
}
