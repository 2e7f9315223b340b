// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <array>
#include <string_view>

/// Addresses by which a device gets round the gate without a name: what [never] bypass = true closes beside names and ports. An
/// address that a city needs and finds here is opened by [cloud], which nothing closes.
namespace schultor::policy {

inline constexpr std::array<std::string_view, 61> bypass_networks{
    // Public resolvers that speak DoH, DoT or DoQ, as their operators publish them. Google:
    "8.8.8.8",
    "8.8.4.4",
    "2001:4860:4860::8888",
    "2001:4860:4860::8844",
    "2001:4860:4860::64",
    "2001:4860:4860::6464",
    // Cloudflare, with its filtering ones:
    "1.1.1.1",
    "1.0.0.1",
    "1.1.1.2",
    "1.0.0.2",
    "1.1.1.3",
    "1.0.0.3",
    "2606:4700:4700::1111",
    "2606:4700:4700::1001",
    "2606:4700:4700::1112",
    "2606:4700:4700::1002",
    "2606:4700:4700::1113",
    "2606:4700:4700::1003",
    "2606:4700:4700::64",
    "2606:4700:4700::6400",
    // Quad9:
    "9.9.9.9",
    "9.9.9.10",
    "9.9.9.11",
    "9.9.9.12",
    "149.112.112.0/24",
    "2620:fe::/48",
    // OpenDNS:
    "208.67.220.0/24",
    "208.67.222.0/24",
    "2620:119:35::/48",
    "2620:119:53::/48",
    // AdGuard:
    "94.140.14.0/24",
    "94.140.15.0/24",
    "2a10:50c0::/48",
    // CleanBrowsing, NextDNS, Mullvad, ControlD:
    "185.228.168.0/24",
    "185.228.169.0/24",
    "45.90.28.0/24",
    "45.90.30.0/24",
    "194.242.2.0/28",
    "76.76.2.0/24",
    "76.76.10.0/24",
    // DNS.SB, dnsforge, Digitale Gesellschaft, Yandex, AliDNS, DNSPod:
    "185.222.222.222",
    "45.11.45.11",
    "176.9.93.198",
    "176.9.1.117",
    "185.95.218.42/31",
    "77.88.8.0/24",
    "223.5.5.5",
    "223.6.6.6",
    "119.29.29.29",
    // Cloudflare's tunnel for devices (WARP), by its published ranges:
    "162.159.192.0/24",
    "162.159.193.0/24",
    "2606:4700:100::/48",
    // The directory authorities that Tor begins with:
    "128.31.0.39",
    "217.196.147.77",
    "45.66.35.11",
    "131.188.40.189",
    "193.23.244.244",
    "171.25.193.9",
    "199.58.81.140",
    "204.13.164.118",
    "216.218.219.41",
};

}  // namespace schultor::policy
