//! notification: e-mail and text messages.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Facts;

pub(super) fn settings(facts: &Facts<'_>) -> Result<Value> {
    let mail = &facts.description.mail;
    let (host, port) = mail
        .smtp
        .rsplit_once(':')
        .context("the mail server's address has no port")?;
    let provider = &facts.description.sms;
    Ok(json!({
        "process": facts.process()?,
        "database": facts.database_section()?,
        "kafka": facts.kafka(),
        "consumer": {"instance": facts.instance.name()},
        "upstream": facts.upstream(&["identity", "signature", "civil-registry-order"])?,
        "mail": {
            "host": host,
            "port": port.parse::<u16>()?,
            "security": "tls",
            "ca": mail.ca,
            "from": "Wathiq <ne-pas-repondre@wathiq.local>",
            // Whoever ends the process waits for twice as long, and a little more.
            "seconds": 10,
        },
        "text": {"url": provider.url, "key_file": facts.secret_file("sms-key", || provider.key.clone())?},
        "messages": {"public_url": facts.public_url()?},
        "administration": {"email": "administration@wathiq.local"},
        "help": {
            "number": "080 000 00 00",
            "hours": {
                "ar": "من الاثنين إلى الجمعة، من الثامنة والنصف صباحا إلى الرابعة والنصف بعد الزوال",
                "fr": "du lundi au vendredi, de 8 h 30 à 16 h 30",
                "en": "Monday to Friday, 8.30 to 16.30",
            },
            "short_hours": "8:30-16:30",
        },
    }))
}
