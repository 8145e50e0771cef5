//! `demo`: a legalisation and an order played on the demonstration, or legalisations of a person's own files.

mod named;
mod order;
mod own_files;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::commands::stack::Scope;
use crate::demo::Demo;
use crate::description::Description;
use crate::journey::account::Account;
use crate::journey::api::Api;
use crate::journey::inbox::Inbox;
use crate::journey::notes::{NotedOffice, Notes};
use crate::journey::office::Office;
use crate::journey::record::Recorder;
use crate::journey::{CONTRACT, CONTRACT_SPOT, Cast, Sealed, checks, gather_noted, write_json};
use crate::{commands, records, secrets, services, stack_file, topics, wait};

/// Plays both journeys, the legalisation on the demonstration's own contract; or legalisations of `files`.
///
/// # Errors
/// When the stack does not come up, a step fails, or a tool is not content with a result. A refused file is no error.
pub async fn run(root: &Path, files: &[String], progress: &dyn Fn(&str)) -> Result<()> {
    let files = match files {
        // One text, as the Makefile hands it on.
        [flag, text] if flag == "--named" => named::split(text),
        files => files.to_vec(),
    };
    let files = match files.is_empty() {
        true => None,
        false => Some(named::find(&files)?),
    };
    commands::stack::up(root, Scope::Everything, progress).await?;
    let demo = Demo::of(root)?;
    let description = Description::read(&demo.layout().state.join("stack.json"))?;
    let folder = demo.layout().results();
    let mut notes = Notes::open(&demo.layout().cast(), &today())?;
    let mut recorder = Recorder::new("legalisation", |line| eprintln!("  {line}"));
    let mut cast = assemble(&demo, &description, &mut notes, &mut recorder).await?;
    let outcome = match files {
        None => both_journeys(&demo, &description, &mut cast, &folder, &mut recorder).await,
        Some(files) => {
            let desk = own_files::Desk {
                demo: &demo,
                description: &description,
                folder: &folder,
            };
            own_files::legalise(&desk, &mut cast, &files).await
        }
    };
    notes.end(&cast)?;
    stack_file::write(&demo, &description)?;
    say_where(&demo, &description, &notes, &folder)?;
    outcome
}

async fn both_journeys(
    demo: &Demo,
    description: &Description,
    cast: &mut Cast,
    folder: &Path,
    recorder: &mut Recorder,
) -> Result<()> {
    let legalised = own_contract(demo, description, cast, folder, recorder).await?;
    let (steps, ordered) = order::play(demo, description, cast, folder).await?;
    let steps = [recorder.steps(), &steps].concat();
    write_json(&folder.join("steps.json"), &Value::Array(steps))?;
    write_events(demo, description, folder).await?;
    for line in legalised.into_iter().chain(ordered) {
        eprintln!("            {line}");
    }
    Ok(())
}

/// Has the demonstration's contract legalised. Answers what the tools say of it.
async fn own_contract(
    demo: &Demo,
    description: &Description,
    cast: &mut Cast,
    folder: &Path,
    recorder: &mut Recorder,
) -> Result<Vec<String>> {
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
    recorder
        .step(
            "the result is judged by pyHanko, pdfsig and qpdf",
            judge(demo, description, folder, &sealed),
        )
        .await
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
        let page = folder.join("legalisation-page.pdf");
        lines.extend(checks::judge(demo.layout(), &page, root).await?);
        lines.extend(checks::verapdf(demo.layout(), &[page]).await?);
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

fn say_where(demo: &Demo, description: &Description, notes: &Notes, folder: &Path) -> Result<()> {
    let url = services::public_url(&demo.around(&|_| ()))?;
    let trust = &description.trust;
    eprintln!("\n  portal          {url}/");
    eprintln!("  API             {url}/docs");
    eprintln!("  e-mail          {}", description.mail.api);
    eprintln!("  text messages   {}/inbox", description.sms.url);
    eprintln!(
        "  payments        {}/text-payments",
        description.text_payment.control
    );
    eprintln!("  carrier         {}/parcels", description.carrier.control);
    eprintln!("  time-stamping   {}", trust.tsa_url);
    eprintln!("  OCSP, CRL       {}  {}", trust.ocsp_url, trust.crl_url);
    eprintln!("  Kafka           {}", description.kafka.brokers);
    for account in stack_file::accounts(notes) {
        eprintln!(
            "  {:<15} {}  password {}  TOTP secret {}",
            account.role, account.login, account.password, account.totp_secret
        );
    }
    eprintln!("  results         {}", folder.display());
    Ok(())
}

async fn assemble(
    demo: &Demo,
    description: &Description,
    notes: &mut Notes,
    recorder: &mut Recorder,
) -> Result<Cast> {
    let url = services::public_url(&demo.around(&|_| ()))?;
    if let Some(office) = notes.office().cloned() {
        return come_back(&url, description, notes, &office, recorder).await;
    }
    let administrator = bootstrap(demo, notes, recorder).await?;
    gather_noted(&url, description, administrator, notes, recorder)
        .await
        .context("the next `make demo` goes on from here; `make clean` makes a fresh start")
}

/// Signs in whom an earlier run brought in, where their sessions have ended.
async fn come_back(
    url: &str,
    description: &Description,
    notes: &Notes,
    office: &NotedOffice,
    recorder: &mut Recorder,
) -> Result<Cast> {
    let known = |role: &str| {
        notes.account(role)?.with_context(|| {
            format!("nobody noted how the {role} signs in: `make clean` makes a fresh start")
        })
    };
    let stands = Office {
        office_id: office.office_id.clone(),
        administration_id: office.administration_id.clone(),
        agent: known("agent")?,
        officer: known("officer")?,
        registrar: known("registrar")?,
    };
    let inbox = Inbox::new(&description.mail, &description.sms)?;
    let (anyone, citizen) = (Api::new(url)?, known("citizen")?);
    let mut cast = Cast::come_back(
        anyone,
        inbox,
        stands,
        citizen,
        [&office.officer_pin, &office.registrar_pin],
        notes,
        recorder,
    )
    .await?;
    cast.resting = notes.accounts("citizen")?.into_iter().skip(1).collect();
    Ok(cast)
}

/// The first administrator, by the command that works once. What it answers goes straight into a file: were this process
/// killed before it has read the answer, nobody would know the administrator's second factor.
async fn bootstrap(demo: &Demo, notes: &mut Notes, recorder: &mut Recorder) -> Result<Account> {
    if let Some(account) = notes.account("administrator")? {
        return Ok(account);
    }
    let (person, _) = notes.person("administrator")?;
    let secrets = demo.layout().secrets();
    let password_file = secrets.join("administrator-password");
    secrets::write_private(&password_file, &person.password)?;
    let answer_file = secrets.join("administrator.json");
    let answered = || -> Result<Value> {
        let text = std::fs::read(&answer_file)?;
        Ok(serde_json::from_slice(&text)?)
    };
    let name = "the first administrator is made by the command that works once";
    let made = async {
        if answered().is_err() {
            let around = demo.around(&|_| ());
            let done = services::answer_into(
                &around,
                "identity",
                &person.bootstrap(&password_file),
                &answer_file,
            )
            .await;
            // A run that was cut off may have left the command at work.
            let answer = wait::until(name, Duration::from_secs(5), async || answered()).await;
            if answer.is_err() {
                done.context("an earlier run stopped half-way: `make clean` makes a fresh start")?;
            }
        }
        let answer = answered()?;
        let secret = crate::journey::api::text(&answer, "/totp_secret")?;
        Ok(Account {
            role: person.role.to_owned(),
            email: person.email.clone(),
            password: person.password.clone(),
            authenticator: notes.authenticator(&person.email, secret, 0)?,
        })
    };
    let account = recorder.step(name, made).await?;
    notes.keep(&account)?;
    Ok(account)
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
