//! Which addresses a mail may go to.

use super::*;

#[test]
fn addresses_are_taken_in_the_form_for_the_wire() {
    let longest = format!("{}@{}.example", "l".repeat(64), "d".repeat(60));
    for (given, wire) in [
        ("ada@example.org", "ada@example.org"),
        (" Ada.Berg+crm@Example.ORG ", "Ada.Berg+crm@example.org"),
        ("!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org"),
        ("\"john doe\"@example.org", "\"john doe\"@example.org"),
        ("\"a@b\\\"c\"@example.org", "\"a@b\\\"c\"@example.org"),
        ("x@localhost", "x@localhost"),
        ("x@sub.münchen.example", "x@sub.xn--mnchen-3ya.example"),
        ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
        ("x@xn--mnchen-3ya.example", "x@xn--mnchen-3ya.example"),
        (longest.as_str(), longest.as_str()),
    ] {
        assert_eq!(check_address(given).as_deref(), Ok(wire), "{given}");
    }
}

#[test]
fn what_is_no_address_is_refused_in_plain_words() {
    let (local, domain) = (format!("{}@example.org", "l".repeat(65)), format!("x@{}.example", "d".repeat(64)));
    let (long, longer) =
        (format!("{}@{}example", "l".repeat(64), "d.".repeat(100)), "x@".to_owned() + &"d.".repeat(600));
    for (given, part) in [
        ("", "empty"),
        ("ada", "no @"),
        ("@example.org", "nothing before"),
        ("ada@", "nothing behind"),
        ("ada berg@example.org", "spaces"),
        ("a..b@example.org", "dot"),
        (".a@example.org", "dot"),
        ("a.@example.org", "dot"),
        ("a,b@example.org", "character"),
        ("<ada@example.org>", "character"),
        ("Ada <ada@example.org>", "spaces"),
        ("a@b@example.org", "character"),
        ("a\u{200b}b@example.org", "character"),
        ("a\u{202e}b@example.org", "character"),
        ("\"ada@example.org", "quotation"),
        ("\"a\"b\"@example.org", "quotation"),
        ("\"a\\\"@example.org", "quotation"),
        ("ada@[127.0.0.1]", "network address"),
        ("ada@127.0.0.1", "network address"),
        ("ada@0x7f.1", "network address"),
        ("ada@example..org", "domain name"),
        ("ada@.example.org", "domain name"),
        ("ada@example.org.", "domain name"),
        ("ada@-example.org", "domain name"),
        ("ada@exa_mple.org", "domain name"),
        ("ada@exa%6Dple.org", "domain name"),
        ("ada@example.org>", "domain name"),
        ("ada@xn--a.example", "domain name"),
        ("ada@example.org\r\nRCPT TO:<eve@example.net>", "line break"),
        ("ada@example.org\n", "line break"),
        ("ada@example.org\u{2028}", "line break"),
        ("ada\0@example.org", "NUL"),
        (&local, "64 octets"),
        (&domain, "domain name"),
        (&long, "254"),
        (&longer, "domain name"),
    ] {
        let error = check_address(given).unwrap_err();
        assert!(error.reason.contains(part), "{given:?}: {error}");
        assert_eq!(error.at("to[3]").field, "to[3]");
    }
}
