//! Finds the mail servers of an address.
