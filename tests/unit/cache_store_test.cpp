// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/catch.hpp"

#include "daemon/cache/engine_probe.hpp"
#include "daemon/cache/nginx_configuration.hpp"
#include "daemon/cache/purge.hpp"
#include "daemon/cache/store.hpp"
#include "daemon/cache/sweeper.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

using namespace schultor::cache;
namespace fs = std::filesystem;

namespace {

/// As nginx writes one.
std::string stored(const std::string& key, const std::string& fields, const std::string& body) {
  std::string head(336, '\0');
  head[0] = 5;
  const auto put = [&](std::size_t at, std::size_t value) {
    const auto number = static_cast<std::uint16_t>(value);
    std::memcpy(head.data() + at, &number, sizeof number);
  };
  const auto key_line = fmt::format("\nKEY: {}\n", key), answer = fmt::format("HTTP/1.1 206 Partial Content\r\n{}\r\n", fields);
  put(54, head.size() + key_line.size());
  put(56, head.size() + key_line.size() + answer.size());
  return head + key_line + answer + body;
}

class Stored {
public:
  Stored() {
    std::string name = (fs::temp_directory_path() / "schultor-store-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    directory = name;
  }
  Stored(const Stored&) = delete;
  Stored& operator=(const Stored&) = delete;
  ~Stored() { fs::remove_all(directory); }

  std::string put(const std::string& key, const std::string& fields = "Content-Length: 4\r\n", const std::string& body = "body") {
    const auto path = Store(directory).path_of(key);
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << stored(key, fields, body);
    return path;
  }

  std::string directory;
  std::atomic<bool> never = false;
};

std::string slice(std::uint64_t number, const std::string& uri = "/film.mp4") {
  return storage_key("https", "filme.test", uri, slice_range(number));
}

}  // namespace

SCENARIO("what is stored lies where nginx puts it") {
  // printf KEY | md5sum
  CHECK(Store("/c").path_of("http127.0.0.1/c/bigbytes=0-4194303").substr(0, 3) == "/c/");
  CHECK(Store("/c").path_of("") == "/c/e/27/d41d8cd98f00b204e9800998ecf8427e");
  CHECK(slice_range(1) == "bytes=4194304-8388607");
}

SCENARIO("the head of what is stored is read back") {
  const auto head = read_stored_head(stored(slice(0), "ETag: \"a\"\r\nContent-length:  4 \r\n", "body"));
  REQUIRE(head);
  CHECK(head->key == slice(0));
  CHECK(head->status == 206);
  CHECK(head->etag == "\"a\"");
  CHECK(head->content_length == 4);
  CHECK(is_whole(*head, head->body_start + 4));
  CHECK_FALSE(is_whole(*head, head->body_start + 3));
  CHECK(host_of_key(head->key) == "filme.test");
  CHECK(is_of_address(head->key, "https://filme.test/film.mp4"));
  CHECK_FALSE(is_of_address(head->key, "https://filme.test/film"));
}

SCENARIO("what is no head of this version is none") {
  auto file = stored(slice(0), "", "");
  CHECK_FALSE(read_stored_head({}));
  CHECK_FALSE(read_stored_head({file.data(), 340}));
  file[0] = 6;
  CHECK_FALSE(read_stored_head(file));
  file[0] = 5;
  REQUIRE(read_stored_head(file));
  file[56] = static_cast<char>(0xff);
  file[57] = static_cast<char>(0xff);
  CHECK_FALSE(read_stored_head(file));
}

SCENARIO("an address is withdrawn with all its slices, and nothing else") {
  Stored stored;
  const auto first = stored.put(slice(0)), third = stored.put(slice(2)), other = stored.put(slice(0, "/film.mp4?lang=de"));
  CHECK(Store(stored.directory).withdraw("https", "filme.test", "/film.mp4") == 2);
  CHECK_FALSE(fs::exists(first));
  CHECK_FALSE(fs::exists(third));
  CHECK(fs::exists(other));
  CHECK(Store(stored.directory).withdraw("https", "filme.test", "/film.mp4") == 0);
}

SCENARIO("slices of another edition are withdrawn") {
  Stored stored;
  const auto fields = [](const char* tag) {
    return fmt::format("Content-Length: 4\r\nETag: {}\r\nContent-Range: bytes 0-3/12582912\r\n", tag);
  };
  const auto first = stored.put(slice(0), fields("\"old\"")), second = stored.put(slice(1), fields("\"new\"")),
             third = stored.put(slice(2), fields("\"old\""));
  const Store store(stored.directory);
  CHECK(store.find(slice(0))->complete == 12582912);
  WHEN("one in the middle is fetched of the edition that the first one has") {
    CHECK(store.withdraw_others("https", "filme.test", "/film.mp4", "\"old\"", 12582912, false) == 0);
  }
  WHEN("one in the middle is fetched of another edition") {
    CHECK(store.withdraw_others("https", "filme.test", "/film.mp4", "\"new\"", 12582912, false) == 2);
    CHECK(fs::exists(second));
  }
  WHEN("the first one is fetched anew") {
    CHECK(store.withdraw_others("https", "filme.test", "/film.mp4", "\"newer\"", 12582912, true) == 3);
    CHECK_FALSE(fs::exists(first));
    CHECK_FALSE(fs::exists(third));
  }
}

SCENARIO("who has a withdrawn file open takes it for none any more") {
  Stored stored;
  const auto path = stored.put(slice(0));
  std::ifstream open(path);
  REQUIRE(Store(stored.directory).withdraw("https", "filme.test", "/film.mp4") == 1);
  std::string text(std::istreambuf_iterator<char>(open), {});
  CHECK_FALSE(read_stored_head(text));
  CHECK(text.substr(text.size() - 4) == "body");
}

SCENARIO("a sweep finds variants, and damage") {
  Stored stored;
  stored.put(slice(0));
  const auto short_one = stored.put(slice(1), "Content-Length: 5\r\n", "body");
  const auto no_length = stored.put(slice(2), "");
  std::ofstream(stored.directory + "/notes") << "not nginx's";
  const Store store(stored.directory);
  auto swept = store.sweep_damaged(false, stored.never);
  REQUIRE(swept);
  CHECK(swept->seen == 3);
  CHECK(swept->withdrawn == 1);
  CHECK_FALSE(fs::exists(short_one));
  CHECK(fs::exists(no_length));
  swept = store.sweep_damaged(true, stored.never);
  REQUIRE(swept);
  CHECK(swept->withdrawn == 1);
  CHECK_FALSE(fs::exists(no_length));
  swept = store.sweep([](const StoredHead& head) { return is_of_address(head.key, "https://filme.test/film.mp4"); }, stored.never);
  REQUIRE(swept);
  CHECK(swept->withdrawn == 1);
  CHECK(fs::exists(stored.directory + "/notes"));
  CHECK_FALSE(store.sweep_damaged(true, stored.never).value().seen);
}

SCENARIO("the engine is well when it says so, and by what") {
  CHECK(generation_of("HTTP/1.1 204 No Content\r\nX-Schultor-Generation: abc\r\n\r\n") == "abc");
  CHECK_FALSE(generation_of("HTTP/1.1 502 Bad Gateway\r\nX-Schultor-Generation: abc\r\n\r\n"));
  CHECK_FALSE(generation_of("HTTP/1.1 204 No Content\r\n\r\n"));
  CHECK_FALSE(generation_of(""));
}

SCENARIO("what nginx did not finish is removed once nobody writes to it any more") {
  Stored stored;
  const auto writing = stored.put(slice(0)) + ".0000000012", left = stored.put(slice(1)) + ".0000000013",
             other = stored.directory + "/left.0000000013";
  for (const auto& path : {writing, left, other}) std::ofstream(path) << "unfinished";
  for (const auto& path : {left, other}) fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::minutes(11));
  REQUIRE(Store(stored.directory).sweep_damaged(false, stored.never));
  CHECK(fs::exists(writing));
  CHECK_FALSE(fs::exists(left));
  CHECK(fs::exists(other));
}

SCENARIO("what is to be purged is an address, an origin or everything") {
  schultor::policy::CacheRules rules;
  rules.origins.push_back({"filme", {"filme.test", "www.filme.test"}, true, true, {}, 0, {}, {}, {}});
  StoredHead film, other;
  film.key = slice(3);
  other.key = storage_key("http", "pakete.test", "/", slice_range(0));
  const auto means = [&](std::string_view what, const StoredHead& head) {
    const auto judge = condemned(what, rules);
    REQUIRE(judge);
    return (*judge)(head);
  };
  CHECK(means("", film));
  CHECK(means("filme", film));
  CHECK_FALSE(means("filme", other));
  CHECK(means("HTTPS://Filme.test/film.mp4#t=3", film));
  CHECK_FALSE(means("http://filme.test/film.mp4", film));
  CHECK(means("HTTPS://Filme.test.:443/film.mp4", film));
  other.key = storage_key("http", "www.filme.test", "/", slice_range(0));
  CHECK(means("http://www.filme.test:80", other));
  CHECK_FALSE(means("http://www.filme.test?a", other));
  CHECK_FALSE(condemned("http://pakete.test/", rules));
  CHECK_FALSE(condemned("ftp://filme.test/", rules));
  CHECK_FALSE(condemned("https:///film.mp4", rules));
  CHECK_FALSE(condemned("film", rules));
}

SCENARIO("sweeps are done one after the other, beside the loop") {
  auto loop = schultor::base::EventLoop::create();
  REQUIRE(loop);
  auto sweeper = Sweeper::create(*loop);
  REQUIRE(sweeper);
  std::vector<std::uint64_t> done;
  for (std::uint64_t i = 1; i <= 3; ++i)
    (*sweeper)->begin(
        [i](const std::atomic<bool>&) -> schultor::base::Result<Swept> {
          return Swept{i, 0, 0};
        },
        [&, i](const auto& swept) {
          done.push_back(swept->seen);
          if (i == 3) loop->quit();
        });
  REQUIRE(loop->run());
  CHECK(done == std::vector<std::uint64_t>{1, 2, 3});
}
