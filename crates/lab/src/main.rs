//! `offhook-lab`: the laboratory as a program, for administrators and tests.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use offhook_lab::{Fault, Lab, LabConfig, LabError, LabInfo, Scenario, Security};
use tokio::io::AsyncBufReadExt as _;

#[derive(Parser)]
#[command(name = "offhook-lab", version, about = "A UC deployment on loopback")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts a deployment and prints where each part listens; runs until interrupted.
    Up(Up),
    /// Shows scenarios and faults.
    List {
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args)]
struct Up {
    /// Kind of deployment.
    #[arg(long, default_value = "on-prem")]
    scenario: String,
    /// TOML file with domain, users, robots, ports.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Something that goes wrong on purpose; repeatable.
    #[arg(long)]
    fault: Vec<String>,
    /// Folder of certificates and recordings; a temporary one without it.
    #[arg(long)]
    state: Option<PathBuf>,
    /// The table as one JSON line, then one JSON object per event.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("OFFHOOK_LAB_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let result = match Cli::parse().command {
        Command::List { json } => list(json).map_err(LabError::from_output),
        Command::Up(up) => run(up),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "offhook-lab: {error}");
            ExitCode::from(2)
        }
    }
}

/// Lets a failure to print travel as a laboratory error.
trait FromOutput {
    fn from_output(error: std::io::Error) -> Self;
}

impl FromOutput for LabError {
    fn from_output(source: std::io::Error) -> Self {
        Self::File { path: "standard output".into(), source }
    }
}

fn list(json: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        let scenario =
            |it: &Scenario| serde_json::json!({ "name": it.name(), "about": it.about() });
        let fault = |it: &Fault| {
            let rule = it.rule().map(|number| format!("D{number:02}"));
            let scenario = it.scenario().name();
            serde_json::json!({
                "name": it.name(), "rule": rule, "scenario": scenario, "about": it.about(),
            })
        };
        let scenarios: Vec<_> = Scenario::ALL.iter().map(scenario).collect();
        let faults: Vec<_> = Fault::ALL.iter().map(fault).collect();
        let object = serde_json::json!({ "scenarios": scenarios, "faults": faults });
        return writeln!(out, "{object}");
    }
    writeln!(out, "Scenarios (--scenario NAME)")?;
    for scenario in Scenario::ALL {
        writeln!(out, "  {:<30} {}", scenario.name(), scenario.about())?;
    }
    writeln!(out, "Faults (--fault NAME, repeatable), and the rule of the doctor each is for")?;
    for fault in Fault::ALL {
        let rule = fault.rule().map_or_else(String::new, |number| format!("D{number:02}"));
        writeln!(out, "  {:<26} {rule:<3} {}", fault.name(), fault.about())?;
    }
    Ok(())
}

fn run(up: Up) -> Result<(), LabError> {
    let scenario = Scenario::by_name(&up.scenario)?;
    let mut config = match &up.config {
        Some(path) => LabConfig::from_file(path)?,
        None => LabConfig::default(),
    };
    config.faults.extend(up.fault);
    if up.state.is_some() {
        config.state = up.state;
    }
    let sip = &config.sip;
    let secure = sip.security != Security::Off;
    let takes_words = config.im.second_node || sip.has_nodes() || sip.desk_phones || secure;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(LabError::from_output)?;
    runtime.block_on(async {
        let lab = Lab::start(scenario, config).await?;
        let mut events = lab.events();
        let info = lab.info();
        if up.json { print_json(&info) } else { print_table(&info) }
            .map_err(LabError::from_output)?;
        let interrupted = interrupted();
        tokio::pin!(interrupted);
        let listens = scenario == Scenario::EdgeRoaming || takes_words;
        let mut words = listens.then(lines);
        // A script may read the first line and close the pipe: the laboratory goes on without.
        let mut heard = up.json;
        loop {
            tokio::select! {
                () = &mut interrupted => break,
                line = next(&mut words) => match line.as_deref().map(str::trim) {
                    Some(view @ ("inside" | "outside")) => lab.go_outside(view == "outside"),
                    Some(word) => if let Err(error) = lab.tell(word) {
                        tracing::error!(%error, "a word was not understood");
                    },
                    None => words = None,
                },
                event = events.recv(), if heard => match event {
                    Ok(event) => heard = print_json(&event).is_ok(),
                    Err(tokio::sync::broadcast::error::RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "events were lost");
                    }
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => break,
                },
            }
        }
        lab.stop().await;
        while let (true, Ok(event)) = (heard, events.try_recv()) {
            heard = print_json(&event).is_ok();
        }
        Ok(())
    })
}

type Lines = tokio::io::Lines<tokio::io::BufReader<tokio::io::Stdin>>;

fn lines() -> Lines {
    tokio::io::BufReader::new(tokio::io::stdin()).lines()
}

/// The next line; never comes when nobody may write any, nothing at their end.
async fn next(lines: &mut Option<Lines>) -> Option<String> {
    match lines {
        Some(lines) => lines.next_line().await.ok().flatten(),
        None => std::future::pending().await,
    }
}

async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

fn print_json(value: &impl serde::Serialize) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    out.write_all(b"\n")?;
    out.flush()
}

fn print_table(info: &LabInfo) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let services = &info.services;
    writeln!(out, "Scenario {} for {}", info.scenario, info.domain)?;
    for fault in &info.faults {
        writeln!(out, "Fault    {fault}")?;
    }
    for (name, at) in [
        ("name server", services.dns),
        ("UDS", services.uds),
        ("files", services.files),
        ("SOAP", services.soap),
        ("XMPP", services.xmpp),
        ("XMPP TLS", services.xmpps),
        ("SIP UDP", services.sip_udp),
        ("SIP TCP", services.sip_tcp),
        ("SIP TLS", services.sip_tls),
        ("CAS", services.cas),
        ("CAS HTTP", services.cas_http),
        ("XMPP cloud", services.xmpp443),
        ("edge SIP", services.edge_sip),
        ("edge XMPP", services.edge_xmpp),
    ] {
        writeln!(out, "  {name:<12} {at}")?;
    }
    writeln!(out, "  {:<12} {}", "authority", info.ca_file.display())?;
    writeln!(out, "  {:<12} {}", "recordings", info.state.display())?;
    writeln!(out, "Users (the same people exist in {})", info.standard_domain)?;
    for user in &info.users {
        let (address, password) = (&user.address, &user.password);
        writeln!(out, "  {address:<28} {password:<12} {:<8} {}", user.number, user.device)?;
    }
    writeln!(out, "Robots")?;
    for robot in &info.robots {
        writeln!(out, "  {:<28} {:<8} {}", robot.address, robot.number, robot.display_name)?;
    }
    let status = info.status_numbers.iter().map(|(number, status)| format!("{number} → {status}"));
    writeln!(out, "Numbers with a fixed answer: {}", status.collect::<Vec<_>>().join(", "))?;
    if let Some(domain) = &info.voice_services_domain {
        writeln!(out, "Voice services domain: {domain}")?;
    }
    writeln!(
        out,
        "Bootstrap: {}   URL: {}",
        info.bootstrap_file.display(),
        info.configuration_url
    )?;
    for way in &info.manual {
        writeln!(out, "Manual:    {way}")?;
    }
    for entry in &info.hosts {
        writeln!(out, "  --hosts {entry}")?;
    }
    writeln!(
        out,
        "\nSign in:  OFFHOOK_NAME_SERVER={} OFFHOOK_CA_FILE={}",
        info.name_server,
        info.ca_file.display()
    )?;
    out.flush()
}
