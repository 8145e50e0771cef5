//! Where a request comes from: the peer of the connection, or what a trusted proxy says.

use std::net::{IpAddr, SocketAddr};

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, StatusCode};

use crate::problem::Problem;

/// Address of the person's device in text form.
#[derive(Clone)]
pub struct ClientAddress(pub String);

/// The peer of the connection, put into each request by the listener.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The address a request comes from. `X-Forwarded-For` is read from its end, where the nearest proxy wrote, and only
/// through proxies that are trusted.
#[must_use]
pub fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let mut address = peer.to_canonical();
    let forwarded: Vec<IpAddr> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map_while(|item| item.trim().parse().ok())
        .collect();
    for previous in forwarded.into_iter().rev() {
        if !trusted.contains(&address) {
            break;
        }
        address = previous.to_canonical();
    }
    address
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
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let inner: IpAddr = "10.0.0.2".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-forwarded-for",
            "1.1.1.1, 203.0.113.9, 10.0.0.2".parse().unwrap(),
        );
        let seen = |trusted: &[IpAddr]| of(proxy, &headers, trusted).to_string();
        assert_eq!(seen(&[]), "10.0.0.1");
        assert_eq!(seen(&[proxy]), "10.0.0.2");
        assert_eq!(seen(&[proxy, inner]), "203.0.113.9");
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
