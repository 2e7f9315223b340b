// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// Which devices are on the LAN, as the kernel's neighbour tables (ARP, NDP) tell it. Knows no school and asks no device.
namespace schultor::netfilter::neighbours {

using Instant = std::chrono::steady_clock::time_point;

/// What the kernel knows of an address; see NUD_* in linux/neighbour.h.
enum class State : std::uint8_t {
  unknown,    ///< nobody answers for it, or nobody was asked yet (NUD_FAILED, NUD_INCOMPLETE, NUD_NONE)
  confirmed,  ///< the device has just answered for it (NUD_REACHABLE)
  in_use,     ///< spoken to, and about to be asked or being asked again (NUD_DELAY, NUD_PROBE)
  stale,      ///< answered once, or spoke by itself; what has become of it since nobody has looked (NUD_STALE)
  fixed,      ///< somebody wrote it down: says nothing of whether the device is there (NUD_PERMANENT, NUD_NOARP)
};

/// An interface. `running`: up, and with a carrier.
struct Link {
  unsigned index = 0;
  std::string name;
  bool running = false;
};

/// An entry of a neighbour table.
struct Neighbour {
  unsigned link = 0;
  base::Address address;
  std::optional<base::Mac> mac{};  ///< none while it is not known
  State state = State::unknown;
  std::chrono::milliseconds age{0};  ///< since it got this state
};

/// A device answered for an address, now: the kernel had asked it.
struct Confirmation {
  base::Mac mac;
  base::Address address;
  std::string link;
  bool operator==(const Confirmation&) const = default;
};

/// A device on one interface.
struct Device {
  const base::Mac& mac;
  const std::string& link;
  const std::set<base::Address>& addresses;  ///< that the kernel knows it behind now
  bool online = false;
};

/// What the kernel has told, of the interfaces that are followed; values in, values out.
///
/// A device is online while one of its addresses is confirmed or in use, and for as long as `linger` after that: an entry that has
/// become stale is kept by the kernel for a minute or for good, by how many there are. One whose entry is collected is online for
/// as long as if it had stayed. One that does not answer for the last address that it is known behind has left at once, and so have
/// all devices of an interface that goes, stops running, or gets another name that is not followed.
///
/// Entries are as many as the kernel has (net.ipv4.neigh.default.gc_thresh3 and ipv6's); of devices without any, most_departed at
/// most are remembered, for `linger`.
class Table {
public:
  static constexpr std::chrono::minutes linger{5};
  static constexpr std::size_t most_departed = 16'384;

  /// The names of the interfaces that are followed from now on, whether they exist or not. The table is empty until replace().
  void follow(std::set<std::string> names);

  /// True where an interface is followed from now on whose neighbours were passed over before: replace() is due.
  [[nodiscard]] bool set_link(const Link& link);
  void remove_link(unsigned index);

  /// An entry is new or has changed. Gives a confirmation when the device answered for it just now.
  std::optional<Confirmation> note(const Neighbour& neighbour, Instant now);
  /// The kernel has collected an entry, or somebody has taken it away.
  void remove(unsigned link, const base::Address& address, Instant now);
  /// All that there is: what is not among it has gone. Nothing of it is news, and so there are no confirmations.
  void replace(const std::vector<Link>& links, const std::vector<Neighbour>& neighbours, Instant now);

  /// By their addresses; a device on several interfaces once for each.
  void for_each(Instant now, const std::function<void(const Device&)>& visit) const;
  /// Forgets devices that are neither known nor online any more.
  void forget(Instant now);
  /// Known or online ones.
  [[nodiscard]] std::size_t size() const { return presences_.size(); }
  [[nodiscard]] std::size_t entries() const { return entries_.size(); }

private:
  using Place = std::pair<base::Mac, unsigned>;  // on which link
  using Key = std::pair<unsigned, base::Address>;
  struct Entry {
    base::Mac mac;
    State state = State::unknown;
  };
  struct Presence {
    std::set<base::Address> addresses{};
    std::size_t present = 0;  // of them, confirmed or in use
    Instant until{};          // online until then, also without that
  };
  using Presences = std::map<Place, Presence>;

  [[nodiscard]] const std::string* followed_name(unsigned link) const;
  void put(const Neighbour& neighbour, Instant now);
  void take(const Key& key, Instant now, bool answers);
  void drop_all_of(unsigned link);
  void drop(Presences::iterator presence);
  void depart(Presences::iterator presence, Instant now);

  std::set<std::string> names_;
  std::map<unsigned, Link> links_;
  std::map<Key, Entry> entries_;
  Presences presences_;
  std::set<std::pair<Instant, Place>> departed_;  // of presences without an address, when they are over
};

}  // namespace schultor::netfilter::neighbours
