//! Where a request comes from: the peer of the connection, or what a trusted proxy says.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::problem::Problem;

/// Address of the person's device in text form.
#[derive(Clone)]
pub struct ClientAddress(pub String);

/// The peer of the connection, put into each request by the listener.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Addresses in CIDR form (RFC 4632, RFC 4291): `10.0.0.0/8`, `2001:db8::/32`, or one address alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    /// First address, in the 128-bit space where IPv4 lies at `::ffff:0:0/96`.
    first: u128,
    /// Length of the common prefix in that space.
    prefix: u32,
}

/// Why a text names no network.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no network such as 10.0.0.0/8, 2001:db8::/32 or one address")]
pub struct NotANetwork(String);

impl Network {
    /// Whether an address belongs to it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        (bits(address) ^ self.first)
            .checked_shr(128 - self.prefix)
            .unwrap_or(0)
            == 0
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let wrong = || NotANetwork(text.to_owned());
        let (address, prefix) = text
            .split_once('/')
            .map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix
            .map_or(Ok(longest), str::parse::<u32>)
            .ok()
            .filter(|prefix| *prefix <= longest)
            .ok_or_else(wrong)?;
        Ok(Network {
            first: bits(address),
            prefix: 128 - longest + prefix,
        })
    }
}

impl TryFrom<String> for Network {
    type Error = NotANetwork;

    fn try_from(text: String) -> Result<Self, NotANetwork> {
        text.parse()
    }
}

/// Whether an address is in one of some networks.
#[must_use]
pub fn among(address: IpAddr, networks: &[Network]) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// The address a request comes from. `X-Forwarded-For`, all its lines as one list, is walked from its end, where the
/// nearest proxy wrote, and only through trusted proxies; what stands before the first address that is none of them
/// was written by strangers and is not looked at. Where a trusted proxy wrote something else than an address, the
/// peer counts.
#[must_use]
pub fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let peer = peer.to_canonical();
    let mut address = peer;
    let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    let entries = lines
        .iter()
        .rev()
        .flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    for entry in entries {
        if !among(address, trusted) {
            break;
        }
        let Some(previous) = forwarded(entry) else {
            return peer;
        };
        address = previous.to_canonical();
    }
    address
}

/// One entry: an address, which some proxies write with the port or, for IPv6, in brackets.
fn forwarded(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(text)
        .parse()
        .ok()
        .or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()))
}

/// What limits count for an address: the address itself, or its /64 network, since one subscriber has all of it.
#[must_use]
pub fn limited_as(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

impl ClientAddress {
    /// What limits count for it.
    #[must_use]
    pub fn limited_as(&self) -> String {
        self.0.parse().map_or_else(|_| self.0.clone(), limited_as)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<ClientAddress>().cloned().ok_or_else(|| {
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "INTERNAL",
                "the connection's address is not known",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn seen(peer: &str, lines: &[&[u8]], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
        }
        of(peer.parse().unwrap(), &headers, &networks(trusted)).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let line: &[&[u8]] = &[b"1.1.1.1, 203.0.113.9, 10.0.0.2"];
        for (trusted, expected) in [
            (&[][..], "10.0.0.1"),
            (&["10.0.0.1"], "10.0.0.2"),
            (&["10.0.0.0/8"], "203.0.113.9"),
            (&["10.0.0.0/31"], "10.0.0.2"),
            (&["0.0.0.0/0"], "1.1.1.1"),
            (&["::/0"], "1.1.1.1"),
        ] {
            assert_eq!(seen("10.0.0.1", line, trusted), expected, "{trusted:?}");
        }
    }

    #[test]
    fn all_lines_are_one_list_that_is_read_from_its_end() {
        let trusted = &["10.0.0.0/8", "2001:db8::/32"];
        for (peer, lines, expected) in [
            ("10.0.0.1", &[&b"1.1.1.1"[..], b"203.0.113.9"][..], "203.0.113.9"),
            (
                "10.0.0.1",
                &[b"203.0.113.9", b"10.0.0.2, 10.0.0.3"],
                "203.0.113.9",
            ),
            ("2001:db8::1", &[b"2001:db9::7, [2001:db8::2]"], "2001:db9::7"),
            ("::ffff:10.0.0.1", &[b"203.0.113.9:4711"], "203.0.113.9"),
            ("10.0.0.1", &[b"[2001:db9::7]:443"], "2001:db9::7"),
            ("10.0.0.1", &[], "10.0.0.1"),
            // A stranger's garbage stands before the stranger's own address and changes nothing.
            ("10.0.0.1", &[b"unknown, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &[b"\xff\xfe", b"203.0.113.9"], "203.0.113.9"),
            // Garbage where an address is needed leaves the peer.
            ("10.0.0.1", &[b"203.0.113.9, unknown"], "10.0.0.1"),
            ("10.0.0.1", &[b"203.0.113.9, unknown, 10.0.0.2"], "10.0.0.1"),
            ("10.0.0.1", &[b"203.0.113.9", b""], "10.0.0.1"),
            ("10.0.0.1", &[b"203.0.113.9, \xff"], "10.0.0.1"),
            // Whoever is no proxy says what they like.
            ("203.0.113.9", &[b"1.1.1.1"], "203.0.113.9"),
        ] {
            assert_eq!(seen(peer, lines, trusted), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn networks_hold_their_own_kind_of_address() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.128/25", "192.0.2.200", "192.0.2.127"),
            ("10.1.2.3/8", "10.9.9.9", "9.1.2.3"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("::1", "::1", "::2"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert!(parsed.contains(inside.parse().unwrap()), "{inside} in {network}");
            assert!(
                !parsed.contains(outside.parse().unwrap()),
                "{outside} in {network}"
            );
        }
        for wrong in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/-1",
            "10.0.0/8",
            "proxy",
            "10.0.0.0/",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_subscriber_of_ipv6_is_one_network() {
        let first = limited_as("2001:db8:1:2:3::1".parse().unwrap());
        let second = limited_as("2001:db8:1:2:ffff::9".parse().unwrap());
        assert_eq!(
            (first.as_str(), second.as_str()),
            ("2001:db8:1:2::/64", "2001:db8:1:2::/64")
        );
    }
}
