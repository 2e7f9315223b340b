// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/catch.hpp"

#include "daemon/cache/figures.hpp"
#include "daemon/cache/figures_json.hpp"

#include <filesystem>

using namespace schultor::cache;
namespace fs = std::filesystem;
using date::sys_days;

namespace {

constexpr sys_days monday{date::year{2026} / 11 / 23};

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "schultor-figures-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    file = fs::path(name) / "figures.db";
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(file.parent_path()); }
  fs::path file;
};

}  // namespace

SCENARIO("what nginx counts is read, and nothing else") {
  const auto all = read_figure_lines(
      "filme HIT 200 1000\nfilme MISS 206 4194304\nfilme - 200 12\npakete REVALIDATED 304 0\n\nfil me HIT 200 1\nfilme HIT 200 -1\n"
      "filme HIT 200 1 10.77.1.1\nfilme HIT 2000 1\nfilme HIT 200 99999999999999999999\nfilme HIT 200");
  CHECK(all == FiguresByOrigin{{"filme", {3, 1, 4195316, 0, 0}}, {"pakete", {1, 1, 0, 0, 0}}});
}

SCENARIO("figures of a day add up, and are kept for 90 days") {
  const Folder folder;
  auto file = FiguresFile::open(folder.file);
  REQUIRE(file);
  REQUIRE(file->add(monday, {{"filme", {2, 1, 300, 0, 0}}}));
  REQUIRE(file->add(monday, {{"filme", {0, 0, 0, 1, 100}}, {"pakete", {1, 0, 5, 1, 9}}}));
  auto rows = file->read(monday);
  REQUIRE(rows);
  REQUIRE(rows->size() == 2);
  CHECK((*rows)[0].origin == "filme");
  CHECK((*rows)[0].figures == Figures{2, 1, 300, 1, 100});
  CHECK((*rows)[0].figures.saved() == 200);
  CHECK((*rows)[1].figures.saved() == 0);
  WHEN("90 days have passed") {
    REQUIRE(file->add(monday + date::days{89}, {}));
    CHECK(file->read(monday)->size() == 2);
    REQUIRE(file->add(monday + date::days{90}, {}));
    THEN("they are forgotten") { CHECK(file->read(monday)->empty()); }
  }
}

SCENARIO("what was taken once is not taken again, also by the next process") {
  const Folder folder;
  for (int process = 0; process < 2; ++process) {
    auto file = FiguresFile::open(folder.file);
    REQUIRE(file);
    REQUIRE(file->add(monday, {{"filme", {1, 0, 10, 0, 0}}}, "figures.log.aside-1"));
    CHECK(file->read(monday)->at(0).figures.requests == 1);
  }
}

SCENARIO("figures are told by origin and day") {
  CHECK(figures_json({}) == R"({"origins":[]})");
  CHECK(
      figures_json({{monday, "filme", {3, 2, 100, 1, 30}}}) ==
      R"({"origins":[{"origin":"filme","days":[{"day":"2026-11-23","requests":3,"hits":2,"served":100,"fetches":1,"fetched":30,"saved":70}]}]})");
}
