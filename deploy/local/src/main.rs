//! `wathiq-local`: the platform on one machine. `wathiq-local help` lists the commands.

use std::process::ExitCode;

use anyhow::{Result, bail};
use wathiq_local::bench::{self, Asked};
use wathiq_local::commands::stack::Scope;
use wathiq_local::{commands, layout};

const HELP: &str = "\
wathiq-local <command>

  up [--parts-only] [--stay]
                         start what does not run yet (our services left out) (and end it when this command is ended)
  demo [files and folders]
                         start everything, play a legalisation and have it checked (or do so with these PDF files)
  demo --named <text>    the same with names in one text; a name with spaces is quoted or has backslashes
  status [--parts-only]  one line a process; fails when one is down
  down                   end everything
  clean                  end everything and remove all state, keys and certificates
  bench [names] [--placements N] [--acts N] [--rate N] [--seconds N] [--each N]
                         measure (release build) into target/bench.json: signing, processes, orders, acts, flow
  test -- <command...>   run a command with a throw-away stack around it (WATHIQ_TEST_STACK names its description)
";

// One thread: everything here waits for other processes.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("wathiq-local: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<u8> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = layout::find_root()?;
    match arguments.first().map(String::as_str) {
        Some("test") => {
            let command = arguments[1..]
                .strip_prefix(&["--".to_owned()])
                .unwrap_or(&arguments[1..]);
            commands::test::run(&root, command, &progress).await
        }
        Some("up") => {
            commands::stack::up(&root, scope(&arguments), &progress).await?;
            if has(&arguments, "--stay") {
                commands::stack::stay(&root, &progress).await?;
            }
            Ok(0)
        }
        Some("demo") => commands::demo::run(&root, &arguments[1..], &progress)
            .await
            .map(|()| 0),
        Some("status") => Ok(u8::from(!commands::stack::status(&root, scope(&arguments))?)),
        Some("down") => commands::stack::down(&root, &progress).await.map(|()| 0),
        Some("clean") => commands::stack::clean(&root, &progress).await.map(|()| 0),
        Some("bench") => {
            let asked = Asked::read(&arguments[1..])?;
            bench::run(&root, &asked).await.map(|()| 0)
        }
        None | Some("help" | "--help" | "-h") => {
            eprint!("{HELP}");
            Ok(0)
        }
        Some(other) => bail!("unknown command {other}\n\n{HELP}"),
    }
}

fn has(arguments: &[String], flag: &str) -> bool {
    arguments.iter().any(|argument| argument == flag)
}

fn scope(arguments: &[String]) -> Scope {
    if has(arguments, "--parts-only") {
        Scope::Parts
    } else {
        Scope::Everything
    }
}

fn progress(line: &str) {
    eprintln!("  {line}");
}
