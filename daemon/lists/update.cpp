// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/update.hpp"

#include "daemon/base/file.hpp"
#include "daemon/lists/digest.hpp"
#include "daemon/lists/list_file.hpp"
#include "daemon/lists/take.hpp"
#include "daemon/lists/unpack.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

namespace schultor::lists {
namespace {

namespace fs = std::filesystem;

constexpr std::array formats{Format::domains, Format::hosts, Format::adblock, Format::rpz};
/// What is unpacked may be so many times as large as what is downloaded: names pack well, and bombs better.
constexpr std::uint64_t unpacked_per_octet = 2;

std::string file_name(const std::string& list, Format format) { return fmt::format("{}.{}", list, to_string(format)); }

/// Whether a list comes from elsewhere now, or is read in another way.
std::string source_of(const config::BlockList& list) {
  const auto text = list.url.value + "\n" + (list.format ? list.format->value : "");
  std::string hex;
  for (const auto octet : digest_of(std::as_bytes(std::span(text.data(), text.size()))))
    hex += fmt::format("{:02x}", static_cast<unsigned>(octet));
  return hex;
}

Format format_of(const config::BlockList& list, std::string_view text) {
  const auto said = list.format ? format_of_file_name("x." + list.format->value) : std::nullopt;
  return said ? *said : detect_format(text);
}

base::Result<void> make_folder(const fs::path& path) {
  if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return base::fail_errno(errno, path.string());
  return {};
}

/// The list that a file in the folder belongs to: "ads" of "ads.hosts" and ".ads.held".
std::string owner_of(std::string name) {
  if (name.starts_with('.')) name.erase(0, 1);
  return name.substr(0, name.find('.'));
}

}  // namespace

struct Updater::Outcome {
  UpdateState state = UpdateState::failed;
  std::string reason{};
  bool changed = false;  ///< other contents are in use now
  std::string file{};
  std::uint64_t entries = 0;
  Downloaded downloaded{};

  static Outcome failed(const base::Error& error) { return {UpdateState::failed, status_text(error.what())}; }
};

base::Result<Updater> Updater::open(const fs::path& state) {
  Updater updater(state);
  for (const auto& folder : {updater.state_, updater.folder_})
    if (auto made = make_folder(folder); !made) return base::pass(std::move(made));
  updater.lock_.reset(::open((state / ".lock").c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!updater.lock_) return base::fail_errno(errno, (state / ".lock").string());
  if (flock(updater.lock_.get(), LOCK_EX | LOCK_NB) != 0)
    return base::fail("another update of {} goes on: wait until it is done", state.string());
  auto status = read_update_status((state / "status.json").string());
  if (status) updater.status_ = std::move(*status);
  else updater.fault_ = status.error().what();
  // Nobody knows whether the table holds what is there.
  if (!status) updater.status_.compiled = false;
  return updater;
}

std::string Updater::aside(const std::string& list, std::string_view ending) const {
  return (folder_ / fmt::format(".{}.{}", list, ending)).string();
}

base::Result<void> Updater::save() {
  const auto path = (state_ / "status.json").string();
  return base::replace_file(path, path + ".new", to_json(status_));
}

base::Result<void> Updater::about_to_change() {
  if (!std::exchange(status_.compiled, false)) return {};
  return save();
}

base::Result<void> Updater::keep_only(const std::vector<config::BlockList>& lists) {
  const auto is_kept = [&](const std::string& name) {
    return std::any_of(lists.begin(), lists.end(), [&](const config::BlockList& list) { return list.name.value == name; });
  };
  std::error_code error;
  std::vector<fs::path> gone;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error))
    if (!is_kept(owner_of(at->path().filename().string())) && !fs::is_directory(at->symlink_status())) gone.push_back(at->path());
  if (error) return base::fail("{}: {}", folder_.string(), error.message());
  if (!gone.empty()) {
    if (auto ready = about_to_change(); !ready) return ready;
    has_news_ = true;
  }
  for (const auto& path : gone)
    if (auto removed = base::remove_file(path.string()); !removed) return removed;
  const auto dropped =
      std::remove_if(status_.lists.begin(), status_.lists.end(), [&](const ListStatus& one) { return !is_kept(one.list); });
  if (dropped == status_.lists.end()) return {};
  status_.lists.erase(dropped, status_.lists.end());
  return save();
}

std::string Updater::file_in_use(const std::string& list, const ListStatus& before) const {
  std::error_code error;
  const auto is_there = [&](const std::string& name) { return fs::is_regular_file(fs::symlink_status(folder_ / name, error)); };
  if (!before.file.empty() && is_there(before.file)) return before.file;
  for (const auto format : formats)
    if (auto name = file_name(list, format); is_there(name)) return name;
  return {};
}

base::Result<void> Updater::tidy(const std::string& list, const std::string& file) {
  for (const auto format : formats)
    if (const auto other = file_name(list, format); other != file)
      if (auto removed = base::remove_file((folder_ / other).string()); !removed) return removed;
  return base::remove_file(aside(list, "held"));
}

Updater::Outcome Updater::take(const config::BlockList& list, bool forced, int fd, const UpdateOptions& options,
                               const ListStatus& before) {
  if (lseek(fd, 0, SEEK_SET) < 0) return {UpdateState::failed, "it cannot be read back"};
  const auto most = std::min<std::uint64_t>(options.limits.octets * unpacked_per_octet, largest_list_file);
  const auto text = unpack(fd, most);
  if (!text) return Outcome::failed(text.error());
  const auto& name = list.name.value;
  const auto format = format_of(list, *text);
  const auto fresh = count(*text, format);
  Outcome outcome{UpdateState::ok, {}, true, file_name(name, format), fresh.entries};

  std::optional<std::uint64_t> comparable;
  if (const auto in_use = file_in_use(name, before); !in_use.empty()) {
    const auto there = base::read_file((folder_ / in_use).string(), largest_list_file);
    if (there && *there) {
      outcome.changed = in_use != outcome.file || **there != *text;
      // Who names another address knows that it is another list.
      const bool is_another = !before.source.empty() && before.source != source_of(list);
      if (!is_another) comparable = count(**there, format_of_file_name(in_use).value_or(format)).entries;
    }
  }
  const auto [verdict, reason] = judge(fresh, comparable, forced);
  if (verdict == Verdict::refuse) return {UpdateState::failed, reason};
  if (verdict == Verdict::hold) {
    const auto held = aside(name, "held");
    if (auto kept = base::replace_file(held, aside(name, "new"), *text); !kept) return Outcome::failed(kept.error());
    return {UpdateState::held, status_text(reason)};
  }
  if (outcome.changed) {
    if (auto ready = about_to_change(); !ready) return Outcome::failed(ready.error());
    if (auto done = base::replace_file((folder_ / outcome.file).string(), aside(name, "new"), *text); !done)
      return Outcome::failed(done.error());
  }
  if (auto tidied = tidy(name, outcome.file); !tidied) return Outcome::failed(tidied.error());
  return outcome;
}

Updater::Outcome Updater::attempt(const config::BlockList& list, bool forced, const UpdateOptions& options,
                                  const ListStatus& before) {
  const auto& name = list.name.value;
  const auto in_use = file_in_use(name, before);
  DownloadRequest request{list.url.value, {}, {}, options.authorities, options.limits};
  if (!forced && !in_use.empty() && before.file == in_use && before.source == source_of(list)) {
    request.etag = before.etag;
    request.last_modified = before.last_modified;
  }
  const auto part = aside(name, "part");
  const auto fd = base::create_file(part);
  if (!fd) return Outcome::failed(fd.error());
  const auto downloaded = download(request, fd->get());
  auto outcome = !downloaded             ? Outcome::failed(downloaded.error())
                 : downloaded->unchanged ? Outcome{UpdateState::ok, {}, false, in_use, before.entries}
                                         : take(list, forced, fd->get(), options, before);
  if (downloaded) outcome.downloaded = *downloaded;
  // A rest of it harms nobody, and goes with the next attempt.
  static_cast<void>(base::remove_file(part));
  if (downloaded && downloaded->unchanged) static_cast<void>(tidy(name, in_use));
  return outcome;
}

base::Result<void> Updater::update(const config::BlockList& list, bool forced, const UpdateOptions& options, base::Instant now) {
  const auto& name = list.name.value;
  const auto* known = status_.find(name);
  const auto before = known != nullptr ? *known : ListStatus{};
  const auto outcome = attempt(list, forced, options, before);
  auto after = before;
  after.list = name;
  after.host = config::host_of_url(list.url.value);
  after.state = outcome.state;
  after.reason = outcome.reason;
  if (outcome.state == UpdateState::ok) {
    after.source = source_of(list);
    after.updated = std::chrono::floor<std::chrono::seconds>(now);
    after.file = outcome.file;
    after.entries = outcome.entries;
    // A server that says nothing new of it with “not modified” means what it said before.
    if (!outcome.downloaded.unchanged || !outcome.downloaded.etag.empty()) after.etag = outcome.downloaded.etag;
    if (!outcome.downloaded.unchanged || !outcome.downloaded.last_modified.empty())
      after.last_modified = outcome.downloaded.last_modified;
  }
  if (known == nullptr || outcome.changed || after.state != before.state || after.reason != before.reason) {
    after.since = now;
    has_news_ = true;
  }
  const auto place = std::lower_bound(status_.lists.begin(), status_.lists.end(), name,
                                      [](const ListStatus& one, const std::string& wanted) { return one.list < wanted; });
  if (known != nullptr) *place = after;
  else status_.lists.insert(place, after);
  return save();
}

base::Result<void> Updater::note_table(const std::string& fault, base::Instant now) {
  const auto text = status_text(fault);
  if (text == status_.table_fault) return {};
  has_news_ = true;
  status_.table_fault = text;
  status_.table_since = now;
  return save();
}

base::Result<void> Updater::note_in_force() {
  if (std::exchange(status_.compiled, true)) return {};
  return save();
}

}  // namespace schultor::lists
