// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/certificate_store.hpp"
#include "daemon/cache/certified_hosts.hpp"

#include "daemon/base/unique_fd.hpp"
#include "tests/catch.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

using namespace schultor::cache;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;
namespace fs = std::filesystem;

namespace {

const sys_seconds noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 27) + hours(12);
const std::vector<std::string> hosts{"a.test", "b.test"};
using Names = std::vector<std::string>;

Signer school(const Names& of = hosts, sys_seconds at = noon) {
  return make_school_authority(make_device_authority(Curve::p256, "City, devices", at).value(), "School", of, at).value();
}

class Folder {
public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "schultor-certificates-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }

  [[nodiscard]] std::string path(const std::string& name = "") const { return (path_ / name).string(); }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream file(path_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void put(const std::string& name, const std::string& text) const { std::ofstream(path_ / name) << text; }
  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> all;
    for (const auto& entry : fs::directory_iterator(path_)) all.insert(entry.path().filename().string());
    return all;
  }
  [[nodiscard]] Tended tend(const Wanted& wanted) const { return schultor::cache::tend(path_.string(), wanted).value(); }

private:
  fs::path path_;
};

}  // namespace

SCENARIO("who shows certificates knows which are good now, and when there are others") {
  const Folder folder;
  REQUIRE(folder.tend({hosts, school(), noon}).made == hosts);
  CertifiedHosts certified(folder.path());
  CHECK(certified.among({"b.test", "c.test", "a.test"}, noon) == hosts);
  const auto edition = certified.edition();
  CHECK(certified.among(hosts, noon + days(91)).empty());
  CHECK(certified.edition() == edition);
  fs::remove(folder.path("a.test.pem"));
  CHECK(certified.among(hosts, noon) == Names{"b.test"});
  CHECK(certified.edition() != edition);
}

SCENARIO("each listed host has a certificate that is good, and nobody else has one") {
  const Folder folder;
  const auto authority = school();
  auto done = folder.tend({hosts, authority, noon});
  CHECK(done.made == hosts);
  CHECK(done.without.empty());
  CHECK(folder.names() == std::set<std::string>{"a.test.pem", "b.test.pem"});
  for (const auto& host : hosts) CHECK(examine(folder.text(host + ".pem"), host, noon).fault == std::nullopt);
  struct stat status {};
  REQUIRE(stat(folder.path("a.test.pem").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0640);

  const auto before = folder.text("a.test.pem");
  CHECK(folder.tend({hosts, authority, noon}).made.empty());
  CHECK(folder.text("a.test.pem") == before);

  done = folder.tend({{"a.test"}, authority, noon});
  CHECK(done.removed == Names{"b.test"});
  CHECK(folder.names() == std::set<std::string>{"a.test.pem"});
  CHECK(folder.text("a.test.pem") == before);
}

SCENARIO("a certificate is renewed when a third of its life is left, and by another authority at once") {
  const Folder folder;
  const auto authority = school();
  static_cast<void>(folder.tend({hosts, authority, noon}));
  const auto third = noon + days(90) - seconds(days(90) + hours(1)) / 3;
  CHECK(folder.tend({hosts, authority, third}).made.empty());
  CHECK(folder.tend({hosts, authority, third + seconds(1)}).made == hosts);
  CHECK(folder.tend({hosts, authority, third + seconds(1)}).made.empty());
  CHECK(folder.tend({hosts, school(), third + seconds(1)}).made == hosts);
}

SCENARIO("where the authority ends, a certificate is not made anew day by day for nothing") {
  const Folder folder;
  const auto authority = school();
  const auto late = noon + days(330);
  CHECK(folder.tend({hosts, authority, late}).made == hosts);
  CHECK(folder.tend({hosts, authority, late + days(34)}).made.empty());
  const auto ended = folder.tend({hosts, authority, late + days(36)});
  CHECK(ended.made.empty());
  CHECK(ended.refused.size() == 2);
  CHECK(ended.without == hosts);
}

SCENARIO("a host that the authority may not speak for has none, and the others have theirs") {
  const Folder folder;
  const auto authority = school({"a.test"});
  const auto done = folder.tend({hosts, authority, noon});
  CHECK(done.made == Names{"a.test"});
  REQUIRE(done.refused.size() == 1);
  CHECK(done.refused[0].host == "b.test");
  CHECK(done.refused[0].why == "a certificate for it is beyond what its authority may speak for");
  CHECK(done.without == Names{"b.test"});
  // A good one of an authority that went before stays.
  static_cast<void>(folder.tend({hosts, school(), noon}));
  const auto before = folder.text("b.test.pem");
  const auto again = folder.tend({hosts, authority, noon});
  CHECK(again.refused.size() == 1);
  CHECK(again.without.empty());
  CHECK(folder.text("b.test.pem") == before);
}

SCENARIO("without an authority nothing is made, and what is good stays") {
  const Folder folder;
  CHECK(folder.tend({hosts, std::nullopt, noon}).without == hosts);
  CHECK(folder.names().empty());
  static_cast<void>(folder.tend({hosts, school(), noon}));
  const auto done = folder.tend({{"a.test"}, std::nullopt, noon + days(91)});
  CHECK(done.removed == Names{"b.test"});
  CHECK(done.without == Names{"a.test"});
  CHECK(folder.names() == std::set<std::string>{"a.test.pem"});
}

SCENARIO("whatever else lies there is replaced where it bears a host's name, and left alone where it does not") {
  const Folder folder;
  const auto authority = school();
  folder.put("a.test.pem", "half of a ke");
  folder.put(".a.test.pem.new", "cut short");
  folder.put(".gone.test.pem.new", "cut short");
  folder.put("README", "of somebody's");
  folder.put("Not A Host.pem", "of somebody's");
  fs::create_symlink("README", folder.path("b.test.pem"));
  const auto done = folder.tend({hosts, authority, noon});
  CHECK(done.made == hosts);
  CHECK(done.removed.empty());
  CHECK(folder.names() == std::set<std::string>{"a.test.pem", "b.test.pem", "README", "Not A Host.pem"});
  CHECK(folder.text("README") == "of somebody's");
  CHECK_FALSE(fs::is_symlink(folder.path("b.test.pem")));
}

SCENARIO("what cannot be written keeps no other host from its certificate") {
  const Folder folder;
  fs::create_directories(folder.path("a.test.pem/x"));
  const std::string longest =
      std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') + "." + std::string(55, 'd') + ".test";
  const Names all{"a.test", longest, "b.test"};
  const auto done = folder.tend({all, school(all), noon});
  CHECK(done.made == Names{"b.test"});
  CHECK(done.refused.size() == 2);
  CHECK_FALSE(schultor::cache::tend(folder.path("nowhere"), {hosts, school(), noon}));
}

SCENARIO("two do not tend the same folder at once") {
  const Folder folder;
  const schultor::base::UniqueFd other(open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  REQUIRE(flock(other.get(), LOCK_EX) == 0);
  CHECK_FALSE(tend(folder.path(), {hosts, school(), noon}));
  CHECK(folder.names().empty());
  REQUIRE(flock(other.get(), LOCK_UN) == 0);
  CHECK(tend(folder.path(), {hosts, school(), noon}));
}

SCENARIO("a clock that is behind makes nothing, unless a time service says that it was ahead") {
  const Folder folder;
  const auto authority = school(hosts, noon - days(100));
  static_cast<void>(folder.tend({{"a.test"}, authority, noon}));
  const auto before = folder.text("a.test.pem");
  const auto behind = folder.tend({hosts, authority, noon - days(50), false});
  CHECK(behind.clock_doubted);
  CHECK(behind.made.empty());
  CHECK(behind.without == hosts);
  CHECK(folder.text("a.test.pem") == before);
  // Nothing lies there that says so, but the authority does.
  const Folder empty;
  CHECK(empty.tend({hosts, authority, noon - days(101), false}).clock_doubted);
  CHECK(empty.names().empty());

  const auto ahead = folder.tend({hosts, authority, noon - days(50), true});
  CHECK_FALSE(ahead.clock_doubted);
  CHECK(ahead.made == hosts);
  // Who has no time service and a clock that goes on is not bothered.
  CHECK(folder.tend({hosts, authority, noon - days(49), false}).without.empty());
}
