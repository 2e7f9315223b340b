// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/figures_log.hpp"

#include "daemon/base/file.hpp"
#include "daemon/base/log.hpp"
#include "daemon/cache/engine_process.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

namespace schultor::cache {
namespace {

namespace fs = std::filesystem;

/// A school of 1,500 tablets writes a tenth of it in a minute.
constexpr std::size_t largest_log = 256U << 20U;
constexpr std::string_view aside_prefix = "figures.log.aside-";

/// Names a file for good: neither a later one of its inode nor one after a start of the machine has the same.
std::string identity_of(const std::string& path) {
  struct stat about {};
  if (stat(path.c_str(), &about) != 0) return {};
  return fmt::format("{}-{}.{:09}", about.st_ino, about.st_ctim.tv_sec, about.st_ctim.tv_nsec);
}

}  // namespace

FiguresLog::FiguresLog(base::EventLoop& loop, std::string runtime, FiguresFile& file, std::function<date::sys_days()> today)
    : loop_(loop), runtime_(std::move(runtime)), file_(file), today_(std::move(today)) {
  take_aside();
}

void FiguresLog::take() {
  put_aside();
  take_aside();
}

void FiguresLog::put_aside() {
  const auto log = runtime_ + "/figures.log";
  std::error_code error;
  if (fs::file_size(log, error) > 0 && !error) {
    // The name stays with the file from here on.
    const auto aside = fmt::format("{}/{}{}", runtime_, aside_prefix, identity_of(log));
    if (std::rename(log.c_str(), aside.c_str()) == 0)
      if (auto told = signal_engine(runtime_, EngineSignal::reopen_logs); !told)
        base::log(base::Priority::warning, {}, fmt::format("figures of the content cache: {}", told.error().what()));
  }
  wait(settles, &FiguresLog::take_aside);
}

void FiguresLog::take_aside() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(runtime_, error)) {
    const auto name = entry.path().filename().string();
    if (name.substr(0, aside_prefix.size()) != aside_prefix) continue;
    const auto text = base::read_file(entry.path(), largest_log);
    if (!text || !*text) {
      if (!text) base::log(base::Priority::warning, {}, fmt::format("figures of the content cache: {}", text.error().what()));
      continue;
    }
    if (auto added = file_.add(today_(), read_figure_lines(**text), name); added) unlink(entry.path().c_str());
    else base::log(base::Priority::warning, {}, added.error().what());
  }
  wait(every, &FiguresLog::put_aside);
}

void FiguresLog::wait(std::chrono::microseconds time, void (FiguresLog::*then)()) {
  if (auto clock = loop_.after(time, [this, then] { (this->*then)(); })) clock_ = std::move(*clock);
}

}  // namespace schultor::cache
