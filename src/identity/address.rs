//! What people type about themselves, parsed at the door.

use super::IdentityError;

/// The longest address that SMTP can carry, in bytes (RFC 5321 §4.5.3.1.3 with erratum 1690).
const LONGEST_ADDRESS: usize = 254;

/// The longest name of a person, key or organization, in characters.
const LONGEST_NAME: usize = 200;

/// An e-mail address that a person signs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LoginAddress {
    /// As it was typed.
    pub as_given: String,
    /// Lower case: nobody remembers in which case they signed up.
    pub normalized: String,
}

impl LoginAddress {
    /// Reads an address; generous, since only a mail that arrives would prove it.
    ///
    /// # Errors
    /// When it cannot be an address.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let text = text.trim();
        let fits = text.len() <= LONGEST_ADDRESS
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
            && text.rsplit_once('@').is_some_and(|(local, domain)| {
                !local.is_empty() && !local.contains('@') && !domain.is_empty() && !domain.contains("..")
            });
        if fits {
            return Ok(Self { as_given: text.to_owned(), normalized: text.to_lowercase() });
        }
        Err(IdentityError::Invalid("email", "must be an e-mail address such as ada@example.com".into()))
    }
}

/// Reads the name of a person, key or organization.
///
/// # Errors
/// When it is empty, too long or holds control characters.
pub(super) fn name(field: &'static str, text: &str) -> Result<String, IdentityError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_NAME || text.chars().any(char::is_control) {
        return Err(IdentityError::Invalid(field, format!("must have 1 to {LONGEST_NAME} characters on one line")));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_compared_without_case_and_kept_as_typed() {
        let address = LoginAddress::parse(" Ada@Example.COM ").unwrap();
        assert_eq!((address.as_given.as_str(), address.normalized.as_str()), ("Ada@Example.COM", "ada@example.com"));
        for bad in ["", "ada", "@example.com", "ada@", "a b@example.com", "a@b@c", "a@b..c", &"a".repeat(300)] {
            assert!(LoginAddress::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_is_one_line_of_text() {
        assert_eq!(name("name", "  Ada ").unwrap(), "Ada");
        assert!(name("name", " ").is_err());
        assert!(name("name", "a\nb").is_err());
        assert!(name("name", &"ä".repeat(201)).is_err());
    }
}
