// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/catch.hpp"
#include "tools/schultorctl/roster_file.hpp"
#include "tools/schultorctl/roster_text.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace schultor;
using namespace schultor::ctl;

namespace {

/// A directory that goes when the test does.
class Directory {
public:
  Directory() {
    auto name = (std::filesystem::temp_directory_path() / "schultor-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator()));
  }

private:
  std::filesystem::path path_;
};

void fill(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

std::string contents(const std::string& path) { return read_whole(path, 1000).value().value_or("there is none"); }

unsigned mode(const std::string& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

}  // namespace

TEST_CASE("a file is replaced whole, with its mode, or made") {
  const Directory directory;
  const auto path = directory.file("roster.csv");
  fill(path, "old");
  REQUIRE(chmod(path.c_str(), 0600) == 0);
  REQUIRE(replace_whole(path, "old", "new"));
  CHECK(contents(path) == "new");
  CHECK(mode(path) == 0600);
  const auto made = directory.file("made.csv");
  REQUIRE(replace_whole(made, std::nullopt, "new"));
  CHECK(contents(made) == "new");
  CHECK(mode(made) == 0644);
  CHECK(directory.files() == 2);
}

TEST_CASE("a file that somebody else has changed or made meanwhile is left alone") {
  const Directory directory;
  const auto path = directory.file("roster.csv");
  for (const auto& before :
       {std::optional<std::string>("old"), std::optional<std::string>("theirs, shorter"), std::optional<std::string>()}) {
    fill(path, "theirs");
    const auto replaced = replace_whole(path, before, "new");
    REQUIRE_FALSE(replaced);
    CHECK(replaced.error().what() == path + ": somebody has changed it meanwhile; look at the difference again");
    CHECK(contents(path) == "theirs");
  }
  REQUIRE(std::filesystem::remove(path));
  CHECK_FALSE(replace_whole(path, "old", "new"));
  CHECK(directory.files() == 0);
}

TEST_CASE("what cannot be written is told, and nothing is left of it") {
  const Directory directory;
  const auto replaced = replace_whole(directory.file("none/roster.csv"), std::nullopt, "new");
  REQUIRE_FALSE(replaced);
  CHECK(replaced.error().what().find("none/roster.csv") != std::string::npos);
  CHECK(directory.files() == 0);
}

TEST_CASE("a file is read up to its limit") {
  const Directory directory;
  const auto path = directory.file("x.csv");
  CHECK(read_whole(path, 3).value() == std::nullopt);
  fill(path, "1234");
  CHECK(read_whole(path, 4).value() == "1234");
  CHECK_FALSE(read_whole(path, 3));
  CHECK_FALSE(read_whole(directory.file(""), 3));
}

TEST_CASE("what is shown of a roster's names cannot steer a terminal") {
  ImportReport report;
  report.difference.missing.push_back({base::parse_mac("02:77:00:00:00:01").value(), "3b", "a\x1b[2J\nb"});
  const auto groups = config::GroupNames::of({"3b"}, {}).value();
  CHECK(import_text(report, groups) ==
        "missing    02:77:00:00:00:01  3b  “a [2J b”\n"
        "kept       the missing devices; --remove-missing takes them out\n"
        "0 added, 0 moved, 0 renamed, 1 missing, 0 unchanged: nothing to write\n");
}
