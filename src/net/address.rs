//! Which addresses of the internet may be reached (IANA special-purpose registries, RFC 6890).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks that a machine of the operator's own may stand in.
const PRIVATE_V4: [(Ipv4Addr, u32); 5] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
];

/// Addresses that no mail or web server has: metadata services, documentation, multicast, …
const RESERVED_V4: [(Ipv4Addr, u32); 11] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 100, 100, 200), 32),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// Parts of the global unicast space 2000::/3 that are not the open internet.
const RESERVED_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// The metadata service of one large cloud, inside the private range fc00::/7.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Says of an address whether it may be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRule {
    allow_private: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Public,
    Private,
    Reserved,
}

impl AddressRule {
    /// Makes a rule; with `allow_private` loopback and private networks are open too.
    pub fn new(allow_private: bool) -> Self {
        Self { allow_private }
    }

    /// Whether the address may be reached. Metadata services, link-local, multicast and the
    /// unspecified address never may.
    pub fn permits(self, address: IpAddr) -> bool {
        match kind(address) {
            Kind::Public => true,
            Kind::Private => self.allow_private,
            Kind::Reserved => false,
        }
    }
}

/// Whether an address belongs to the open internet.
pub fn is_public(address: IpAddr) -> bool {
    kind(address) == Kind::Public
}

fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(v4) => kind_v4(v4),
        IpAddr::V6(v6) => kind_v6(v6),
    }
}

fn kind_v4(address: Ipv4Addr) -> Kind {
    let within = |&(network, bits): &(Ipv4Addr, u32)| {
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        address.to_bits() & mask == network.to_bits()
    };
    if RESERVED_V4.iter().any(within) {
        Kind::Reserved
    } else if PRIVATE_V4.iter().any(within) {
        Kind::Private
    } else {
        Kind::Public
    }
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    if let Some(v4) = embedded_v4(address) {
        return kind_v4(v4);
    }
    let [first, ..] = address.segments();
    if address == METADATA_V6 {
        Kind::Reserved
    } else if address.is_loopback() || first & 0xfe00 == 0xfc00 {
        Kind::Private
    } else if first & 0xe000 != 0x2000 || RESERVED_V6.iter().any(|n| within_v6(address, n)) {
        Kind::Reserved
    } else {
        Kind::Public
    }
}

fn within_v6(address: Ipv6Addr, &(network, bits): &(Ipv6Addr, u32)) -> bool {
    let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
    address.to_bits() & mask == network.to_bits()
}

/// The IPv4 address that a mapped (`::ffff:0:0/96`) or NAT64 (`64:ff9b::/96`) address leads to.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = address.to_bits();
    let low = u32::try_from(bits & u128::from(u32::MAX)).ok()?;
    let prefix = bits >> 32;
    let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0).to_bits() >> 32;
    (prefix == 0xffff || prefix == nat64).then(|| Ipv4Addr::from_bits(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(allow: bool, text: &str) -> bool {
        AddressRule::new(allow).permits(text.parse().unwrap())
    }

    #[test]
    fn the_open_internet_may_be_reached() {
        for text in [
            "8.8.8.8",
            "93.184.216.34",
            "2606:2800:220:1:248:1893:25c8:1946",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(permits(false, text), "{text}");
        }
    }

    #[test]
    fn private_networks_are_refused_unless_allowed() {
        for text in [
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "127.0.0.1",
            "127.8.8.8",
            "100.64.0.1",
            "::1",
            "fc00::1",
            "fd12:3456::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
        ] {
            assert!(!permits(false, text), "{text}");
            assert!(permits(true, text), "{text}");
        }
    }

    #[test]
    fn metadata_and_odd_addresses_are_never_reached() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "100.100.100.200",
            "168.63.129.16",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "::",
            "fe80::1",
            "ff02::1",
            "fec0::1",
            "fd00:ec2::254",
            "2001:db8::1",
            "2002:7f00:1::",
            "2001::1",
            "::127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
        ] {
            assert!(!permits(false, text), "{text}");
            assert!(!permits(true, text), "{text}");
        }
    }

    #[test]
    fn addresses_beside_a_private_network_are_public() {
        for text in ["172.32.0.1", "172.15.0.1", "100.128.0.1", "11.0.0.1", "192.169.0.1"] {
            assert!(permits(false, text), "{text}");
        }
    }
}
