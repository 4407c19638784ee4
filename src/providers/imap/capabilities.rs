//! What a server can do beyond the core protocol.

/// The capabilities we make use of; each is named after the server's own word for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// IMAP4rev2 (RFC 9051)
    pub imap4rev2: bool,
    /// STARTTLS
    pub starttls: bool,
    /// LOGINDISABLED: LOGIN is refused on this connection.
    pub login_disabled: bool,
    /// AUTH=PLAIN (RFC 4616)
    pub auth_plain: bool,
    /// AUTH=XOAUTH2
    pub auth_xoauth2: bool,
    /// AUTH=OAUTHBEARER (RFC 7628)
    pub auth_oauthbearer: bool,
    /// SASL-IR: credentials may go along with AUTHENTICATE (RFC 4959).
    pub sasl_ir: bool,
    /// CONDSTORE: modification sequences (RFC 7162)
    pub condstore: bool,
    /// QRESYNC: vanished mails are told by UID (RFC 7162)
    pub qresync: bool,
    /// IDLE (RFC 2177)
    pub idle: bool,
    /// MOVE (RFC 6851)
    pub move_: bool,
    /// UIDPLUS (RFC 4315)
    pub uidplus: bool,
    /// SPECIAL-USE (RFC 6154)
    pub special_use: bool,
    /// LIST-EXTENDED (RFC 5258)
    pub list_extended: bool,
    /// LIST-STATUS (RFC 5819)
    pub list_status: bool,
    /// OBJECTID: ids that survive moves (RFC 8474)
    pub objectid: bool,
    /// LITERAL+ (RFC 7888)
    pub literal_plus: bool,
    /// LITERAL- (RFC 7888): as LITERAL+, up to 4096 octets
    pub literal_minus: bool,
    /// ESEARCH (RFC 4731)
    pub esearch: bool,
    /// X-GM-EXT-1: Gmail's ids and labels
    pub gmail_ext: bool,
    /// ENABLE (RFC 5161)
    pub enable: bool,
    /// UTF8=ACCEPT (RFC 6855)
    pub utf8_accept: bool,
    /// NAMESPACE (RFC 2342)
    pub namespace: bool,
    /// COMPRESS=DEFLATE (RFC 4978)
    pub compress: bool,
    /// ID (RFC 2971)
    pub id: bool,
    /// UNSELECT (RFC 3691)
    pub unselect: bool,
}

impl Capabilities {
    /// Reads the words of a CAPABILITY response.
    pub fn parse(words: &str) -> Self {
        let mut found = Self::default();
        for word in words.split_ascii_whitespace() {
            found.note(&word.to_ascii_uppercase());
        }
        if found.imap4rev2 {
            // RFC 9051 made these part of the core.
            found.esearch = true;
            found.enable = true;
            found.sasl_ir = true;
            found.move_ = true;
            found.uidplus = true;
            found.idle = true;
            found.namespace = true;
            found.unselect = true;
            found.list_extended = true;
            found.list_status = true;
            found.special_use = true;
            found.literal_minus = true;
        }
        found.condstore |= found.qresync;
        found
    }

    fn note(&mut self, word: &str) {
        let field = match word {
            "IMAP4REV2" => &mut self.imap4rev2,
            "STARTTLS" => &mut self.starttls,
            "LOGINDISABLED" => &mut self.login_disabled,
            "AUTH=PLAIN" => &mut self.auth_plain,
            "AUTH=XOAUTH2" => &mut self.auth_xoauth2,
            "AUTH=OAUTHBEARER" => &mut self.auth_oauthbearer,
            "SASL-IR" => &mut self.sasl_ir,
            "CONDSTORE" => &mut self.condstore,
            "QRESYNC" => &mut self.qresync,
            "IDLE" => &mut self.idle,
            "MOVE" => &mut self.move_,
            "UIDPLUS" => &mut self.uidplus,
            "SPECIAL-USE" => &mut self.special_use,
            "LIST-EXTENDED" => &mut self.list_extended,
            "LIST-STATUS" => &mut self.list_status,
            "OBJECTID" => &mut self.objectid,
            "LITERAL+" => &mut self.literal_plus,
            "LITERAL-" => &mut self.literal_minus,
            "ESEARCH" => &mut self.esearch,
            "X-GM-EXT-1" => &mut self.gmail_ext,
            "ENABLE" => &mut self.enable,
            "UTF8=ACCEPT" | "UTF8=ONLY" => &mut self.utf8_accept,
            "NAMESPACE" => &mut self.namespace,
            "COMPRESS=DEFLATE" => &mut self.compress,
            "ID" => &mut self.id,
            "UNSELECT" => &mut self.unselect,
            _ => return,
        };
        *field = true;
    }
}
