//! Ids as Exchange makes them: long, case-sensitive, with characters that a path has to encode.
//!
//! A mail has two: one that changes whenever the mail moves, and one that lasts. Each pair of neighbours
//! differs in the case of one letter alone, so that a client that folds case mixes mails up.

use data_encoding::{BASE64, BASE64_NOPAD};

/// What an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A mail as long as it stays where it is.
    Moving,
    /// A mail wherever it goes.
    Lasting,
    /// A folder.
    Folder,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Moving, Self::Lasting, Self::Folder];

    fn prefix(self) -> &'static str {
        match self {
            Self::Moving => "AAMkAD",
            Self::Lasting => "AAkALg",
            Self::Folder => "AQMkAD",
        }
    }

    fn byte(self) -> u8 {
        match self {
            Self::Moving => 1,
            Self::Lasting => 2,
            Self::Folder => 3,
        }
    }
}

/// An id taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// What it names.
    pub kind: Kind,
    /// Its number.
    pub number: u64,
    /// The attachment of the mail, from 1; 0 is the mail itself.
    pub attachment: u16,
}

/// The ids of one mailbox.
#[derive(Clone, Debug)]
pub struct Ids {
    owner: String,
    mask: [u8; 12],
}

/// The end of every id, behind the letter whose case tells neighbours apart.
const END: &str = "AAA=";

impl Ids {
    /// The ids of this user's mailbox.
    pub fn new(user: &str) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, user.as_bytes());
        let bytes = digest.as_ref();
        let mut mask = [0; 12];
        for (mask, byte) in mask.iter_mut().zip(bytes.iter().skip(16)) {
            *mask = *byte;
        }
        Self { owner: BASE64_NOPAD.encode(bytes.get(..16).unwrap_or_default()), mask }
    }

    /// The id of a mail or a folder.
    pub fn id(&self, kind: Kind, number: u64) -> String {
        self.encoded(Named { kind, number, attachment: 0 })
    }

    /// The id of a mail's attachment.
    pub fn attachment(&self, kind: Kind, number: u64, attachment: u16) -> String {
        self.encoded(Named { kind, number, attachment })
    }

    fn encoded(&self, named: Named) -> String {
        let mut bytes = [0_u8; 12];
        let parts = (named.number >> 1).to_be_bytes().into_iter().chain(named.attachment.to_be_bytes());
        for (place, byte) in bytes.iter_mut().zip(parts.chain([named.kind.byte(), 0xa5])) {
            *place = byte;
        }
        let middle = BASE64.encode(&self.masked(bytes));
        let twin = if named.number.is_multiple_of(2) { 'B' } else { 'b' };
        format!("{}{}/{middle}+{twin}{END}", named.kind.prefix(), self.owner)
    }

    fn masked(&self, mut bytes: [u8; 12]) -> [u8; 12] {
        for (byte, mask) in bytes.iter_mut().zip(self.mask) {
            *byte ^= mask;
        }
        bytes
    }

    /// What an id names in this mailbox; none if it is no id of it.
    pub fn parse(&self, id: &str) -> Option<Named> {
        let kind = Kind::ALL.into_iter().find(|kind| id.starts_with(kind.prefix()))?;
        let rest = id.strip_prefix(kind.prefix())?.strip_prefix(self.owner.as_str())?.strip_prefix('/')?;
        let (middle, end) = rest.split_at_checked(16)?;
        let twin = match end.strip_prefix('+')?.strip_suffix(END)? {
            "B" => 0,
            "b" => 1,
            _ => return None,
        };
        let bytes = self.masked(BASE64.decode(middle.as_bytes()).ok()?.try_into().ok()?);
        let (number, rest) = bytes.split_first_chunk::<8>()?;
        let (attachment, check) = rest.split_first_chunk::<2>()?;
        (check == [kind.byte(), 0xa5]).then(|| Named {
            kind,
            number: (u64::from_be_bytes(*number) << 1) | twin,
            attachment: u16::from_be_bytes(*attachment),
        })
    }
}

/// Whether a text looks like an id of any mailbox.
pub fn is_wellformed(id: &str) -> bool {
    let bytes = id.as_bytes();
    id.len() >= 40 && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(byte))
}

/// A GUID made of two numbers, always the same for the same numbers.
pub fn guid(high: u64, low: u64) -> String {
    let [a, b, c, d, e, f, g, h] = high.to_be_bytes();
    let [i, j, k, l, m, n, o, p] = low.to_be_bytes();
    format!(
        "{a:02x}{b:02x}{c:02x}{d:02x}-{e:02x}{f:02x}-4{:01x}{h:02x}-a{:01x}{j:02x}-{k:02x}{l:02x}{m:02x}{n:02x}{o:02x}{p:02x}",
        g & 15,
        i & 15
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_as_what_it_was() {
        let ids = Ids::new("ann");
        for number in [1, 2, 3, 70_000, u64::from(u32::MAX)] {
            for kind in Kind::ALL {
                let id = ids.attachment(kind, number, 7);
                assert_eq!(ids.parse(&id), Some(Named { kind, number, attachment: 7 }), "{id}");
            }
        }
    }

    #[test]
    fn neighbours_differ_in_case_alone() {
        let ids = Ids::new("ann");
        let (one, other) = (ids.id(Kind::Moving, 4), ids.id(Kind::Moving, 5));
        assert!(one != other && one.eq_ignore_ascii_case(&other));
        assert!(one.contains('/') && one.contains('+') && one.ends_with('='));
    }

    #[test]
    fn an_id_of_another_mailbox_names_nothing() {
        let id = Ids::new("bob").id(Kind::Moving, 4);
        assert!(is_wellformed(&id));
        assert_eq!(Ids::new("ann").parse(&id), None);
    }
}
