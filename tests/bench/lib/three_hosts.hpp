// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/unique_fd.hpp"

#include <string>
#include <string_view>

/// A school, its gateway and the internet, each a network namespace of this process's own that ends with it.
namespace schultor::bench {

class Host {
public:
  /// A process that may not make one ends with 77: skipped.
  Host();

  /// The calling thread is in the host for as long as this lives; sockets made meanwhile stay there.
  class Inside {
  public:
    explicit Inside(const Host& host);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

  private:
    base::UniqueFd home_;
  };
  /// Runs a command of the shell in it, and gives what it prints; ends the benchmark where it fails.
  std::string run(const std::string& command) const;
  /// Lines for `ip -batch`.
  void ip(std::string_view lines) const;
  /// By which ip(8) knows it: "… netns PATH".
  [[nodiscard]] std::string path() const;

private:
  base::UniqueFd namespace_;
};

/// eth0 of the school and lan0 of the gateway are the ends of a cable, wan0 of the gateway and wan of the internet those of
/// another. The gateway forwards, with the sysctls that the product sets; no rules yet. The school's eth0 is up and has no
/// addresses.
struct ThreeHosts {
  Host school, gateway, internet;
  ThreeHosts();
};

inline constexpr std::string_view gateway4 = "10.77.0.1", gateway6 = "fd77::1";  ///< in 10.77.0.0/16 and fd77::/64
inline constexpr std::string_view gateway_wan4 = "198.51.100.254", gateway_wan6 = "2001:db8:51::fe";
inline constexpr std::string_view internet4 = "198.51.100.1", internet6 = "2001:db8:51::1";

}  // namespace schultor::bench
