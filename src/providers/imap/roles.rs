//! Which folder serves which purpose: by the server's word, else by its name.

use super::FolderRole;
use super::folders::Listed;

/// Names that mail programs and providers give, best match first, in lower case and separated by commas.
const NAMES: [(FolderRole, &str); 5] = [
    (
        FolderRole::Sent,
        "sent, sent items, sent mail, sent messages, sent-mail, sentmail, outbox sent, gesendet, \
         gesendete objekte, gesendete elemente, gesendete nachrichten, envoyés, éléments envoyés, \
         messages envoyés, courrier envoyé, objets envoyés, enviados, elementos enviados, \
         mensajes enviados, correo enviado, itens enviados, mensagens enviadas, posta inviata, inviata, \
         inviati, elementi inviati, verzonden, verzonden items, verzonden berichten, отправленные, \
         исходящие отправленные, надіслані, wysłane, elementy wysłane, odeslané, odeslaná pošta, \
         odoslané, elküldött, elküldött elemek, trimise, elemente trimise, skickat, skickade objekt, \
         sendt, sendte elementer, sendt post, lähetetyt, gönderilmiş, gönderilmiş öğeler, gönderilenler, \
         απεσταλμένα, изпратени, poslano, poslane stavke, 已发送, 已发送邮件, 已傳送, 寄件備份, 送信済み, 送信済みトレイ, 送信済みメール, \
         보낸 편지함, 보낸메일함, المرسلة, البريد المرسل, פריטים שנשלחו, ส่งแล้ว, đã gửi, terkirim",
    ),
    (
        FolderRole::Drafts,
        "drafts, draft, draft messages, entwürfe, entwurf, brouillons, brouillon, borradores, borrador, \
         rascunhos, rascunho, bozze, bozza, concepten, concept, черновики, чернетки, wersje robocze, \
         kopie robocze, szkice, koncepty, rozepsané, rozpísané, piszkozatok, ciorne, utkast, kladder, \
         kladde, luonnokset, taslaklar, taslak, πρόχειρα, чернови, skice, 草稿, 草稿箱, 草稿匣, 下書き, 임시 보관함, \
         임시보관함, المسودات, مسودات, טיוטות, ฉบับร่าง, thư nháp, draf, konsep",
    ),
    (
        FolderRole::Trash,
        "trash, deleted items, deleted messages, deleted, bin, wastebasket, papierkorb, \
         gelöschte objekte, gelöschte elemente, gelöscht, corbeille, éléments supprimés, \
         messages supprimés, papelera, papelera de reciclaje, elementos eliminados, eliminados, lixeira, \
         lixo, itens excluídos, cestino, posta eliminata, elementi eliminati, prullenbak, \
         verwijderde items, корзина, удаленные, удалённые, кошик, видалені, kosz, elementy usunięte, \
         koš, kôš, odstraněná pošta, lomtár, törölt elemek, coș de gunoi, elemente șterse, \
         papperskorgen, borttaget, papirkurv, slettet post, slettede elementer, roskakori, poistetut, \
         çöp, çöp kutusu, silinmiş öğeler, κάδος, διαγραμμένα, кошче, smeće, obrisane stavke, 已删除, \
         已删除邮件, 垃圾箱, 刪除的郵件, ゴミ箱, ごみ箱, 削除済みアイテム, 휴지통, 지운 편지함, المهملات, سلة المهملات, אשפה, ถังขยะ, \
         thùng rác, sampah",
    ),
    (
        FolderRole::Spam,
        "spam, junk, junk e-mail, junk email, junk mail, bulk mail, bulk, quarantine, spamverdacht, \
         spam-verdacht, unerwünscht, junk-e-mail, courrier indésirable, indésirables, pourriel, \
         correo no deseado, no deseado, correio eletrônico não solicitado, lixo eletrônico, \
         lixo eletrónico, posta indesiderata, indesiderata, ongewenst, ongewenste e-mail, спам, \
         нежелательная почта, небажана пошта, wiadomości-śmieci, nevyžádaná pošta, nevyžiadaná pošta, \
         levélszemét, nedorite, skräppost, søppelpost, uønsket mail, uønsket e-post, roskaposti, \
         istenmeyen, önemsiz, ανεπιθύμητα, нежелана поща, neželjena pošta, 垃圾邮件, 垃圾郵件, 广告邮件, 迷惑メール, 스팸, \
         스팸 편지함, 정크 메일, البريد غير الهام, دعائم, דואר זבל, สแปม, thư rác",
    ),
    (
        FolderRole::Archive,
        "archive, archives, archived, archived mail, archiv, archivo, archivados, arquivo, \
         arquivo morto, arquivados, archivio, archief, archief items, архив, архів, archiwum, archivum, \
         archívum, arhiva, arhivă, arkiv, arkisto, arşiv, αρχειοθέτηση, αρχείο, 存档, 归档, 封存, アーカイブ, 보관함, \
         보관, أرشيف, ארכיון, ที่เก็บถาวร, lưu trữ, arsip",
    ),
];

/// Gives every role to one folder at most.
pub(super) fn assign(folders: &mut [Listed]) {
    if let Some(inbox) = folders.iter_mut().find(|l| l.folder.raw_name == "INBOX") {
        inbox.folder.role = Some(FolderRole::Inbox);
    }
    for (attribute, role) in [
        ("\\sent", FolderRole::Sent),
        ("\\drafts", FolderRole::Drafts),
        ("\\trash", FolderRole::Trash),
        ("\\junk", FolderRole::Spam),
        ("\\archive", FolderRole::Archive),
        ("\\all", FolderRole::All),
    ] {
        let marked = folders.iter_mut().find(|l| is_free(l) && l.attributes.iter().any(|found| found == attribute));
        if let Some(listed) = marked {
            listed.folder.role = Some(role);
        }
    }
    for (role, names) in NAMES {
        if !folders.iter().any(|listed| listed.folder.role == Some(role)) {
            assign_by_name(folders, role, names);
        }
    }
}

fn assign_by_name(folders: &mut [Listed], role: FolderRole, names: &str) {
    let best = folders
        .iter_mut()
        .filter(|listed| is_free(listed) && !listed.folder.is_view)
        .filter_map(|listed| {
            let rank = rank(&listed.folder.path, names)?;
            Some((rank, listed))
        })
        .min_by_key(|(rank, _)| *rank);
    if let Some((_, listed)) = best {
        listed.folder.role = Some(role);
    }
}

fn is_free(listed: &Listed) -> bool {
    listed.folder.role.is_none() && listed.folder.selectable
}

/// The smaller the better: first how deep, then how good the name is.
fn rank(path: &[String], names: &str) -> Option<(usize, usize)> {
    let last = path.last()?.trim().to_lowercase();
    let quality = names.split(", ").position(|name| name == last)?;
    let below_inbox = path.first().is_some_and(|first| first.eq_ignore_ascii_case("INBOX"));
    // Many servers keep everything below INBOX: that level does not count.
    Some((path.len() - usize::from(below_inbox && path.len() > 1), quality))
}

#[cfg(test)]
mod tests {
    use super::super::RemoteFolder;
    use super::*;

    fn folder(name: &str, attributes: &[&str]) -> Listed {
        let path: Vec<String> = name.split('/').map(str::to_owned).collect();
        Listed {
            folder: RemoteFolder {
                raw_name: name.to_owned(),
                name: name.to_owned(),
                path,
                delimiter: Some('/'),
                role: None,
                selectable: !attributes.contains(&"\\noselect"),
                is_view: false,
                status: None,
            },
            attributes: attributes.iter().map(|a| (*a).to_owned()).collect(),
        }
    }

    fn roles(mut folders: Vec<Listed>) -> Vec<Option<FolderRole>> {
        assign(&mut folders);
        folders.into_iter().map(|listed| listed.folder.role).collect()
    }

    #[test]
    fn the_servers_word_goes_before_the_name() {
        let found = roles(vec![
            folder("INBOX", &[]),
            folder("Sent", &[]),
            folder("Ausgang", &["\\sent"]),
            folder("Müll", &["\\junk"]),
            folder("Papierkorb", &[]),
        ]);
        assert_eq!(
            found,
            [Some(FolderRole::Inbox), None, Some(FolderRole::Sent), Some(FolderRole::Spam), Some(FolderRole::Trash)]
        );
    }

    #[test]
    fn names_are_known_in_many_languages() {
        for (name, role) in [
            ("Gesendete Objekte", FolderRole::Sent),
            ("INBOX/Éléments envoyés", FolderRole::Sent),
            ("送信済み", FolderRole::Sent),
            ("ОТПРАВЛЕННЫЕ", FolderRole::Sent),
            ("Entwürfe", FolderRole::Drafts),
            ("Papelera", FolderRole::Trash),
            ("Lixo Eletrônico", FolderRole::Spam),
            ("已删除", FolderRole::Trash),
            ("Archiwum", FolderRole::Archive),
        ] {
            assert_eq!(roles(vec![folder(name, &[])]), [Some(role)], "{name}");
        }
        assert_eq!(roles(vec![folder("Kunden", &[])]), [None]);
    }

    #[test]
    fn a_role_goes_to_the_best_folder_and_to_one_only() {
        let found = roles(vec![
            folder("Old/Sent", &[]),
            folder("Sent Items", &[]),
            folder("Sent", &[]),
            folder("Trash", &["\\noselect"]),
            folder("INBOX/Trash", &[]),
        ]);
        let sent = Some(FolderRole::Sent);
        assert_eq!(found, [None, None, sent, None, Some(FolderRole::Trash)]);
    }
}
