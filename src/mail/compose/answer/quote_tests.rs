//! What is quoted is safe, and is known as a quotation by what reads it.

use chrono::{TimeZone, Utc};

use super::*;
use crate::mail::compose::{compose, compose_tests, referenced_content_ids};
use crate::mail::parse;

fn original() -> ReplySource {
    ReplySource {
        from: Some(Mailbox { name: Some("Ada <Berg> & Co".into()), address: "ada@example.org".into() }),
        to: vec![Mailbox { name: None, address: "ben@example.com".into() }],
        subject: "The <offer>".into(),
        date: Some(Utc.with_ymd_and_hms(2026, 2, 3, 9, 20, 30).unwrap()),
        text: Some("First line\n> older\n\nLast line\n\n".into()),
        ..ReplySource::default()
    }
}

fn hostile() -> ReplySource {
    let html = "<style>p{color:red}</style><p onclick=\"x()\">Hi<script>alert(1)</script>\
                <img src=\"cid:Logo%40x\"><img src=\"https://example.org/a.png\"><img src=x onerror=alert(1)>\
                <a href=\"javascript:alert(1)\">y</a></div></blockquote></div>";
    ReplySource { html: Some(html.into()), text: None, ..original() }
}

fn sent(body: Body) -> crate::mail::ParsedMail {
    let mail = crate::mail::compose::Outgoing { text: body.text, html: body.html, ..compose_tests::simple() };
    assert!(compose(&mail).is_ok());
    parse(&compose_tests::octets(&mail, &[]))
}

#[test]
fn a_reply_quotes_each_line() {
    let quote = quote_reply(&original());
    assert_eq!(
        quote.text,
        "On Tue, 3 Feb 2026 at 09:20 UTC, Ada <Berg> & Co <ada@example.org> wrote:\n> First line\n>> older\n>\n> Last line\n"
    );
    assert!(
        quote.html.contains("Ada &lt;Berg&gt; &amp; Co &lt;ada@example.org&gt; wrote:<br></div>"),
        "{}",
        quote.html
    );
    assert!(quote.html.contains("<blockquote type=\"cite\" class=\"gmail_quote\""), "{}", quote.html);
    assert!(quote.html.contains("First line<blockquote>older</blockquote>"), "{}", quote.html);
}

#[test]
fn nothing_dangerous_goes_out_again_and_pictures_stay() {
    for quote in [quote_reply(&hostile()), quote_forward(&hostile())] {
        for word in ["script", "onclick", "onerror", "alert"] {
            assert!(!quote.html.contains(word), "{word} in {}", quote.html);
        }
        assert!(quote.html.contains("<img src=\"cid:Logo%40x\">"), "{}", quote.html);
        assert!(quote.html.contains("<img src=\"https://example.org/a.png\">"), "{}", quote.html);
        assert!(referenced_content_ids(&quote.html).contains("logo@x"));
        // End tags of the original do not close what it stands in.
        assert!(quote.html.ends_with("</div>"), "{}", quote.html);
        assert_eq!(quote.html.matches("<div").count(), quote.html.matches("</div>").count(), "{}", quote.html);
        assert!(quote.text.contains("Hi"));
    }
    assert!(!quote_reply(&hostile()).html.contains("<style>"));
    assert!(quote_forward(&hostile()).html.contains("<style>p{color: red}</style>"));
}

#[test]
fn a_reply_shows_only_what_its_author_wrote() {
    for original in [original(), hostile()] {
        let quote = quote_reply(&original);
        let html = Body { text: None, html: Some("<p>My answer</p>".into()) };
        let text = Body { text: Some("My answer\n".into()), html: None };
        for body in [html, text] {
            let whole = sent(body.clone().with_quote(&quote));
            assert_eq!(whole.visible_text.as_deref(), Some("My answer"));
            let signed = sent(body.with_signature("<b>Ben</b><br>Sales").with_quote(&quote));
            assert_eq!(signed.visible_text.as_deref(), Some("My answer"), "{:?}", signed.body_text);
            let text = signed.body_text.unwrap();
            assert!(text.starts_with("My answer\n\n-- \nBen\nSales\n\nOn Tue, 3 Feb 2026"), "{text}");
        }
    }
}

#[test]
fn a_forward_shows_all() {
    let quote = quote_forward(&original());
    assert!(quote.text.starts_with(
        "---------- Forwarded message ---------\nFrom: Ada <Berg> & Co <ada@example.org>\n\
         Date: Tue, 3 Feb 2026 at 09:20 UTC\nSubject: The <offer>\nTo: ben@example.com\n\nFirst line\n"
    ));
    assert!(quote.html.contains("Subject: The &lt;offer&gt;<br>To: ben@example.com<br></div>"), "{}", quote.html);
    let whole = sent(Body { text: None, html: Some("<p>See below</p>".into()) }.with_quote(&quote));
    let visible = whole.visible_text.unwrap();
    assert!(visible.contains("See below") && visible.contains("Last line"), "{visible}");
    let bare = Body::default().with_quote(&quote);
    assert_eq!((bare.text.as_deref(), bare.html.as_deref()), (Some(quote.text.as_str()), Some(quote.html.as_str())));
}

#[test]
fn a_plain_answer_stays_plain() {
    let body = Body { text: Some("Yes\n".into()), html: None };
    let body = body.with_signature("<p>Ben &amp; Co</p>").with_quote(&quote_reply(&hostile()));
    assert_eq!(body.html, None);
    assert!(body.text.unwrap().starts_with("Yes\n\n-- \nBen & Co\n\nOn Tue"));
}

#[test]
fn a_signature_stands_before_the_quotation_and_inside_the_document() {
    let quoted = format!("<p>Hi</p>{}", quote_reply(&original()).html);
    let signed = with_signature(&quoted, "<b>Ben</b>");
    assert!(signed.find("<b>Ben</b>").unwrap() < signed.find("gmail_quote").unwrap());
    let whole = with_signature("<html><BODY><p>Hi</p></BODY></html>", "Ben");
    assert!(whole.ends_with(">Ben</div></BODY></html>"), "{whole}");
    assert_eq!(with_signature("<p>Hi</p>", "  "), "<p>Hi</p>");
    let parsed = sent(Body { text: None, html: Some(with_signature("<p>Hi</p>", "<b>Ben</b>")) });
    assert_eq!(parsed.body_text.as_deref(), Some("Hi\n\n-- \nBen\n"));
    assert_eq!(parsed.visible_text.as_deref(), Some("Hi"));
}

#[test]
fn an_original_without_author_date_or_text_can_be_quoted() {
    let quote = quote_reply(&ReplySource::default());
    assert_eq!(quote.text, "an unknown sender wrote:\n");
    assert!(quote_forward(&ReplySource::default()).text.starts_with("---------- Forwarded message ---------\n\n"));
    let long = ReplySource {
        from: Some(Mailbox { name: Some("n\n".repeat(250)), address: "a@example.org".repeat(30) }),
        ..original()
    };
    let line = quote_reply(&long).text.lines().next().unwrap().to_owned();
    assert!(line.len() < 400 && line.ends_with(" wrote:"), "{line}");
}
