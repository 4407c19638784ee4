//! What may reach a reader's browser, and what may not.

use std::collections::HashMap;

use super::html::{page, sanitize, sanitize_with, text_to_html, to_text};
use super::parse_tests::fixture;

#[test]
fn hostile_html_comes_out_harmless() {
    let raw = fixture("hostile_html");
    let html = super::parse(&raw).body_html.unwrap();
    let clean = sanitize_with(&html, &HashMap::new());
    for word in
        ["script", "svg", "onclick", "javascript", "form", "input", "evil.example", "@import", "url(", "position"]
    {
        assert!(!clean.html.contains(word), "{word} in {}", clean.html);
    }
    assert!(clean.html.contains("<style>p{color: red}</style>"), "{}", clean.html);
    assert!(clean.html.contains("style=\"color: blue\""));
    assert!(clean.html.contains("width=\"1\"") && clean.html.contains("height=\"1\""));
    assert_eq!(clean.blocked_images, 1);
}

#[test]
fn well_known_attacks_leave_nothing_that_runs_or_loads() {
    let attacks = [
        "<img src=x onerror=alert(1)>",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<style><img src=x onerror=alert(1)></style>",
        "<style>a{}</style/><img src=x onerror=alert(1)>",
        "<a href=\"java\tscript:alert(1)\">x</a>",
        "<a href=\" javascript:alert(1)\">x</a>",
        "<a href=\"data:text/html,<script>alert(1)</script>\">x</a>",
        "<a href=\"cid:x\">x</a>",
        "<img src=\"data:image/svg+xml;base64,PHN2Zz4=\">",
        "<meta http-equiv=refresh content=\"0;url=https://evil.example\">",
        "<base href=\"https://evil.example/\"><link rel=stylesheet href=\"https://evil.example/a.css\">",
        "<div style=\"background:\\75rl(https://evil.example)\">x</div>",
        "<div style=\"background:u/**/rl(https://evil.example)\">x</div>",
        "<div style=\"width:expression(alert(1))\">x</div>",
        "<div style=\"background-image:image-set('https://evil.example' 1x)\">x</div>",
        "<table background=\"https://evil.example\"><tr><td>x</td></tr></table>",
        "<img srcset=\"https://evil.example 1x\">",
        "<video poster=\"https://evil.example\"><source src=\"https://evil.example\"></video>",
        "<style>@media screen{@font-face{font-family:x;src:url(https://evil.example)} p{color:red}}</style>",
        "<style>p{background:url('https://evil.example')</style>",
        "<style>@\\69mport 'https://evil.example';</style>",
        "<style>input[value^='a']{color:red}</style>",
    ];
    for attack in attacks {
        let clean = sanitize(attack);
        for word in
            ["onerror", "alert(", "javascript:", "evil.example", "<script", "svg", "cid:", "<meta", "<base", "[value"]
        {
            let shown_as_text = word == "alert(" || word == "onerror";
            let tagged = clean.contains('<') && clean.contains(word);
            assert!(!tagged || (shown_as_text && !clean.contains("<img")), "{attack} gave {clean}");
        }
    }
}

#[test]
fn links_open_elsewhere_and_betray_nothing() {
    let clean = sanitize(
        "<a href=\"https://example.org/?a=1&amp;b=2\">x</a> <a href='mailto:a@example.org'>y</a> <a href='/here'>z</a>",
    );
    assert_eq!(clean.matches("rel=\"noopener noreferrer nofollow\"").count(), 3);
    assert_eq!(clean.matches("target=\"_blank\"").count(), 3);
    assert!(clean.contains("href=\"https://example.org/?a=1&amp;b=2\"") && clean.contains("mailto:"));
    assert!(!clean.contains("/here"));
}

#[test]
fn embedded_images_point_to_our_addresses() {
    let urls = HashMap::from([("logo@example.org".to_owned(), "/api/email/attachments/1".to_owned())]);
    let clean = sanitize_with("<img src=\"CID:Logo%40example.org\" alt=L><img src='cid:other'>", &urls);
    assert!(clean.html.contains("src=\"/api/email/attachments/1\""), "{}", clean.html);
    assert!(!clean.html.contains("cid:"));
    assert_eq!(clean.blocked_images, 0);
}

#[test]
fn ordinary_styles_survive() {
    let clean = sanitize(
        "<td style=\"padding: 4px; font-family: Arial, sans-serif; background-color:#fff\" bgcolor=\"#fff\">x</td><p style='margin:0'>y</p>",
    );
    assert!(clean.contains("margin: 0"));
    let clean = sanitize(
        "<style type=\"text/css\"><!-- .a { color: red; behavior: url(x) } @media (max-width:600px) { .a { width: 100% !important } } --></style><p class=a>x</p>",
    );
    assert!(clean.contains(".a{color: red}"), "{clean}");
    assert!(clean.contains("@media (max-width:600px){.a{width: 100% !important}}"), "{clean}");
    assert!(clean.contains("class=\"a\""));
}

#[test]
fn a_page_is_a_whole_document_with_its_own_policy() {
    let document = page(&sanitize("<p>Hi</p>"));
    assert!(document.starts_with("<!doctype html>"));
    assert!(document.contains("default-src 'none'") && document.contains("<p>Hi</p>"));
    assert!(document.contains("light dark"));
    assert!(!page("<td bgcolor=\"#fff\">x</td>").contains("light dark"));
}

#[test]
fn text_becomes_html_with_links_and_quotes() {
    let html = text_to_html("See https://example.org/a(b). <b>\n> quoted\n>> deeper\nwww.example.com, ok");
    assert!(html.contains("href=\"https://example.org/a(b)\""), "{html}");
    assert!(html.contains("&lt;b&gt;") && html.contains("href=\"https://www.example.com\""));
    assert!(html.contains("<blockquote>quoted<blockquote>deeper</blockquote></blockquote>"), "{html}");
    assert_eq!(text_to_html(""), "<div class=\"text\"></div>");
    let clean = text_to_html("https://x.example/\" onmouseover=alert(1) x=\"");
    assert!(!clean.contains("\" onmouseover"));
}

#[test]
fn html_becomes_readable_text() {
    let text = to_text(
        "<title>no</title><p>One&nbsp;two</p><ul><li>a<li>b</ul><table><tr><td>x</td><td>y</td></tr></table><blockquote>q<br>r</blockquote><!-- c -->end <3",
    );
    assert_eq!(text, "One two\n\n- a\n- b\n\nx y\n> q\n> r\nend <3");
    assert_eq!(to_text("<pre>a\n  b</pre>"), "a\n  b");
    assert_eq!(to_text("<style>x"), "");
    assert_eq!(to_text("a<b title=\"broken>c"), "ac");
}
