use super::*;
use crate::config::StorageConfig;
use crate::net::{Net, NetOptions};
use futures_util::stream;

async fn storage() -> (tempfile::TempDir, Storage) {
    let dir = tempfile::tempdir().unwrap();
    let net = Net::new(NetOptions::default()).unwrap();
    let storage = Storage::open(&StorageConfig::Folder(dir.path().join("files")), &net).await.unwrap();
    (dir, storage)
}

async fn whole(content: Content) -> Vec<u8> {
    let pieces: Vec<Bytes> = content.try_collect().await.unwrap();
    pieces.concat()
}

const DIGEST: &str = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";

#[tokio::test]
async fn an_attachment_is_kept_once_and_read_whole_or_in_part() {
    let (_dir, storage) = storage().await;
    let org = OrgId::new();
    let path = storage.put_attachment(org, DIGEST, Bytes::from("hello world")).await.unwrap();
    assert_eq!(path, format!("sha256/{DIGEST}"));
    assert_eq!(storage.put_attachment(org, DIGEST, Bytes::from("hello world")).await.unwrap(), path);
    assert_eq!(whole(storage.attachment(org, &path, None).await.unwrap()).await, b"hello world");
    assert_eq!(whole(storage.attachment(org, &path, Some(6..11)).await.unwrap()).await, b"world");
    assert_eq!(storage.attachment_size(org, &path).await.unwrap(), 11);
    assert!(matches!(storage.attachment(OrgId::new(), &path, None).await, Err(StorageError::Missing)));
    storage.delete_attachments(org, &[path.clone(), path.clone()]).await.unwrap();
    assert!(matches!(storage.attachment_size(org, &path).await, Err(StorageError::Missing)));
}

#[tokio::test]
async fn a_cut_attachment_is_written_again() {
    let (dir, storage) = storage().await;
    let org = OrgId::new();
    let path = storage.put_attachment(org, DIGEST, Bytes::from("hello world")).await.unwrap();
    let file = dir.path().join(format!("files/{org}/sha256/b9/{DIGEST}"));
    std::fs::write(&file, "").unwrap();
    storage.put_attachment(org, DIGEST, Bytes::from("hello world")).await.unwrap();
    assert_eq!(storage.attachment_size(org, &path).await.unwrap(), 11);
}

#[tokio::test]
async fn mails_of_a_pack_are_read_one_by_one() {
    let (_dir, storage) = storage().await;
    let account = AccountId::new();
    let mails = [b"From: a\r\n\r\nfirst".to_vec(), Vec::new(), vec![b'x'; 300_000]];
    let mut compressor = Compressor::new().unwrap();
    let frames = mails.iter().map(|mail| compressor.frame(mail).unwrap()).collect();
    let refs = storage.put_pack(account, frames).await.unwrap();
    for (raw_ref, mail) in refs.iter().zip(&mails) {
        assert_eq!(storage.get_raw(raw_ref).await.unwrap(), mail.as_slice());
    }
    storage.delete_raw(account).await.unwrap();
    assert!(matches!(storage.get_raw(&refs[0]).await, Err(StorageError::Missing)));
}

#[tokio::test]
async fn a_large_mail_goes_in_and_out_in_pieces() {
    let (dir, storage) = storage().await;
    let piece = |n: u32| Bytes::from(n.to_le_bytes().repeat(50_000));
    let pieces = stream::iter((0..60).map(|n| Ok::<_, StorageError>(piece(n))));
    let raw_ref = storage.put_large(AccountId::new(), pieces).await.unwrap();
    let expected: Vec<u8> = (0..60).flat_map(|n| piece(n).to_vec()).collect();
    assert!(storage.get_raw(&raw_ref).await.unwrap() == expected);
    let failing = stream::iter([Ok(piece(1)), Err(StorageError::Away("the line broke".to_owned()))]);
    let account = AccountId::new();
    assert!(storage.put_large(account, failing).await.is_err());
    let left = std::fs::read_dir(dir.path().join(format!("files/raw/{account}"))).map_or(0, Iterator::count);
    assert_eq!(left, 0, "nothing half written stays behind");
}

#[tokio::test]
async fn a_damaged_pack_and_a_wild_reference_are_told_apart_from_a_missing_one() {
    let (dir, storage) = storage().await;
    let account = AccountId::new();
    let frame = Compressor::new().unwrap().frame(b"some mail that was kept").unwrap();
    let refs = storage.put_pack(account, vec![frame]).await.unwrap();
    let name = refs[0].split('#').next().unwrap();
    let file = dir.path().join("files").join(name);
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 0xff;
    std::fs::write(&file, bytes).unwrap();
    assert!(matches!(storage.get_raw(&refs[0]).await, Err(StorageError::Damaged(_))));
    assert!(matches!(storage.get_raw("raw/../secrets.toml").await, Err(StorageError::Damaged(_))));
    assert!(matches!(storage.attachment_size(OrgId::new(), "../x").await, Err(StorageError::Damaged(_))));
}

#[tokio::test]
async fn a_storage_that_is_gone_is_noticed_and_its_return_too() {
    let (dir, storage) = storage().await;
    storage.check().await.unwrap();
    let (here, away) = (dir.path().join("files"), dir.path().join("away"));
    std::fs::rename(&here, &away).unwrap();
    std::fs::write(&here, "in the way").unwrap();
    assert!(storage.check().await.unwrap_err().is_unavailable());
    std::fs::remove_file(&here).unwrap();
    std::fs::rename(&away, &here).unwrap();
    storage.check().await.unwrap();
}
