// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/load.hpp"
#include "tests/catch.hpp"

#include <fmt/format.h>

using namespace schultor::config;

namespace {

using Lines = std::vector<std::string>;

Loaded loaded(const std::string& city, const std::string& school = {}) {
  Files files;
  files.city = city;
  files.school = school;
  Need need;
  need.city = need.school = true;
  return parse(files, need);
}

Lines faults(const std::string& city, const std::string& school = {}) {
  Lines lines;
  for (const auto& diagnostic : loaded(city, school).diagnostics) lines.push_back(to_string(diagnostic));
  return lines;
}

std::string list(const std::string& name, const std::string& url = "https://lists.example/a.tar.gz") {
  return "[[list]]\nname = \"" + name + "\"\nurl = \"" + url + "\"\n";
}

/// What is said of one address.
std::string fault_of(const std::string& url) {
  const auto lines = faults(list("ads", url));
  return lines.empty() ? "" : lines.front();
}

}  // namespace

TEST_CASE("lists to download are read from both files, each value with its place") {
  const auto read = loaded(list("adult") + list("ads") + "format = \"adblock\"\n", list("games"));
  REQUIRE(read.config);
  REQUIRE(read.config->city.lists.size() == 2);
  const auto& ads = read.config->city.lists[1];
  CHECK(ads.name.value == "ads");
  CHECK(ads.name.source == Source{"city.toml", 5, 8});
  CHECK(ads.url.source == Source{"city.toml", 6, 7});
  CHECK(ads.format->value == "adblock");
  CHECK_FALSE(read.config->school.lists.at(0).format);
}

TEST_CASE("a list is downloaded over https alone, and what is wrong with its address is said") {
  CHECK(fault_of("http://lists.example/a") ==
        "city.toml:3:7: error: list “ads”: url “http://lists.example/a” is not encrypted, so that anyone on the way may change "
        "the list: expected https://…");
  CHECK(fault_of("https://lists.example:8443/a?b=c").empty());
  CHECK(fault_of("https://[2001:db8::1]:8443/a").empty());
  for (const auto* url :
       {"", "ftp://lists.example/a", "lists.example/a", "https://", "https:///a", "https://a b.example/", "https://häuser.example/",
        "https://me:secret@lists.example/a", "https://lists.example/a#b", "https://a.example/\\u0007"})
    CHECK_FALSE(fault_of(url).empty());
  CHECK_FALSE(fault_of("https://lists.example/" + std::string(2048, 'a')).empty());
  CHECK_FALSE(fault_of("https://" + std::string(254, 'a') + "/").empty());
}

TEST_CASE("names, formats and keys that are not known are errors with the nearest one") {
  CHECK(faults(list("Ads!")) ==
        Lines{"city.toml:2:8: error: [[list]]: “Ads!” is no name for a list: expected at most 32 of a-z, 0-9, - and _"});
  CHECK(faults(list("ads") + "format = \"adblok\"\n") ==
        Lines{"city.toml:4:10: error: list “ads”: format “adblok” is not known; did you mean “adblock”?"});
  CHECK(faults(list("ads") + "formt = \"adblock\"\n") ==
        Lines{"city.toml:4:1: error: list “ads”: formt is no key that is known here; did you mean “format”?"});
  CHECK(faults("", "[[list]]\n") ==
        Lines{"school.toml:1:1: error: [[list]]: name is missing, expected the category that the list is, such as \"adult\"",
              "school.toml:1:1: error: [[list]]: url is missing, expected where it is downloaded from, such as "
              "\"https://lists.example/adult.tar.gz\""});
}

TEST_CASE("a school's list does not take the name of a city's") {
  CHECK(faults(list("adult"), list("adult", "https://other.example/a")) ==
        Lines{"school.toml:2:8: error: list “adult” is the city's (city.toml:2), which alone may say where it comes from: choose "
              "another name"});
  CHECK(faults(list("adult") + list("adult")) == Lines{"city.toml:5:8: error: list “adult” exists already, first at city.toml:2"});
}

TEST_CASE("there are at most 64 lists, those of city and school together") {
  std::string city;
  for (int i = 0; i < 60; ++i) city += list("c" + std::to_string(i));
  std::string school;
  for (int i = 0; i < 4; ++i) school += list("s" + std::to_string(i));
  CHECK(faults(city, school).empty());
  CHECK(faults(city, school + list("s4")) ==
        Lines{"school.toml:14:8: error: more than 64 lists, those of city and school together"});
}

TEST_CASE("a port is one that there is") {
  for (const auto* port : {"0", "65536", "99999", "", "80a", "-1", "4294967377"})
    CHECK(fault_of(fmt::format("https://lists.example:{}/a", port)).ends_with("names no port from 1 to 65535 behind its host"));
  for (const auto* host : {"lists.example:1", "lists.example:65535", "[2001:db8::7]:8443", "[2001:db8::7]"})
    CHECK(fault_of(fmt::format("https://{}/a", host)).empty());
}

TEST_CASE("the host of an address") {
  CHECK(host_of_url("https://lists.example:8443/a") == "lists.example");
  CHECK(host_of_url("https://[::1]:8443/a") == "[::1]");
  CHECK(host_of_url("https://lists.example?x") == "lists.example");
  CHECK(host_of_url("http://lists.example/").empty());
}
