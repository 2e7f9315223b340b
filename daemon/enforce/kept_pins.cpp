// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/kept_pins.hpp"

#include "daemon/dns/pin_protocol.hpp"
#include "daemon/enforce/moment.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>

namespace schultor::enforce {
namespace {

using base::fail;
using netfilter::planner::Pin;
using policy::Ports;
using std::chrono::seconds;

constexpr std::string_view head = "cloud-pins 1";
constexpr std::int64_t last_second = 4'102'444'800;  // 2100
/// Ports that were pinned by one request end together, but for the rounding.
constexpr seconds together{60};

auto order(const Pin& pin) { return std::tie(pin.ports, pin.address, pin.lifetime); }

template <typename Number>
std::optional<Number> number_from(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_plain = text.size() == 1 || (!text.empty() && text.front() != '0');
  if (error != std::errc{} || end != text.data() + text.size() || !is_plain) return std::nullopt;
  return number;
}

/// Takes what stands before `end` off `text`; none where there is no `end`.
std::optional<std::string_view> take_until(std::string_view& text, std::string_view end) {
  const auto at = text.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const auto taken = text.substr(0, at);
  text.remove_prefix(at + end.size());
  return taken;
}

bool take_word(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

/// "tcp 443" or "udp 3478-3481".
std::optional<base::PortRange> range_from(std::string_view text) {
  base::PortRange range;
  if (take_word(text, "tcp ")) range.protocol = IPPROTO_TCP;
  else if (take_word(text, "udp ")) range.protocol = IPPROTO_UDP;
  else return std::nullopt;
  const auto first = take_until(text, "-");
  const auto last = number_from<std::uint16_t>(text);
  const auto begin = first ? number_from<std::uint16_t>(*first) : last;
  if (!begin || !last) return std::nullopt;
  range.first = *begin;
  range.last = *last;
  // The one way to write it.
  return (first && range.first >= range.last) ? std::nullopt : std::optional(range);
}

std::optional<Ports> ports_from(std::string_view text) {
  Ports ports;
  while (true) {
    const auto one = take_until(text, ", ");
    const auto range = range_from(one.value_or(text));
    if (!range) return std::nullopt;
    ports.push_back(*range);
    if (!one) break;
  }
  if (base::merged(ports) != ports) return std::nullopt;
  return ports;
}

std::string ports_text(const Ports& ports) {
  std::string text;
  for (const auto& range : ports) text += (text.empty() ? "" : ", ") + base::to_string(range);
  return text;
}

/// Ports of both lists, which are merged ones.
Ports common_ports(const Ports& a, const Ports& b) {
  Ports common;
  for (const auto& one : a)
    for (const auto& other : b)
      if (one.protocol == other.protocol && std::max(one.first, other.first) <= std::min(one.last, other.last))
        common.push_back({one.protocol, std::max(one.first, other.first), std::min(one.last, other.last)});
  return base::merged(std::move(common));
}

/// The ports that any name of the cloud is open on.
Ports ports_in_use(const policy::GateRules& rules) {
  policy::Doors doors = 0;
  for (const auto& pattern : rules.cloud.patterns()) doors |= pattern.doors;
  return policy::ports_of(rules, doors);
}

/// Those that live longest, as many as are kept.
void bound(std::vector<Pin>& pins) {
  std::stable_sort(pins.begin(), pins.end(), [](const Pin& a, const Pin& b) { return a.lifetime > b.lifetime; });
  std::size_t ports = 0, kept = 0;
  for (; kept < std::min(pins.size(), most_kept_pins); ++kept)
    if ((ports += base::count_ports(pins[kept].ports)) > most_kept_ports) break;
  pins.resize(kept);
}

class Reader {
public:
  explicit Reader(std::string_view text) : rest_(text) {}

  base::Result<KeptPins> read() {
    if (auto begun = read_head(); !begun) return base::pass(std::move(begun));
    while (true) {
      const auto line = next();
      if (!line) return fail("line {}: it ends before “end”", number_);
      auto text = *line;
      if (take_word(text, "end ")) {
        if (number_from<std::size_t>(text) != kept_.pins.size() || !rest_.empty() || lacks_pins())
          return fail("line {}: not the end", number_);
        break;
      }
      if (auto read = take_word(text, "open ") ? read_ports(text) : read_pin(text); !read) return base::pass(std::move(read));
    }
    const auto& pins = kept_.pins;
    if (!std::is_sorted(pins.begin(), pins.end(), [](const Pin& a, const Pin& b) { return order(a) < order(b); }))
      return fail("the pins are not in their order");
    return std::move(kept_);
  }

private:
  std::optional<std::string_view> next() {
    ++number_;
    return take_until(rest_, "\n");
  }

  base::Result<void> read_head() {
    if (next() != head) return fail("line {}: not “{}”", number_, head);
    auto line = next().value_or("");
    const bool is_written = take_word(line, "written ");
    const auto instant = number_from<std::int64_t>(take_until(line, " ").value_or(""));
    if (!is_written || !instant || *instant < 0 || *instant > last_second || (line != "trusted" && line != "untrusted"))
      return fail("line {}: not “written SECONDS trusted” or “… untrusted”", number_);
    kept_.written = std::chrono::sys_seconds{seconds{*instant}};
    kept_.clock_trusted = line == "trusted";
    return {};
  }

  /// A list of ports with no pins after it is not written.
  bool lacks_pins() const { return !ports_.empty() && (kept_.pins.empty() || kept_.pins.back().ports != ports_); }

  base::Result<void> read_ports(std::string_view text) {
    auto ports = ports_from(text);
    if (!ports) return fail("line {}: no list of ports", number_);
    if (lacks_pins()) return fail("line {}: no pins before", number_);
    if (*ports == ports_) return fail("line {}: the same ports again", number_);
    ports_ = std::move(*ports);
    count_of_ports_ = base::count_ports(ports_);
    return {};
  }

  base::Result<void> read_pin(std::string_view text) {
    const auto address_text = take_until(text, " ");
    const auto address = address_text ? base::parse_address(*address_text) : fail("none");
    const auto left = number_from<std::int64_t>(text);
    if (!address || base::to_string(*address) != *address_text || ports_.empty() || !left || *left < 1 ||
        seconds{*left} > dns::longest_lifetime)
      return fail("line {}: no address with the seconds left to it", number_);
    all_ports_ += count_of_ports_;
    if (kept_.pins.size() == most_kept_pins || all_ports_ > most_kept_ports) return fail("line {}: too many pins", number_);
    kept_.pins.push_back({*address, {}, seconds{*left}, ports_});
    return {};
  }

  std::string_view rest_;
  std::size_t number_ = 0;
  KeptPins kept_{};
  Ports ports_;
  std::size_t count_of_ports_ = 0;
  std::size_t all_ports_ = 0;
};

}  // namespace

KeptPins kept_pins_of(std::chrono::sys_seconds written, bool clock_trusted, std::vector<OpenPort> open) {
  const auto key = [](const OpenPort& one) { return std::tie(one.address, one.protocol, one.port); };
  // Of a port that came twice the shorter time holds.
  std::sort(open.begin(), open.end());
  open.erase(std::unique(open.begin(), open.end(), [&](const OpenPort& a, const OpenPort& b) { return key(a) == key(b); }),
             open.end());
  std::sort(open.begin(), open.end(),
            [](const OpenPort& a, const OpenPort& b) { return std::tie(a.address, a.left) < std::tie(b.address, b.left); });
  KeptPins kept{written, clock_trusted, {}};
  for (const auto& one : open) {
    if (one.left < seconds{1}) continue;
    const bool joins =
        !kept.pins.empty() && kept.pins.back().address == one.address && one.left - kept.pins.back().lifetime <= together;
    if (!joins) kept.pins.push_back({one.address, {}, std::min(one.left, dns::longest_lifetime), {}});
    kept.pins.back().ports.push_back({one.protocol, one.port, one.port});
  }
  for (auto& pin : kept.pins) pin.ports = base::merged(std::move(pin.ports));
  bound(kept.pins);
  std::sort(kept.pins.begin(), kept.pins.end(), [](const Pin& a, const Pin& b) { return order(a) < order(b); });
  return kept;
}

std::string to_text(const KeptPins& kept) {
  auto text = fmt::format("{}\nwritten {} {}\n", head, kept.written.time_since_epoch().count(),
                          kept.clock_trusted ? "trusted" : "untrusted");
  const Ports* ports = nullptr;
  for (const auto& pin : kept.pins) {
    if (ports == nullptr || *ports != pin.ports) text += fmt::format("open {}\n", ports_text(pin.ports));
    ports = &pin.ports;
    text += fmt::format("{} {}\n", base::to_string(pin.address), pin.lifetime.count());
  }
  return text + fmt::format("end {}\n", kept.pins.size());
}

base::Result<KeptPins> kept_pins_from_text(std::string_view text) { return Reader(text).read(); }

std::vector<Pin> pins_left(const KeptPins& kept, const policy::GateRules& rules, base::Instant now, bool clock_trusted) {
  const auto in_use = ports_in_use(rules);
  const auto passed = std::max(std::chrono::ceil<seconds>(now - kept.written), seconds{0});
  const bool age_is_known = clock_trusted && kept.clock_trusted && now >= kept.written;
  std::vector<Pin> pins;
  for (const auto& pin : kept.pins) {
    auto left = kept.clock_trusted ? pin.lifetime - passed : pin.lifetime;
    if (!age_is_known) left = std::min(left, grace_without_clock);
    auto ports = common_ports(pin.ports, in_use);
    if (left < seconds{1} || ports.empty() || !may_be_opened(rules, pin.address)) continue;
    pins.push_back({pin.address, {}, left, std::move(ports)});
  }
  return pins;
}

}  // namespace schultor::enforce
