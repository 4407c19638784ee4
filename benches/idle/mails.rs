//! Mails that are made when they are asked for: a thousand mailboxes take no memory.

/// What a mailbox's owner is called at the server.
pub fn user_name(user: usize) -> String {
    format!("user{user}@mail.example")
}

/// The mail with this UID in the inbox of a user. Every mail is a conversation of its own.
pub fn raw(user: usize, uid: u32) -> String {
    let (day, minute) = (1 + uid % 28, user % 60);
    format!(
        "Received: from mx.sender.example (mx.sender.example [198.51.100.7])\r\n\tby in.mail.example with ESMTPS;\r\n\t\
         {day} Nov 2025 10:{minute:02}:00 +0000\r\nDate: {day} Nov 2025 10:{minute:02}:00 +0000\r\n\
         From: Bob Stone <bob@stone-and-sons.example>\r\nTo: {}\r\nSubject: Offer {uid} for customer {user}\r\n\
         Message-ID: <{uid}.{user}@stone-and-sons.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{}Regards, Bob\r\n",
        user_name(user),
        format!("Please find offer {uid} below; it holds until the end of the week.\r\n").repeat(12),
    )
}

/// When the server got it.
pub fn internal_date(uid: u32) -> String {
    format!("{:02}-Nov-2025 10:00:00 +0000", 1 + uid % 28)
}

/// Its header with the blank line.
pub fn header(raw: &str) -> &str {
    raw.find("\r\n\r\n").map_or(raw, |end| &raw[..end + 4])
}
