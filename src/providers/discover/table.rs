//! The servers of large providers, from their own help pages.

use super::model::{Discovered, Endpoint, MailAddress, Source};
use crate::providers::Security;

use LoginName::{Address, LocalPart};
use Security::{StartTls, Tls};

/// What a provider wants as login name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LoginName {
    Address,
    LocalPart,
}

/// The servers of one provider.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    imap: (&'static str, u16, Security),
    smtp: (&'static str, u16, Security),
    login: LoginName,
}

/// Both servers with TLS from the first byte, logged in to with the address.
const fn tls(imap: &'static str, smtp: &'static str) -> Known {
    Known { imap: (imap, 993, Tls), smtp: (smtp, 465, Tls), login: Address }
}

/// As [`tls`], but mail is handed in on port 587 with STARTTLS.
const fn submission(imap: &'static str, smtp: &'static str) -> Known {
    Known { smtp: (smtp, 587, StartTls), ..tls(imap, smtp) }
}

const GMAIL: Known = tls("imap.gmail.com", "smtp.gmail.com");
const OUTLOOK: Known = submission("outlook.office365.com", "smtp.office365.com");
const YAHOO: Known = tls("imap.mail.yahoo.com", "smtp.mail.yahoo.com");
const AOL: Known = tls("imap.aol.com", "smtp.aol.com");
const ICLOUD: Known = submission("imap.mail.me.com", "smtp.mail.me.com");
const FASTMAIL: Known = tls("imap.fastmail.com", "smtp.fastmail.com");
const ZOHO: Known = tls("imap.zoho.com", "smtp.zoho.com");
const ZOHO_EU: Known = tls("imap.zoho.eu", "smtp.zoho.eu");
const ZOHO_IN: Known = tls("imap.zoho.in", "smtp.zoho.in");
const GMX_NET: Known = tls("imap.gmx.net", "mail.gmx.net");
const GMX_COM: Known = tls("imap.gmx.com", "mail.gmx.com");
const MAIL_COM: Known = submission("imap.mail.com", "smtp.mail.com");
const MAIL_RU: Known = tls("imap.mail.ru", "smtp.mail.ru");
const YANDEX: Known = tls("imap.yandex.com", "smtp.yandex.com");
const MAILBOX_ORG: Known = tls("imap.mailbox.org", "smtp.mailbox.org");
const IONOS_DE: Known = tls("imap.ionos.de", "smtp.ionos.de");
const IONOS_COM: Known = tls("imap.ionos.com", "smtp.ionos.com");
const ORANGE: Known = tls("imap.orange.fr", "smtp.orange.fr");
const QQ: Known = tls("imap.qq.com", "smtp.qq.com");
const SEZNAM: Known = tls("imap.seznam.cz", "smtp.seznam.cz");
const INTERIA: Known = tls("poczta.interia.pl", "poczta.interia.pl");
const DAUM: Known = tls("imap.daum.net", "smtp.daum.net");
const FREE: Known = Known { login: LocalPart, ..tls("imap.free.fr", "smtp.free.fr") };

/// Domains of addresses.
const DOMAINS: &[(&[&str], Known)] = &[
    (&["gmail.com", "googlemail.com"], GMAIL),
    (&["passport.com", "windowslive.com"], OUTLOOK),
    (&["ymail.com", "rocketmail.com", "myyahoo.com"], YAHOO),
    (&["yahoo.co.jp", "ybb.ne.jp"], tls("imap.mail.yahoo.co.jp", "smtp.mail.yahoo.co.jp")),
    (&["aol.com", "aim.com", "aol.de", "aol.fr", "aol.co.uk"], AOL),
    (&["icloud.com", "me.com", "mac.com"], ICLOUD),
    (&["fastmail.com", "fastmail.fm", "messagingengine.com", "sent.com"], FASTMAIL),
    (&["zoho.com", "zohomail.com"], ZOHO),
    (&["zoho.eu", "zohomail.eu"], ZOHO_EU),
    (&["zoho.in", "zohomail.in"], ZOHO_IN),
    (&["gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.li", "gmx.eu", "gmx.org"], GMX_NET),
    (&["gmx.com", "gmx.us", "gmx.co.uk", "gmx.fr", "gmx.es", "gmx.it"], GMX_COM),
    (&["web.de"], submission("imap.web.de", "smtp.web.de")),
    (&["mail.com", "email.com", "usa.com", "europe.com", "consultant.com"], MAIL_COM),
    (&["mail.ru", "inbox.ru", "list.ru", "bk.ru", "internet.ru"], MAIL_RU),
    (&["yandex.ru", "yandex.com", "ya.ru", "yandex.by", "yandex.kz", "yandex.ua", "narod.ru"], YANDEX),
    (&["t-online.de", "magenta.de"], tls("secureimap.t-online.de", "securesmtp.t-online.de")),
    (&["posteo.de", "posteo.net", "posteo.eu", "posteo.org", "posteo.at", "posteo.ch"], tls("posteo.de", "posteo.de")),
    (&["mailbox.org", "secure.mailbox.org"], MAILBOX_ORG),
    (&["freenet.de"], submission("mx.freenet.de", "mx.freenet.de")),
    (&["online.de", "onlinehome.de"], IONOS_DE),
    (&["orange.fr", "wanadoo.fr"], ORANGE),
    (&["free.fr"], FREE),
    (&["laposte.net"], tls("imap.laposte.net", "smtp.laposte.net")),
    (&["sfr.fr", "neuf.fr"], tls("imap.sfr.fr", "smtp.sfr.fr")),
    (&["libero.it", "iol.it", "inwind.it"], tls("imapmail.libero.it", "smtp.libero.it")),
    (&["virgilio.it"], tls("in.virgilio.it", "out.virgilio.it")),
    (&["tiscali.it"], tls("imap.tiscali.it", "smtp.tiscali.it")),
    (&["wp.pl"], tls("imap.wp.pl", "smtp.wp.pl")),
    (&["o2.pl", "tlen.pl", "go2.pl"], tls("poczta.o2.pl", "poczta.o2.pl")),
    (&["onet.pl", "poczta.onet.pl"], tls("imap.poczta.onet.pl", "smtp.poczta.onet.pl")),
    (&["interia.pl", "poczta.fm", "interia.eu"], INTERIA),
    (&["seznam.cz", "email.cz", "post.cz"], SEZNAM),
    (&["qq.com", "foxmail.com"], QQ),
    (&["163.com"], tls("imap.163.com", "smtp.163.com")),
    (&["126.com"], tls("imap.126.com", "smtp.126.com")),
    (&["yeah.net"], tls("imap.yeah.net", "smtp.yeah.net")),
    (&["naver.com"], tls("imap.naver.com", "smtp.naver.com")),
    (&["daum.net", "hanmail.net"], DAUM),
    (&["rambler.ru", "lenta.ru", "ro.ru"], tls("imap.rambler.ru", "smtp.rambler.ru")),
    (&["ukr.net"], tls("imap.ukr.net", "smtp.ukr.net")),
    (&["runbox.com"], tls("mail.runbox.com", "mail.runbox.com")),
    (&["hushmail.com"], tls("imap.hushmail.com", "smtp.hushmail.com")),
    (&["comcast.net", "xfinity.com"], tls("imap.comcast.net", "smtp.comcast.net")),
    (&["att.net", "sbcglobal.net", "bellsouth.net"], tls("imap.mail.att.net", "smtp.mail.att.net")),
    (&["verizon.net"], tls("imap.aol.com", "smtp.verizon.net")),
    (&["btinternet.com", "btopenworld.com"], tls("mail.btinternet.com", "mail.btinternet.com")),
    (&["virginmedia.com", "ntlworld.com"], tls("imap.virginmedia.com", "smtp.virginmedia.com")),
    (&["bluewin.ch"], tls("imaps.bluewin.ch", "smtpauths.bluewin.ch")),
    (&["uol.com.br"], tls("imap.uol.com.br", "smtps.uol.com.br")),
];

/// Brands with a domain in many countries: `yahoo.de`, `hotmail.co.uk`, …
const BRANDS: &[(&str, Known)] =
    &[("outlook", OUTLOOK), ("hotmail", OUTLOOK), ("live", OUTLOOK), ("msn", OUTLOOK), ("yahoo", YAHOO)];

/// Domains that mail exchangers stand in.
const EXCHANGERS: &[(&str, Known)] = &[
    ("google.com", GMAIL),
    ("googlemail.com", GMAIL),
    ("psmtp.com", GMAIL),
    ("protection.outlook.com", OUTLOOK),
    ("mx.microsoft", OUTLOOK),
    ("yahoodns.net", YAHOO),
    ("messagingengine.com", FASTMAIL),
    ("mail.icloud.com", ICLOUD),
    ("zoho.com", ZOHO),
    ("zoho.eu", ZOHO_EU),
    ("zoho.in", ZOHO_IN),
    ("yandex.net", YANDEX),
    ("yandex.ru", YANDEX),
    ("mail.ru", MAIL_RU),
    ("mailbox.org", MAILBOX_ORG),
    ("kundenserver.de", IONOS_DE),
    ("ionos.de", IONOS_DE),
    ("ionos.com", IONOS_COM),
    ("perfora.net", IONOS_COM),
    ("rzone.de", tls("imap.strato.de", "smtp.strato.de")),
    ("ovh.net", tls("ssl0.ovh.net", "ssl0.ovh.net")),
    ("gandi.net", tls("mail.gandi.net", "mail.gandi.net")),
    ("migadu.com", tls("imap.migadu.com", "smtp.migadu.com")),
    ("secureserver.net", tls("imap.secureserver.net", "smtpout.secureserver.net")),
    ("privateemail.com", tls("mail.privateemail.com", "mail.privateemail.com")),
    ("emailsrvr.com", tls("secure.emailsrvr.com", "secure.emailsrvr.com")),
    ("hostinger.com", tls("imap.hostinger.com", "smtp.hostinger.com")),
    ("titan.email", tls("imap.titan.email", "smtp.titan.email")),
    ("infomaniak.ch", tls("mail.infomaniak.com", "mail.infomaniak.com")),
    ("one.com", tls("imap.one.com", "send.one.com")),
    ("loopia.se", tls("mailcluster.loopia.se", "mailcluster.loopia.se")),
    ("dreamhost.com", tls("imap.dreamhost.com", "smtp.dreamhost.com")),
    ("mxbiz1.qq.com", tls("imap.exmail.qq.com", "smtp.exmail.qq.com")),
    ("mxbiz2.qq.com", tls("imap.exmail.qq.com", "smtp.exmail.qq.com")),
    ("mxhichina.com", tls("imap.qiye.aliyun.com", "smtp.qiye.aliyun.com")),
];

/// The provider whose addresses end in this domain.
pub(super) fn by_domain(domain: &str) -> Option<&'static Known> {
    let listed = DOMAINS.iter().find(|(domains, _)| domains.contains(&domain)).map(|(_, known)| known);
    listed.or_else(|| by_brand(domain))
}

fn by_brand(domain: &str) -> Option<&'static Known> {
    let (name, country) = domain.split_once('.')?;
    let is_country = match country.split_once('.') {
        Some((second, top)) => matches!(second, "co" | "com") && top.len() == 2,
        None => country.len() == 2 || country == "com",
    };
    let found = BRANDS.iter().find(|(brand, _)| *brand == name)?;
    is_country.then_some(&found.1)
}

/// The provider that runs a mail exchanger.
pub(super) fn by_exchanger(host: &str) -> Option<&'static Known> {
    EXCHANGERS
        .iter()
        .find(|(domain, _)| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
        .map(|(_, known)| known)
}

impl Known {
    pub(super) fn discovered(&self, address: &MailAddress, source: Source) -> Discovered {
        let username = match self.login {
            Address => &address.full,
            LocalPart => &address.local,
        };
        let endpoint = |(host, port, security): (&str, u16, Security)| Endpoint {
            host: host.to_owned(),
            port,
            security,
            username: username.clone(),
        };
        Discovered::new(endpoint(self.imap), endpoint(self.smtp), source)
    }
}
