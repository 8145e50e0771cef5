//! `demo`: the legalisation played on the demonstration, and the same on a person's own files.

mod own_files;
mod remembered;

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::commands::stack::Scope;
use crate::demo::Demo;
use crate::description::Description;
use crate::journey::account::Account;
use crate::journey::api::Api;
use crate::journey::authenticator::Authenticator;
use crate::journey::inbox::Inbox;
use crate::journey::office::Office;
use crate::journey::record::Recorder;
use crate::journey::{CONTRACT, CONTRACT_SPOT, Cast, Sealed, checks, gather, people, write_json};
use crate::{commands, records, secrets, services, stack_file, topics};
use remembered::Remembered;

/// Plays the journey on the demonstration's own contract, or on `files`.
///
/// # Errors
/// When the stack does not come up, a step fails, or a tool is not content with a result. A refused file is no error.
pub async fn run(root: &Path, files: &[String], progress: &dyn Fn(&str)) -> Result<()> {
    let files = if files.is_empty() {
        None
    } else {
        Some(own_files::find(files)?)
    };
    commands::stack::up(root, Scope::Everything, progress).await?;
    let demo = Demo::of(root)?;
    let description = Description::read(&demo.layout().state.join("stack.json"))?;
    let folder = root.join("target/demo");
    let mut recorder = Recorder::new("legalisation", |line| eprintln!("  {line}"));
    let mut cast = assemble(&demo, &description, &mut recorder).await?;
    let outcome = match files {
        None => own_contract(&demo, &description, &mut cast, &folder, &mut recorder).await,
        Some(files) => {
            let desk = own_files::Desk {
                demo: &demo,
                description: &description,
                folder: &folder,
            };
            own_files::legalise(&desk, &mut cast, &files).await
        }
    };
    Remembered::of(&cast).save(&demo)?;
    outcome
}

async fn own_contract(
    demo: &Demo,
    description: &Description,
    cast: &mut Cast,
    folder: &Path,
    recorder: &mut Recorder,
) -> Result<()> {
    let sealed = cast
        .legalise("contract.pdf", CONTRACT.to_vec(), Some(CONTRACT_SPOT), recorder)
        .await?;
    recorder
        .step(
            "the mail with the sealed document arrives",
            cast.delivery_mail(&sealed),
        )
        .await?;
    std::fs::create_dir_all(folder)?;
    save(folder, &sealed)?;
    let lines = recorder
        .step(
            "the result is judged by pyHanko, pdfsig and qpdf",
            judge(demo, description, folder, &sealed),
        )
        .await?;
    write_json(
        &folder.join("steps.json"),
        &Value::Array(recorder.steps().to_vec()),
    )?;
    write_events(demo, description, folder).await?;
    for line in lines {
        eprintln!("            {line}");
    }
    say_where(demo, description, folder)
}

fn save(folder: &Path, sealed: &Sealed) -> Result<()> {
    std::fs::write(folder.join("legalised.pdf"), &sealed.document)?;
    let page = folder.join("legalisation-page.pdf");
    match &sealed.legalisation_page {
        Some(bytes) => std::fs::write(&page, bytes)?,
        None if page.exists() => std::fs::remove_file(&page)?,
        None => {}
    }
    write_json(&folder.join("verification.json"), &sealed.verification)?;
    // The newest signature is ours; a contract may carry others that nobody here trusts.
    let ours = sealed.verification["signatures"]
        .as_array()
        .and_then(|signatures| signatures.last());
    let passed = ours.is_some_and(|signature| signature["indication"] == "total_passed");
    if !passed || sealed.verification["issued"] != "as_issued" {
        bail!("our own verification is not content: {}", sealed.verification);
    }
    Ok(())
}

async fn judge(
    demo: &Demo,
    description: &Description,
    folder: &Path,
    sealed: &Sealed,
) -> Result<Vec<String>> {
    let root = &description.trust.root;
    let mut lines = checks::judge(demo.layout(), &folder.join("legalised.pdf"), root).await?;
    if sealed.legalisation_page.is_some() {
        lines.extend(checks::judge(demo.layout(), &folder.join("legalisation-page.pdf"), root).await?);
    }
    Ok(lines)
}

async fn write_events(demo: &Demo, description: &Description, folder: &Path) -> Result<()> {
    let topics = topics::read(&demo.layout().root)?;
    let kafka = description.kafka.clone();
    let events = tokio::task::spawn_blocking(move || records::read_all(&kafka, &topics)).await??;
    let mut lines = String::new();
    for event in events {
        lines.push_str(&serde_json::to_string(&event)?);
        lines.push('\n');
    }
    std::fs::write(folder.join("events.jsonl"), lines)?;
    Ok(())
}

fn say_where(demo: &Demo, description: &Description, folder: &Path) -> Result<()> {
    let url = services::public_url(&demo.around(&|_| ()))?;
    eprintln!("\n  portal          {url}/");
    eprintln!("  API             {url}/docs");
    eprintln!("  e-mail          {}", description.mail.api);
    eprintln!("  text messages   {}/inbox", description.sms.url);
    let stack: Value = serde_json::from_slice(&std::fs::read(folder.join("stack.json"))?)?;
    for account in stack["accounts"].as_array().into_iter().flatten() {
        let member = |name: &str| account[name].as_str().unwrap_or_default().to_owned();
        eprintln!(
            "  {:<15} {}  password {}  TOTP secret {}",
            member("role"),
            member("login"),
            member("password"),
            member("totp_secret")
        );
    }
    eprintln!("  results         {}", folder.display());
    Ok(())
}

async fn assemble(demo: &Demo, description: &Description, recorder: &mut Recorder) -> Result<Cast> {
    let url = services::public_url(&demo.around(&|_| ()))?;
    if let Some(remembered) = Remembered::load(demo)? {
        let anyone = Api::new(&url)?;
        let inbox = Inbox::new(&description.mail, &description.sms)?;
        let office = Office {
            office_id: remembered.office_id.clone(),
            administration_id: remembered.administration_id.clone(),
            agent: remembered.account("agent")?,
            officer: remembered.account("officer")?,
        };
        let citizen = remembered.account("citizen")?;
        return Cast::sign_in(anyone, inbox, office, citizen, &remembered.officer_pin, recorder).await;
    }
    let administrator = bootstrap(demo, recorder).await?;
    let today = today();
    let cast = gather(&url, description, administrator, &today, recorder).await?;
    Remembered::of(&cast).save(demo)?;
    stack_file::write_accounts(&demo.layout().root, recorder.accounts())?;
    Ok(cast)
}

/// The first administrator, by the command that works once.
async fn bootstrap(demo: &Demo, recorder: &mut Recorder) -> Result<Account> {
    let person = people::administrator();
    let password_file = demo.layout().secrets().join("administrator-password");
    secrets::write_private(&password_file, &person.password)?;
    recorder
        .step(
            "the first administrator is made by the command that works once",
            async {
                let around = demo.around(&|_| ());
                let answer = services::output(&around, "identity", &person.bootstrap(&password_file))
                    .await
                    .context("an earlier run may have stopped half-way: `make clean` makes a fresh start")?;
                let answer: Value =
                    serde_json::from_str(&answer).context("bootstrap-administrator did not answer JSON")?;
                let secret = crate::journey::api::text(&answer, "/totp_secret")?;
                Ok(Account {
                    role: person.role.to_owned(),
                    email: person.email.clone(),
                    password: person.password.clone(),
                    authenticator: Authenticator::new(secret, 0)?,
                })
            },
        )
        .await
}

/// The civil date in Morocco.
fn today() -> String {
    let now = std::time::SystemTime::now();
    let now: chrono::DateTime<chrono::Utc> = now.into();
    json!(now.with_timezone(&chrono_tz::Africa::Casablanca).date_naive())
        .as_str()
        .unwrap_or_default()
        .to_owned()
}
