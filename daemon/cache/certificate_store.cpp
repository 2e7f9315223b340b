// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/certificate_store.hpp"

#include "daemon/base/file.hpp"
#include "daemon/base/unique_fd.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

namespace schultor::cache {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ending = ".pem";
constexpr std::string_view aside_ending = ".pem.new";
/// For nginx, which is in the folder's group.
constexpr mode_t mode = 0640;

std::string path_of(const std::string& directory, const std::string& host) {
  return fmt::format("{}/{}{}", directory, host, ending);
}
std::string aside_of(const std::string& directory, const std::string& host) {
  return fmt::format("{}/.{}{}", directory, host, aside_ending);
}

/// The host of a file's name; empty: it is none of ours.
std::string host_of(std::string_view name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return {};
  name.remove_suffix(suffix.size());
  return check_host(name) ? std::string(name) : std::string();
}

/// Removes what an attempt has left that was cut short, and what is of no wanted host.
base::Result<std::vector<std::string>> sweep(const std::string& directory, const std::vector<std::string>& wanted) {
  std::vector<std::string> gone;
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename().string();
    if (name.starts_with('.')) {
      if (!host_of(std::string_view(name).substr(1), aside_ending).empty()) paths.push_back(at->path());
      continue;
    }
    const auto host = host_of(name, ending);
    if (host.empty() || std::find(wanted.begin(), wanted.end(), host) != wanted.end()) continue;
    gone.push_back(host);
    paths.push_back(at->path());
  }
  if (error) return base::fail("{}: {}", directory, error.message());
  for (const auto& path : paths)
    if (auto removed = base::remove_file(path.string()); !removed) return base::pass(std::move(removed));
  std::sort(gone.begin(), gone.end());
  return gone;
}

using Found = std::map<std::string, std::optional<Examined>>;

/// None where there is no such file; one that cannot be read is of no use.
std::optional<Examined> look(const std::string& directory, const std::string& host, sys_seconds now) {
  const auto text = base::read_file(path_of(directory, host), largest_pem);
  if (!text) return Examined{CertificateFault::unreadable};
  return *text ? std::optional(examine(**text, host, now)) : std::nullopt;
}

/// A certificate that was made later than now says that the clock is behind, or was ahead. Which of both a time service knows.
bool doubts_clock(const Found& found, const Wanted& wanted) {
  if (wanted.clock_synchronised) return false;
  if (wanted.authority)
    if (const auto validity = wanted.authority->certificate.validity(); validity && wanted.now < validity->from) return true;
  return std::any_of(found.begin(), found.end(),
                     [](const auto& one) { return one.second && one.second->fault == CertificateFault::not_yet_valid; });
}

base::Result<void> replace(const std::string& directory, const Signer& authority, const std::string& host, sys_seconds now) {
  auto text = issue(authority, host, now);
  if (!text) return base::pass(std::move(text));
  // What tablets would refuse does not replace what they may take.
  if (const auto fault = examine(*text, host, now).fault) return base::fail("a certificate for it {}", to_string(*fault));
  return base::replace_file(path_of(directory, host), aside_of(directory, host), *text, mode);
}

}  // namespace

Renewal renewal_of(const std::optional<Examined>& found, const Certificate& authority, sys_seconds now) {
  if (!found) return Renewal::missing;
  if (found->fault) return Renewal::useless;
  if (found->authority != authority.fingerprint()) return Renewal::other_authority;
  const auto& own = found->validity;
  const auto above = authority.validity();
  const bool little_left = own.until - now < (own.until - own.from) / renewed_at_a_part_of;
  const bool lives_longer = above && std::min<sys_seconds>(now + certificate_life, above->until) > own.until;
  return little_left && lives_longer ? Renewal::ending : Renewal::none;
}

base::Result<Tended> tend(const std::string& directory, const Wanted& wanted) {
  const base::UniqueFd lock(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) return base::fail_errno(errno, directory);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return base::fail("{}: somebody else is at work there: wait until that is done", directory);
  Tended done;
  auto removed = sweep(directory, wanted.hosts);
  if (!removed) return base::pass(std::move(removed));
  done.removed = std::move(*removed);
  Found found;
  for (const auto& host : wanted.hosts) found[host] = look(directory, host, wanted.now);
  done.clock_doubted = doubts_clock(found, wanted);
  const bool may_make = wanted.authority && !done.clock_doubted;
  for (const auto& host : wanted.hosts) {
    const auto& there = found.at(host);
    bool is_good = there && !there->fault;
    if (may_make && renewal_of(there, wanted.authority->certificate, wanted.now) != Renewal::none) {
      if (const auto replaced = replace(directory, *wanted.authority, host, wanted.now)) {
        done.made.push_back(host);
        is_good = true;
      } else {
        done.refused.push_back({host, replaced.error().what()});
      }
    }
    if (!is_good) done.without.push_back(host);
  }
  return done;
}

}  // namespace schultor::cache
