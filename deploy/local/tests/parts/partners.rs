//! The mail catcher and the provider of text messages.

use std::process::Command;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::given::stack;

#[tokio::test]
async fn mail_is_taken_over_tls_and_shown_in_the_inbox() {
    let mail = stack().mail;
    let subject = wathiq_local::secrets::random_hex(8);
    let folder = tempfile::tempdir().unwrap();
    let message = folder.path().join("message");
    // Large enough that it is not stored in the moment in which it has come.
    let attachment = vec![7; 3_000_000];
    let lines: Vec<String> = attachment.chunks(57).map(|chunk| BASE64.encode(chunk)).collect();
    let headers = format!(
        "From: a@wathiq.test\r\nTo: b@wathiq.test\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n\
         Content-Type: application/pdf; name=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"a.pdf\""
    );
    std::fs::write(&message, format!("{headers}\r\n\r\n{}\r\n", lines.join("\r\n"))).unwrap();
    let sent = Command::new("curl")
        .args([
            "-sS",
            "--noproxy",
            "*",
            "--mail-from",
            "a@wathiq.test",
            "--mail-rcpt",
            "b@wathiq.test",
        ])
        .arg("--cacert")
        .arg(&mail.ca)
        .arg("--upload-file")
        .arg(&message)
        .arg(format!("smtps://{}", mail.smtp))
        .output()
        .unwrap();
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let client = wathiq_local::http::client().unwrap();
    let inbox: Vec<Value> = client
        .get(format!("{}/email", mail.api))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    // What was taken is there at once, and whole.
    let stored = inbox
        .iter()
        .find(|message| message["subject"] == subject.as_str());
    let id = stored.unwrap()["id"].as_str().unwrap();
    let file = client.get(format!("{}/email/{id}/attachment/a.pdf", mail.api));
    let bytes = file.send().await.unwrap().bytes().await.unwrap();
    assert!(
        bytes == attachment,
        "{} bytes of {}",
        bytes.len(),
        attachment.len()
    );
}

#[tokio::test]
async fn a_text_message_is_taken_once_for_its_reference_and_shown_in_the_inbox() {
    let sms = stack().sms;
    let client = wathiq_local::http::client().unwrap();
    let url = format!("{}/v1/messages", sms.url);
    let to = "+212600000042";
    let reference = wathiq_local::secrets::random_hex(8);
    let message = json!({"to": to, "from": "Wathiq", "text": "رمزكم 123456 <b>", "reference": reference});
    let send = async |key: &str| {
        client
            .post(&url)
            .bearer_auth(key)
            .json(&message)
            .send()
            .await
            .unwrap()
    };
    assert_eq!(send("wrong").await.status(), 401);
    let first = send(&sms.key).await;
    assert_eq!(first.status(), 202);
    let first: Value = first.json().await.unwrap();
    let second = send(&sms.key).await;
    assert_eq!(second.status(), 200);
    assert_eq!(second.json::<Value>().await.unwrap()["id"], first["id"]);
    let listed: Vec<Value> = client
        .get(&url)
        .query(&[("to", to)])
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        listed
            .iter()
            .filter(|message| message["reference"] == reference.as_str())
            .count(),
        1
    );
    let page = client
        .get(format!("{}/inbox", sms.url))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.contains("رمزكم 123456 &#60;b&#62;"), "{page}");
}

#[tokio::test]
async fn a_text_message_to_no_number_is_refused() {
    let sms = stack().sms;
    let client = wathiq_local::http::client().unwrap();
    for (to, text, code) in [
        ("0600000000", "x", "invalid_recipient"),
        ("+212600000000", "", "invalid_text"),
        ("+0212600000000", "x", "invalid_recipient"),
    ] {
        let answer = client
            .post(format!("{}/v1/messages", sms.url))
            .bearer_auth(&sms.key)
            .json(&json!({"to": to, "from": "Wathiq", "text": text, "reference": null}))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 422);
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], code);
    }
}
