// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/pin_keeper.hpp"

#include "daemon/base/log.hpp"
#include "daemon/enforce/state_file.hpp"
#include "netfilter/kernel/connection.hpp"
#include "netfilter/planner/build.hpp"

#include <fmt/format.h>

namespace schultor::enforce {
namespace {

using base::Priority;
namespace planner = netfilter::planner;
namespace model = netfilter::model;

/// Where a listing was interrupted it is made once more: what is missing in one is hardly missing in both.
constexpr int most_listings = 2;

std::optional<OpenPort> open_port(const model::Element& element) {
  if (element.key.size() != 3) return std::nullopt;
  const auto* address = std::get_if<base::Address>(&element.key[0]);
  const auto* protocol = std::get_if<model::Protocol>(&element.key[1]);
  const auto* port = std::get_if<model::Port>(&element.key[2]);
  if (address == nullptr || protocol == nullptr || port == nullptr || !element.timeout) return std::nullopt;
  return OpenPort{*address, protocol->number, port->number, std::chrono::floor<std::chrono::seconds>(*element.timeout)};
}

/// None where the kernel has no such set.
base::Result<std::optional<std::vector<OpenPort>>> cloud_pins_in_kernel() {
  auto kernel = netfilter::kernel::Connection::open();
  if (!kernel) return base::pass(std::move(kernel));
  std::vector<OpenPort> open;
  for (const auto family : {base::Family::ipv4, base::Family::ipv6}) {
    auto listing = netfilter::kernel::Listing::interrupted;
    for (int i = 0; i < most_listings && listing == netfilter::kernel::Listing::interrupted; ++i) {
      auto done = kernel->read_elements(planner::table_name, planner::declaration::pins("", family), [&](const auto& element) {
        if (const auto one = open_port(element)) open.push_back(*one);
      });
      if (!done) return base::pass(std::move(done));
      listing = *done;
    }
    if (listing == netfilter::kernel::Listing::absent) return std::optional<std::vector<OpenPort>>{};
  }
  return std::optional(std::move(open));
}

base::Result<std::optional<KeptPins>> read_kept_pins(const std::string& path) {
  auto text = read_state(path);
  if (!text) return base::pass(std::move(text));
  if (!*text) return std::optional<KeptPins>{};
  auto kept = kept_pins_from_text(**text);
  if (!kept) return base::pass(std::move(kept));
  return std::optional(std::move(*kept));
}

}  // namespace

base::Result<std::optional<KeptPins>> load_kept_pins(const std::string& path) {
  auto kept = read_kept_pins(path);
  if (kept) return kept;
  const auto fate = move_aside(path);
  return base::pass(std::move(kept), fmt::format("{} is damaged and {}; addresses of the cloud open as tablets ask", path, fate));
}

base::Result<void> save_cloud_pins(const std::string& path, std::chrono::sys_seconds now, bool clock_trusted) {
  auto open = cloud_pins_in_kernel();
  if (!open) return base::pass(std::move(open));
  if (!*open) return {};
  return replace_state(path, to_text(kept_pins_of(now, clock_trusted, std::move(**open))));
}

void PinKeeper::run(std::chrono::sys_seconds now, bool clock_trusted) const {
  if (auto saved = save_cloud_pins(path_, now, clock_trusted); !saved)
    log(Priority::warning, {}, fmt::format("The cloud's pins are not kept for a start of the machine: {}", saved.error().what()));
}

void PinKeeper::begin(std::chrono::sys_seconds now, bool clock_trusted) {
  if (!worker_.is_busy()) worker_.begin([this, now, clock_trusted] { run(now, clock_trusted); });
}

void PinKeeper::save(std::chrono::sys_seconds now, bool clock_trusted) {
  worker_.wait();
  run(now, clock_trusted);
}

}  // namespace schultor::enforce
