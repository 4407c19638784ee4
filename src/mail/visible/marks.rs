//! The lines by which mail programs of many languages introduce quoted mail.

/// Last words of `On …, … wrote:`.
const WROTE: [&str; 40] = [
    "wrote",
    "writes",
    "schrieb",
    "geschrieben",
    "a écrit",
    "a ecrit",
    "escribió",
    "escribio",
    "ha escrito",
    "ha scritto",
    "scrisse",
    "escreveu",
    "schreef",
    "skrev",
    "skrifaði",
    "kirjoitti",
    "napisał",
    "napisała",
    "napisał(a)",
    "napisal",
    "napsal",
    "napsal(a)",
    "napísal",
    "írta",
    "a scris",
    "написал",
    "написала",
    "написал(а)",
    "пишет",
    "писал",
    "написав",
    "napisao",
    "je napisao/la",
    "yazdı",
    "έγραψε",
    "đã viết",
    "写道",
    "寫道",
    "のメッセージ",
    "작성",
];

/// Words of a line of dashes above a quoted mail.
const ORIGINAL: [&str; 14] = [
    "original message",
    "ursprüngliche nachricht",
    "originalnachricht",
    "message d'origine",
    "message original",
    "mensaje original",
    "mensagem original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "originalmeddelande",
    "oprindelig meddelelse",
    "исходное сообщение",
    "wiadomość oryginalna",
    "original email",
];

/// Words of the line above a forwarded mail.
const FORWARDED: [&str; 11] = [
    "forwarded message",
    "begin forwarded message",
    "forwarded by",
    "weitergeleitete nachricht",
    "message transféré",
    "mensaje reenviado",
    "messaggio inoltrato",
    "mensagem encaminhada",
    "doorgestuurd bericht",
    "пересылаемое сообщение",
    "forwarded mail",
];

const FROM: [&str; 14] =
    ["from", "von", "de", "da", "van", "från", "fra", "od", "от", "lähettäjä", "kimden", "发件人", "寄件者", "差出人"];
const OTHERS: [&str; 54] = [
    "sent",
    "date",
    "to",
    "subject",
    "cc",
    "gesendet",
    "datum",
    "an",
    "betreff",
    "envoyé",
    "à",
    "objet",
    "enviado",
    "enviado el",
    "fecha",
    "para",
    "asunto",
    "enviada em",
    "enviado em",
    "assunto",
    "data",
    "inviato",
    "a",
    "oggetto",
    "verzonden",
    "aan",
    "onderwerp",
    "skickat",
    "till",
    "ämne",
    "sendt",
    "til",
    "emne",
    "wysłano",
    "do",
    "temat",
    "odesláno",
    "komu",
    "předmět",
    "отправлено",
    "кому",
    "тема",
    "дата",
    "lähetetty",
    "aihe",
    "gönderilme",
    "kime",
    "konu",
    "发送时间",
    "收件人",
    "主题",
    "送信日時",
    "宛先",
    "件名",
];

/// Last lines that phones and programs add by themselves.
const DEVICES: [&str; 14] = [
    "sent from my ",
    "sent from mail for",
    "sent from outlook",
    "sent from yahoo",
    "get outlook for",
    "von meinem ",
    "gesendet von ",
    "envoyé de mon ",
    "envoyé depuis ",
    "enviado desde mi ",
    "enviado do meu ",
    "inviato da ",
    "verstuurd vanaf ",
    "sent via ",
];

/// Whether the line says that a mail is passed on below it.
pub fn is_forward(line: &str) -> bool {
    if !begins_like_a_rule(line) && !line.trim_end().ends_with(':') {
        return false;
    }
    let words = ruled_words(line);
    words.is_some_and(|words| FORWARDED.iter().any(|phrase| words.starts_with(phrase)))
}

/// Whether the line is `-----Original Message-----` or one of its translations.
pub fn is_original_message(line: &str) -> bool {
    if !begins_like_a_rule(line) {
        return false;
    }
    let words = ruled_words(line);
    words.is_some_and(|words| ORIGINAL.iter().any(|phrase| words == *phrase))
}

fn begins_like_a_rule(line: &str) -> bool {
    line.starts_with("--") || line.starts_with("__") || line.starts_with("==") || line.starts_with("- -")
}

/// The words of a short line without the dashes around them.
fn ruled_words(line: &str) -> Option<String> {
    if line.len() > 120 {
        return None;
    }
    let words = line.trim_matches(|c: char| matches!(c, '-' | '_' | '=' | '*' | ':' | ' '));
    Some(words.to_lowercase())
}

/// Whether a block like `From: … Sent: … To: … Subject: …` begins here.
pub fn is_header_block(lines: &[&str]) -> bool {
    let mut lines = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    let first = lines.next().and_then(label);
    if !first.is_some_and(|name| FROM.contains(&name.as_str())) {
        return false;
    }
    let others = lines.take(6).filter_map(label).filter(|name| OTHERS.contains(&name.as_str()));
    others.take(2).count() == 2
}

/// The word before the colon of a line such as `*From:* Ada`.
fn label(line: &str) -> Option<String> {
    let line = line.trim_start_matches(['*', ' ']);
    let end = line.find([':', '：'])?;
    let name = line.get(..end).filter(|name| name.len() < 40)?;
    Some(name.trim_matches(['*', ' ', '\u{a0}']).to_lowercase())
}

/// How many lines an introduction such as `On Monday, Ada wrote:` takes that begins here.
pub fn introduction(lines: &[&str]) -> Option<usize> {
    let first = lines.first()?.trim();
    if first.is_empty() || first.starts_with('>') || first.len() > 400 {
        return None;
    }
    let mut joined = String::new();
    for (at, line) in lines.iter().take(4).enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('>') || joined.len() + line.len() > 500 {
            return None;
        }
        joined.push_str(line);
        joined.push(' ');
        if line.ends_with([':', '：']) {
            return is_introduction(&joined).then_some(at + 1);
        }
        if at == 0 && !first.chars().any(|c| c.is_ascii_digit() || c == '@') {
            return None;
        }
    }
    None
}

fn is_introduction(joined: &str) -> bool {
    let sentence = joined.trim_end_matches([':', '：', ' ', '\u{a0}']).to_lowercase();
    let dated = sentence.chars().any(|c| c.is_ascii_digit()) || sentence.contains('@');
    dated && (WROTE.iter().any(|verb| sentence.ends_with(verb)) || is_german(&sentence))
}

/// German puts the verb before the name: `Am 1. Mai schrieb Ada`.
fn is_german(sentence: &str) -> bool {
    let inverted = [" schrieb ", " skrev ", " schreef ", " kirjoitti ", " a écrit ", " wrote ", " escribió "];
    let starts = ["am ", "den ", "op ", "on ", "le ", "el "];
    starts.iter().any(|start| sentence.starts_with(start)) && inverted.iter().any(|verb| sentence.contains(verb))
}

/// Whether the line was added by a phone or a program.
pub fn is_device_line(line: &str) -> bool {
    let line = line.trim();
    if line.len() > 80 {
        return false;
    }
    let lower = line.to_lowercase();
    DEVICES.iter().any(|start| lower.starts_with(start))
}
